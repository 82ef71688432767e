"""Takes away what staff chose for a message and never sent: rows and bytes, after a day. Touches nothing that was sent.

A page that is shown again keeps the chosen files without a home; who then goes elsewhere leaves them there. Rows go
first. A kill before the bytes are gone leaves them behind: nobody can reach them, and they do no harm.
"""

from datetime import datetime, timedelta

from storage import audit, leftovers
from storage.database import Database
from storage.files import Files

LEFT_FOR = timedelta(days=1)
AT_ONCE = 100


def take_away(database: Database, files: Files, now: datetime) -> int:
    """All that is due; how many files."""
    done = 0
    while some := _take_away_some(database, files, now):
        done += some
    return done


def _take_away_some(database: Database, files: Files, now: datetime) -> int:
    with database.write() as session:
        found = leftovers.take_away_some(session, now - LEFT_FOR, most=AT_ONCE)
        for one in found:
            audit.record(session, now, ("system", None), "file.take-away", ("attachment", one.attachment_id))
    with database.read() as session:
        names = {one.name for one in found if one.name is not None}
        bare = [name for name in names if not leftovers.is_named(session, name)]
    for name in bare:
        files.forget(name, LEFT_FOR)
    return len(found)
