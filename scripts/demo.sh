#!/bin/sh
# Writes a synthetic study and runs it twice, with the declared experiment and with a deliberately weak one (in FOLDER-weak), and
# verifies both. Repeating it starts from fresh studies.
# Usage: scripts/demo.sh PROGRAM FOLDER
set -eu
program=$1
folder=$2
weak=$folder-weak
here=$(dirname "$0")
rm -rf "$folder" "$weak"
mkdir -p "$(dirname "$folder")"
"$program" demo --only-cohort "$folder"
# The same cases, another model: a study of its own, with its own ledger.
cp -R "$folder" "$weak"
cp "$here/../protocols/exp-demo-weak.toml" "$weak/experiment.toml"
# Exit code 10 says that a primary endpoint is not met: the study was done, and the answer is no.
expect() {
    wanted=$1
    study=$2
    code=0
    "$program" run "$study" || code=$?
    if [ "$code" -ne "$wanted" ]; then
        echo "$study ended with $code, $wanted was expected" >&2
        exit 1
    fi
}
expect 0 "$folder"
echo
echo "and with a deliberately weak model:"
expect 10 "$weak"
echo
echo "what verify finds of an honest study and of six that were changed:"
"$here/tamper.sh" "$program" "$folder"
echo
echo "verify them yourself:"
for study in "$folder" "$weak"; do
    echo "  $program verify $study"
    echo "  (cd $study/evidence/run-1 && sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt)"
done
