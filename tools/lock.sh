#!/bin/sh
# Writes the lock files anew: hashed, for every platform, naming no host.
set -eu
compile() {
    .venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
        --override overrides.txt --upgrade "$@"
}
compile requirements.in -o requirements.txt
compile requirements-dev.in -c requirements.txt -o requirements-dev.txt
compile tests/sandbox/aiogram-requirements.in -o tests/sandbox/aiogram-requirements.txt
echo "uv" | compile - -o requirements-uv.txt
