# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Each target installs what it needs, can be run again, and ends what it started.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# rustup puts cargo there, and a shell that was open before does not know it.
export PATH := $(PATH):$(HOME)/.cargo/bin

scripts = $(shell grep -rlE '^\#!(/usr/bin/env bash|/bin/sh)$$' .ci benches completions examples packaging tests/local-cluster) completions/kubectl-mage.bash fuzz/run

# How long `make test` fuzzes each target.
FUZZ_SECONDS = 20

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: build ## A real Kubernetes and genuine Mage on this machine: run the example, explain one block
	@examples/demo

.PHONY: down
down: ## End what `make demo` left running (ALL=1: every local cluster)
	@tests/local-cluster/down $(if $(ALL),--all)

.PHONY: build
build: ## Build target/release/kubectl-mage
	@.ci/needs cargo cc
	echo "==> building kubectl-mage (all that is built the first time takes about a quarter of an hour on two cores, once)"
	cargo build --release --locked

.PHONY: test
test: test-static test-unit test-fuzz test-cluster ## Everything that CI checks

.PHONY: test-static
test-static: ## Format, lints, documentation, shell scripts
	@.ci/needs cargo rustfmt clippy cc shellcheck
	echo "==> format"
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	echo "==> shell scripts"
	shellcheck -x $(scripts)
	echo "==> lints"
	cargo clippy --locked --all-targets -- -D warnings
	echo "==> documentation"
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

.PHONY: test-unit
test-unit: ## Tests that need no cluster, and that generated files are fresh
	@.ci/needs cargo cc python
	echo "==> building the tests"
	cargo test --locked --no-run
	echo "==> genuine Mage, whose PyYAML and Jinja2 the tests ask"
	venv=$$(tests/local-cluster/mage-venv)
	export KUBECTL_MAGE_TEST_PYTHON=$$venv/bin/python
	echo "==> tests without a cluster"
	cargo test --locked --quiet --doc
	cargo test --locked --lib --bins --test it

.PHONY: test-fuzz
test-fuzz: ## Fuzz each of the pure rooms for 20 seconds
	@.ci/needs cargo c++ python
	fuzz/run --seconds $(FUZZ_SECONDS)

.PHONY: test-cluster
test-cluster: ## Tests against a real Kubernetes, started and ended here (or KUBECTL_MAGE_TEST_KUBECONFIG)
	@.ci/needs cargo cc python chromium
	cargo test --locked --no-run --test cluster
	echo "==> genuine Mage for the tests"
	tests/local-cluster/mage-venv
	echo "==> tests against a real Kubernetes"
	# They wait more than they work.
	.ci/with-cluster test cargo test --locked --test cluster -- --test-threads 4

.PHONY: test-long
test-long: export PROPTEST_CASES = 50000
test-long: export KUBECTL_MAGE_TEST_KILLS = 50
test-long: export KUBECTL_MAGE_TEST_LINES = 100000
test-long: export KUBECTL_MAGE_TEST_PODS = 200
test-long: FUZZ_SECONDS = 3600
test-long: test release ## The same with full counts; a release, its bytes again, and its programs for other machines
	packaging/prove
	$(MAKE) audit docs

.PHONY: fuzz
fuzz: ## Fuzz for longer (SECONDS=600 for each target, ONLY="yaml jinja merge path")
	@.ci/needs cargo c++ python
	fuzz/run --seconds $(or $(SECONDS),600) $(ONLY)

.PHONY: bench
# A log of a gibibyte is to stay in one piece.
bench: export LOCAL_CLUSTER_LOG_SIZE = 8Gi
bench: build ## Ratios against kubectl, Helm and stern, measured in one run (ONLY=start,runs,render,many,lint,explain,chain,fan,pending,genuine,scale,logs,latency,follow,first,lost)
	@.ci/needs python time
	.ci/with-cluster bench benches/run $(if $(ONLY),--only $(ONLY))

.PHONY: docs
docs: ## Write completions, man pages and the reference anew, and the book into target/book
	@.ci/needs cargo cc
	UPDATE_DOCS=1 cargo test --locked --quiet --test it docs::generated_files_are_fresh
	. packaging/tool
	mdbook=$$(tool mdbook "$$MDBOOK")
	"$$mdbook" build docs

.PHONY: release
release: ## Archives for every platform in dist/, sums, SBOM, licences; the krew manifest (PLATFORMS="linux_amd64")
	@packaging/release $(PLATFORMS)

.PHONY: audit
audit: ## Licences, bans, sources and advisories of all dependencies
	@.ci/needs cargo cc
	packaging/audit
