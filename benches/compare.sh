#!/usr/bin/env bash
# Measures ours beside its peers on this machine and prints CPU seconds and ratios.
# Usage: benches/compare.sh [LARGEST_N, default 16370]. Python's peers go into benches/.venv. R's pROC is measured when Rscript
# has it; on Debian, as root, `INSTALL_R=1 benches/compare.sh` installs both.
set -euo pipefail
cd "$(dirname "$0")/.."
largest=${1:-16370}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1
if [ ! -x benches/.venv/bin/python ] || ! benches/.venv/bin/python -c 'import numba, sklearn, confidenceinterval' 2>/dev/null; then
  python3 -m venv benches/.venv
  benches/.venv/bin/pip install --quiet numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 numba==0.68.1 confidenceinterval==1.0.5
fi
if [ "${INSTALL_R:-0}" = 1 ]; then
  apt-get install --yes --no-install-recommends r-base-core r-cran-proc >&2
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo bench --quiet --no-default-features --bench speed >"$out/ours.jsonl"
benches/.venv/bin/python benches/peers.py "$largest" >"$out/peers.jsonl"
if command -v Rscript >/dev/null && Rscript -e 'quit(status = !requireNamespace("pROC", quietly = TRUE))'; then
  Rscript benches/peers.R "$largest" >>"$out/peers.jsonl"
else
  echo "pROC is not installed here and was not measured" >&2
fi
PYTHONPATH=benches python3 - "$out/ours.jsonl" "$out/peers.jsonl" <<'PY'
import json
import sys

import speed_log

ours = {}
print(f"{'what':34}{'n':>10}{'positives':>11}{'B':>7}  {'ours, s':>10}")
for line in open(sys.argv[1]):
    r = json.loads(line)
    key = (r["what"], r["n"], r["positives"], r["replicates"])
    ours[key] = r["seconds"]
    each = ""
    if r["what"] in ("auc by patient", "auc difference", "auc difference by patient"):
        each = f"  {r['seconds'] / r['replicates'] / r['n'] * 1e9:.2f} ns a case and replicate"
    print(f"{key[0]:34}{key[1]:>10}{key[2]:>11}{key[3]:>7}  {r['seconds']:>10.5f}{each}")
print(f"\n{'peer':24}{'what':34}{'n':>10}{'positives':>11}{'B':>7}  {'seconds':>10}  {'times ours':>10}")
for line in open(sys.argv[2]):
    r = json.loads(line)
    mine = ours.get((r["what"], r["n"], r["positives"], r["replicates"]))
    ratio = f"{r['seconds'] / mine:>10.1f}" if mine else ""
    print(f"{r['peer']:24}{r['what']:34}{r['n']:>10}{r['positives']:>11}{r['replicates']:>7}  {r['seconds']:>10.4f}  {ratio}")
    if mine and r["n"] in (1000, 1_000_000):
        times = f", {r['replicates']:,} replicates" if r["replicates"] else ""
        name = {"delong": "AUC with DeLong's variance"}.get(r["what"], "bootstrap of AUC, sensitivity, specificity and F1")
        speed_log.add(f"{name}, {r['n']:,} cases{times}", mine, r["peer"], r["seconds"])
PY
