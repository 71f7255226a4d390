#!/usr/bin/env python3
"""Writes the evidence bundles of fixtures/evidence/vN with a build of the program that has libtorch.

    scripts/evidence-fixtures.py PROGRAM FOLDER [NAME...]

Five bundles: `scored-elsewhere`, whose scores were brought, `locked-model`, whose model was trained and locked, `adjudicated`, whose
readers' files name UIDs and were imported, one of them as a correction, and whose case table has columns of its own, `reader-study`, whose
readers rated the cases with and without the device, and `second-version`, which a change control plan accepted. All but the second need
no libtorch. With names only those. They are written once for a format number. Later versions verify them; a version that changes a meaning raises the
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


def second_version(program, study):
    small_study.under_a_plan(program, study, pathlib.Path(__file__).parent.parent / "fixtures/report/lock.json")


BUNDLES = {
    "scored-elsewhere": scored_elsewhere,
    "locked-model": trained,
    "adjudicated": small_study.adjudicated,
    "reader-study": small_study.reader_study,
    "second-version": second_version,
}


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
            # What was held against a plan has its bundle already.
            if not (study / "evidence").exists():
                call(program, "run", study)
            shutil.copytree(study / "evidence/run-1", target / name)


if __name__ == "__main__":
    main()
