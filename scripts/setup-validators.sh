#!/bin/sh
# Makes what the tests of `sequester export` validate with: cyclonedx-python-lib and jsonschema in an environment of their
# own, tests/validators/.venv, in the versions and with the digests of tests/validators/requirements.txt.
#
#   scripts/setup-validators.sh    installs what is missing, where it may; says what is missing otherwise
#
# Without them the tests say by name that they were skipped, so this script never fails for want of them.
set -eu

say() { printf 'validators: %s\n' "$*" >&2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)/tests/validators

if ! command -v python3 >/dev/null 2>&1; then
    say "there is no python3: the tests with public validators will be skipped"
    exit 0
fi
if cmp -s "$here/requirements.txt" "$here/.venv/.locked" 2>/dev/null; then
    exit 0
fi
say "installs cyclonedx-python-lib and jsonschema"
if python3 -m venv "$here/.venv" >/dev/null 2>&1 &&
    "$here/.venv/bin/pip" install -q --disable-pip-version-check --require-hashes -r "$here/requirements.txt" >&2; then
    cp "$here/requirements.txt" "$here/.venv/.locked"
else
    say "pip could not install them: the tests with public validators will be skipped"
fi
