#!/usr/bin/env bash
# Fuzzes until every target has run SECONDS (default 600) in all, and adds a line for each run to fuzz/log.tsv; ends
# with 1 when one found something, and with 2 where a target is not built or does not run.
#
#   fuzz/run.sh [SECONDS [TARGET...]]     all targets, or these; what the log has of the same program already counts
#   fuzz/run.sh --built [SECONDS [...]]   the same without building: what was built last, whatever changed since
#
# A run that is interrupted has no line, and goes on from its corpus the next time. Instrumented, the program takes some
# twenty minutes of one core to compile.
set -uo pipefail
cd "$(dirname "$0")/.."
log=fuzz/log.tsv
built=fuzz/target/program
if [ "${1:-}" = --built ]; then
  shift
  [ -f $built ] || { echo "nothing was built: leave --built out" >&2; exit 2; }
else
  # What is fuzzed: the sources, not the commit, so that a changed page asks for nothing anew.
  program=$(git ls-files src Cargo.lock fuzz/fuzz_targets | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-12)
  cargo +nightly fuzz build || exit 2
  echo "$program" >$built
fi
seconds=${1:-600}
shift || true
program=$(cat $built)
binaries=fuzz/target/$(rustc +nightly -vV | sed -n 's/^host: //p')/release
[ -f $log ] || printf 'ended\tprogram\ttarget\tseconds\texecutions\tedges\tfeatures\tcorpus\tfindings\n' >$log
status=0
for target in $([ $# -gt 0 ] && printf '%s\n' "$@" || ls fuzz/fuzz_targets | sed 's/\.rs$//'); do
  already=$(awk -F'\t' -v p="$program" -v t="$target" '$2 == p && $3 == t { s += $4 } END { print s + 0 }' $log)
  left=$((seconds - already))
  if [ $left -le 0 ]; then
    echo "$target: ran $already seconds already"
    continue
  fi
  out=$(mktemp)
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  "$binaries/$target" "fuzz/corpus/$target" -artifact_prefix="fuzz/artifacts/$target/" -max_total_time="$left" \
    -timeout=60 -rss_limit_mb=3000 -max_len=300000 -print_final_stats=1 >"$out" 2>&1
  rc=$?
  if ! grep -q '^INFO: Seed' "$out"; then
    echo "$target does not run:"
    tail -5 "$out"
    exit 2
  fi
  ran=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) second.*/\1/p' "$out")
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out")
  read -r edges features corpus < <(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 \2 \3/p' "$out" | tail -1)
  found=0
  if [ $rc -ne 0 ]; then
    found=1
    status=1
    echo "$target: FOUND SOMETHING: $(grep -m1 -E "panicked at|ERROR:|deadly signal" "$out"); fuzz/artifacts/$target"
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%MZ)" "$program" "$target" "${ran:-0}" \
    "${executions:-0}" "${edges:-0}" "${features:-0}" "${corpus:-0}" "$found" >>$log
  [ $found = 1 ] || echo "$target: $ran seconds, $executions executions, $edges edges, corpus of $corpus"
  rm -f "$out"
done
exit $status
