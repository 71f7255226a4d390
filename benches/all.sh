#!/usr/bin/env bash
# Everything beside its peers, and from it the tables of speed in README.md and docs/performance.md. Ours and the peers take turns in
# ROUNDS rounds (default 3), and the best of each counts: on a machine that others use, one measurement says little.
# Usage: benches/all.sh [PROGRAM, default target/release/sequester, which is built]
# The peers go into benches/.venv* (several GB); R's pROC is measured where Rscript has it. On two cores, with everything
# built, six minutes a round. KEEP=FILE keeps the lines that the tables are made from.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -z "$program" ]; then
  cargo build --quiet --release --locked
  # The benches below build the program with fewer features, in its place.
  cp target/release/sequester "$folder/"
  program=$folder/sequester
fi
lines=$folder/lines.jsonl
: >"$lines"
export SPEED=$lines
say() { echo "== $*" >&2; }
for round in $(seq "${ROUNDS:-3}"); do
  say "round $round: statistics"; benches/compare.sh
  say "round $round: reader studies"; benches/reader_studies.sh
  say "round $round: decoding"; benches/decode.sh
  say "round $round: networks"; benches/network.sh 16
  say "round $round: hashing"; benches/hash.sh "$program"
  say "round $round: studies"; python3 benches/verify.py "$program"; python3 benches/verify.py "$program" --documents
done
[ -z "${KEEP:-}" ] || cp "$lines" "$KEEP"
python3 benches/table.py "$lines" README.md docs/performance.md
