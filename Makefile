# The same commands for people and for CI. Every target does its own set-up, and stores everything that it downloads or builds
# outside of Cargo in MARQUEE_CACHE. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export MARQUEE_CACHE ?= $(HOME)/.cache/marquee

STAGE := tests/setup/stage
TARGET := $(or $(CARGO_TARGET_DIR),target)
HELM := $(MARQUEE_CACHE)/tools/cluster/bin/helm
# Each call names the whole workspace, so that Cargo resolves one feature set and builds nothing twice.
CARGO_TEST := cargo test --release --quiet --no-fail-fast
# The time to build a one-line change matters here, not the optimisation. Dependencies are shared with all other builds.
INCREMENTAL := env CARGO_INCREMENTAL=1
# One more than the number of cores: stories mostly wait, and one of them waits five minutes.
THREADS := $(shell echo $$(($$(nproc) + 1)))

# Downloads wait for the network while builds use the cores, so the parts of the set-up run in parallel.
SIDE_BY_SIDE := --no-print-directory --jobs 4
SETUP_PARTS := setup-packages setup-programs setup-fetched setup-image setup-python setup-axe setup-deny
.PHONY: $(SETUP_PARTS) help demo check test lint audit bench generate fuzz data setup build images install.yaml cluster cluster-down clean

help: ## List the targets
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z.-]+):.*## /  \1\t/' | expand -t 16

demo: data ## Train on MovieLens 100K, serve examples/homepage, print the page's address (PORT=8080)
	@$(STAGE) "build the runtime" cargo build --release --workspace --bin marquee-runtime
	@examples/demo.sh

check: ## Check format, clippy and unit tests of changed code (make test runs everything)
	@$(STAGE) "format" cargo fmt --all --check
	@$(STAGE) "clippy" $(INCREMENTAL) cargo clippy --release --workspace --all-targets --quiet -- -D warnings
	@$(STAGE) "unit tests" $(INCREMENTAL) $(CARGO_TEST) --workspace --lib --bins

test: ## Run everything: set-up, lints, all tests
	@$(STAGE) "set-up, build" $(MAKE) $(SIDE_BY_SIDE) $(SETUP_PARTS) data build
	@$(MAKE) --no-print-directory lint
	@$(STAGE) "images" tests/setup/images.sh $(TARGET)
	@$(STAGE) "tests: units" $(CARGO_TEST) --workspace --lib --bins
	@$(STAGE) "tests: integration, end to end" env RUST_TEST_THREADS=$(THREADS) $(CARGO_TEST) --workspace --test '*'
	@$(STAGE) "tests: documentation" $(CARGO_TEST) --workspace --doc
	@$(STAGE) "tests: demo" env DEMO_EXIT=1 PORT=$$(tests/setup/free-port) GRPC_PORT=$$(tests/setup/free-port) examples/demo.sh
	@echo "all stages passed"

lint: build ## Check format, clippy, licences and sources, generated files, tidy
	@$(STAGE) "lint: format" cargo fmt --all --check
	@$(STAGE) "lint: clippy" cargo clippy --release --workspace --all-targets --quiet -- -D warnings
	@$(STAGE) "lint: licences, bans, sources" tests/setup/deny.sh check --hide-inclusion-graph licenses bans sources
	@$(STAGE) "lint: generated files" $(TARGET)/release/crdgen --check crds/manifests
	@$(STAGE) "lint: generated files of the chart" $(TARGET)/release/crdgen --check charts/marquee/files/crds
	@$(STAGE) "lint: chart" tests/setup/lint-chart.sh "$(HELM)"
	@$(STAGE) "lint: tidy" $(CARGO_TEST) --workspace --test tidy

build: ## Build everything, tests included, in the one profile
	@$(STAGE) "build" cargo build --release --workspace --all-targets

images: ## Build images of runtime and operator, with a list of contents, in target/images (needs root)
	@$(STAGE) "build" cargo build --release --workspace --bins
	@tests/setup/images.sh $(TARGET)

cluster: setup data images ## Start a real Kubernetes on this machine with Marquee and examples/homepage (needs root)
	@examples/cluster.sh up

cluster-down: ## Stop that cluster and remove what it wrote into target/cluster
	@examples/cluster.sh down

audit: ## Report security advisories; never blocks
	-@tests/setup/deny.sh check advisories

generate: ## Write the generated files
	@cargo build --release --workspace --bin crdgen
	@$(TARGET)/release/crdgen crds/manifests
	@$(TARGET)/release/crdgen charts/marquee/files/crds

install.yaml: ## Render the chart as plain YAML for kubectl apply --server-side, into target/install.yaml (VALUES=file)
	@mkdir -p $(TARGET)
	@$(HELM) template marquee charts/marquee --namespace marquee-system --no-hooks $(if $(VALUES),--values $(VALUES)) >$(TARGET)/install.yaml
	@echo "kubectl create namespace marquee-system && kubectl apply --server-side -f $(TARGET)/install.yaml"

bench: data build ## Measure Marquee and its peers in one run (ONLY=name for one row) and write target/bench/results.json
	@tests/setup/venv.sh bench tests/bench/requirements.txt
	@"$(MARQUEE_CACHE)/venv-bench/bin/python" tests/bench/run.py $(if $(ONLY),--only "$(ONLY)")

fuzz: ## Fuzz the two parsers with cargo-fuzz, SECONDS_EACH=60 each (needs a nightly toolchain)
	@tests/setup/fuzz.sh

data: ## Fetch MovieLens 100K into the cache
	@examples/data/fetch-ml-100k.py "$(MARQUEE_CACHE)/ml-100k"

setup: ## Install what the tests need: Debian packages (prints them without root), and Kubernetes, built once
	@$(MAKE) $(SIDE_BY_SIDE) $(SETUP_PARTS)

setup-packages:
	@tests/setup/packages.sh

setup-programs:
	@tests/setup/cluster.sh kubernetes metrics-server prometheus-adapter

setup-fetched:
	@tests/setup/cluster.sh kubectl-helm crds

setup-image: setup-packages
	@tests/setup/cluster.sh pause

setup-python: setup-packages
	@tests/setup/venv.sh test tests/oip/requirements.txt

setup-axe:
	@tests/setup/fetch-axe.py "$(MARQUEE_CACHE)/tools/axe-core"

setup-deny:
	@tests/setup/deny.sh --version

clean: ## Remove build output; the cache stays
	cargo clean
