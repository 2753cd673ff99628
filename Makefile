# `make run` and `make test` are each the only command on a machine that has Rust: they install the rest.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check witness soak fuzz openapi sqlx advisories install deny lint docs layers openapi-drift

CARGO ?= cargo
# Written into the folder of builds, so that `cargo clean` removes it too.
SCRATCH := target/checks
TOOLS := target/tools
DENY_VERSION := 0.20.2
DENY := $(TOOLS)/bin/cargo-deny-$(DENY_VERSION)
FUZZ_VERSION := 0.13.2
FUZZ := $(TOOLS)/bin/cargo-fuzz-$(FUZZ_VERSION)
# Together with starting them, ten minutes for all.
FUZZ_SECS := 45

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install ## Run everything on this machine; options as in: make run ARGS="--port 9000"
	$(CARGO) run --locked -- dev $(ARGS)

test: install ## Run every test; they start their own PostgreSQL and Redis
	$(CARGO) test --locked --no-fail-fast

check: install ## Check format, lints, documentation, dependencies, import rule, and that nothing generated is stale
	$(CARGO) fmt --check
	@$(MAKE) --no-print-directory deny lint docs openapi-drift layers

witness: install ## Check the running service with independent clients: browser, Node, Python
	tests/witness/run.sh

soak: install ## Run the long suites and print their figures; some of them as in: make soak SUITES=load
	$(CARGO) bench --locked --bench soak -- $(SUITES)

fuzz: install $(FUZZ) ## Try every parser on made-up texts, ten minutes in all; some of them as in: make fuzz TARGETS=json
	@command -v c++ >/dev/null || { echo "libFuzzer needs a C++ compiler (Debian: apt-get install g++)" >&2; exit 1; }
	FUZZ="$(FUZZ)" SECS=$(FUZZ_SECS) tests/fuzz/run.sh $(TARGETS)

openapi: ## Write openapi/openapi.json
	@mkdir -p openapi $(SCRATCH)
	$(CARGO) run --quiet --locked -- openapi >$(SCRATCH)/openapi.json
	cp $(SCRATCH)/openapi.json openapi/openapi.json

sqlx: install ## Write .sqlx, after a query or a migration has changed
	$(call with_database,check --locked --all-targets)
	rm -rf .sqlx
	cp -R $(SCRATCH)/sqlx .sqlx

advisories: $(DENY) ## Look for known holes in the dependencies; fetches the advisory database
	@$(DENY) check advisories || { \
		echo "If the advisory database could not be fetched, nothing was checked: try again with access to github.com." >&2; \
		exit 1; }

install:
	@.ci/install

# Licences, bans and sources; needs no advisory database.
deny: $(DENY)
	$(DENY) check bans licenses sources

$(DENY):
	$(CARGO) install --locked --root $(TOOLS) --version $(DENY_VERSION) cargo-deny
	mv $(TOOLS)/bin/cargo-deny $@

$(FUZZ):
	$(CARGO) install --locked --root $(TOOLS) --version $(FUZZ_VERSION) cargo-fuzz
	mv $(TOOLS)/bin/cargo-fuzz $@

# Lints the code while the SQL macros talk to a database, which makes them write down what they learn.
lint:
	$(call with_database,clippy --locked --all-targets -- -D warnings)
	@diff -r .sqlx $(SCRATCH)/sqlx >/dev/null || { diff -rq .sqlx $(SCRATCH)/sqlx; \
		echo ".sqlx is stale: run \`make sqlx\` and commit it" >&2; exit 1; }

# Nobody reads this documentation without the source, so private items may be linked and are checked.
docs:
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --locked --no-deps --lib --document-private-items

openapi-drift:
	@mkdir -p $(SCRATCH)
	$(CARGO) run --quiet --locked -- openapi >$(SCRATCH)/openapi.json
	@cmp -s openapi/openapi.json $(SCRATCH)/openapi.json || { \
		echo "openapi/openapi.json is stale: run \`make openapi\` and commit it" >&2; exit 1; }

layers:
	$(CARGO) test --quiet --locked --test layers

# Cargo with a database for the macros. The lib counts as changed, or they would not run; its own time is put back,
# or every later build would start over.
define with_database
	rm -rf $(SCRATCH)/sqlx
	mkdir -p $(SCRATCH)/sqlx
	touch -r src/lib.rs $(SCRATCH)/time
	touch src/lib.rs
	SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$(CURDIR)/$(SCRATCH)/sqlx" .ci/with-database $(CARGO) $(1); \
		status=$$?; touch -r $(SCRATCH)/time src/lib.rs; exit $$status
endef
