# `make diagnose` examines this machine, `make test` tests this checkout. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COLLECTION := collections/ansible_collections/memops/linux
INVENTORY ?= inventory.example
SCENARIO ?= default
# ansible.cfg is read from here even where a folder above is writable by all.
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

.PHONY: help diagnose test lint unit targets sanity bench lab accuracy fuzz lab-setup lab-quick lab-faults molecule browser-setup browser screenshots alerts-setup alerts alert-rules respond-setup respond respond-tests-setup respond-tests end-to-end-setup end-to-end docs build clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

diagnose: $(VENV)/.runtime ## was it memory? examine this machine (INVENTORY=... for a fleet)
	$(BIN)/ansible-playbook playbooks/diagnose.yml -i $(INVENTORY)

test: lint unit targets ## everything that needs no VM

lint: $(VENV)/.dev ## ruff, yamllint, ansible-lint at profile production
	$(BIN)/ruff check .
	$(BIN)/yamllint --strict .
	$(BIN)/ansible-lint --offline --profile production

unit: $(VENV)/.dev ## unit and end-to-end tests
	$(BIN)/pytest -n auto

targets: ## the target half's tests under each Python from 3.6 on that is installed
	$(PYTHON) tests/run_target_pythons.py

sanity: $(VENV)/.dev ## ansible-test sanity for the collection
	tests/run_sanity.sh $(BIN)

bench: $(VENV)/.dev ## measure, and write the collection's docs/benchmarks.md
	$(BIN)/python -m bench

lab: $(VENV)/.dev ## make each fault in VMs and diagnose it: PLATFORMS=, FAULTS= choose, LAB='--again --keep DIR' says more
	$(BIN)/python -m lab.score $(if $(PLATFORMS),--platforms $(PLATFORMS)) $(if $(FAULTS),--faults $(FAULTS)) $(LAB)

accuracy: $(VENV)/.dev ## diagnose the labelled logs in LABELS= (labels.json beside them), and count what is right
	$(BIN)/python tools/accuracy.py $(LABELS)

fuzz: $(VENV)/.dev ## let a fuzzer look for a log that breaks the readers, for SECONDS= (60)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	$(BIN)/python tests/fuzz/fuzz_saved_logs.py -max_total_time=$(or $(SECONDS),60)

lab-setup: $(VENV)/.dev ## install what booting virtual machines needs (root, apt-get)
	$(BIN)/python -m lab setup

molecule: $(VENV)/.dev ## one scenario in virtual machines, SCENARIO= (default); see molecule/README.md
	PATH="$(CURDIR)/$(BIN):$$PATH" MOLECULE_COMMAND_BORDERS=0 MOLECULE_EPHEMERAL_DIRECTORY="$(CURDIR)/.ansible/molecule/$(SCENARIO)" \
		$(BIN)/molecule test -s $(SCENARIO)

QUICK_FAULTS := memcg_anon container_anon memcg_tmpfs memcg_sockets segfault healthy_idle
lab-quick: lab-setup ## the scenarios and the six faults in virtual machines that every change has to pass
	$(BIN)/python -m lab image bookworm-6.1 bullseye-5.10-v1
	$(MAKE) molecule SCENARIO=default
	$(MAKE) molecule SCENARIO=dirty_page_cache
	$(MAKE) lab-faults

lab-faults: lab-setup ## six faults on one kernel, each of which must be told right
	$(BIN)/python -m lab.score --trial --platforms bookworm-6.1 --faults $(QUICK_FAULTS)

browser-setup: ## install Chromium, in which the report's page is tested (root, apt-get)
	@command -v chromium >/dev/null || { apt-get update -q && apt-get install -q -y --no-install-recommends chromium; }

browser: $(VENV)/.dev ## the report's page in headless Chromium: by mouse, by keyboard, on a phone, on paper, with axe
	$(BIN)/pytest -n 0 tests/browser

screenshots: $(VENV)/.dev ## the pictures of the report in the README
	$(BIN)/python tools/screenshots.py

alerts-setup: ## install promtool, which the alert rules are checked with (root, apt-get)
	@command -v promtool >/dev/null || { apt-get update -q && apt-get install -q -y --no-install-recommends prometheus; }

alerts: $(VENV)/.dev ## the alert rules, the metrics and the dashboard, held against Prometheus' promtool
	$(BIN)/pytest -n 0 tests/alerts

alert-rules: $(VENV)/.dev ## the Prometheus rules and the Grafana dashboard, from runbooks/alerts/catalogue.yml and runbooks/dashboards/panels.yml
	$(BIN)/python tools/make_alert_rules.py
	$(BIN)/python tools/make_dashboard.py

export RESPOND_INVENTORY ?= $(INVENTORY)
export RESPOND_RUNBOOKS ?= $(CURDIR)/runbooks
respond-setup: ## install what `make respond` needs besides Python: Java 17 (root, apt-get)
	@command -v java >/dev/null || { apt-get update -q && apt-get install -q -y --no-install-recommends openjdk-17-jre-headless; }

respond: $(VENV)/.respond ## alerts run runbooks: start the service, RESPOND_INVENTORY= and others as in its README (extensions/eda)
	@exec $(BIN)/python $(COLLECTION)/extensions/eda/respond.py

respond-tests-setup: respond-setup ## install Alertmanager and PostgreSQL, for `make respond-tests` (root, apt-get)
	@command -v prometheus-alertmanager >/dev/null && ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
		|| { apt-get update -q && apt-get install -q -y --no-install-recommends prometheus-alertmanager postgresql openssl; }

respond-tests: $(VENV)/.dev $(VENV)/.respond ## the service under load and faults; QUICK=1 leaves out the long ones, FIGURES=1 writes docs/reliability.md
	$(BIN)/pytest -n 0 tests/eda $(if $(QUICK),-m 'not long') $(if $(FIGURES),--write-figures)

end-to-end-setup: respond-setup lab-setup ## install Prometheus and Alertmanager, for `make end-to-end` (root, apt-get)
	@command -v prometheus >/dev/null && command -v prometheus-alertmanager >/dev/null \
		|| { apt-get update -q && apt-get install -q -y --no-install-recommends prometheus prometheus-alertmanager; }

end-to-end: $(VENV)/.dev $(VENV)/.respond ## from a kill in a VM to the notice, and to the remedy; QUICK=1 leaves out the latter, FIGURES=1 writes docs/reliability.md
	$(BIN)/pytest -n 0 tests/end_to_end $(if $(QUICK),-m 'not long') $(if $(FIGURES),--write-figures)

docs: $(VENV)/.dev ## the pages of docs/ that are written from the code
	$(BIN)/python tools/make_docs.py

build: $(VENV)/.runtime ## the tarball for ansible-galaxy collection install
	$(BIN)/ansible-galaxy collection build $(COLLECTION) --output-path dist --force

clean: ## remove what make made
	rm -rf $(VENV) .venv-targets dist

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "memops needs Python 3.11 or newer here, this is %d.%d: make PYTHON=python3.11" % v[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.respond: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[eda]'
	@touch $@ $(VENV)/.runtime

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.runtime
