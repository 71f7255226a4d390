"""The tables of speed: of docs/performance.md every peer, of README.md the fastest of each kind.

Usage: table.py LINES README.md docs/performance.md. LINES is what `benches/all.sh` measured in its rounds, of which the best of
each counts; a table stands between the marks `<!-- speed -->` and `<!-- /speed -->` of a page.
"""

import json
import os
import pathlib
import platform
import re
import sys


def number(value, unit):
    digits = 3 if value < 10 else 1 if value < 1000 else 0
    text = f"{value:.{digits}f}" if value >= 0.01 else f"{value:.2g}"
    return f"{text} s" if unit == "s" else f"{text} images/s"


def best(lines):
    """What was measured several times, once: the best of ours, and the best of each peer."""
    found, rounds = {}, {}
    for line in lines:
        key = line["what"], line["peer"]
        better = min if line["unit"] == "s" else max
        ours = better(other["ours"] for other in lines if other["what"] == line["what"])
        kept = found.setdefault(key, dict(line))
        kept["ours"] = ours
        if line["peer"]:
            kept["theirs"] = better(kept["theirs"], line["theirs"])
        rounds[key] = rounds.get(key, 0) + 1
    return list(found.values()), min(rounds.values())


def times(line):
    return line["theirs"] / line["ours"] if line["unit"] == "s" else line["ours"] / line["theirs"]


def beside(line):
    if line["peer"] is None:
        return "–", "–"
    return f"{line['peer']}: {number(line['theirs'], line['unit'])}", f"{times(line):.2g}" if times(line) < 10 else f"{times(line):.0f}"


def table(lines):
    yield "| what | here | beside | times as fast |"
    yield "|---|---|---|---|"
    for line in lines:
        who, ratio = beside(line)
        yield f"| {line['what']} | {number(line['ours'], line['unit'])} | {who} | {ratio} |"


def processor():
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def put(page, lines, note):
    text = pathlib.Path(page).read_text()
    made = "\n".join(["<!-- speed -->", note, "", *table(lines), "<!-- /speed -->"])
    new, count = re.subn(r"<!-- speed -->.*?<!-- /speed -->", lambda _: made, text, flags=re.S)
    if count != 1:
        sys.exit(f"{page} has no place for the table")
    pathlib.Path(page).write_text(new)


def main():
    lines, rounds = best([json.loads(line) for line in open(sys.argv[1])])
    compared = [line for line in lines if line["peer"]]
    kinds = dict.fromkeys(line["what"] for line in compared)
    fastest = [min((line for line in compared if line["what"] == what), key=times) for what in kinds]
    times_each = f"the best of {rounds} rounds in which ours and the peers take turns"
    note = f"`benches/all.sh`, {times_each}, {os.cpu_count()} cores ({processor()}); a peer is the fastest that was at hand."
    put(sys.argv[2], fastest, note)
    put(sys.argv[3], lines, note.replace("a peer is the fastest that was at hand", "every peer that was at hand"))


main()
