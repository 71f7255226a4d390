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
