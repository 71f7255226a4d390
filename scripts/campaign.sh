#!/bin/sh
# The campaign against `verify` in full, and 300 kills: writes docs/campaign.md.
# Usage: scripts/campaign.sh [MUTATIONS] [CARGO OPTIONS...]
set -eu
cd "$(dirname "$0")/.."
count=${1:-20000}
[ $# -gt 0 ] && shift
SEQUESTER_CAMPAIGN=$count SEQUESTER_CAMPAIGN_TABLE="$PWD/docs/campaign.md" \
    cargo test --locked --no-default-features "$@" --test it -- --nocapture what_is_changed_is_told
SEQUESTER_CAMPAIGN=$count cargo test --locked --no-default-features "$@" --test it -- the_second_verifier_agrees
SEQUESTER_KILLS=300 \
    cargo test --locked --no-default-features "$@" --test it -- --nocapture whenever_it_is_killed
# Only where they passed: the script ends at the first failure.
cat >> docs/campaign.md <<'END'

## Kills

The same script kills `run`, `reads`, `reads import`, `report` and `lock` 300 times in all, half of them where a file lies written and not yet renamed, half at moments spread over the whole run, and gives the same commands again: the same bytes as without a kill every time (`SEQUESTER_KILLS=300`; every test run does 10).
END
