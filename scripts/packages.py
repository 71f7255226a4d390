#!/usr/bin/env python3
"""Writes src/interchange/packages.tsv, from which the program writes its own bill of materials: every package of Cargo.lock
with its licence, checksum, what needs it and what it depends on.

Usage: scripts/packages.py            writes the file
       scripts/packages.py --check    exit 1 where the file is not what would be written

Asks `cargo metadata`, and `cargo tree` three times (no features, default, torch) for every platform. `needed` is `always`,
`pdf`, `torch`, or `test` (for the tests alone, or for the building of none of the three).
"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
OUT = HERE / "src/interchange/packages.tsv"


def metadata(*arguments):
    command = ["cargo", "metadata", "--format-version", "1", "--locked", *arguments]
    return json.loads(subprocess.run(command, cwd=HERE, check=True, capture_output=True).stdout)


def built(*arguments):
    """What a build with these features holds, as name@version. `cargo metadata` would add what the tests alone switch on."""
    command = ["cargo", "tree", "--locked", "--target", "all", "--edges", "normal,build", "--prefix", "none", *arguments]
    lines = subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True).stdout.splitlines()
    return {"@".join(line.split()[:2]).replace("@v", "@") for line in lines if line}


def checksums():
    text = (HERE / "Cargo.lock").read_text()
    pattern = r'name = "([^"]+)"\nversion = "([^"]+)"(?:\nsource = "[^"]+")?(?:\nchecksum = "([0-9a-f]+)")?'
    return {(name, version): checksum for name, version, checksum in re.findall(pattern, text)}


def main():
    everything = metadata("--all-features")
    sets = [("always", built("--no-default-features")), ("pdf", built()), ("torch", built("--features", "torch"))]
    sums = checksums()
    nodes = {node["id"]: node for node in everything["resolve"]["nodes"]}
    packages = {package["id"]: package for package in everything["packages"]}
    name_of = lambda identity: f'{packages[identity]["name"]}@{packages[identity]["version"]}'
    rows = []
    for identity, package in packages.items():
        if identity == everything["resolve"]["root"]:
            needed = "program"
        else:
            needed = next((name for name, found in sets if name_of(identity) in found), "test")
        licence = " ".join((package["license"] or "").replace("/", " OR ").split())
        depends = sorted(name_of(dependency["pkg"]) for dependency in nodes[identity]["deps"]
                         if any(kind["kind"] in (None, "build") for kind in dependency["dep_kinds"]))
        checksum = sums.get((package["name"], package["version"]), "")
        rows.append([package["name"], package["version"], licence, checksum, needed, " ".join(depends)])
    rows.sort()
    text = "".join("\t".join(row) + "\n" for row in rows)
    text = "name\tversion\tlicence\tsha256\tneeded\tdepends\n" + text
    if "--check" in sys.argv[1:]:
        sys.exit(0 if OUT.read_text() == text else f"{OUT.name} is not what scripts/packages.py writes")
    OUT.write_text(text)
    print(f"{len(rows)} packages")


main()
