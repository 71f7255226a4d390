#!/bin/sh
# Makes what the tests of DOCX drafts read them with: LibreOffice, and Python with python-docx.
#
#   scripts/setup-office.sh    installs what is missing, where it may; says what is missing otherwise
#
# LibreOffice comes from the distribution (apt, as root), whose packages are signed; python-docx comes from PyPI in the version
# and with the digests of scripts/office.txt, into .deps/office. Without them the tests say by name that they were skipped, so this script never fails for want
# of them. SEQUESTER_SOFFICE and SEQUESTER_OFFICE_PYTHON name others.
set -eu

say() { printf 'office: %s\n' "$*" >&2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
soffice=${SEQUESTER_SOFFICE:-/usr/bin/soffice}
place=$here/.deps/office

# LibreOffice may be there without its program for text.
if [ ! -f "$(dirname -- "$(readlink -f -- "$soffice")")/libswlo.so" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installs libreoffice-writer"
        { apt-get update -q && apt-get install -q -y --no-install-recommends libreoffice-writer; } >/dev/null 2>&1 ||
            say "apt could not install LibreOffice: its test will be skipped"
    else
        say "there is no LibreOffice (Debian: apt-get install libreoffice-writer): its test will be skipped"
    fi
fi

if ! cmp -s "$here/scripts/office.txt" "$place/.locked" 2>/dev/null; then
    command -v python3 >/dev/null 2>&1 || { say "there is no Python: the test of python-docx will be skipped"; exit 0; }
    if python3 -m venv "$place" >/dev/null 2>&1 &&
        "$place/bin/pip" install -q --disable-pip-version-check --require-hashes -r "$here/scripts/office.txt" >&2; then
        cp "$here/scripts/office.txt" "$place/.locked"
    else
        say "python-docx could not be installed: its test will be skipped"
    fi
fi
exit 0
