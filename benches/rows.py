"""A study with as many rows as are asked for, from a small one: cases, reads and scores again under new ids.

Usage: python3 benches/rows.py PROGRAM FOLDER ROWS [--drawn N [--read-drawn]] [--measure] [--former PROGRAM]
The scores come from elsewhere, no image is needed, and two thirds of the cases are drawn, or N of them; every
case is scored and read by three readers, or with --read-drawn the drawn ones alone, 2,000 replicates. With
--measure it is run (`run --no-pdf`) and verified, and each prints seconds on the clock, CPU seconds and the
most memory that the process held; with a former program, its own on a copy beside them.
"""

import argparse
import csv
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))
import small_study  # noqa: E402

OF = 1000
CLOCK = {**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}


def again(path, rows, ids):
    """Writes a table's rows again and again, with another number behind each id."""
    with open(path, newline="") as table:
        header, *lines = list(csv.reader(table))
    at = [header.index(name) for name in ids if name in header]
    with open(path, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        for number in range((rows + OF - 1) // OF):
            for line in lines:
                new = list(line)
                for place in at:
                    new[place] = f"{line[place]}x{number}"
                if "score" in header:
                    # As good as no score twice, as of a network.
                    place = header.index("score")
                    new[place] = f"{min(float(line[place]) + ((number * 7919) % 100_003) / 1e8, 0.9999):.8f}"
                writer.writerow(new)


def reads_of_the_drawn(program, folder):
    """Leaves the reads of the cohort, which is sealed for it: readers are sent the cases that were drawn."""
    small_study.call(program, "dataset", folder)
    with open(folder / "work" / "cohort.csv", newline="") as table:
        drawn = {row["case_id"] for row in csv.DictReader(table)}
    for reads in sorted((folder / "reads").glob("*.csv")):
        with open(reads, newline="") as table:
            header, *lines = list(csv.reader(table))
        place = header.index("case_id")
        with open(reads, "w", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(line for line in lines if line[place] in drawn)


def write(program, folder, rows, drawn):
    small_study.fewer_replicates = lambda study: None
    small_study.write(program, folder, False, str(OF), "20")
    again(folder / "cases.csv", rows, ["case_id", "patient_id"])
    for reads in sorted((folder / "reads").glob("*.csv")):
        again(reads, rows, ["case_id"])
    again(folder / "scores.csv", rows, ["case_id"])
    for images in ["images", "dicom"]:
        shutil.rmtree(folder / images, ignore_errors=True)
    path = folder / "protocol.toml"
    text = path.read_text()
    text = re.sub(r"(?m)^cases = 666$", f"cases = {drawn}", text)
    text = re.sub(r"(?m)^positives = 333 ", f"positives = {drawn // 2} ", text)
    text = re.sub(r'(?m)^images = "images".*\n', "", text)
    path.write_text(text)


def measured(words):
    """Seconds on the clock, CPU seconds and mebibytes of a command, which may end with an answer that is no."""
    begin = time.perf_counter()
    child = subprocess.Popen(words, env=CLOCK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 10):
        sys.exit(f"{' '.join(map(str, words))} ended with {child.returncode}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(programs, folder):
    print(f"{'':24}{'clock, s':>10}{'CPU, s':>10}{'MiB':>10}   on {os.cpu_count()} cores")
    for name, program in programs:
        copy = folder.with_name(f"{folder.name}-{name}")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        for what, words in [("run --no-pdf", ["run", "--no-pdf"]), ("verify", ["verify"])]:
            clock, cpu, most = measured([program, *words, copy])
            print(f"{what + ', ' + name:24}{clock:>10.1f}{cpu:>10.1f}{most:>10.0f}", flush=True)


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("program")
    asked.add_argument("folder", type=pathlib.Path)
    asked.add_argument("rows", type=int)
    asked.add_argument("--drawn", type=int)
    asked.add_argument("--read-drawn", action="store_true")
    asked.add_argument("--measure", action="store_true")
    asked.add_argument("--former")
    args = asked.parse_args()
    if not args.measure:
        write(args.program, args.folder, args.rows, args.drawn or args.rows * 2 // 3)
        if args.read_drawn:
            reads_of_the_drawn(args.program, args.folder)
    else:
        # By another process: what a process held when it starts a program counts as the program's (getrusage(2)).
        words = [word for word in sys.argv if word != "--measure"]
        subprocess.run([sys.executable, *words], check=True)
        formerly = [("former", args.former)] if args.former else []
        measure([*formerly, ("this", args.program)], args.folder)


main()
