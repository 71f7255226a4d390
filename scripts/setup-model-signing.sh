#!/bin/sh
# Makes what the test of models' signatures drives: the public client of OpenSSF Model Signing.
#
#   scripts/setup-model-signing.sh    installs it into .deps/model-signing, where it may
#
# Every package comes in the version and with a digest of scripts/model-signing.txt. Without it the test says by name
# that it was skipped, so this script never fails for want of it. SEQUESTER_MODEL_SIGNING names another `model_signing`.
set -eu

say() { printf 'model-signing: %s\n' "$*" >&2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
folder=$here/.deps/model-signing
list=$here/scripts/model-signing.txt

cmp -s "$list" "$folder/.locked" 2>/dev/null && exit 0
if ! command -v python3 >/dev/null 2>&1 || ! python3 -m venv "$folder" >/dev/null 2>&1; then
    say "there is no python3 with venv: the test of models' signatures will be skipped"
    exit 0
fi
if "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$list" >&2; then
    cp "$list" "$folder/.locked"
else
    say "pip could not install it: the test of models' signatures will be skipped"
fi
