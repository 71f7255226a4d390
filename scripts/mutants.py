#!/usr/bin/env python3
"""Runs the mutants of `cargo mutants` in the rooms whose rules decide, without libtorch and PDF (docs/mutants.md).

  scripts/mutants.py rooms                 how many mutants each room has, and how many of them were run
  scripts/mutants.py run [ROOM ...]        runs the sample of each room, as far as it has not been run
  scripts/mutants.py again [ROOM ...]      runs the survivors once more, after tests were written
  scripts/mutants.py survivors [ROOM ...]  lists the survivors that nobody has explained
  scripts/mutants.py table                 the table of docs/mutants.md

  --minutes M   begins no mutant after M minutes (50): a shard. The next call goes on where this one ended.
  --sample N    mutants a room that compile (60), drawn by the SHA-256 of their names; 0: all of them
  --jobs J      processors that cargo may use (all)

Most rooms are one crate, and a mutant would have to build all of it. Rooms import each other only as the walls allow, so each room of the
slice becomes a crate of its own under target/mutants/slice. All mutants of a crate are built at once: a function that has some
holds each changed body beside its own, and a number in the environment of the tests says which of them is run.
"""

import argparse
import fcntl
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import tomllib

VERSION = "27.1.0"
SEED = "sequester mutants 1"

# Says which of the mutants that were built is run, and how much memory the tests may take with it.
SWITCH = "SEQUESTER_MUTANT"
MEMORY = 6 << 30

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "mutants"
SLICE = WORK / "slice"
RESULTS = WORK / "results.jsonl"
EQUIVALENT = ROOT / "scripts" / "mutants-equivalent.txt"
TOOL = ROOT / ".deps" / "cargo-mutants"

# What decides, as patterns below src/; the first that matches a file takes it.
ROOMS = {
    "eligibility": ["eligibility.rs"],
    "sampling": ["sampling.rs"],
    "reads": ["reads/*"],
    "evidence": ["evidence/*"],
    "verdict": ["study/estimates/verdict.rs", "statistics/metric/deciding.rs"],
    "study": ["study/*"],
    "protocol": ["protocol/*"],
    "gate": ["dataset/gate.rs"],
    "shared patients": ["dataset/shared.rs", "dataset/leakage.rs", "table/id.rs"],
    "operating point": ["model/operating_point.rs", "statistics/operating_point.rs"],
    "intervals": [
        "statistics/proportion.rs",
        "statistics/clustered.rs",
        "statistics/exact_law.rs",
        "statistics/auc.rs",
        "statistics/bootstrap/collapsed.rs",
        "statistics/metric/*",
    ],
}

# Rooms of which a part decides: the unit tests of that part. Elsewhere every unit test of the room runs.
TESTS = {
    "gate": ["dataset::gate::"],
    "shared patients": ["dataset::shared::", "dataset::leakage::", "table::id::"],
    "operating point": ["operating_point::", "reference_values::"],
}

# Files of tests/it that hold a room's rules and start no program: they are run as unit tests of the room.
BESIDE = {
    "statistics": ["reference_values", "properties", "bootstrap_laws", "source_project", "deciding_rules"],
    "reads": ["reads_formats", "reads_mutated"],
}

# Tests of laws that take seconds: they are run where every other test passes.
SLOW = [
    "no_criterion_is_judged_by_an_interval_that_is_none",
    "paired_differences_by_case_have_the_law_of_plain_resampling",
    "replicates_follow_the_reference_laws",
    "no_small_table_gives_nan_or_a_point_alone",
    "closed_form_laws_give_the_reference_quantiles",
    "the_one_pass_bootstrap_and_the_collapsed_one_have_one_law",
    "acceleration_and_bca_limits_match_the_reference",
    "replicates_tend_to_the_law",
    "an_interval_for_clusters_is_missing_only_with_too_few_patients_and_says_so",
    "ten_thousand_damaged_exports_turn_nothing_absent_into_a_negative",
]


def fail(message, *hints):
    sys.exit("\n".join([f"error: {message}", *(f"  hint: {hint}" for hint in hints)]))


def room_of(path):
    """The deciding room of a file below src/."""
    return next((room for room, globs in ROOMS.items() if any(fnmatch.fnmatch(path, g) for g in globs)), None)


# --- the slice -------------------------------------------------------------------------------------------------


def write(path, text):
    """Writes where something changed, so that cargo builds only that again."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def source(path):
    """The text of a file below src/. In a room that is a package of its own, `crate` is the room and leaves are packages: its text
    is made as if the room lay in the program like others."""
    text, room = path.read_text(), path.relative_to(ROOT / "src").parts[0]
    if (ROOT / "src" / room / "Cargo.toml").exists():
        text = re.sub(r"\bcrate::", f"crate::{room}::", text).replace("sequester_", "crate::")
        text = text.replace('feature = "schemas"', "any()")
    return text


def modules():
    """Top-level room -> its files."""
    found = {}
    for path in sorted((ROOT / "src").rglob("*.rs")):
        name = path.relative_to(ROOT / "src")
        if name.name not in ("lib.rs", "main.rs") or len(name.parts) > 1:
            found.setdefault(name.parts[0].removesuffix(".rs"), []).append(path)
    return found


def beside_files():
    return [ROOT / "tests/it" / f"{name}.rs" for names in BESIDE.values() for name in names]


def assemble():
    """Writes a workspace with one crate a room: the deciding rooms and what they import."""
    files = modules()
    text = {room: "\n".join(source(path) for path in paths) for room, paths in files.items()}
    imports = {room: set(re.findall(r"\bcrate::(\w+)", code)) & set(files) - {room} for room, code in text.items()}
    deciding = {path.split("/")[0].removesuffix(".rs") for globs in ROOMS.values() for path in globs}
    wanted, left = set(), sorted(deciding)
    while left:
        room = left.pop()
        if room not in wanted:
            wanted.add(room)
            left.extend(imports[room])
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    workspace = manifest["workspace"]
    members = [tomllib.loads((ROOT / room / "Cargo.toml").read_text()) for room in workspace["members"]]
    tables = [one.get(kind, {}) for one in (manifest, *members) for kind in ("dependencies", "dev-dependencies")]
    tables += [target.get("dependencies", {}) for target in manifest.get("target", {}).values()]
    shared = workspace["dependencies"]
    external = {name: shared[name] if isinstance(spec, dict) and spec.get("workspace") else spec
                for table in tables for name, spec in table.items() if not name.startswith("sequester-")}

    # Every room has all of them: what is asked of one crate's features is then the same whichever room is tested, and
    # nothing is built twice.
    all_code = "\n".join([*(text[room] for room in wanted), *(path.read_text() for path in beside_files())])
    uses = [name for name in external if re.search(rf"\b{name.replace('-', '_')}::", all_code)]
    crates = sorted(wanted)
    for room in crates:
        beside = {name: (ROOT / "tests/it" / f"{name}.rs").read_text() for name in BESIDE.get(room, [])}
        lines = [
            f'[package]\nname = "room-{room}"\nversion = "{workspace["package"]["version"]}"',
            f'edition = "{workspace["package"]["edition"]}"\n\n[lib]\npath = "src/lib.rs"\ndoctest = false\n',
            "[dependencies]",
            *(f"{name} = {inline(external[name])}" for name in uses),
            *(f'room-{other} = {{ path = "../{other}" }}' for other in sorted(imports[room])),
        ]
        write(SLICE / room / "Cargo.toml", "\n".join(lines) + "\n")
        names = [f"pub mod {room};", *(f"pub use room_{other}::{other};" for other in sorted(imports[room]))]
        if beside:
            names.append("#[cfg(test)]\nextern crate self as sequester;")
        names += [f'#[cfg(test)]\n#[path = "beside/{name}.rs"]\nmod {name};' for name in beside]
        names.append(
            "/// The number of the mutant that is run; zero: none.\npub fn mutant() -> usize {\n"
            "    static NUMBER: std::sync::OnceLock<usize> = std::sync::OnceLock::new();\n"
            f'    *NUMBER.get_or_init(|| std::env::var("{SWITCH}").map_or(0, |number| number.parse().unwrap()))\n}}'
        )
        write(SLICE / room / "src" / "lib.rs", "\n".join(names) + "\n")
        kept = {SLICE / room / "src/beside" / f"{name}.rs" for name in beside}
        for name, tests in beside.items():
            write(SLICE / room / "src/beside" / f"{name}.rs", tests)
        for path in files[room]:
            copy = SLICE / room / "src" / path.relative_to(ROOT / "src")
            if copy.name == "lib.rs":
                copy = copy.with_name("mod.rs")
            # A macro stays within its crate.
            write(copy, re.sub(r"pub\(crate\)(?! use vectorised;)", "pub", source(path)))
            kept.add(copy)
        for copy in (SLICE / room / "src").rglob("*.rs"):
            if copy not in kept and copy.name != "lib.rs":
                copy.unlink()
        for name in ("fixtures", "protocols", "docs", "templates", "Cargo.lock"):
            link = SLICE / room / name
            if not link.is_symlink():
                link.symlink_to(ROOT / name)
    listed = ", ".join(f'"{room}"' for room in crates)
    write(
        SLICE / "Cargo.toml",
        f'[workspace]\nresolver = "3"\nmembers = [{listed}]\n\n'
        "[profile.dev]\ndebug = false\nopt-level = 1\n\n"
        '[profile.dev.package."*"]\nopt-level = 1\n',
    )
    if not (SLICE / "Cargo.lock").exists():
        write(SLICE / "Cargo.lock", (ROOT / "Cargo.lock").read_text())


def inline(value):
    """A dependency's specification as it stands in Cargo.toml."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {inline(v)}" for key, v in value.items() if key != "optional") + " }"
    return json.dumps(value)


# --- the mutants -----------------------------------------------------------------------------------------------


def environment(jobs):
    extra = {"CARGO_TARGET_DIR": str(WORK / "build"), "PROPTEST_CASES": "32", "CARGO_INCREMENTAL": "1"}
    if jobs:
        extra["CARGO_BUILD_JOBS"] = str(jobs)
    path = f"{TOOL / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **extra, "PATH": path}


def install():
    program = TOOL / "bin" / "cargo-mutants"
    if program.exists():
        found = subprocess.run([program, "mutants", "--version"], capture_output=True, text=True).stdout
        if found.split()[-1:] == [VERSION]:
            return
    print(f"installs cargo-mutants {VERSION} into {TOOL.relative_to(ROOT)}", file=sys.stderr)
    # cargo checks every crate against the digest in the index and in the lock file that came with it.
    command = ["cargo", "install", "--quiet", "--locked", "--force", "cargo-mutants", "--version", f"={VERSION}"]
    subprocess.run([*command, "--root", str(TOOL)], check=True)


def listed():
    """Every mutant of the deciding rooms: its key, which no other line moves, its room, and what it writes where."""
    found = []
    for crate in sorted({path.split("/")[0].removesuffix(".rs") for globs in ROOMS.values() for path in globs}):
        files = sorted((SLICE / crate / "src").rglob("*.rs"))
        digest = hashlib.sha256("".join(path.read_text() for path in files).encode()).hexdigest()
        kept = WORK / f"list-{crate}-{digest[:16]}.json"
        if not kept.exists():
            command = ["cargo", "mutants", "--list", "--json", "--dir", str(SLICE), "--package", f"room-{crate}"]
            out = subprocess.run(command, env=environment(None), check=True, capture_output=True, text=True).stdout
            for old in WORK.glob(f"list-{crate}-*.json"):
                old.unlink()
            kept.write_text(out)
        found += json.loads(kept.read_text())
    mutants, seen = [], {}
    for mutant in sorted(found, key=lambda m: (m["file"], list(m["span"]["start"].values()))):
        crate, _, path = mutant["file"].split("/", 2)
        room = room_of(path)
        if room is None or path.endswith("tests.rs"):
            continue
        line, _, what = re.fullmatch(r"[^:]*:(\d+):(\d+): (.*)", mutant["name"], re.DOTALL).groups()
        key = f"{path}: {what}"
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            key += f" ({seen[key]})"
        mutant |= {"key": key, "room": room, "crate": crate, "place": f"src/{path}:{line}"}
        mutants.append(mutant)
    return mutants


def results():
    """Key -> the last outcome."""
    if not RESULTS.exists():
        return {}
    return {line["key"]: line["outcome"] for line in map(json.loads, RESULTS.read_text().splitlines())}


def equivalent():
    """Key -> why the mutant changes nothing that a test may hold: the indented lines below it."""
    reasons, key = {}, None
    for line in EQUIVALENT.read_text().splitlines() if EQUIVALENT.exists() else []:
        if line.startswith("    ") and key:
            reasons[key] = f"{reasons[key]} {line.strip()}".strip()
        elif line and not line.startswith("#"):
            key = line
            reasons[key] = ""
    for key, reason in reasons.items():
        if not reason:
            fail(f"no reason is given for `{key}`", f"write it below, indented, in {EQUIVALENT.relative_to(ROOT)}")
    return reasons


def sample(mutants, outcomes, size):
    """The mutants of one room in the order of the draw, until `size` of them compiled; what was not run counts as if it did."""
    drawn = []
    for mutant in sorted(mutants, key=lambda m: hashlib.sha256(f"{SEED}|{m['key']}".encode()).digest()):
        if size and sum(outcomes.get(m["key"]) != "unviable" for m in drawn) >= size:
            break
        drawn.append(mutant)
    return drawn


def build(crate, jobs):
    """The crate's unit tests as a program, none where they do not compile; and what the compiler found wrong."""
    command = ["cargo", "test", "--quiet", "--manifest-path", str(SLICE / "Cargo.toml"), "--lib", "--no-run"]
    command += ["--message-format", "json", "--package", f"room-{crate}"]
    done = subprocess.run(command, env=environment(jobs), capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    programs = [line["executable"] for line in lines if line.get("executable")]
    messages = [line["message"] for line in lines if line.get("reason") == "compiler-message"]
    errors = [message for message in messages if message["level"] == "error"]
    return (programs[-1] if done.returncode == 0 and programs else None), errors


def passes(program, mutant, number, limit):
    """Whether the room's unit tests pass, in time, with the mutant of this number: the quick ones, then the slow ones."""
    if not run_tests(program, mutant, number, limit, [part for name in SLOW for part in ("--skip", name)]):
        return False
    return TESTS.get(mutant["room"]) is not None or run_tests(program, mutant, number, limit, SLOW)


def run_tests(program, mutant, number, limit, chosen):
    """Whether some tests of a program pass. The first that fails is enough."""
    options = {"cwd": SLICE / mutant["crate"], "start_new_session": True, "text": True, "errors": "replace"}
    options["env"] = {**environment(None), SWITCH: str(number)}
    options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    command = [program, *TESTS.get(mutant["room"], []), *chosen]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options) as process:

        def kill():
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit or 3600, kill)
        timer.start()
        try:
            if any(line.rstrip().endswith("... FAILED") for line in process.stdout):
                kill()
            return process.wait() == 0
        finally:
            timer.cancel()


def span(text, place):
    """Begin and end of a span of `cargo mutants` in the text."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return tuple(starts[at["line"] - 1] + at["column"] - 1 for at in (place["start"], place["end"]))


def switchable(text, mutant):
    """Begin and end of the function's body, braces included; none where its bodies cannot stand beside each other: in a
    constant, and where each has a type of its own."""
    function = mutant["function"]
    if function is None or re.search(r"\bimpl\b", function["return_type"]):
        return None
    begin, end = span(text, function["span"])
    name = re.escape(function["function_name"].split("::")[-1])
    head = re.compile(rf"^[ \t]*(?:pub(?:\([^)]*\))?\s+)?(const\s+)?(?:unsafe\s+)?fn\s+{name}\b", re.MULTILINE)
    found = head.search(text, text.rfind("\n", 0, begin) + 1, end)
    if found is None or found[1]:
        return None
    depth = 0
    for at in range(found.end(), end):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[at], 0)
        if text[at] == "{" and depth == 0:
            return at, end
    return None


def with_switches(text, numbered):
    """The text in which each function holds its changed bodies, and number -> first and last line of that body."""
    bodies = {}
    for number, mutant in numbered:
        bodies.setdefault(switchable(text, mutant), []).append((number, mutant))
    out, lines, done = "", {}, 0
    for (begin, end), of_body in sorted(bodies.items()):
        out += text[done:begin] + "{ match crate::mutant() {\n"
        for number, mutant in of_body:
            first, last = span(text, mutant["span"])
            start = out.count("\n") + 1
            out += f"{number} => {{ {text[begin:first]}{mutant['replacement']}{text[last:end]} }}\n"
            lines[number] = (start, out.count("\n"))
        out += f"_ => {text[begin:end]}\n}} }}"
        done = end
    return out + text[done:], lines


def nested(text, mutants):
    """Whether a function of these stands in another of these."""
    spans = sorted({span(text, m["function"]["span"]) for m in mutants})
    return {inner for outer in spans for inner in spans if outer[0] < inner[0] and inner[1] <= outer[1]}


class Broken(Exception):
    """Tests that fail before anything was changed say nothing."""


class Switched:
    """The mutants of one crate in one program. Those that cannot be switched are left in `alone`, those that do not
    compile in `unviable`."""

    def __init__(self, crate, mutants, jobs):
        self.texts = {path: path.read_text() for path in {SLICE / m["file"] for m in mutants}}
        self.alone, self.unviable, self.numbers = [], [], {}
        for path, text in self.texts.items():
            fit = [m for m in mutants if SLICE / m["file"] == path and switchable(text, m)]
            inner = nested(text, fit)
            fit = [m for m in fit if span(text, m["function"]["span"]) not in inner]
            self.alone += [m for m in mutants if SLICE / m["file"] == path and m not in fit]
            for mutant in fit:
                self.numbers[len(self.numbers) + 1] = mutant
        try:
            self.program = self.compiled(crate, jobs)
        finally:
            for path, text in self.texts.items():
                path.write_text(text)

    def compiled(self, crate, jobs):
        while True:
            lines = {}
            for path, text in self.texts.items():
                of_file = [(n, m) for n, m in self.numbers.items() if SLICE / m["file"] == path]
                changed, of_lines = with_switches(text, of_file)
                path.write_text(changed)
                lines |= {(path, number): range_ for number, range_ in of_lines.items()}
            program, errors = build(crate, jobs)
            if program:
                return program
            wrong = {number for error in errors for number in self.blamed(error, lines)}
            if not wrong:
                text = "\n".join(error["rendered"] for error in errors)
                raise Broken(f"the tests of {crate} do not compile, and no mutant is to blame\n{text}")
            self.unviable += [self.numbers.pop(number) for number in sorted(wrong)]

    @staticmethod
    def blamed(error, lines):
        """The mutants in whose bodies the compiler found the error."""
        every = list(error["spans"])
        every += [s["expansion"]["span"] for s in every if s.get("expansion")]
        for spans in ([s for s in every if s["is_primary"]], every):
            found = {
                number
                for (path, number), (first, last) in lines.items()
                for s in spans
                if str(path).endswith("/" + s["file_name"]) and first <= s["line_end"] and s["line_start"] <= last
            }
            if found:
                return found
        return set()


def run_alone(mutant, jobs, limit):
    """What becomes of the tests when the mutant stands in the slice by itself."""
    path = SLICE / mutant["file"]
    text = path.read_text()
    begin, end = span(text, mutant["span"])
    try:
        path.write_text(text[:begin] + mutant["replacement"] + text[end:])
        program, _ = build(mutant["crate"], jobs)
        if program is None:
            return "unviable"
        return "survived" if passes(program, mutant, 0, limit) else "found"
    finally:
        path.write_text(text)


def keep(mutant, outcome, start):
    seconds = round(time.monotonic() - start, 1)
    print(f"{outcome:9}{seconds:6} s  {mutant['key']}", flush=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps({"key": mutant["key"], "outcome": outcome, "seconds": seconds}) + "\n")


def run_all(mutants, jobs, end):
    """Crate by crate, until the time is over; each result is kept as it comes. Whether all were run."""
    for crate in dict.fromkeys(m["crate"] for m in mutants):
        of_crate = [m for m in mutants if m["crate"] == crate]
        if time.monotonic() > end:
            return False
        start = time.monotonic()
        switched = Switched(crate, of_crate, jobs)
        print(f"{len(switched.numbers)} mutants of {crate} built in {time.monotonic() - start:.0f} s", flush=True)
        for mutant in switched.unviable:
            keep(mutant, "unviable", time.monotonic())
        limits = {}
        for number, mutant in [*switched.numbers.items(), *((0, mutant) for mutant in switched.alone)]:
            if time.monotonic() > end:
                return False
            start = time.monotonic()
            if mutant["room"] not in limits:
                if not passes(switched.program, mutant, 0, None):
                    raise Broken(f"the tests of {mutant['room']} fail without any mutant")
                limits[mutant["room"]] = 30 + 10 * (time.monotonic() - start)
                start = time.monotonic()
            limit = limits[mutant["room"]]
            if number:
                keep(mutant, "survived" if passes(switched.program, mutant, number, limit) else "found", start)
            else:
                keep(mutant, run_alone(mutant, jobs, limit), start)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["rooms", "run", "again", "survivors", "table"])
    parser.add_argument("room", nargs="*")
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--jobs", type=int)
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.room) - set(ROOMS))
    if unknown:
        fail(f"there is no room {', '.join(unknown)}", f"rooms: {', '.join(ROOMS)}")

    WORK.mkdir(parents=True, exist_ok=True)
    lock = (WORK / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        fail("another run works on the slice", "wait for it: one slice holds one mutant at a time")
    # Ends like an interrupt: the mutant is taken out of the slice.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    install()
    assemble()
    mutants, outcomes, reasons = listed(), results(), equivalent()
    gone = sorted(set(reasons) - {m["key"] for m in mutants})
    if gone:
        fail("mutants are explained that are no more", *gone)
    rooms = [room for room in ROOMS if room in (arguments.room or ROOMS)]
    if arguments.step in ("run", "again"):
        end = time.monotonic() + arguments.minutes * 60
        for room in arguments.room or rooms:
            # Where some do not compile, the draw goes on.
            while todo := chosen(mutants, room, results(), reasons, arguments)[arguments.step]:
                try:
                    if not run_all(todo, arguments.jobs, end):
                        fail("the time is over", "the next call goes on where this one ended")
                except Broken as broken:
                    print(broken, file=sys.stderr, flush=True)
                    break
                if arguments.step == "again":
                    break
        return
    if arguments.step == "survivors":
        for room in rooms:
            for mutant in chosen(mutants, room, outcomes, reasons, arguments)["again"]:
                print(f"{mutant['place']}\n{mutant['key']}")
        return
    print("| room | mutants | run | found | change nothing | survive | found of those that change something |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for room in rooms:
        of_room = chosen(mutants, room, outcomes, reasons, arguments)
        open_, found, survived = len(of_room["again"]), of_room["found"], of_room["survived"]
        rows.append((of_room["all"], found + survived, found, survived - open_, open_))
        print(line(room, rows[-1]))
    if len(rooms) > 1:
        print(line("together", [sum(row[at] for row in rows) for at in range(5)]))


def chosen(mutants, room, outcomes, reasons, arguments):
    """The draw of one room: which are to run, which survive unexplained, and the counts."""
    of_room = [m for m in mutants if m["room"] == room]
    drawn = sample(of_room, outcomes, arguments.sample)
    survived = [m for m in drawn if outcomes.get(m["key"]) == "survived"]
    return {
        "all": len(of_room),
        "run": [m for m in drawn if m["key"] not in outcomes],
        "again": [m for m in survived if m["key"] not in reasons],
        "found": sum(outcomes.get(m["key"]) == "found" for m in drawn),
        "survived": len(survived),
    }


def line(room, row):
    share = f"{100 * row[2] / (row[2] + row[4]):.0f} %" if row[2] + row[4] else "-"
    return f"| {room} | {' | '.join(map(str, row))} | {share} |"


if __name__ == "__main__":
    main()
