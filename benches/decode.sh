#!/usr/bin/env bash
# Measures the decoding of PNG and DICOM files beside Pillow, OpenCV and pydicom on this machine, on one thread, and prints ratios.
# Usage: benches/decode.sh [PNG...]. The peers go into benches/.venv-decode. Sixteen pictures of 1024 x 1024 are taken from the PNG
# files, or generated without them, and written in every encoding.
set -euo pipefail
cd "$(dirname "$0")/.."
python=benches/.venv-decode/bin/python
if [ ! -x $python ] || ! $python -c 'import pydicom, openjpeg, libjpeg, rle, jpeg_ls, gdcm, cv2, PIL' 2>/dev/null; then
  python3 -m venv benches/.venv-decode
  benches/.venv-decode/bin/pip install --quiet pydicom==3.0.1 pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 pylibjpeg-openjpeg==2.6.0 \
    pylibjpeg-rle==2.2.0 pyjpegls==1.5.1 python-gdcm==3.2.6 opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
$python benches/decode.py make "$out" "$@" >&2
cargo bench --quiet --no-default-features --bench decode -- "$out" >"$out/ours.jsonl"
$python benches/decode.py measure "$out" >"$out/peers.jsonl" 2>"$out/peers.log" || { tail -5 "$out/peers.log" >&2; exit 1; }
$python benches/decode.py print "$out/ours.jsonl" "$out/peers.jsonl"
