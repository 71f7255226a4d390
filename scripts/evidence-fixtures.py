#!/usr/bin/env python3
"""Writes the evidence bundles of fixtures/evidence/vN with a build of the program that has libtorch.

    scripts/evidence-fixtures.py PROGRAM FOLDER

Two bundles: `scored-elsewhere`, whose scores were brought, and `locked-model`, whose model was trained and locked.
They are written once for a format number. Later versions verify them; a version that changes a meaning raises the
number, writes new ones, and refuses the old number by name.
"""

import pathlib
import shutil
import sys
import tempfile

import small_study
from small_study import call


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, target = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    for name, train in (("scored-elsewhere", False), ("locked-model", True)):
        if (target / name).exists():
            sys.exit(f"{target / name} is there already: evidence is never written again")
        with tempfile.TemporaryDirectory() as scratch:
            study = pathlib.Path(scratch) / "study"
            small_study.write(program, study, train, cases="80", development="60")
            call(program, "run", study)
            shutil.copytree(study / "evidence/run-1", target / name)


if __name__ == "__main__":
    main()
