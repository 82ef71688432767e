"""Writes the next migration from what the tables say: python tools/revision.py 0002 "Add what is new"."""

import sys
import tempfile
from pathlib import Path

from storage.database import Database
from storage.schema import migrate, revision

with tempfile.TemporaryDirectory() as folder:
    database = Database(f"sqlite:///{Path(folder) / 'empty.db'}")
    migrate(database)
    revision(database, sys.argv[2], sys.argv[1])
