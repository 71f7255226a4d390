#!/usr/bin/env python3
"""Writes the evidence bundles of fixtures/evidence/vN with a build of the program that has libtorch.

    scripts/evidence-fixtures.py PROGRAM FOLDER [NAME...]

Three bundles: `scored-elsewhere`, whose scores were brought, `locked-model`, whose model was trained and locked, and `adjudicated`,
whose readers' files name UIDs and were imported, one of them as a correction, and whose case table has columns of its own; it needs no
libtorch. With names only those. They are written once for a format number. Later versions verify them; a version that changes a meaning raises the
number, writes new ones, and refuses the old number by name.
"""

import pathlib
import shutil
import sys
import tempfile

import small_study
from small_study import call


def trained(program, study):
    small_study.write(program, study, True, cases="80", development="60")


def scored_elsewhere(program, study):
    small_study.write(program, study, False, cases="80", development="60")


BUNDLES = {"scored-elsewhere": scored_elsewhere, "locked-model": trained, "adjudicated": small_study.adjudicated}


def main():
    if len(sys.argv) < 3 or not set(sys.argv[3:]) <= set(BUNDLES):
        sys.exit(__doc__)
    program, target = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    for name in sys.argv[3:] or BUNDLES:
        if (target / name).exists():
            sys.exit(f"{target / name} is there already: evidence is never written again")
        with tempfile.TemporaryDirectory() as scratch:
            study = pathlib.Path(scratch) / "study"
            BUNDLES[name](program, study)
            call(program, "run", study)
            shutil.copytree(study / "evidence/run-1", target / name)


if __name__ == "__main__":
    main()
