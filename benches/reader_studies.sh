#!/usr/bin/env bash
# Measures the U-statistics of a large reader study beside NumPy, which goes into benches/.venv.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -x benches/.venv/bin/python ] || ! benches/.venv/bin/python -c 'import numpy' 2>/dev/null; then
  python3 -m venv benches/.venv
  benches/.venv/bin/pip install --quiet numpy==2.4.6
fi
benches/.venv/bin/python benches/reader_studies.py "$(cargo bench --quiet --no-default-features --bench reader_studies -- speed)"
