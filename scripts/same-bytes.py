#!/usr/bin/env python3
"""Runs the same studies with two builds of the program and compares everything they write, byte for byte.

    scripts/same-bytes.py OLD NEW [--data DATA] [--train] [--keep DIR]

OLD and NEW are programs. Two studies are run with each, with a fixed clock:
  demo   a small generated study whose scores are made from its labels (a device that lives elsewhere);
         with --train its model is trained and locked instead (needs libtorch in both builds)
  nih    protocols/nih-airspace-opacity on the published files below DATA, where --data is given
What the two write is put into four classes: `same`; `digests`, where only SHA-256 values and seconds of training differ (the digest of
Cargo.lock stands in the lock and in environment.json, so they and every manifest and document that prints them
change with any dependency); `unread`, PDF files that differ where pdftotext is not at hand; and `differs`.
Exit code 1 where anything differs or stands on one side alone.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import small_study
from small_study import call

HERE = pathlib.Path(__file__).resolve().parent.parent
# What may differ: digests, also shortened ones in documents (in a style sheet behind an escaped blank), seconds that a
# training took, and the bytes of a bundle that has such seconds.
MASKS = [
    re.compile(rb"[0-9a-f]{64}"),
    re.compile(rb"\\000020[0-9a-f]{16}"),
    re.compile(rb"\b(?=[0-9]*[a-f])[0-9a-f]{8,16}\b"),
    re.compile(rb'"seconds": ?[0-9.e-]+'),
    re.compile(rb"Payload-Oxum: [0-9]+"),
]


def run(program, out, data, train):
    demo = out / "demo"
    small_study.write(program, demo, train)
    told = [call(program, "run", demo, "--json").stdout, call(program, "verify", demo, "--json").stdout]
    if data:
        nih = out / "nih"
        told.append(call(program, "run", HERE / "protocols/nih-airspace-opacity", "--data", data, "--out", nih, "--json").stdout)
        told.append(call(program, "verify", nih).stdout)
    for i, text in enumerate(told):
        (out / f"told-{i}.txt").write_bytes(text.replace(str(out).encode(), b"OUT"))


def text_of(path):
    if path.suffix != ".pdf":
        return path.read_bytes()
    if not shutil.which("pdftotext"):
        return None
    return subprocess.run(["pdftotext", "-layout", path, "-"], stdout=subprocess.PIPE, check=True).stdout


def masked(data):
    for mask in MASKS:
        data = mask.sub(b"#", data)
    return data


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path, help="keep what was written here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = args.keep or pathlib.Path(scratch)
        sides = []
        for name, program in (("old", args.old), ("new", args.new)):
            side = root / name
            shutil.rmtree(side, ignore_errors=True)
            side.mkdir(parents=True)
            run(program.resolve(), side, args.data, args.train)
            sides.append(side)
        files = [{p.relative_to(s) for p in s.rglob("*") if p.is_file()} for s in sides]
        classes = {"same": [], "digests": [], "unread": [], "differs": [], "one side": sorted(files[0] ^ files[1])}
        for path in sorted(files[0] & files[1]):
            one, two = (side / path for side in sides)
            if one.read_bytes() == two.read_bytes():
                classes["same"].append(path)
                continue
            texts = [text_of(p) for p in (one, two)]
            if None in texts:
                classes["unread"].append(path)
            elif masked(texts[0]) == masked(texts[1]):
                classes["digests"].append(path)
            else:
                classes["differs"].append(path)
        for name, paths in classes.items():
            print(f"{name}: {len(paths)}")
            if name != "same":
                for path in paths:
                    print(f"  {path}")
        if classes["differs"] or classes["one side"]:
            sys.exit(1)


if __name__ == "__main__":
    main()
