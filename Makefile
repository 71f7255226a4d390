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

## Every test, and what must be clean. The browser, LibreOffice with python-docx, the client of OpenSSF Model Signing, `age` and
## the validators are for a few tests each, which say so where there are none.
test: lint
	scripts/setup-browser.sh
	scripts/setup-model-signing.sh
	scripts/setup-validators.sh
	scripts/setup-office.sh
	scripts/setup-age.sh
	cargo test --locked --features torch

## Form and lints, which `make test` runs first.
lint:
	$(SETUP_LIBTORCH)
	cargo fmt --check
	cargo clippy --locked --all-targets --features torch -- -D warnings
	cargo clippy --locked --no-default-features -- -D warnings

## Statistics beside their peers, which are installed into benches/.venv; prints CPU seconds and ratios.
bench:
	benches/compare.sh

clean-demo:
	rm -rf $(DEMO) $(DEMO)-weak
