#!/bin/sh
# A second version of a device that its change control plan accepts, and a third that breaks the plan and is refused.
# Usage: scripts/demo-change.sh PROGRAM FOLDER
# FOLDER/v1 is the study of the first version, with its evidence; FOLDER/second and FOLDER/third hold lock.json, its weights and scores.csv
# of that study's cases. Where v1 is not there all three are made: `sequester demo` and two more trainings, which need libtorch.
set -eu
program=$1
folder=$2
expect() {
    wanted=$1
    shift
    code=0
    "$program" "$@" || code=$?
    if [ "$code" -ne "$wanted" ]; then
        echo "sequester $* ended with $code, $wanted was expected" >&2
        exit 1
    fi
}
# Trains another model on the study's development cases, and scores the study's cases without opening anything.
train() {
    name=$1
    change=$2
    rm -rf "$folder/$name-study" "$folder/$name"
    cp -R "$folder/cohort" "$folder/$name-study"
    sed "$change" "$folder/cohort/experiment.toml" >"$folder/$name-study/experiment.toml"
    "$program" train "$folder/$name-study"
    "$program" lock "$folder/$name-study"
    "$program" score "$folder/$name-study"
    mkdir -p "$folder/$name"
    cp "$folder/$name-study/model/"*.* "$folder/$name/"
    if [ -d "$folder/$name-study/model/run" ]; then cp -R "$folder/$name-study/model/run" "$folder/$name/run"; fi
    cp "$folder/$name-study/scores.csv" "$folder/$name/scores.csv"
}
mkdir -p "$folder"
if [ ! -d "$folder/v1/evidence" ]; then
    rm -rf "$folder/cohort" "$folder/v1"
    "$program" demo --only-cohort "$folder/cohort"
    cp -R "$folder/cohort" "$folder/v1"
    expect 0 run "$folder/v1"
    # The same network, trained once more from another seed; and one that sees images of another size.
    train second '/^\[training\]/,$s/^seed = .*/seed = 11/'
    train third 's/^resolution = .*/resolution = 40/'
fi
rm -rf "$folder/v2"
expect 0 change init "$folder/v2" --predecessor "$folder/v1"
plan=$folder/v2/change/plan.toml
# A margin that a study of this size can show; people write the texts and justify theirs.
sed -e 's/^margin = .*/margin = 0.1/' -e 's/^by = .*/by = []/' -e 's/TO BE WRITTEN: /for the demonstration: /' "$plan" >"$plan.new"
mv "$plan.new" "$plan"
expect 0 change check "$plan"
expect 0 change lock "$plan"
echo
echo "a second version, which the plan accepts:"
expect 0 change assess "$plan" --lock "$folder/second/lock.json" --scores "$folder/second/scores.csv"
expect 0 verify "$folder/v2" --predecessor "$folder/v1"
echo
echo "a third version, which breaks the plan:"
expect 30 change assess "$plan" --lock "$folder/third/lock.json" --scores "$folder/third/scores.csv"
echo
echo "what the ledger says of it:"
grep -o '"event":"change-[a-z-]*"\|"reason":"refused[^"]*"' "$folder/v2/ledger.jsonl"
