"""Lines for `benches/all.sh`: what was measured here, whom beside, appended to the file that SPEED names."""

import json
import os


def add(what, ours, peer=None, theirs=None, unit="s"):
    """One measurement beside one peer, or alone. `unit` is "s" (less is better) or "/s" (more is)."""
    path = os.environ.get("SPEED")
    if path:
        with open(path, "a") as file:
            print(json.dumps({"what": what, "ours": ours, "peer": peer, "theirs": theirs, "unit": unit}), file=file)
