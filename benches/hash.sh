#!/bin/sh
# SHA-256 of the same bytes: `sequester verify` of a bundle (all cores), beside `sha256sum` and `openssl dgst` (one core each).
# Prints seconds on the clock and CPU seconds. The bundle holds FILES files of MIB mebibytes and nothing that could be computed again, so
# that nearly all of the time is reading and hashing; that it is no study is what verify says of it.
# Usage: benches/hash.sh PROGRAM [FILES] [MIB]
set -eu
program=$1
files=${2:-16}
mib=${3:-64}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
bag=$scratch/run-1
mkdir -p "$bag/data/inputs"
n=0
while [ "$n" -lt "$files" ]; do
    # Bytes that are not on the disk before: the same seed gives the same.
    openssl enc -aes-128-ctr -pass "pass:$n" -nosalt -pbkdf2 < /dev/zero 2> /dev/null | head -c "$((mib * 1048576))" > "$bag/data/inputs/$n"
    n=$((n + 1))
done
printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' > "$bag/bagit.txt"
printf 'Payload-Oxum: %s.%s\n' "$((files * mib * 1048576))" "$files" > "$bag/bag-info.txt"
(
    cd "$bag"
    find data -type f | LC_ALL=C sort | while read -r file; do sha256sum "$file"; done > manifest-sha256.txt
    sha256sum bag-info.txt bagit.txt manifest-sha256.txt > tagmanifest-sha256.txt
)
timed() {
    name=$1
    shift
    # shellcheck disable=SC2016
    command time -f "$name: %e s, CPU %U s (and %S s in the system)" -o "$scratch/time" sh -c '"$@" > /dev/null 2>&1 || true' sh "$@"
    cat "$scratch/time"
    seconds=$(sed -n 's/.*: \([0-9.]*\) s, CPU.*/\1/p' "$scratch/time")
}
echo "$files files of $mib MiB on $(getconf _NPROCESSORS_ONLN) cores"
timed "sha256sum           " sh -c "cat $bag/data/inputs/* | sha256sum"
coreutils=$seconds
timed "openssl dgst -sha256" sh -c "openssl dgst -sha256 $bag/data/inputs/*"
openssl=$seconds
timed "sequester verify    " "$program" verify "$bag"
PYTHONPATH=$(dirname "$0") python3 - "$((files * mib))" "$seconds" "$coreutils" "$openssl" << 'PY'
import sys

import speed_log

mib, ours, coreutils, openssl = sys.argv[1:]
for peer, seconds in (("sha256sum, one core", coreutils), ("openssl dgst, one core", openssl)):
    speed_log.add(f"SHA-256 of {mib} MiB of evidence, on the clock", float(ours), peer, float(seconds))
PY
