#!/bin/sh
# Writes every manifest of a bundle again, as a forger does who knows the format. For auditors who want to see what is found even
# then; only on a copy.
# Usage: scripts/repair.sh BUNDLE
set -eu
cd "$1"
find data -type f | LC_ALL=C sort | while read -r file; do sha256sum "$file"; done > manifest-sha256.txt
octets=$(find data -type f -exec cat {} + | wc -c | tr -d ' ')
files=$(wc -l < manifest-sha256.txt | tr -d ' ')
grep -v '^Payload-Oxum' bag-info.txt > bag-info.new
echo "Payload-Oxum: $octets.$files" >> bag-info.new
mv bag-info.new bag-info.txt
sha256sum bag-info.txt bagit.txt manifest-sha256.txt > tagmanifest-sha256.txt
