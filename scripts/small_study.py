"""The small generated study of scripts/same-bytes.py and scripts/evidence-fixtures.py."""

import csv
import os
import re
import subprocess
import sys


def call(program, *arguments):
    """Runs the program with a fixed clock; 10 is an answer, everything else but 0 an end."""
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


def write(program, study, train, cases="200", development="160"):
    """Writes the study: its model is trained for two epochs, or its scores are brought from elsewhere."""
    call(program, "demo", "--only-cohort", "--cases", cases, "--development", development, "--size", "64", study)
    fewer_replicates(study)
    (one_epoch if train else scored_elsewhere)(study)
