#!/bin/sh
# Makes .venv and installs one hashed lock file into it: with uv when it can be had, else with pip.
# usage: tools/setup.sh PYTHON LOCKFILE
set -eu
python=$1
lock=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Raccordo needs Python 3.11 or newer; $python is $("$python" --version 2>&1). Try: make PYTHON=python3.12 ..." >&2
    exit 1
}
if [ ! -x .venv/bin/python ]; then
    echo "-> making .venv"
    "$python" -m venv .venv
fi
if [ ! -x .venv/bin/uv ]; then
    echo "-> installing uv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-uv.txt \
        || echo "   uv cannot be had here: going on with pip, which is slower"
fi
echo "-> installing $(grep -c '==' "$lock") packages of $lock"
if [ -x .venv/bin/uv ]; then
    VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --require-hashes --no-deps -r "$lock"
else
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
fi
# The checkout itself: one line that puts it on the path, and the command.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
pwd > "$site/raccordo.pth"
cat > .venv/bin/raccordo <<COMMAND
#!$PWD/.venv/bin/python
from app.cli import main
main()
COMMAND
chmod +x .venv/bin/raccordo
