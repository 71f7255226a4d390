#!/usr/bin/env python3
"""Runs the mutants of `cargo mutants` in the rooms whose rules decide, without libtorch and PDF (docs/mutants.md).

  scripts/mutants.py rooms                 how many mutants each room has, and how many of them were run
  scripts/mutants.py run [ROOM ...]        runs the sample of each room, as far as it has not been run
  scripts/mutants.py again [ROOM ...]      runs the survivors once more, after tests were written
  scripts/mutants.py survivors [ROOM ...]  lists the survivors that nobody has explained
  scripts/mutants.py table                 the table of docs/mutants.md

  --minutes M   begins no batch after M minutes (50): a shard. The next call goes on where this one ended.
  --sample N    mutants a room that compile (60), drawn by the SHA-256 of their names; 0: all of them
  --jobs J      processors that cargo may use (all)

The crate is one, and a mutant would have to build all of it. Rooms import each other only as the walls allow, so each room of the
slice becomes a crate of its own under target/mutants/slice: a mutant builds one room again and runs that room's unit tests.
"""

import argparse
import fcntl
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import tomllib

VERSION = "27.1.0"
SEED = "sequester mutants 1"
BATCH = 10

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
    "study": ["study/*"],
    "protocol": ["protocol/*"],
    "gate": ["dataset/gate.rs"],
    "shared patients": ["dataset/shared.rs", "dataset/leakage.rs", "table/id.rs"],
    "operating point": ["model/operating_point.rs", "statistics/operating_point.rs"],
    "verdict": ["study/estimates/verdict.rs", "statistics/metric/deciding.rs"],
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
BESIDE = {"statistics": ["reference_values", "properties", "bootstrap_laws", "source_project", "deciding_rules"]}


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
    text = {room: "\n".join(path.read_text() for path in paths) for room, paths in files.items()}
    lib = (ROOT / "src" / "lib.rs").read_text()
    private = {room for room in files if f"\nmod {room};" in lib}
    imports = {room: set(re.findall(r"\bcrate::(\w+)", code)) & set(files) - {room} for room, code in text.items()}
    deciding = {path.split("/")[0].removesuffix(".rs") for globs in ROOMS.values() for path in globs}
    wanted, left = set(), sorted(deciding)
    while left:
        room = left.pop()
        if room not in wanted:
            wanted.add(room)
            left.extend(imports[room])
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    target = manifest.get("target", {}).values()
    tables = [manifest["dependencies"], manifest["dev-dependencies"], *(t.get("dependencies", {}) for t in target)]
    external = {name: spec for table in tables for name, spec in table.items()}

    # Every room has all of them: what is asked of one crate's features is then the same whichever room is tested, and
    # nothing is built twice.
    all_code = "\n".join([*(text[room] for room in wanted), *(path.read_text() for path in beside_files())])
    uses = [name for name in external if re.search(rf"\b{name.replace('-', '_')}::", all_code)]
    crates = sorted(wanted - private)
    for room in crates:
        # What is private to the crate cannot be seen from another one: each room has its own copy.
        own = [room, *sorted(imports[room] & private)]
        beside = {name: (ROOT / "tests/it" / f"{name}.rs").read_text() for name in BESIDE.get(room, [])}
        lines = [
            f'[package]\nname = "room-{room}"\nversion = "{manifest["package"]["version"]}"',
            f'edition = "{manifest["package"]["edition"]}"\n\n[lib]\npath = "src/lib.rs"\ndoctest = false\n',
            "[dependencies]",
            *(f"{name} = {inline(external[name])}" for name in uses),
            *(f'room-{other} = {{ path = "../{other}" }}' for other in sorted(imports[room] - private)),
        ]
        write(SLICE / room / "Cargo.toml", "\n".join(lines) + "\n")
        names = [f"mod {module};" if module in private else f"pub mod {module};" for module in own]
        names += [f"pub use room_{other}::{other};" for other in sorted(imports[room] - private)]
        if beside:
            names.append("#[cfg(test)]\nextern crate self as sequester;")
        names += [f"#[cfg(test)]\nmod {name};" for name in beside]
        write(SLICE / room / "src" / "lib.rs", "\n".join(names) + "\n")
        kept = {SLICE / room / "src" / f"{name}.rs" for name in beside}
        for name, tests in beside.items():
            write(SLICE / room / "src" / f"{name}.rs", tests)
        for module, path in ((module, path) for module in own for path in files[module]):
            copy = SLICE / room / "src" / path.relative_to(ROOT / "src")
            write(copy, path.read_text() if module in private else path.read_text().replace("pub(crate)", "pub"))
            kept.add(copy)
        for copy in (SLICE / room / "src").rglob("*.rs"):
            if copy not in kept and copy.name != "lib.rs":
                copy.unlink()
        for name in ("fixtures", "protocols", "docs", "templates", "Cargo.lock"):
            link = SLICE / room / name
            if not link.is_symlink():
                link.symlink_to(ROOT / name)
    members = ", ".join(f'"{room}"' for room in crates)
    write(
        SLICE / "Cargo.toml",
        f'[workspace]\nresolver = "3"\nmembers = [{members}]\n\n'
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
    files = sorted(SLICE.glob("*/src/**/*.rs"))
    digest = hashlib.sha256("".join(path.read_text() for path in files).encode()).hexdigest()
    kept = WORK / f"list-{digest}.json"
    if not kept.exists():
        crates = sorted({path.split("/")[0].removesuffix(".rs") for globs in ROOMS.values() for path in globs})
        packages = [argument for crate in crates for argument in ("--package", f"room-{crate}")]
        command = ["cargo", "mutants", "--list", "--json", "--dir", str(SLICE), *packages]
        out = subprocess.run(command, env=environment(None), check=True, capture_output=True, text=True).stdout
        for old in WORK.glob("list-*.json"):
            old.unlink()
        kept.write_text(out)
    mutants, seen = [], {}
    for mutant in sorted(json.loads(kept.read_text()), key=lambda m: (m["file"], list(m["span"]["start"].values()))):
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


def build(mutant, jobs):
    """The room's unit tests as a program; none where they do not compile."""
    command = ["cargo", "test", "--quiet", "--manifest-path", str(SLICE / "Cargo.toml"), "--lib", "--no-run"]
    command += ["--message-format", "json", "--package", f"room-{mutant['crate']}"]
    done = subprocess.run(command, env=environment(jobs), capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    programs = [line["executable"] for line in lines if line.get("executable")]
    return programs[-1] if done.returncode == 0 and programs else None


def passes(program, mutant, limit):
    """Whether the room's unit tests pass, in time."""
    command = [program, "--quiet", *TESTS.get(mutant["room"], [])]
    options = {"cwd": SLICE / mutant["crate"], "env": environment(None), "start_new_session": True}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options) as process:
        try:
            return process.wait(timeout=limit) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False


def run(mutant, jobs, limit):
    """What becomes of the tests when the mutant stands in the slice. `cargo mutants` has no way to run some mutants by
    name: its filters do not hold for deleted fields (27.1.0)."""
    path = SLICE / mutant["file"]
    text = path.read_text()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    begin, end = (starts[at["line"] - 1] + at["column"] - 1 for at in (mutant["span"]["start"], mutant["span"]["end"]))
    try:
        path.write_text(text[:begin] + mutant["replacement"] + text[end:])
        program = build(mutant, jobs)
        if program is None:
            return "unviable"
        return "survived" if passes(program, mutant, limit) else "found"
    finally:
        path.write_text(text)


def run_all(mutants, arguments):
    """In batches round the rooms, until the time is over; each result is kept as it comes."""
    end = time.monotonic() + arguments.minutes * 60
    limits = {}
    while mutants:
        for room in [room for room in ROOMS if any(m["room"] == room for m in mutants)]:
            of_room = [m for m in mutants if m["room"] == room]
            batch = [m for m in of_room if m["crate"] == of_room[0]["crate"]][:BATCH]
            for mutant in batch:
                if time.monotonic() > end:
                    print(f"{len(mutants)} mutants are left for the next shard", file=sys.stderr)
                    return
                part = (mutant["crate"], room)
                if part not in limits:
                    program = build(mutant, arguments.jobs)
                    start = time.monotonic()
                    if program is None or not passes(program, mutant, None):
                        fail(f"the tests of {mutant['crate']} fail without any mutant")
                    limits[part] = 30 + 10 * (time.monotonic() - start)
                start = time.monotonic()
                outcome = run(mutant, arguments.jobs, limits[part])
                seconds = round(time.monotonic() - start, 1)
                print(f"{outcome:9}{seconds:6} s  {mutant['key']}", flush=True)
                with RESULTS.open("a") as file:
                    file.write(json.dumps({"key": mutant["key"], "outcome": outcome, "seconds": seconds}) + "\n")
                mutants = [m for m in mutants if m is not mutant]


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
    rows, todo, survivors = [], [], []
    for room in [room for room in ROOMS if room in (arguments.room or ROOMS)]:
        of_room = [m for m in mutants if m["room"] == room]
        drawn = sample(of_room, outcomes, arguments.sample)
        left = [m for m in drawn if m["key"] not in outcomes]
        survived = [m for m in drawn if outcomes.get(m["key"]) == "survived"]
        open_ = [m for m in survived if m["key"] not in reasons]
        found = sum(outcomes.get(m["key"]) == "found" for m in drawn)
        rows.append((room, len(of_room), found + len(survived), found, len(survived) - len(open_), len(open_)))
        todo += {"run": left, "again": open_}.get(arguments.step, [])
        survivors += open_
    if arguments.step == "survivors":
        for mutant in survivors:
            print(f"{mutant['place']}\n{mutant['key']}")
    elif todo:
        run_all(todo, arguments)
    elif arguments.step in ("run", "again"):
        print("nothing is left to run", file=sys.stderr)
    else:
        print("| room | mutants | run | found | change nothing | survive | found of those that change something |")
        print("|---|---|---|---|---|---|---|")
        for room, total, tried, found, explained, open_ in rows:
            share = f"{100 * found / (found + open_):.0f} %" if found + open_ else "-"
            print(f"| {room} | {total} | {tried} | {found} | {explained} | {open_} | {share} |")


if __name__ == "__main__":
    main()
