#!/bin/sh
# Writes a synthetic study, runs it, and verifies it. Repeating it starts from a fresh study.
# Usage: scripts/demo.sh PROGRAM FOLDER
set -eu
program=$1
folder=$2
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
"$program" demo --only-cohort "$folder"
# Exit code 10 says that a primary endpoint is not met: the study was done, and the answer is no.
code=0
"$program" run "$folder" || code=$?
case $code in
0 | 10) ;;
*) exit "$code" ;;
esac
echo
echo "verify it yourself:"
echo "  $program verify $folder"
echo "  (cd $folder/evidence/run-1 && sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt)"
