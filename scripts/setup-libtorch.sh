#!/bin/sh
# Makes libtorch 2.13.0 available for `cargo build --features torch`, and says where it is.
#
#   scripts/setup-libtorch.sh           a LIBTORCH that is set is checked and used as it is; otherwise the
#                                       needed files of the PyPI wheels are unpacked into .deps/libtorch
#   scripts/setup-libtorch.sh --check   only checks the LIBTORCH that is set
#
# Only the files that a CPU build needs are kept (about 490 MB); the wheels are deleted. Every download is checked
# against a SHA-256. SEQUESTER_DEPS names another folder than .deps.
set -eu

TORCH=2.13.0
# The x86-64 wheel is a CUDA build: its CPU library needs the CUDA runtime and CUPTI, and nothing more.
TORCH_SHA256=60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7
RUNTIME=13.0.96
RUNTIME_SHA256=7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
CUPTI=13.0.85
CUPTI_SHA256=4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8

say() { printf 'libtorch: %s\n' "$*" >&2; }
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  hint: %s\n' "$line" >&2; done
    exit 1
}

# Whether a folder can be built against; the reason is in $problem otherwise.
usable() {
    problem=
    if [ ! -d "$1/include" ]; then problem="there is no include/ in $1"; fi
    if [ ! -e "$1/lib/libtorch_cpu.so" ] && [ ! -e "$1/lib/libtorch_cpu.dylib" ]; then
        problem="there is no lib/libtorch_cpu.so in $1"
    fi
    if [ -z "$problem" ] && [ -f "$1/build-version" ]; then
        found=$(sed 's/+.*//' "$1/build-version")
        if [ "$found" != "$TORCH" ]; then problem="$1 is version $found, version $TORCH is needed"; fi
    fi
    [ -z "$problem" ]
}

here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
deps=${SEQUESTER_DEPS:-$here/.deps}
target=$deps/libtorch

# A LIBTORCH that already names the folder this script makes is no reason not to make it.
given=${LIBTORCH:-}
case $given in
*/.deps/libtorch)
    root=$(CDPATH= cd -- "${given%/.deps/libtorch}" 2>/dev/null && pwd -P) || root=
    if [ "$root" = "$here" ]; then given=; fi
    ;;
esac
if [ -n "${LIBTORCH:-}" ] && { [ "${1:-}" = --check ] || [ -n "$given" ]; }; then
    usable "$LIBTORCH" || fail "LIBTORCH is set, but $problem" \
        "set LIBTORCH to a libtorch $TORCH (the folder with lib/ and include/), or unset it to have one set up"
    say "uses LIBTORCH=$LIBTORCH"
    exit 0
fi
if [ "${1:-}" = --check ]; then
    fail "LIBTORCH is not set" "run scripts/setup-libtorch.sh without --check"
fi

if usable "$target"; then
    say "is ready in $target"
    exit 0
fi

system=$(uname -s)-$(uname -m)
[ "$system" = Linux-x86_64 ] || fail "this script sets up libtorch for Linux on x86-64; this is $system" \
    "install libtorch $TORCH (https://pytorch.org/get-started/locally, or \`pip install torch==$TORCH\`)" \
    "and set LIBTORCH to the folder with lib/ and include/ (for pip: .../site-packages/torch)"

python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 || fail "there is no $python" "install Python 3 with pip, or set LIBTORCH"
"$python" -m pip --version >/dev/null 2>&1 || fail "$python has no pip" \
    "install it (Debian: apt-get install python3-pip), or set LIBTORCH"
command -v sha256sum >/dev/null 2>&1 || fail "there is no sha256sum" "install coreutils, or set LIBTORCH"

mkdir -p "$deps"
free=$(df -Pk "$deps" | awk 'NR == 2 { print $4 }')
[ "$free" -ge 1200000 ] || fail "only $((free / 1024)) MB are free in $deps; 1,200 MB are needed while unpacking" \
    "free some space, or set SEQUESTER_DEPS to a folder with more"

# Beside the target, so that the last step is one rename; removed whatever happens.
work=$(mktemp -d "$deps/.libtorch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

download() { # requirement sha256
    say "downloads $1"
    # The same wheel on every Python: only its shared libraries and headers are used.
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/wheels" \
        --only-binary=:all: --implementation cp --python-version 3.11 --abi cp311 --abi none \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux_2_17_x86_64 \
        --platform manylinux2014_x86_64 "$1" >&2 ||
        fail "pip could not download $1" "check the network and pip's index (PIP_INDEX_URL), then run this again" \
            "or set LIBTORCH to a libtorch $TORCH that is there already"
    name=$(printf '%s' "${1%%==*}" | tr - _)
    wheel=$(find "$work/wheels" -name "$name-*.whl")
    found=$(sha256sum "$wheel" | cut -d ' ' -f 1)
    [ "$found" = "$2" ] || fail "$1 has another SHA-256 than expected: expected $2, found $found" \
        "the download is damaged or not the published file; run this again or use another index"
}

download "torch==$TORCH" "$TORCH_SHA256"
download "nvidia-cuda-runtime==$RUNTIME" "$RUNTIME_SHA256"
download "nvidia-cuda-cupti==$CUPTI" "$CUPTI_SHA256"

say "unpacks what is needed"
"$python" - "$work" <<'PYTHON'
import pathlib
import shutil
import sys
import zipfile

work = pathlib.Path(sys.argv[1])
target = work / "libtorch"
libraries = {
    "torch": ["libtorch.so", "libtorch_cpu.so", "libc10.so", "libshm.so", "libgomp.so.1"],
    "nvidia_cuda_runtime": ["libcudart.so.13"],
    "nvidia_cuda_cupti": ["libcupti.so.13"],
}
for name, wanted in libraries.items():
    (wheel,) = (work / "wheels").glob(f"{name}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        found = set()
        for entry in archive.infolist():
            path = pathlib.PurePosixPath(entry.filename)
            if path.name in wanted and path.parent.name == "lib":
                out = target / "lib" / path.name
                found.add(path.name)
            elif path.parts[:2] == ("torch", "include") and not entry.is_dir() and ".." not in path.parts:
                out = target / "include" / path.relative_to("torch/include")
            else:
                continue
            out.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, open(out, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
    missing = sorted(set(wanted) - found)
    if missing:
        sys.exit(f"error: {wheel.name} does not hold {', '.join(missing)}")
PYTHON
printf '%s\n' "$TORCH" >"$work/libtorch/build-version"
usable "$work/libtorch" || fail "the wheels did not give a usable libtorch: $problem"
if [ -e "$target" ]; then
    # An unusable or foreign folder: it was not made whole by this script.
    say "replaces $target ($(usable "$target" || printf '%s' "$problem"))"
    mv "$target" "$work/old"
fi
mv "$work/libtorch" "$target"
say "is ready in $target"
