"""The small generated studies of scripts/same-bytes.py and scripts/evidence-fixtures.py."""

import csv
import hashlib
import json
import os
import re
import shutil
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


ADJUDICATED = """format = "sequester-protocol/2"

[study]
id = "adjudicated"
title = "A small study with two readers and an adjudicator"
version = "1.0"
finding = "pneumonia"

[data]
cases = "published.csv"
[data.columns]
header_row = 2
case_id = "File"
case_pattern = "*.dcm"
sex = "Gender"
patient_from = "case"
patient_pattern = "^(P[0-9]+)_"

[reference_standard]
rule = "adjudicated"
adjudicate = "disagreement"
qualification = "radiologist"

[[reader]]
id = "R1"
role = "reference"

[[reader]]
id = "R2"
role = "reference"

[[reader]]
id = "A"
role = "adjudicator"

[reads]
files = "reads/*.csv"
reader_from = "file"
reader_pattern = "reads-*.csv"
case_column = "uid"
case_map = { file = "uids.csv", case_column = "case", id_column = "SOPInstanceUID" }
read_column = "answer"
positive = "present"
negative = "absent"
missing = "not read"

[scores]
file = "scores.csv"

[operating_point]
source = "declared"
threshold = 0.5
rationale = "declared before the study"

[analysis]
resampling_unit = "patient"
replicates = 100
seed = 7
subgroup_minimum = 5

[[endpoint]]
id = "auc"
metric = "auc"
role = "primary"
interval = "obuchowski"
criterion = "lower > 0.60"

[[subgroup]]
by = "sex"
"""


def adjudicated(program, study, cases=48):
    """Two readers who name UIDs, an adjudicator where they differ, and a correction; nothing of it is prepared."""
    (study / "outside").mkdir(parents=True)
    (study / "protocol.toml").write_text(ADJUDICATED)
    (study / "device.toml").write_text('[device]\nname = "Example device"\n')
    ids = [f"P{i // 2:03}_{i % 2}" for i in range(cases)]
    uid = {case: f"2.25.{1000 + 7 * i}" for i, case in enumerate(ids)}

    def table(name, header, rows, above=""):
        (study / name).write_text(above + "".join(",".join(row) + "\n" for row in [header, *rows]))

    sex = ["F", "M"]
    table("published.csv", ["File", "Gender"], [[f"{case}.dcm", sex[i // 2 % 2]] for i, case in enumerate(ids)], "A collection\n")
    table("uids.csv", ["SOPInstanceUID", "case"], [[uid[case], case] for case in ids])
    table("scores.csv", ["case_id", "score"],
          [[case, f"{(0.35 if i % 3 == 0 else 0.05) + 0.6 * (i * 37 % 100) / 100:.4f}"] for i, case in enumerate(ids)])
    word = ["absent", "present"]

    def answers(name, wrong, only=lambda i: True):
        rows = [[uid[case], word[(i % 3 == 0) != wrong(i)]] for i, case in enumerate(ids) if only(i)]
        table(f"outside/{name}.csv", ["uid", "answer"], rows)

    answers("reads-R1", lambda i: i % 11 == 5)
    answers("reads-R2", lambda i: i % 13 == 7)
    answers("reads-A", lambda i: i == 4, lambda i: i % 11 == 5 or i % 13 == 7 or i == 5)
    said = ["--by", "A. Example", "--role", "coordinator", "--blinding", "images alone, no score"]
    for name in ("R1", "R2", "A"):
        call(program, "reads", "import", study, study / f"outside/reads-{name}.csv", *said)
    # The corrected file of R2 has a name of its own; who read is what the first one's name says.
    old = next(line for line in (study / "outside/reads-R2.csv").read_text().splitlines() if line.startswith(f"{uid[ids[7]]},"))
    new = old.replace("present", "?").replace("absent", "present").replace("?", "absent")
    corrected = study / "outside/reads-R2-corrected.csv"
    corrected.write_text((study / "outside/reads-R2.csv").read_text().replace(old, new))
    call(program, "reads", "import", study, corrected, "--supersedes", "reads/reads-R2.csv", "--reason", "one answer was mistyped", *said)


READER_STUDY = """
[reader_study]
files = ["reader-study/*.csv"]
unaided = "unaided"
aided = "aided"
design = "crossed"
order = "independent"
washout_days = 28
time_column = "read_at"
seconds_column = "seconds"
scale = { min = 0, max = 100, positive_from = 50 }

[[endpoint]]
id = "readers-better"
metric = "auc"
role = "secondary"
against = "unaided-readers"
aim = "superiority"

[[endpoint]]
id = "alone-not-worse"
metric = "auc"
role = "secondary"
against = "reader-population"
aim = "non-inferiority"
margin = 0.1
justification = "two radiologists differ by as much"
"""


def reader_study(program, study):
    """Four readers rate every case without the device in one session and with it in another, which helps."""
    write(program, study, False, cases="60", development="20")
    with open(study / "protocol.toml", "a") as protocol:
        protocol.write(READER_STUDY)
    with open(study / "cases.csv", newline="") as table:
        cases = list(csv.DictReader(table))
    (study / "reader-study").mkdir()
    for session, (word, month) in enumerate([("unaided", 1), ("aided", 3)]):
        rows = []
        for reader in range(1, 5):
            for i, case in enumerate(cases):
                found = 8 + (18 + 9 * session + reader if case["label"] == "1" else 0)
                rating = found + (i * 37 + reader * 11) % 31 + (i * 53 + reader * 29 + session * 17) % 23
                seen = f"2026-{month:02}-{10 + i % 7} 10:00,{35 + (i + reader) % 20 + 5 * session}"
                rows.append(f"A{reader},{case['case_id']},{word},{rating},{seen}\n")
        (study / f"reader-study/session-{session + 1}.csv").write_text("reader,case_id,modality,rating,read_at,seconds\n" + "".join(rows))


def under_a_plan(program, study, lock):
    """A second version of the device of `lock`, of whose two versions only locks and scores are there; its study is `study`."""
    first, candidate = study.with_name("first"), study.with_name("candidate")
    write(program, first, False, cases="80", development="20")
    protocol = first / "protocol.toml"
    text = protocol.read_text()
    text = text.replace('\n[scores]\nfile = "scores.csv"\n', "")
    # Goals that a device of so few cases reaches.
    text = re.sub(r'criterion = "lower > [0-9.]+"', 'criterion = "lower > 0.4"', text)
    protocol.write_text(text.replace('source = "declared"\nthreshold = 0.5\nrationale = "declared before the study"', 'source = "lock"'))
    for folder, weights in ((first / "model", b"first weights"), (candidate, b"second weights")):
        folder.mkdir()
        there = json.loads(lock.read_text())
        there["weights"] = {"path": "weights.safetensors", "sha256": hashlib.sha256(weights).hexdigest(), "bytes": len(weights)}
        there["operating_point"]["threshold"] = 0.5
        (folder / "lock.json").write_text(json.dumps(there))
        (folder / "weights.safetensors").write_bytes(weights)
    call(program, "validate", first)
    shutil.copy(first / "scores.csv", candidate / "scores.csv")
    better = [line.split(",") for line in (first / "scores.csv").read_text().splitlines()[1:]]
    with open(first / "cases.csv", newline="") as table:
        label = {case["case_id"]: case["label"] == "1" for case in csv.DictReader(table)}
    moved = [f"{case},{min(max(float(score) + (0.05 if label[case] else -0.05), 0), 1):.4f}\n" for case, score in better]
    (candidate / "scores.csv").write_text("case_id,score\n" + "".join(moved))
    call(program, "change", "init", study, "--predecessor", first)
    plan = study / "change/plan.toml"
    text = re.sub(r"(?m)^margin = .*", "margin = 0.2", plan.read_text())
    plan.write_text(re.sub(r"(?m)^by = .*", "by = []", text).replace("TO BE WRITTEN: ", "for the fixture: "))
    call(program, "change", "lock", plan)
    call(program, "change", "assess", plan, "--lock", candidate / "lock.json", "--scores", candidate / "scores.csv")
