#!/usr/bin/env bash
# Compares the decoders of Sequester with GDCM and pydicom on about 2,700 streams over all parameters; ends with 1 where one is
# neither right nor refused by name. The table goes to standard output; docs/decoders.md holds the last one. The peers go into
# scripts/.venv-decoders. About five minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
python=scripts/.venv-decoders/bin/python
if [ ! -x $python ] || ! $python -c 'import pydicom, gdcm, libjpeg, openjpeg, imagecodecs, PIL' 2>/dev/null; then
  python3 -m venv scripts/.venv-decoders
  scripts/.venv-decoders/bin/pip install --quiet pydicom==3.0.2 python-gdcm==3.2.6 pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 \
    pylibjpeg-openjpeg==2.6.0 pylibjpeg-rle==2.2.0 imagecodecs==2026.3.6 pillow==13.0.0 numpy==2.4.6
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
$python scripts/decoders.py make "$out/streams"
cargo bench --quiet --profile dev --no-default-features --bench decode -- stored "$out/streams" >"$out/ours.jsonl"
$python scripts/decoders.py compare "$out/streams" "$out/ours.jsonl"
