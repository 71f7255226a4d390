#!/usr/bin/env python3
"""Runs the same studies with two builds of the program and compares everything they write, byte for byte.

    scripts/same-bytes.py OLD NEW [--data DATA] [--train] [--keep DIR]

OLD and NEW are programs. Two studies are run with each, with a fixed clock:
  demo   a small generated study whose scores are made from its labels (a device that lives elsewhere);
         with --train its model is trained and locked instead (needs libtorch in both builds)
  nih    protocols/nih-airspace-opacity on the published files below DATA, where --data is given
What the two write is put into four classes: `same`; `digests`, where only SHA-256 values differ (the digest of
Cargo.lock stands in the lock and in environment.json, so they and every manifest and document that prints them
change with any dependency); `unread`, PDF files that differ where pdftotext is not at hand; and `differs`.
Exit code 1 where anything differs or stands on one side alone.
"""

import argparse
import csv
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent.parent
DIGEST = re.compile(rb"[0-9a-f]{64}")
# Shortened digests and folded ones in documents.
SHORT = re.compile(rb"\b(?=[0-9]*[a-f])[0-9a-f]{8,16}\b")


def call(program, *arguments):
    done = subprocess.run([program, *arguments], env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in (0, 10):
        sys.exit(f"{program} {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stderr.decode()}")
    return done


def fewer_replicates(study):
    path = study / "protocol.toml"
    path.write_text(path.read_text().replace("replicates = 2000", "replicates = 200"))


def scored_elsewhere(study):
    """No model of the study's own: scores follow from the labels and the place of the row."""
    path = study / "protocol.toml"
    text = path.read_text().replace('[model]\nexperiment = "experiment.toml"\n', "")
    text = text.replace('development = "development.csv" # other patients, for training and tuning; never in the study\n', "")
    lines = text.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith('source = "lock"'))
    lines[at:at + 1] = ['source = "declared"', "threshold = 0.5", 'rationale = "declared before the study"']
    path.write_text("\n".join(lines) + '\n[scores]\nfile = "scores.csv"\n')
    with open(study / "cases.csv", newline="") as table:
        cases = list(csv.DictReader(table))
    with open(study / "scores.csv", "w", newline="") as out:
        out.write("case_id,score\n")
        for i, case in enumerate(cases):
            base = 0.3 if case["label"] == "1" else 0.02
            out.write(f"{case['case_id']},{base + 0.68 * ((i * 37) % 101) / 101:.4f}\n")


def one_epoch(study):
    path = study / "experiment.toml"
    path.write_text(re.sub(r"epochs = \d+", "epochs = 1", path.read_text()))


def run(program, out, data, train):
    demo = out / "demo"
    call(program, "demo", "--only-cohort", "--cases", "200", "--development", "160", "--size", "64", demo)
    fewer_replicates(demo)
    (one_epoch if train else scored_elsewhere)(demo)
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
    return SHORT.sub(b"#", DIGEST.sub(b"#", data))


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
