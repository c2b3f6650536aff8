# loadlift.aws: `make lab` shows the whole story on this machine, `make test` passes the tests.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PROFILE ?= full
VENV := .venv
# mypy will not look at a collection in site-packages: it finds the checkout here under its full name.
TYPES := $(VENV)/.types
BIN := $(CURDIR)/$(VENV)/bin
LAB := LOADLIFT_LAB="$(CURDIR)/.lab" PYTHONPATH="$(CURDIR)/roles/lab/files" "$(BIN)/python" -m loadlift_lab.lifecycle
export PATH := $(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export MOLECULE_EPHEMERAL_DIRECTORY := $(CURDIR)/$(VENV)/.molecule
export ANSIBLE_FORCE_COLOR ?= $(shell [ -t 1 ] && echo 1 || echo 0)

# One thing after the other, whatever -j says: the targets share one virtual environment and one machine's ports.
.NOTPARALLEL:
.PHONY: help check-ladder packages test-packages setup setup-test lab lab-start lab-stop lab-status lab-clean provision ladder report teardown test lint sanity unit molecule

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z -]+:.*## /{printf "%-34s%s\n", $$1, $$2}' Makefile

setup: $(VENV)/.requirements ## Make .venv with everything the collection and its lab need

setup-test: $(VENV)/.requirements-test $(VENV)/.requirements-ministack ## Add what the tests need

$(VENV)/.requirements: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on this machine. On Debian and Ubuntu: sudo apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "loadlift.aws needs Python 3.11 or newer; PYTHON=$(PYTHON) is $$($(PYTHON) --version 2>&1)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@echo "Installing the pinned requirements into $(VENV) (about a minute) ..."
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@packages=$$("$(BIN)/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && mkdir -p "$$packages/ansible_collections/loadlift" && ln -sfn "$(CURDIR)" "$$packages/ansible_collections/loadlift/aws"
	@touch $@

$(VENV)/.requirements-test: requirements-test.txt $(VENV)/.requirements
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@mkdir -p $(TYPES)/ansible_collections/loadlift && ln -sfn "$(CURDIR)" $(TYPES)/ansible_collections/loadlift/aws
	@touch $@

# An environment of its own: ministack pins a botocore that is older than ours.
$(VENV)/.requirements-ministack: requirements-ministack.txt $(VENV)/.requirements
	@$(PYTHON) -m venv $(VENV)/ministack
	@$(VENV)/ministack/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-ministack.txt
	@touch $@

lab: check-ladder lab-start ## Start the lab, build the system, run the ladder of swarms, write the report (PROFILE=full|quick)
	ansible-playbook -i inventory/lab playbooks/site.yml -e load_test_profile=$(PROFILE)

check-ladder: setup
	@said=$$(ansible-playbook playbooks/check_ladder.yml -e load_test_profile=$(PROFILE)) || { echo "$$said"; exit 1; }

packages: setup ## Install the Debian packages that the lab is made of
	@[ "$$(PYTHONPATH=roles/lab/files "$(BIN)/python" -m loadlift_lab.preflight packages)" = "[]" ] || \
	  ansible-playbook -i inventory/lab playbooks/lab.yml -e lab_state=installed

# Without them, or without root, tests/load/test_hosts.py is skipped and says why.
test-packages: setup ## Install the Debian packages that only the tests need
	@[ "$$(id -u)" != 0 ] || { command -v sshd && command -v ip; } >/dev/null || ! command -v apt-get >/dev/null || \
	  ansible localhost -m ansible.builtin.apt -a "name=iproute2,openssh-server update_cache=true install_recommends=false policy_rc_d=101" >/dev/null

lab-start: setup ## Start the lab
	ansible-playbook -i inventory/lab playbooks/lab.yml

lab-stop: setup ## Stop the lab; its account is kept
	ansible-playbook -i inventory/lab playbooks/lab.yml -e lab_state=stopped

lab-clean: setup ## Stop the lab and remove its account
	ansible-playbook -i inventory/lab playbooks/lab.yml -e lab_state=absent

lab-status: setup ## Show each part of the lab
	@$(LAB) status

provision ladder report teardown: setup ## Run one playbook of the story against the lab
	ansible-playbook -i inventory/lab playbooks/$@.yml -e load_test_profile=$(PROFILE)

test: setup-test packages test-packages lint sanity molecule unit ## Set up all and pass the tests

lint: setup-test ## Style, types, YAML, Ansible's production rules
	ruff check . && ruff format --check .
	yamllint .
	mypy roles/lab/files/loadlift_lab roles/load_test_fleet/files/launch.py roles/load_test_fleet/files/forward.py
	MYPYPATH=$(TYPES) mypy -p ansible_collections.loadlift.aws.plugins
	MYPYPATH=roles/load_test/files/scenario mypy --allow-untyped-calls --allow-untyped-decorators roles/load_test/files/scenario
	ansible-lint
	antsibull-changelog lint

sanity: setup-test ## What ansible-test says of the plugins
	tests/sanity.sh

molecule: setup-test ## Each role in a lab of its own
	@rm -f "$(MOLECULE_EPHEMERAL_DIRECTORY)/state.yml" # what an interrupted run made is no longer there
	molecule test --all --workers 2

unit: setup-test ## Unit, lab and integration tests; those of swarms, which mostly wait, side by side
	pytest --ignore=tests/load
	pytest tests/load -n 4 --dist loadfile
