# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This file makes the environment that runs Ansible, and names the commands. Everything else lives in roles.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

LAB ?= sandbox
SCENARIO ?= default
FAULT ?= block-route-gateway
# A snapshot, or a folder that roles/pod_routing/files/record-cluster made.
FROM ?=
# Asked once: a variable that is expanded where it is used would start Python at each use.
ifndef PYTHON
PYTHON := $(shell scripts/find-python)
endif
VENV = .venv/$(notdir $(PYTHON))
BIN = $(CURDIR)/$(VENV)/bin
INVENTORY = inventories/$(LAB)/
ifeq ($(wildcard $(INVENTORY)),)
$(error LAB=$(LAB): there is no $(INVENTORY). LAB is one of: $(notdir $(patsubst %/,%,$(wildcard inventories/*/))))
endif
ARGS ?=

export ANSIBLE_HOME := $(CURDIR)/.ansible
export ANSIBLE_COLLECTIONS_PATH = $(CURDIR)/.ansible/collections:$(shell echo $(CURDIR)/$(VENV)/lib/python3.*/site-packages)
PLAYBOOK = PATH="$(BIN):$$PATH" $(BIN)/ansible-playbook -i $(INVENTORY)

.PHONY: help
help: ## what there is
	@echo "podnet.calico: prove that pods are routed the way Calico says they are"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo
	@echo "  LAB=sandbox|kind|existing   the inventory (now: $(LAB))      ARGS='-e key=value --check --diff -v'   passed to ansible-playbook"

.PHONY: run-environment test-environment
run-environment:
	@scripts/environment run $(PYTHON) $(VENV)

test-environment:
	@scripts/environment test $(PYTHON) $(VENV)

.PHONY: site
site: run-environment ## build the lab and prove its pod routing (the main job)
	@if [ -n "$${KUBECONFIG:-}" ]; then echo "make site ignores KUBECONFIG=$$KUBECONFIG: it builds and uses its own lab."; fi
	@unset KUBECONFIG K8S_AUTH_KUBECONFIG K8S_AUTH_CONTEXT; $(PLAYBOOK) site.yml $(ARGS)

.PHONY: verify
verify: run-environment ## prove the routing of the lab, of KUBECONFIG's cluster, or of what lies in FROM, read-only
	@if [ -n "$(FROM)" ]; then \
	   PATH="$(BIN):$$PATH" $(BIN)/ansible-playbook -i inventories/existing/ playbooks/verify.yml \
	     -e '{"pod_routing_snapshots": ["$(abspath $(FROM))"]}' $(ARGS); \
	 elif [ -n "$${KUBECONFIG:-}" ]; then \
	   PATH="$(BIN):$$PATH" $(BIN)/ansible-playbook -i inventories/existing/ playbooks/verify.yml $(ARGS); \
	 else $(PLAYBOOK) playbooks/verify.yml $(ARGS); fi

.PHONY: break heal
break: run-environment ## break the lab in a named way (FAULT=…, see docs/faults.md), for `make verify` to name
	@unset KUBECONFIG K8S_AUTH_KUBECONFIG K8S_AUTH_CONTEXT; $(PLAYBOOK) playbooks/break.yml -e podnet_fault=$(FAULT) $(ARGS)

heal: run-environment ## undo every `make break`
	@unset KUBECONFIG K8S_AUTH_KUBECONFIG K8S_AUTH_CONTEXT; $(PLAYBOOK) playbooks/break.yml -e podnet_fault_state=absent $(ARGS)

.PHONY: destroy
destroy: run-environment ## remove exactly what `make site` built
	@unset KUBECONFIG K8S_AUTH_KUBECONFIG K8S_AUTH_CONTEXT; $(PLAYBOOK) playbooks/destroy.yml $(ARGS)

.PHONY: test test-all
test: test-environment ## every test and lint of the project
	@scripts/test

test-all: test-environment ## the same, and the slow breadth
	@scripts/test --all

.PHONY: molecule
molecule: test-environment ## a molecule scenario: SCENARIO=default
	@PATH="$(BIN):$$PATH" MOLECULE_GLOB='molecule/*/molecule.yml' $(BIN)/molecule test -s $(SCENARIO)

.PHONY: bench
bench: test-environment ## the measurements, medians of several runs
	@PATH="$(BIN):$$PATH" $(BIN)/python bench/run.py $(ARGS)

.PHONY: lab-dir kubeconfig
lab-dir: ## (make -s lab-dir) the lab folder
	@scripts/lab-path

kubeconfig: ## (make -s kubeconfig) the kubeconfig of the lab
	@scripts/lab-path kubeconfig

.PHONY: docs
docs: test-environment ## write what is derived from the code: checks, faults, messages, schemas
	@PYTHONPATH=.ansible/collections $(BIN)/python scripts/write_docs.py

.PHONY: html captures
html: test-environment ## the documentation as a site, in build/site/html
	@$(BIN)/python docs/site/make_html.py build/site

captures: test-environment ## run what the pages say is run, and write the outputs and the pictures into them
	@$(BIN)/python docs/site/capture.py
	@$(BIN)/python docs/site/terminal.py
	@PATH="$(BIN):$$PATH" $(BIN)/python docs/site/screenshots.py

.PHONY: fidelity
fidelity: test-environment ## hold sandboxes against the recordings of a real Calico and write docs/fidelity.md
	@PATH="$(BIN):$$PATH" $(BIN)/python tests/fidelity/compare.py $(ARGS)

.PHONY: release release-check
release: ## what is published, in build/release: the tarball, the SBOMs, their checksums
	@scripts/release build/release

release-check: test-environment ## whether it may be: lints, contents, reproducibility, importer, documentation, changelog, SBOMs
	@PODNET_TEST_ALL=1 scripts/test lint release docs

.PHONY: audit
audit: ## known vulnerabilities of what is pinned, by the advisories of the package index; what it cannot say is a failure
	@scripts/environment release $(PYTHON) $(VENV)-release
	@$(VENV)-release/bin/pip-audit --strict --require-hashes --disable-pip $(addprefix -r ,$(wildcard requirements/py3*.txt))

.PHONY: lock
lock: ## renew the pinned requirements (ARGS='--upgrade-package NAME': only that one)
	@scripts/lock $(ARGS)
