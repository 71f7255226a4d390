#!/bin/sh
# For auditors: an honest study passes, and six ways to change it are found. Works on copies, without images, weights and PDF; the
# study itself is not touched.
# Usage: scripts/tamper.sh PROGRAM STUDY
set -eu
here=$(dirname "$0")
program=$1
study=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
copy=$scratch/study
bag=$copy/evidence/run-1
said=$scratch/said

fresh() {
    rm -rf "$copy"
    mkdir -p "$copy"
    cp -R "$study/evidence" "$study/reports" "$study/ledger.jsonl" "$copy/"
    # To be quick; but a map of requirements says which files lie beside it.
    if [ -z "$(find "$copy/reports" -name evidence-map.html)" ]; then
        find "$copy/reports" -name '*.pdf' -exec rm -f {} +
    fi
}

# Writes every manifest again.
repair() {
    sh "$here/repair.sh" "$bag"
}

# Asks, expects an exit code, and shows where the differences begin and what was found first.
ask() {
    wanted=$1
    code=0
    "$program" verify "$copy" > "$said" 2>&1 || code=$?
    if [ "$code" -ne "$wanted" ]; then
        cat "$said"
        echo "verify ended with $code, $wanted was expected" >&2
        exit 1
    fi
    grep -E "^(the evidence is intact|the documents' words|the differences begin in)" "$said" | sed 's/^/    /'
    sed -n '/^error/{p;q;}' "$said" | sed 's/^/    /'
}

# Another digit in the first cell of a column named `score`.
other_score() {
    awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "score") c = i }
        NR == 2 { last = substr($c, length($c)); $c = substr($c, 1, length($c) - 1) (last + 1) % 10 }
        { print }' "$1" > "$1.new"
    mv "$1.new" "$1"
}

echo "the honest study:"
fresh
ask 0
echo "1. a score is another one:"
fresh
other_score "$bag/data/inputs/scores.csv"
ask 20
echo "2. the same, and every manifest repaired:"
fresh
other_score "$bag/data/inputs/scores.csv"
repair
ask 20
echo "3. a result is another one, and every manifest repaired:"
fresh
sed 's/"analysed": \([0-9]*\)/"analysed": 1\1/' "$bag/data/results.json" > "$bag/data/results.new"
mv "$bag/data/results.new" "$bag/data/results.json"
repair
ask 20
echo "4. the study's ledger loses its opening of the test set:"
fresh
grep -v '"event":"test-set-opened"' "$copy/ledger.jsonl" > "$copy/ledger.new"
mv "$copy/ledger.new" "$copy/ledger.jsonl"
ask 20
echo "5. a template says MET whatever was found, and every manifest is repaired:"
fresh
printf '## Conclusion\n\nEvery primary endpoint is **MET**.\n' > "$bag/data/templates/conclusion.md"
repair
ask 20
echo "6. the document says another number:"
fresh
sed 's/0\.9/0.8/' "$copy/reports/run-1/report.html" > "$copy/reports/run-1/report.new"
mv "$copy/reports/run-1/report.new" "$copy/reports/run-1/report.html"
ask 20
