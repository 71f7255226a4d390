#!/usr/bin/env bash
# Everything beside its peers in one run, and from it the tables of speed in README.md and docs/performance.md.
# Usage: benches/all.sh [PROGRAM, default target/release/sequester, which is built]
# The peers go into benches/.venv* (several GB); R's pROC is measured where Rscript has it. On two cores, with everything
# built, a quarter of an hour. KEEP=FILE keeps the lines that the tables are made from.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-}
if [ -z "$program" ]; then
  cargo build --quiet --release --locked
  program=target/release/sequester
fi
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
export SPEED=$lines
say() { echo "== $*" >&2; }
say "statistics"; benches/compare.sh
say "reader studies"; benches/reader_studies.sh
say "decoding"; benches/decode.sh
say "networks"; benches/network.sh 16
say "hashing"; benches/hash.sh "$program"
say "studies"; python3 benches/verify.py "$program"; python3 benches/verify.py "$program" --documents
[ -z "${KEEP:-}" ] || cp "$lines" "$KEEP"
python3 benches/table.py "$lines" README.md docs/performance.md
