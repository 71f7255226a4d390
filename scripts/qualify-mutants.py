#!/usr/bin/env python3
"""Does `sequester qualify` find a program with a wrong constant? Builds mutants in a copy of the sources and runs each.

Usage: scripts/qualify-mutants.py [WORK]     WORK holds copy and build (default: target/qualify-mutants)

A mutant is one replaced text in one file. Builds are those of development, without PDF. Prints the table of
docs/qualification.md; exit code 1 when a mutant was not found, or when the program without a change does not qualify.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent

# file, what stands there, what is put there, in words
MUTANTS = [
    ("src/statistics/proportion.rs", "let centre = (kf + z2 / 2.0) / (nf + z2);",
     "let centre = (kf + z2 / 2.001) / (nf + z2);", "Wilson's interval: z²/2 becomes z²/2.001"),
    ("src/statistics/special.rs", "-lower_quantile((1.0 - level) / 2.0)",
     "-lower_quantile((1.0 - level + 1e-9) / 2.0)", "the normal quantile of a level: 1e-9 in its probability"),
    ("src/imaging/dicom/jpeg_ls.rs", "    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2,",
     "    [0, 0, 0, 1, 1, 1, 1, 1, 2, 2,", "JPEG-LS: one entry of the table of run lengths"),
]


def build(copy, target):
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target))
    command = ["cargo", "build", "--locked", "--no-default-features", "--bin", "sequester", "-q"]
    subprocess.run(command, cwd=copy, env=environment, check=True)
    return target / "debug" / "sequester"


def qualify(program, work):
    out = work / "report"
    shutil.rmtree(out, ignore_errors=True)
    ran = subprocess.run([program, "qualify", "--no-pdf", "--json", "--out", out], capture_output=True, text=True)
    failed = []
    if ran.returncode in (0, 10):
        failed = [test["id"] for test in json.loads(ran.stdout)["tests"] if test["outcome"] == "failed"]
    return ran.returncode, failed


def main():
    work = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "target/qualify-mutants").resolve()
    copy, target = work / "sources", work / "target"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    tracked = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=HERE,
                             check=True, capture_output=True).stdout.decode()
    for name in filter(None, tracked.split("\0")):
        if (HERE / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HERE / name, copy / name)
    code, failed = qualify(build(copy, target), work)
    rows = [("no change", code, failed)]
    wrong = code != 0
    for name, there, instead, words in MUTANTS:
        path = copy / name
        text = path.read_text()
        if text.count(there) != 1:
            sys.exit(f"{name}: {there!r} stands there {text.count(there)} times")
        path.write_text(text.replace(there, instead))
        code, failed = qualify(build(copy, target), work)
        path.write_text(text)
        rows.append((words, code, failed))
        wrong |= code != 10
    print("| change | exit code | tests that failed |\n|---|---|---|")
    for words, code, failed in rows:
        listed = ", ".join(failed[:8]) + (f" and {len(failed) - 8} more" if len(failed) > 8 else "")
        print(f"| {words} | {code} | {listed or 'none'} |")
    sys.exit(1 if wrong else 0)


main()
