#!/bin/sh
# A device after it is cleared: a plan is sealed with the evidence of a validation, and six months are watched. The months are drawn
# from the validation's own cases, so nothing has changed in them; in the fourth month the scores are moved upwards, and the
# alarm has to come in that month and in none before.
# Usage: scripts/demo-lifecycle.sh PROGRAM FOLDER [BUNDLE]
# Without BUNDLE a study with invented data is written and run first.
set -eu
program=$1
folder=$2
watch=$folder/watch
here=$(dirname "$0")
rm -rf "$folder"
mkdir -p "$folder"
if [ $# -gt 2 ]; then
    bundle=$3
else
    "$program" init "$folder/study" --kind standalone --scored elsewhere
    code=0
    "$program" run "$folder/study" || code=$?
    # Exit code 10: the study was done, and an endpoint is not met. It can be watched all the same.
    [ "$code" -eq 0 ] || [ "$code" -eq 10 ] || exit 1
    bundle=$folder/study/evidence/run-1
fi
mkdir -p "$watch"
cp "$here/../protocols/monitoring-demo.toml" "$watch/monitoring.toml"
"$program" monitor seal "$watch" --bundle "$bundle"

# A month: 150 rows drawn with replacement from the validation's cases, by a generator that every awk has (Park and Miller 1988).
month() {
    awk -F, -v month="$1" -v seed="$2" -v moved="$3" '
        function draw(n) { state = (state * 16807) % 2147483647; return int(state / 2147483647 * n) }
        NR > 1 && !seen[$1]++ && $2 != "" { score[count] = $2; age[count] = $4; sex[count] = $5; count++ }
        END {
            state = seed
            print "case_id,patient_id,score,refused,study_date,age,sex"
            for (row = 1; row <= 150; row++) {
                nth = draw(count)
                value = score[nth] + moved * (1 - score[nth])
                printf "%s-%03d,%s-P%03d,%.4f,,%s-%02d,%s,%s\n", month, row, month, row, value, month, 1 + draw(28), age[nth], sex[nth]
            }
        }' "$watch/cohort.csv"
}

for number in 1 2 3 4 5 6; do
    moved=0
    [ "$number" -lt 4 ] || moved=0.4
    month "2026-0$number" "$((number * 7919 + 11))" "$moved" > "$folder/2026-0$number.csv"
    code=0
    "$program" monitor add "$watch" "$folder/2026-0$number.csv" || code=$?
    wanted=0
    [ "$number" -lt 4 ] || wanted=10
    if [ "$code" -ne "$wanted" ]; then
        echo "2026-0$number ended with $code, $wanted was expected" >&2
        exit 1
    fi
done
code=0
"$program" monitor report "$watch" --no-pdf || code=$?
[ "$code" -eq 10 ] || { echo "the report ended with $code, 10 was expected" >&2; exit 1; }
"$program" monitor verify "$watch" --bundle "$bundle"
echo "the shift was found in the month in which it happened, and nothing before"
