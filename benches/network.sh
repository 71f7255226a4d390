#!/usr/bin/env bash
# Measures training, scoring and preparing images beside their peers on this machine, and prints ratios.
# Usage: benches/network.sh [IMAGES, default 128] [PNG...]. The peers go into benches/.venv-network (several GB). Without PNG files,
# forty are generated at 1024 x 1024.
set -euo pipefail
cd "$(dirname "$0")/.."
images=${1:-128}
shift || true
scripts/setup-libtorch.sh >&2
export LIBTORCH=${LIBTORCH:-$PWD/.deps/libtorch}
if [ ! -x benches/.venv-network/bin/python ] || ! benches/.venv-network/bin/python -c 'import torchvision, onnx, onnxruntime, openvino, cv2, PIL' 2>/dev/null; then
  python3 -m venv benches/.venv-network
  benches/.venv-network/bin/pip install --quiet torch==2.13.0 torchvision==0.28.0 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 \
    opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if [ $# -eq 0 ]; then
  benches/.venv-network/bin/python - "$out" <<'PY'
import sys

import numpy
import PIL.Image

random = numpy.random.default_rng(1)
rows, columns = numpy.mgrid[0:1024, 0:1024] / 1024
for number in range(40):
    smooth = 120 + 60 * numpy.sin(5 * rows + number) + 50 * numpy.cos(4 * columns * (1 + number / 40))
    image = numpy.clip(smooth + random.normal(0, 3, smooth.shape), 0, 255).astype("uint8")
    PIL.Image.fromarray(image).save(f"{sys.argv[1]}/{number}.png")
PY
  set -- "$out"/*.png
fi
LD_LIBRARY_PATH=$LIBTORCH/lib:${LD_LIBRARY_PATH:-} cargo bench --quiet --no-default-features --features torch --bench network -- "$images" "$@" >"$out/ours.jsonl"
benches/.venv-network/bin/python benches/network.py "$images" "$@" >"$out/peers.jsonl" 2>"$out/peers.log" || { tail -5 "$out/peers.log" >&2; exit 1; }
PYTHONPATH=benches python3 - "$out/ours.jsonl" "$out/peers.jsonl" <<'PY'
import json
import sys

import speed_log

ours = [json.loads(line) for line in open(sys.argv[1])]
peers = [json.loads(line) for line in open(sys.argv[2])]
print(f"{'what':30}{'threads':>8}  {'who':28}{'images/s':>10}{'core-s/image':>14}{'times ours':>12}")
for own in ours:
    rate = own.get("images_a_second")
    print(f"{own['what']:30}{own['threads']:>8}  {'Sequester':28}{f'{rate:.2f}' if rate else '':>10}{own['core_seconds']:>14.4f}")
    for peer in peers:
        training = own["what"].startswith("32")
        if peer["what"] != own["what"] or (peer["threads"] != own["threads"] and not training):
            continue
        ratio = peer["core_seconds"] / own["core_seconds"] if training else rate / peer["images_a_second"]
        print(f"{'':38}  {peer['peer']:28}{format(peer['images_a_second'], '.2f') if 'images_a_second' in peer else '':>10}{peer['core_seconds']:>14.4f}{ratio:>12.2f}")
        if training:
            speed_log.add(f"{own['what']}, core-seconds an image", own["core_seconds"], peer["peer"], peer["core_seconds"])
        else:
            what = f"{own['what']}, {own['threads']} thread{'s' * (own['threads'] > 1)}"
            speed_log.add(what, rate, peer["peer"], peer["images_a_second"], "/s")
PY
