# `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help demo test check bench chaos coverage fuzz cluster cluster-down screenshots generate

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: ## A payment becomes a running tenant, on this machine; ONCE=1 ends after it answered
	@dev/demo/run $(if $(ONCE),--once)

test: ## All tests, on real PostgreSQL, Kubernetes, Helm, SMTP and Chromium
	@dev/test/run

check: ## Format, lints and dependency rules, without running tests
	@dev/test/check

bench: ## Measure speed and size; results go to bench/results
	@bench/run

chaos: ## Long fault and isolation runs
	@dev/test/chaos

coverage: ## Which lines all tests go through; pages in target/llvm-cov/html
	@dev/test/run --coverage

fuzz: ## Look for inputs that break what reads strangers' bytes; FUZZ_SECONDS for each target
	@dev/test/fuzz

cluster: ## Only the local Kubernetes
	@dev/cluster/cluster up --name dev && dev/cluster/cluster env --name dev

cluster-down: ## Stop it, leaving nothing
	@dev/cluster/cluster down --name dev

screenshots: ## Every page in four forms, into web/screenshots/out
	@dev/test/screenshots

generate: ## OpenAPI document, web client and generated docs
	@dev/test/generate
