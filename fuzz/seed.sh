#!/usr/bin/env bash
# Fills fuzz/corpus/TARGET with small valid files: from this repository, and from SEQUESTER_DATA where it is set. Nothing of it is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
put() { # TARGET FILE...
  local target=$1
  shift
  mkdir -p "fuzz/corpus/$target"
  for file in "$@"; do
    if [ -f "$file" ] && [ "$(stat -c %s "$file")" -le 300000 ]; then
      cp "$file" "fuzz/corpus/$target/$(sha256sum <"$file" | cut -c1-16)"
    fi
  done
}
text() { # TARGET TEXT
  mkdir -p "fuzz/corpus/$1"
  printf '%b' "$2" >"fuzz/corpus/$1/$(printf '%b' "$2" | sha256sum | cut -c1-16)"
}
put declared protocols/*.toml protocols/*/*.toml templates/device.toml
text declared 'format = "sequester-change/1"\n[plan]\nid = "x"\ntitle = "X"\n[predecessor]\nbundle = "b"\nroot = "0000000000000000000000000000000000000000000000000000000000000000"\nlock = "0000000000000000000000000000000000000000000000000000000000000000"\n[[modification]]\nkind = "weights"\ndescription = "d"\nreason = "r"\n[protocol]\ndata = "d"\ntraining = "t"\nevaluation = "e"\nupdate = "u"\n[[acceptance]]\nid = "auc"\nmetric = "auc"\naim = "non-inferiority"\nmargin = 0.05\njustification = "j"\n[subgroups]\nby = ["sex"]\nmargin = 0.1\nminimum = 3\n[test_set]\nopenings = 2\n[impact]\nbenefits = ["b"]\ntogether = "t"\n[[impact.risk]]\nrisk = "r"\nmitigation = "m"\n'
put monitoring protocols/monitoring*.toml fixtures/reference-values/monitoring/*.csv
text monitoring 'case_id,patient_id,score,refused,study_date,age,sex\na,p,0.25,,2026-01-03,40,F\nb,q,,motion,20260104,,\n'
text monitoring 'patient,score,label,input: age,input: sex\n1,0.25,1,40,F\n2,,,,\n'
put templates templates/*.md
# The first byte says which line of the example the rest replaces; 255: none.
text language '\x4fcriterion = "lower > 0.9"'
text language '\x08indications = "adults of 18 to 80 years, threshold 0.4, AUC .9"'
for file in protocols/*.toml protocols/*/*.toml; do
  mkdir -p fuzz/corpus/language
  { printf '\xff'; cat "$file"; } >"fuzz/corpus/language/$(sha256sum <"$file" | cut -c1-16)"
done
put weights fixtures/report/lock.json
text case_tables 'case_id,patient_id,sex,age_years,view,label\na,p,F,40,PA,1\nb,q,M,50,AP,0\n'
text case_tables 'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n00000001_000.png,Edema|Mass,0,1,058Y,M,PA\n'
text case_tables 'sep=;\ncase_id;patient_id;image\n"a;b";p;x/y.png\n'
text lists '00000001_000.png\n00000002_000.png\n'
text lists 'case_id,split\na,train\nb,test\n'
text reads 'case_id,reader_id,read\na,R1,positive\nb,R1,indeterminate\n'
# The first byte of an export picks what is declared: each fixture is given to each.
mkdir -p fuzz/corpus/reads_exports
for file in fixtures/reads/traps/*; do
  for which in 0 1 2 3 4 5 6 7 8 9 10 11; do
    { printf "\\x$(printf %x "$which")"; cat "$file"; } >"fuzz/corpus/reads_exports/$(basename "$file")-$which"
  done
done
text scores 'case_id,score,refused,image_sha256\na,0.25,,\nb,,age 81 is outside 18-80 years,\n'
text ledger '{"at":"2026-01-01T00:00:00Z","digests":{},"event":"protocol-locked","prev":"","sequence":0}\n'
text bundle 'x  data/results.json\n%%\nx  bagit.txt\n%%\nBagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n%%\nPayload-Oxum: 1.1\n%%\n{}\n%%\n{}\n'
text weights '\x08\x00\x00\x00\x00\x00\x00\x00{}      '
# The first byte says what the rest is.
text signatures '\x03ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOpsklCcKnBvdRbVLE6tHMdBaXWDKhAUDOMGHPLqDgzZ\n'
text signatures '\x06format = "sequester-trust/1"\n[[signer]]\nname = "A"\nroles = ["b"]\nkeys = "x"\n[[required]]\nkind = "verified"\ncount = 1\n'
text signatures '\x00{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"AA=="}]}\n'
data=${SEQUESTER_DATA:-}
if [ -n "$data" ]; then
  put dicom_header "$data"/dicom-pydicom/* "$data"/dicom-udacity/*.dcm
  put dicom_pixels "$data"/dicom-pydicom/* "$data"/dicom-udacity/*.dcm
  put images $(find "$data/nih-images-256" -name '*.png' | head -20) $(find "$data/kermany-224/train" -name '*.jpeg' | head -20)
fi
