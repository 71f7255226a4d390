"""How long a study of 1,000 cases takes from scores to verified documents, and its verification.

Usage: python3 benches/verify.py PROGRAM [FORMER PROGRAM] [--times N] [--documents]
Prints seconds on the clock and CPU seconds, the least of N (5); with a former program, its own beside them
and how many times as long it took. Both verify the same bundle. 666 of the cases are drawn, patients have
several, three readers, 2,000 replicates; documents with PDF where the program can. With --documents instead
the whole set of documents of a study of 1,000 drawn cases, whose evidence is there: as HTML, PDF and DOCX, and
all three after each other.
"""

import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))
import small_study  # noqa: E402
import speed_log  # noqa: E402

CLOCK = {**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}


def timed(words):
    """Seconds on the clock and CPU seconds of a command, which may end with an answer that is no."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(words, env=CLOCK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    clock, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended not in (0, 10):
        sys.exit(f"{' '.join(map(str, words))} ended with {ended}")
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least(times, work):
    took = [work() for _ in range(times)]
    return min(t[0] for t in took), min(t[1] for t in took)


def of_documents(programs, times, study):
    """The whole set, rendered again and again from one bundle."""
    pages = ["report", "--documents", "all", "--no-pdf", study]
    printed = ["report", "--documents", "all", study]
    drafts = ["report", "--documents", "all", "--docx", study]

    def each(*commands):
        def work(program):
            took = [timed([program, *words]) for words in commands]
            return sum(clock for clock, _ in took), sum(cpu for _, cpu in took)

        return lambda program: least(times, lambda: work(program))

    return [
        ("set as HTML", each(pages)),
        ("set as HTML and PDF", each(printed)),
        ("set as DOCX", each(drafts)),
        ("set in all three", each(printed, drafts)),
    ]


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("program")
    asked.add_argument("former", nargs="?")
    asked.add_argument("--times", type=int, default=5)
    asked.add_argument("--documents", action="store_true")
    args = asked.parse_args()
    programs = [args.program, *([args.former] if args.former else [])]
    with tempfile.TemporaryDirectory() as scratch:
        study = pathlib.Path(scratch) / "study"
        small_study.fewer_replicates = lambda study: None
        # Two thirds are drawn.
        small_study.write(args.program, study, False, "1500" if args.documents else "1000", "160")

        def fresh_run(program, *more):
            for made in ["evidence", "reports", "work"]:
                shutil.rmtree(study / made, ignore_errors=True)
            (study / "ledger.jsonl").unlink(missing_ok=True)
            return timed([program, "run", *more, study])

        def verify(program):
            return timed([program, "verify", study])

        rows = [
            ("run, with PDF", lambda program: least(args.times, lambda: fresh_run(program))),
            ("verify, with PDF", lambda program: least(args.times, lambda: verify(program))),
            ("run --no-pdf", lambda program: least(args.times, lambda: fresh_run(program, "--no-pdf"))),
            ("verify, HTML alone", lambda program: least(args.times, lambda: verify(program))),
        ]
        head = f"{'':24}{'clock, s':>10}{'CPU, s':>10}"
        print(head + (f"{'former':>14}{'CPU, s':>10}{'times as long':>16}{'CPU':>8}" if args.former else ""))

        def show(name, measure):
            ours, *former = [measure(program) for program in programs]
            line = f"{name:24}{ours[0]:>10.3f}{ours[1]:>10.3f}"
            for was in former:
                line += f"{was[0]:>14.3f}{was[1]:>10.3f}{was[0] / ours[0]:>16.1f}{was[1] / ours[1]:>8.1f}"
            print(line, flush=True)
            drawn = "1,000 cases drawn" if args.documents else "1,000 cases, 666 drawn"
            speed_log.add(f"a study of {drawn}: {name}", ours[0])

        if args.documents:
            fresh_run(args.program, "--no-pdf")
            for name, measure in of_documents(programs, args.times, study):
                show(name, measure)
            return
        for name, measure in rows:
            show(name, measure)
        shutil.rmtree(study / "reports")
        show("verify, no documents", lambda program: least(args.times, lambda: verify(program)))


main()
