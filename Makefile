# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the rest.
UV := ./scripts/uv
RUN := $(UV) run --frozen --no-sync
DEMO_DATA ?= demo-data

.PHONY: help demo test test-airflow test-cluster check lint bench eval kibana kills score fuzz audit train format clean setup setup-demo

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup-demo:
	@$(UV) sync --frozen --inexact --no-default-groups --quiet

setup:
	@$(UV) sync --frozen --inexact --quiet

demo: setup-demo  ## run the pipeline on a small newsroom of its own, from nothing to a searchable index
	@$(RUN) wirewatch demo --data $(DEMO_DATA)

test: setup  ## all tests
	$(RUN) pytest -n 2 --dist loadfile
	@$(MAKE) --no-print-directory test-airflow

# Airflow brings some 150 packages that nothing else here needs, so it has an environment of its own.
test-airflow:  ## the DAGs under a real Airflow, scheduler and all (part of `make test`)
	@UV_PROJECT_ENVIRONMENT=.venv-airflow $(UV) sync --frozen --inexact --extra airflow --extra postgres --quiet \
		|| { echo "wirewatch: Airflow cannot be had here, so the tests of the DAGs are skipped"; exit 0; } \
		&& .venv-airflow/bin/python -m pytest -n 2 --dist loadfile tests/dags

test-cluster:  ## the DAGs on PostgreSQL, Celery, Redis and Elasticsearch, with two workers (some minutes)
	@for part in redis-server postgresql; do test -n "$$(dpkg-query -W -f '$${Version}' $$part 2>/dev/null)" \
		|| { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y --no-install-recommends $$part; }; done
	@UV_PROJECT_ENVIRONMENT=.venv-airflow $(UV) sync --frozen --inexact --extra airflow --extra cluster --extra postgres --quiet
	.venv-airflow/bin/python -m pytest -m cluster tests/dags/test_cluster.py

check: lint test  ## lint, types, known holes and tests: all that a change must pass

lint: setup  ## form, types, and the pinned dependencies against known holes
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) python -m scripts.holes

bench: setup  ## speed and quality, each figure beside a peer's in the same run
	$(RUN) python -m bench

eval: setup  ## quality on gold data; fails below the pinned floors
	$(RUN) python -m bench.quality

kills: setup  ## 200 kills of a worker that delivers alerts: none lost, none doubled
	ALERT_KILLS=200 $(RUN) pytest tests/alerts/test_kill.py -s

score: setup  ## our manners towards hosts: 10,000 polls of a scripted world, days long in simulated time, as a table
	$(RUN) python -m tests.manners

fuzz: setup  ## fuzz all that reads what others wrote; FUZZ_EXAMPLES=100000 for longer
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-10000} $(RUN) pytest tests/fuzz -n 2

audit: setup  ## known holes of the pinned dependencies (asks PyPI's advisory database)
	@$(UV) export --frozen --no-dev --no-hashes --no-emit-project --quiet > .audit-requirements.txt
	$(UV) tool run pip-audit --no-deps --disable-pip -r .audit-requirements.txt; found=$$?; rm -f .audit-requirements.txt; exit $$found

train:  ## train the model anew from ../shared/data (hours; needs the data)
	@$(UV) sync --frozen --inexact --group train --quiet
	$(RUN) python -m training.train

kibana: setup  ## write mappings/kibana.ndjson anew from scripts/kibana.py
	$(RUN) python scripts/kibana.py

format: setup  ## put the code into the house's form
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

clean:  ## remove what the commands above made
	rm -rf .venv .venv-airflow .tools $(DEMO_DATA) .mypy_cache .pytest_cache .ruff_cache
