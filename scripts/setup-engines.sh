#!/bin/sh
# Makes what the tests of sharded scoring run on: Slurm with munge, Snakemake, and a validator of Kubernetes manifests.
#
#   scripts/setup-engines.sh    installs what is missing, where it may; says what is missing otherwise
#
# Slurm comes from the distribution (apt, as root), whose packages are signed, and no daemon of it is left running; the others
# come from PyPI into .deps/engines, in the versions and with the digests of scripts/engines.txt. Without them the tests say by
# name that they were skipped, so this script never fails for want of them.
set -eu

say() { printf 'engines: %s\n' "$*" >&2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
place=$here/.deps/engines

if ! command -v slurmctld >/dev/null 2>&1 || ! command -v munged >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installs slurm-wlm and munge"
        # A package must start nothing: the test starts daemons of its own, on loopback.
        printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d.sequester && chmod +x /usr/sbin/policy-rc.d.sequester
        [ -e /usr/sbin/policy-rc.d ] || cp /usr/sbin/policy-rc.d.sequester /usr/sbin/policy-rc.d
        { apt-get update -q && apt-get install -q -y --no-install-recommends slurm-wlm munge; } >/dev/null 2>&1 ||
            say "apt could not install Slurm: its test will be skipped"
        cmp -s /usr/sbin/policy-rc.d /usr/sbin/policy-rc.d.sequester && rm -f /usr/sbin/policy-rc.d
        rm -f /usr/sbin/policy-rc.d.sequester
    else
        say "there is no Slurm (Debian: apt-get install slurm-wlm munge): its test will be skipped"
    fi
fi

if ! command -v python3 >/dev/null 2>&1; then
    say "there is no python3: the tests with Snakemake and kubernetes-validate will be skipped"
    exit 0
fi
cmp -s "$here/scripts/engines.txt" "$place/.locked" 2>/dev/null && exit 0
say "installs snakemake and kubernetes-validate"
if python3 -m venv "$place" >/dev/null 2>&1 &&
    "$place/bin/pip" install -q --disable-pip-version-check --require-hashes -r "$here/scripts/engines.txt" >&2; then
    cp "$here/scripts/engines.txt" "$place/.locked"
else
    say "pip could not install them: the tests with Snakemake and kubernetes-validate will be skipped"
fi
