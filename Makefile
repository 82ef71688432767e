# Every target sets up .venv from the hashed lock files when they have changed. Needs Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime
TOOLS := .venv/.tools
# Compiled once, not by every worker and every process a test starts, whatever the machine says.
unexport PYTHONDONTWRITEBYTECODE
# Half of the time tests wait: for a process to start, a lease to end. The long ones come first, and are dealt out singly.
PYTEST := $(BIN)/python -m pytest -n 4 --maxschedchunk 2
PACKAGES := app bot desk answering reminders registry intake delivery storage facts sandbox benchmarks tests

.PHONY: help setup demo serve test check format lock messages faults bench clean

help:
	@echo "make demo    the whole of Raccordo on a throw-away folder, in your browser"
	@echo "make test    every test, on SQLite and, where installed, PostgreSQL, Postfix and Chromium"
	@echo "make serve   the service with the settings of .env"
	@echo "make check   format, lint, types, floors and tests: what CI runs"
	@echo "make faults  the fault table at full dose (long); make bench: the benchmarks"

setup: $(RUNTIME)

$(RUNTIME): requirements.txt tools/setup.sh pyproject.toml
	@sh tools/setup.sh "$(PYTHON)" requirements.txt
	@touch $@

$(TOOLS): requirements-dev.txt $(RUNTIME)
	@sh tools/setup.sh "$(PYTHON)" requirements-dev.txt
	@touch $@

demo: $(RUNTIME)
	@$(BIN)/raccordo demo

serve: $(RUNTIME)
	@$(BIN)/raccordo serve

test: $(TOOLS)
	@$(PYTEST)

check: $(TOOLS)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES)
	$(BIN)/lint-imports
	$(PYTEST)

format: $(TOOLS)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: $(TOOLS)
	$(BIN)/python tools/messages.py

lock: $(TOOLS)
	@sh tools/lock.sh

faults: $(TOOLS)
	$(BIN)/python -m pytest tests/faults tests/bot/test_whatever_happens.py tests/intake/reading/test_anything.py \
		tests/intake/test_pec_at_random.py --dose=full -s

bench: $(TOOLS)
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.outbox
	$(BIN)/python -m benchmarks.sweep --jobs
	$(BIN)/python -m benchmarks.sealing
	$(BIN)/python -m benchmarks.forms
	$(BIN)/python -m benchmarks.desk

clean:
	rm -rf .venv .venv-aiogram .venv-aiogram.lock .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build
