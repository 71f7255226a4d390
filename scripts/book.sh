#!/bin/sh
# Builds the pages of docs/ as a book into target/book.
#
# An `mdbook` that is on the path is used; otherwise one is compiled into .deps/mdbook, in a version that is pinned here (the
# registry's digest of it is checked by cargo, its dependencies are those of its own lock file). The book itself is built
# without a network. No test needs it: the links are held by `cargo test --test it book`.
set -eu
cd "$(dirname "$0")/.."

MDBOOK=0.4.52
OWN=${SEQUESTER_DEPS:-.deps}/mdbook

if command -v mdbook >/dev/null 2>&1; then
    program=mdbook
else
    program=$OWN/bin/mdbook
    if ! "$program" --version 2>/dev/null | grep -q "v$MDBOOK\$"; then
        # Without the parts that serve pages and watch files.
        cargo install mdbook --version "=$MDBOOK" --locked --no-default-features --features search --root "$OWN"
    fi
fi
"$program" build
echo "target/book/index.html"
