#!/usr/bin/env bash
# Runs every target for SECONDS (default 60) and says what came of it; ends with 1 when one found something.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
status=0
for target in $(cargo +nightly fuzz list); do
  log=$(mktemp)
  if cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=3000 -max_len=300000 >"$log" 2>&1; then
    echo "$target: $(grep -E '^Done' "$log" || tail -1 "$log")"
  else
    echo "$target: FOUND SOMETHING: $(grep -m1 -E "panicked at|ERROR:|deadly signal" "$log")"
    status=1
  fi
  rm -f "$log"
done
exit $status
