#!/bin/sh
# Builds the release program twice, from two copies of the commit in folders of different names, and compares the digests.
#
#   scripts/reproducible.sh [FEATURES]       FEATURES as cargo takes them; none: the default, everything but training
#
# What could differ is taken out: paths (--remap-path-prefix), the time (SOURCE_DATE_EPOCH is the commit's; the program
# embeds no time of its own), the number of parallel parts of a crate (codegen-units is cargo's default in both), files
# that are not of the commit (git archive). Only what is committed is built. Ends with 1 where the two differ.
#
# Twice the time of a release build, and as much room. With libtorch (`scripts/reproducible.sh torch`) set LIBTORCH: its
# place is written into sequester-torch (rpath), so it has to be the same one for both.
set -eu
cd "$(dirname "$0")/.."
ROOT=$PWD
FEATURES=${1:-}
COMMIT=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
HOME_OF_CARGO=${CARGO_HOME:-$HOME/.cargo}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/sequester-reproducible.XXXXXX")
trap 'rm -rf "$WORK"' EXIT INT TERM

build() { # the folder of the copy
    mkdir -p "$WORK/$1"
    (cd "$ROOT" && git archive "$COMMIT") | tar -x -C "$WORK/$1"
    flags="--remap-path-prefix=$WORK/$1=/sequester --remap-path-prefix=$HOME_OF_CARGO=/cargo"
    (
        cd "$WORK/$1"
        # A wrapper or an incremental build may bring in what is of this machine alone.
        unset RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
        CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$WORK/$1/target" RUSTFLAGS="$flags" \
            cargo build --release --locked ${FEATURES:+--features "$FEATURES"} >&2
    )
    for program in sequester sequester-torch; do
        [ -f "$WORK/$1/target/release/$program" ] || continue
        (cd "$WORK/$1/target/release" && sha256sum "$program")
    done > "$WORK/$1.sha256"
    cat "$WORK/$1.sha256"
}

echo "commit $COMMIT, $(rustc --version)"
build one
build a-second-folder-of-another-name
if cmp -s "$WORK/one.sha256" "$WORK/a-second-folder-of-another-name.sha256"; then
    echo "the same bytes"
else
    echo "error: the two builds differ" >&2
    exit 1
fi
