#!/usr/bin/env python3
"""Training and scoring with `--device cuda` on this machine: agreement with the processor, speed, repeatability.

    scripts/gpu-check.py PROGRAM IMAGES OUT [--device cuda] [--epochs 17,15] [--limit N] [--phantoms 1200] [--workers N] [--few 320]
                         [--scaling 1,4,16] [--parts train,score,kinds,repeat,workers,peer] [--peer PYTHON] [--seconds 2]

PROGRAM is a `sequester` beside its `sequester-torch` that was built against a libtorch with CUDA. IMAGES holds the radiographs of
Kermany et al. (2018) in its folders NORMAL and PNEUMONIA, or any other images so laid out. OUT is a new folder: `results.jsonl`,
`summary.txt` and a log of each command are written there, scratch lies beside them and goes at the end.

  train   experiment 2A (random initial weights: speed does not depend on them) on IMAGES, with all its epochs or fewer
  score   the model of `train` scores a generated study on the processor and on the device: scores and refusals compared
  kinds   both networks, trained from every layer, and scored so
  repeat  the same training twice, on one worker, and interrupted and continued: equal digests?
  workers epochs with several numbers of workers
  peer    the same training and scoring with PyTorch on the same card (`gpu_peer.py`), with --peer, a Python that has it

`--few` images are what `kinds`, `repeat` and `workers` train on. `--variants NAME=VALUE` scores again with that in the environment.
With `--device cpu` all but the comparison with PyTorch runs on any machine: a rehearsal.
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
PATIENT = r"^(person\d+|.*IM-\d+)"
TOLERANCE = 1e-3
PARTS = ("train", "score", "kinds", "repeat", "workers", "peer")
MADE_BY_SCORING = ("scores.csv", "work/scores-partial.csv", "work/scores-of.txt")


class Card:
    """The share of time in which the card computes, sampled while a command runs."""

    def __init__(self):
        self.samples = []
        query = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "-lms", "100"]
        try:
            self.process = subprocess.Popen(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        except OSError:
            self.process = None
            return
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            try:
                busy, memory = line.split(",")[:2]
                self.samples.append((time.time(), float(busy), float(memory)))
            except ValueError:
                pass

    def between(self, begin, end):
        inside = [(busy, memory) for at, busy, memory in list(self.samples) if begin <= at <= end]
        if not inside:
            return {}
        return {"busy_percent": round(sum(b for b, _ in inside) / len(inside), 1), "memory_mib": max(m for _, m in inside)}

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


class Check:
    def __init__(self, arguments):
        self.a = arguments
        self.out = arguments.out.resolve()
        self.out.mkdir(parents=True)
        self.work = self.out / "scratch"
        self.work.mkdir()
        self.card = Card()
        self.results = open(self.out / "results.jsonl", "w")
        self.lines, self.failures, self.number = [], [], 0
        self.workers = ["--workers", str(arguments.workers)] if arguments.workers else []

    def report(self, what, **values):
        self.results.write(json.dumps({"what": what} | values) + "\n")
        self.results.flush()
        text = "  ".join(f"{key} {value:.6g}" if isinstance(value, float) else f"{key} {value}" for key, value in values.items())
        self.say(f"{what:44} {text}")

    def say(self, line):
        print(line, flush=True)
        self.lines.append(line)

    def hold(self, what, holds, **values):
        """One of the questions with yes or no."""
        if not holds:
            self.failures.append(what)
        self.report(("yes  " if holds else "NO   ") + what, **values)

    def call(self, *command, fails=False, interrupt=None, env=None):
        """Runs a command; its lines on standard error have the time at which they came. `interrupt`: Ctrl-C
        when a line holds this text."""
        command = [str(part) for part in command]
        self.number += 1
        name = next((part for part in command[1:] if not part.startswith("-")), "command")
        log = open(self.out / f"{self.number:02}-{pathlib.Path(name).stem}.log", "w")
        log.write(" ".join(command) + "\n")
        begun = time.time()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        lines, output = [], []

        def read():
            for line in process.stderr:
                lines.append((time.time(), line.rstrip("\n")))
                log.write(f"{time.time() - begun:9.3f} {line}")
                log.flush()
                if interrupt and interrupt in line and not output:
                    output.append(None)
                    process.send_signal(signal.SIGINT)

        reader = threading.Thread(target=read)
        reader.start()
        text = process.stdout.read()
        reader.join()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.write(text + f"\nended with {process.returncode} after {time.time() - begun:.3f} s\n")
        log.close()
        expected = (130,) if interrupt else (0, 10)
        if not fails and process.returncode not in expected:
            tail = "\n".join(line for _, line in lines[-8:])
            self.failures.append(f"{' '.join(command[1:4])} ended with {process.returncode}")
            self.say(f"FAILED with {process.returncode}: {' '.join(command)}\n{tail}")
        return {"code": process.returncode, "stdout": text, "lines": lines, "begin": begun, "end": time.time(),
                "wall": time.time() - begun, "core": usage.ru_utime + usage.ru_stime}  # fmt: skip

    def program(self, *arguments, **more):
        return self.call(self.a.program, *arguments, **more)

    def development(self):
        """The table of IMAGES, and a smaller one of every n-th patient's images."""
        table = self.work / "development.csv"
        if not table.exists():
            whole = self.work / "whole.csv"
            self.program("dataset", "folder", self.a.images, "--positive", "PNEUMONIA", "--patient", PATIENT, "--out", whole)
            self.thin(whole, table, self.a.limit)
            self.thin(whole, self.work / "few.csv", self.a.few)
        return table

    def thin(self, source, target, limit):
        with open(source, newline="") as file:
            rows = list(csv.reader(file))
        header, rows = rows[0], rows[1:]
        keep = max(1, round(len(rows) / limit)) if limit else 1
        with open(target, "w", newline="") as file:
            csv.writer(file).writerows([header, *rows[::keep]])

    def experiment(self, name, epochs):
        """A declared experiment with so many epochs in each stage."""
        text = (HERE.parent / "protocols" / name).read_text()
        lines, stage = [], -1
        for line in text.split("\n"):
            if line == "[[stage]]":
                stage += 1
            if line.startswith("epochs = ") and epochs:
                line = f"epochs = {epochs[stage]}"
            lines.append(line)
        path = self.work / f"{name}-{'-'.join(map(str, epochs or ['all']))}.toml"
        path.write_text("\n".join(lines))
        return path

    def train(self, name, table, experiment, *more, device=None, **how):
        """Trains with random initial weights, and gives what is to be known of it."""
        folder = self.work / name
        arguments = ["--json", "train", "--experiment", experiment, "--cases", table, "--images", self.a.images, "--out", folder,
                     "--initial-weights", "random", "--device", device or self.a.device, *more]  # fmt: skip
        if "--workers" not in more:
            arguments += self.workers
        done = self.program(*arguments, **how)
        done["folder"] = folder
        curve = folder / "run/training.jsonl"
        done["epochs"] = [json.loads(line) for line in curve.read_text().splitlines()] if curve.exists() else []
        done["state"] = json.loads(done["stdout"]) if done["code"] == 0 else None
        return done

    # The parts.

    def part_train(self):
        table = self.development()
        done = self.train("model-2a", table, self.experiment("exp-2a.toml", self.a.epochs))
        if not done["state"]:
            return
        training, tuning = (done["state"][side]["cases"] for side in ("training", "tuning"))
        at = {key: next((t for t, line in done["lines"] if key in line), None) for key in ("will be stored", "are computed and stored")}
        begun, stored, frozen = done["begin"], at["will be stored"], at["are computed and stored"]
        if stored and frozen:
            self.report("2A: start, reading images, first activation", seconds=stored - begun, images=training + tuning)
            self.report("2A: frozen layers, once", images_a_second=2 * (training + tuning) / (frozen - stored), seconds=frozen - stored,
                        **self.card.between(stored, frozen))  # fmt: skip
        end = frozen or begun
        whole = (frozen or begun) - begun
        for stage in dict.fromkeys(record["stage"] for record in done["epochs"]):
            own = [record for record in done["epochs"] if record["stage"] == stage]
            last = next(t for t, line in done["lines"] if line.split()[1:3] == ["epoch", str(own[-1]["epoch"])])
            seconds = [record["seconds"] for record in own]
            typical = sorted(seconds)[len(seconds) // 2]
            self.report(f"2A: stage {stage}", epochs=len(own), images_a_second=training / typical, epoch_seconds=typical,
                        first_epoch_seconds=seconds[0], wall_seconds=last - end, **self.card.between(end, last))  # fmt: skip
            whole += (17 if stage == "head" else 15) * (last - end) / len(own)
            end = last
        self.report("2A: whole command", wall_seconds=done["wall"], core_seconds=done["core"], epochs=len(done["epochs"]),
                    training=training, tuning=tuning, tuning_auc=done["state"]["best_tuning_auc"],
                    weights=done["state"]["weights_sha256"][:16], **self.card.between(begun, done["end"]))  # fmt: skip
        self.report("2A: 32 epochs at this pace", wall_seconds=whole + done["end"] - end,
                    core_hours=done["core"] / done["wall"] * (whole + done["end"] - end) / 3600)  # fmt: skip
        self.model = done["folder"]

    def study(self, name, run, **settings):
        """A generated study whose model is that of a run, in two copies."""
        study = self.work / name
        sizes = [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]
        self.program("demo", "--only-cohort", *sizes, study)
        # Narrower than what the study takes, so that the gate has something to refuse.
        gate = self.work / f"{name}-gate.toml"
        gate.write_text('[gate]\nmodality = ["DX", "CR"]\nbody_part = ["CHEST"]\nview = ["PA", "AP"]\nage_years = { min = 25, max = 70 }\n')
        self.program("lock", "--run", run / "run", "--out", study / "model", "--gate", gate)
        other = self.work / f"{name}-device"
        shutil.copytree(study, other)
        return study, other

    def scores(self, study, device, name, env=None):
        done = self.program("score", study, "--device", device, *self.workers, env=env)
        path = study / "scores.csv"
        if not path.exists():
            return done, {}
        shutil.copy(path, self.out / f"scores-{name}.csv")
        with open(path, newline="") as file:
            return done, {row["case_id"]: row for row in csv.DictReader(file)}

    def compare(self, what, name, run, **settings):
        study, other = self.study(name, run, **settings)
        on_processor, one = self.scores(study, "cpu", f"{name}-cpu")
        on_device, two = self.scores(other, self.a.device, f"{name}-device")
        differences, refused, same = [], 0, one.keys() == two.keys() and bool(one)
        for case, row in one.items():
            mate = two.get(case, {})
            refused += not row["score"]
            same = same and row.get("refused") == mate.get("refused") and bool(row["score"]) == bool(mate.get("score"))
            if row["score"] and mate.get("score"):
                differences.append(abs(float(row["score"]) - float(mate["score"])))
        values = [float(row["score"]) for row in one.values() if row["score"]]
        self.hold(f"{what}: same images refused in the same words", same, refused=refused, scored=len(values))
        self.hold(f"{what}: scores agree within {TOLERANCE:g}", bool(differences) and max(differences) <= TOLERANCE,
                  largest=max(differences, default=float("nan")), mean=sum(differences) / max(1, len(differences)),
                  smallest_score=min(values, default=float("nan")), largest_score=max(values, default=float("nan")))  # fmt: skip
        return study, other, on_processor, on_device, len(values)

    def part_score(self):
        model = getattr(self, "model", None)
        if model is None:
            return self.say("score: left out, it takes the model of `train`")
        study, other, on_processor, on_device, count = self.compare(
            "2A", "study", model, cases=self.a.phantoms, development=8, size=256)  # fmt: skip
        for device, done in (("cpu", on_processor), (self.a.device, on_device)):
            first = next((t for t, line in done["lines"] if "images" in line), done["begin"])
            self.report(f"scoring, {device}", images_a_second=count / (done["end"] - first), start_seconds=first - done["begin"],
                        wall_seconds=done["wall"], core_seconds=done["core"], **self.card.between(first, done["end"]))  # fmt: skip
        for workers in self.a.scaling:
            for path in MADE_BY_SCORING:
                (other / path).unlink(missing_ok=True)
            done = self.program("score", other, "--device", self.a.device, "--workers", workers)
            first = next((t for t, line in done["lines"] if "images" in line), done["begin"])
            self.report(f"scoring, {self.a.device}, {workers} workers", images_a_second=count / (done["end"] - first),
                        core_seconds=done["core"])  # fmt: skip
        for variant in self.a.variants:
            for path in MADE_BY_SCORING:
                (other / path).unlink(missing_ok=True)
            done, again = self.scores(other, self.a.device, f"study-{variant.replace('=', '-')}", env=dict([variant.split("=", 1)]))
            with open(self.out / "scores-study-cpu.csv", newline="") as file:
                apart = [abs(float(row["score"]) - float(again[row["case_id"]]["score"])) for row in csv.DictReader(file)
                         if row["score"] and again]  # fmt: skip
            first = next((t for t, line in done["lines"] if "images" in line), done["begin"])
            self.report(f"scoring, {self.a.device}, with {variant}", images_a_second=count / (done["end"] - first),
                        largest=max(apart, default=float("nan")))  # fmt: skip
        # Damaged images: the same words, whoever would have computed.
        with open(study / "scores.csv", newline="") as file:
            drawn = {row["case_id"] for row in csv.DictReader(file) if row["score"]}
        with open(study / "cases.csv", newline="") as file:
            scored = [row["image"] for row in csv.DictReader(file) if row["case_id"] in drawn]
        words = []
        for folder, device in ((study, "cpu"), (other, self.a.device)):
            for path in MADE_BY_SCORING:
                (folder / path).unlink(missing_ok=True)
            for number, image in enumerate(scored):
                path = folder / "images" / image
                if number % 10 == 3 and path.exists():
                    path.write_bytes((b"", b"no image", path.read_bytes()[: path.stat().st_size // 2])[number // 10 % 3])
            done = self.program("score", folder, "--device", device, *self.workers, fails=True)
            text = "\n".join(line for _, line in done["lines"]).replace(str(folder), "STUDY")
            words.append((done["code"], sorted(line for line in text.splitlines() if not line.startswith("  score"))))
        self.hold("damaged images: same exit code, same words", words[0] == words[1] and words[0][0] == 1, code=words[0][0],
                  lines=len(words[0][1]))  # fmt: skip

    def part_kinds(self):
        self.development()
        few = self.work / "few.csv"
        for name, epochs in (("exp-kermany-lite0.toml", [2, 1]), ("exp-kermany-densenet121.toml", [2])):
            path = self.experiment(name, epochs)
            path.write_text("\n".join(line for line in path.read_text().split("\n") if not line.startswith("initial_weights")
                                      ).replace("[network]\n", '[network]\ninitial_weights = "random"\n'))  # fmt: skip
            done = self.train(f"model-{name}", few, path)
            if done["state"]:
                self.report(name, wall_seconds=done["wall"], epoch_seconds=done["epochs"][-1]["seconds"],
                            tuning_auc=done["state"]["best_tuning_auc"])  # fmt: skip
                self.compare(name, f"study-{name}", done["folder"], cases=200, development=8, size=128)

    def part_repeat(self):
        self.development()
        few = self.work / "few.csv"
        kinds = (("2A", self.experiment("exp-2a.toml", [2, 2])), ("all layers", self.experiment("exp-kermany-densenet121.toml", [2])))
        for kind, path in kinds:
            digest = lambda done: (done["state"] or {}).get("weights_sha256", "none")[:16]  # noqa: E731
            key = kind.replace(" ", "-")
            first, again = (self.train(f"repeat-{key}-{n}", few, path) for n in (1, 2))
            alone = self.train(f"repeat-{key}-alone", few, path, "--workers", "1")
            epoch = "epoch   2" if kind == "2A" else "epoch   1"
            self.train(f"repeat-{key}-cut", few, path, interrupt=epoch)
            cut = self.train(f"repeat-{key}-cut", few, path)
            curves = [[{k: v for k, v in e.items() if k != "seconds"} for e in run["epochs"]] for run in (first, again, alone, cut)]
            self.hold(f"{kind}: the same again gives the same digest", digest(first) == digest(again) != "none", digest=digest(first),
                      other=digest(again))  # fmt: skip
            self.hold(f"{kind}: one worker gives the same digest", digest(first) == digest(alone) != "none", other=digest(alone))
            self.hold(f"{kind}: cut and continued gives the same digest", digest(first) == digest(cut) != "none", other=digest(cut))
            apart = [max((abs(a["training_loss"] - b["training_loss"]) for a, b in zip(curves[0], c)), default=float("nan"))
                     for c in curves[1:]]  # fmt: skip
            self.report(f"{kind}: largest difference of training losses", again=apart[0], alone=apart[1], cut=apart[2])

    def part_workers(self):
        """Epochs with several numbers of workers, from the same stored activations."""
        self.development()
        path, cache = self.experiment("exp-2a.toml", [3, 2]), self.work / "cache"
        for workers in self.a.scaling:
            done = self.train(f"workers-{workers}", self.work / "few.csv", path, "--workers", workers, "--cache", cache)
            if done["state"]:
                count = done["state"]["training"]["cases"]
                seconds = {record["stage"]: record["seconds"] for record in done["epochs"]}
                rates = {stage.replace(" ", "_"): count / value for stage, value in seconds.items()}
                self.report(f"2A from stored activations, {workers} workers", core_seconds=done["core"], **rates)

    def part_peer(self):
        if not self.a.peer:
            return self.say("peer: left out, it takes --peer")
        count = sum(1 for _ in open(self.development())) - 1
        tuning = round(count * 0.1714)
        done = self.call(self.a.peer, HERE / "gpu_peer.py", count - tuning, tuning, self.a.seconds, self.a.images)
        for line in done["stdout"].splitlines():
            values = json.loads(line)
            self.report(f"PyTorch: {values.pop('what')}", **values)

    def run(self):
        for part in PARTS:
            if part in self.a.parts:
                begun = time.time()
                try:
                    getattr(self, f"part_{part}")()
                except Exception as error:  # The other parts are worth having.
                    self.failures.append(part)
                    self.say(f"FAILED: {part}: {error!r}")
                self.say(f"-- {part}: {time.time() - begun:.1f} s")
        self.card.stop()
        self.say(f"{len(self.failures)} of the questions answered with no: {'; '.join(self.failures)}" if self.failures else "all as it should be")
        (self.out / "summary.txt").write_text("\n".join(self.lines) + "\n")
        if not self.a.keep:
            shutil.rmtree(self.work)
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=lambda text: str(pathlib.Path(text).resolve()))
    parser.add_argument("images", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--epochs", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--phantoms", type=int, default=1200)
    parser.add_argument("--few", type=int, default=320)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--scaling", type=lambda text: [int(part) for part in text.split(",") if part], default=[1, 4, 16])
    parser.add_argument("--variants", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS))
    parser.add_argument("--peer")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--keep", action="store_true")
    sys.exit(Check(parser.parse_args()).run())


if __name__ == "__main__":
    main()
