#!/bin/sh
# Makes what the test of the reading page drives, headless Chromium, Node, and two packages of npm; and taplo, which a test
# holds beside the parser of protocols.
#
#   scripts/setup-browser.sh    installs what is missing, where it may; says what is missing otherwise
#
# Chromium and Node come from the distribution (apt, as root), whose packages are signed; playwright-core, axe-core and
# @taplo/cli come in the versions and with the digests of tests/browser/package-lock.json. Without them the test says by name that
# it was skipped, so this script never fails for want of them. SEQUESTER_CHROMIUM names another Chromium.
set -eu

say() { printf 'browser: %s\n' "$*" >&2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
chromium=${SEQUESTER_CHROMIUM:-/usr/bin/chromium}

missing=
[ -x "$chromium" ] || missing="$missing chromium"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installs$missing"
        # The names are a list.
        # shellcheck disable=SC2086
        { apt-get update -q && apt-get install -q -y --no-install-recommends $missing; } >/dev/null 2>&1 ||
            say "apt could not install$missing: the test of the reading page will be skipped"
    else
        say "there is no$missing (Debian: apt-get install$missing): the test of the reading page will be skipped"
    fi
fi
command -v npm >/dev/null 2>&1 || exit 0

cd "$here/tests/browser"
# The packages are those of the lock, or are fetched again; npm checks their digests.
if ! cmp -s package-lock.json node_modules/.locked 2>/dev/null; then
    say "installs playwright-core, axe-core and taplo"
    if PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2; then
        cp package-lock.json node_modules/.locked
    else
        say "npm could not install them: the tests of the reading page and of taplo will be skipped"
    fi
fi
