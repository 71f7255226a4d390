#!/bin/sh
# Makes what the tests of encrypted files drive: the public client `age`.
#
#   scripts/setup-age.sh    installs it where it may; says what is missing otherwise
#
# It comes from the distribution (apt, as root), whose packages are signed. Without it the tests say by name that they
# were skipped, so this script never fails for want of it.
set -eu

say() { printf 'age: %s\n' "$*" >&2; }

command -v age >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installs age"
    { apt-get update -q && apt-get install -q -y --no-install-recommends age; } >/dev/null 2>&1 ||
        say "apt could not install it: the tests with the public client will be skipped"
else
    say "there is no age (Debian: apt-get install age): the tests with the public client will be skipped"
fi
exit 0
