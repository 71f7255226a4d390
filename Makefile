# Each target does its own set-up. A LIBTORCH that is already set is used as it is.

ifndef LIBTORCH
export LIBTORCH := $(CURDIR)/.deps/libtorch
SETUP_LIBTORCH = scripts/setup-libtorch.sh
else
export LIBTORCH
SETUP_LIBTORCH = scripts/setup-libtorch.sh --check
endif
export LD_LIBRARY_PATH := $(LIBTORCH)/lib:$(LD_LIBRARY_PATH)

# Where `make demo` writes its study.
DEMO ?= demo/study

.PHONY: demo test lint bench clean-demo

## Two studies on a generated cohort, one that meets its goals and one that does not: verdicts, documents, verification.
demo:
	$(SETUP_LIBTORCH)
	cargo build --release --locked --features torch
	scripts/demo.sh target/release/sequester $(DEMO)

# The tests are compiled by Clippy's compiler, which is that of Rust with the lints: compiled and linted in one pass, and the
# dependencies are compiled once and not checked before. Lints are errors as with `cargo clippy -- -D warnings`. Cargo counts its
# own jobs, not those of make.
LINTED = MAKEFLAGS= RUSTC_WORKSPACE_WRAPPER="$$(command -v "$$(rustc --print sysroot)/bin/clippy-driver" || command -v clippy-driver)" \
	CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__

## Every test, and what must be clean. The browser, LibreOffice with python-docx, the client of OpenSSF Model Signing, `age`,
## the validators, Slurm and Snakemake are for a few tests each, which say so where there are none.
test:
	$(SETUP_LIBTORCH)
	$(MAKE) -j2 compiled installed
	$(LINTED) cargo test --workspace --locked --features torch

.PHONY: compiled installed
compiled: lint

# Waits for others' servers most of the time, and meanwhile everything is compiled.
installed:
	scripts/setup-browser.sh
	scripts/setup-model-signing.sh
	scripts/setup-validators.sh
	scripts/setup-office.sh
	scripts/setup-age.sh
	scripts/setup-engines.sh

## Form, and the lints of everything: of the program without PDF first (with the dependencies as the tests have them: a check of
## its own would compile two hundred packages again), then of tests and benches.
lint:
	$(SETUP_LIBTORCH)
	cargo fmt --all --check
	$(LINTED) cargo test --workspace --locked --no-default-features --features torch,typesetter --bench speed --no-run
	$(LINTED) cargo test --workspace --locked --features torch --all-targets --no-run

## Statistics beside their peers, which are installed into benches/.venv; prints CPU seconds and ratios.
bench:
	benches/compare.sh

clean-demo:
	rm -rf $(DEMO) $(DEMO)-weak
