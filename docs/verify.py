#!/usr/bin/env python3
"""A second verifier for evidence bundles of sequester, written from docs/files.md with Python's standard
library (3.11 or later), `openssl` and `ssh-keygen`, so that nobody has to believe one program:
    python3 docs/verify.py STUDY/evidence/run-1 [FOLDER]   a bundle, and the folder of its signatures
    python3 docs/verify.py STUDY                           every bundle of a study, and the study's ledger
Exit code 0: nothing is contradicted; 20: something is; 1: there is no bundle. Not judged: whose key signed
(its id is printed), the order of events, files that no question reads, readers' files but plain tables,
rules over columns, the draw, other intervals than of shares, documents, stamps, grants.
"""
import base64, csv, datetime, hashlib, io, json, math, os, pathlib, re
import shutil, statistics, subprocess, sys, tempfile, tomllib
from bisect import bisect_left, bisect_right
from collections import Counter

NEEDED, KEPT, FREE = (names.split() for names in (
    "protocol-locked test-set-sealed model-locked reference-standard-locked test-set-opened results-recorded",
    "commitment-made commitment-stamped commitment-signed reads-sealed opening-granted change-plan-locked",
    "reads-imported evidence-published deviation-recorded scores-examined change-assessed"))
TAG, TAGS = "tagmanifest-sha256.txt", ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"]
SIDE = re.compile(re.escape(TAG) + r"(\.(asc|crt|gpg|minisig|ots|p7s|pem|sig|sigstore|sigstore\.json|tsr))?")
INPUT = re.compile(r"inputs/.*|protocol\.toml|model/lock\.json")
DERIVED = re.compile(r"(cases|derivation|reference(-.*)?|scores|tuning)\.csv|(description|results)\.json")
READS = ["positive", "negative", "indeterminate", "uninterpretable"]
LEVELS = ["unanimous", "majority", "incomplete", "tie", "adjudicated", "given", "none"]
HEX, CLOSE, NOT_SHOWN, NOT_ASKED = re.compile("[0-9a-f]{64}"), 1e-9, "not shown", "not asked"
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"), b"ecdsa-sha2-nistp256"
ED25519 = bytes.fromhex("302a300506032b6570032100"), b"ssh-ed25519"    # header of a key, name in OpenSSH

digest = lambda data: hashlib.sha256(data).hexdigest()
base = lambda data: base64.b64encode(data).decode("ascii")
plain = lambda text: base64.b64decode(text, validate=True)
close = lambda a, b: a is b or None not in (a, b) and abs(a - b) <= CLOSE
decides = lambda all: next((verdict for verdict in ("not-met", "not-evaluable") if verdict in all), "met")
# RFC 8785 for texts, whole numbers, truth values, and lists and objects of them.
canonical = lambda data: json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

def refuse(unless, why):
    if not unless: raise ValueError(why)

class Found(list):
    """What contradicts an answer; tables are compared entry by entry."""
    unless = lambda self, holds, what: self.extend([] if holds else [what])
    def same(self, place, recorded, found):
        for key in sorted({**recorded, **found}) if (table := isinstance(recorded, dict)) else ():
            self.same(f"{place}: {key}", recorded.get(key), found.get(key))
        self.unless(table or recorded == found, f"{place}: {recorded} recorded, {found} found")

class Bundle:
    """The files of a bundle below `data`; `told` is printed beside an answer."""
    def __init__(self, folder, signatures=None):
        self.folder, self.data, self.results, self.contradicted = folder, {}, {}, False
        self.root = digest((folder / TAG).read_bytes()) if (folder / TAG).is_file() else "none"
        self.study = folder.absolute().parent.parent
        self.signatures = signatures or self.study / "signatures" / folder.name
    text = lambda self, name: (d := self.data[name]).decode("utf-16" if d[:1] > b"\xfd" else "utf-8-sig")
    rows = lambda self, name: list(csv.DictReader(io.StringIO(self.text(name), newline="")))
    def matching(self, files):
        known = "|".join(map(re.escape, [files] if isinstance(files, str) else files)).replace(r"\*", "[^/]*")
        return sorted(name for name in self.data if re.fullmatch(f"inputs/({known})", name))
    def ask(self, check):
        """Answers the question in the docstring of a check; whatever the bytes are, there is an answer."""
        found, self.told = Found(), []
        try: state = check(self, found)
        except Exception as error: state = found.append(f"cannot be read: {type(error).__name__}: {error}")
        self.contradicted |= bool(found)
        if found or state != NOT_ASKED:
            print(f"{'no' if found else state or 'yes':<9}  {check.__doc__}")
            for line in (found + self.told)[:20]:
                print(f"           {line}"[:300].encode("unicode_escape").decode("ascii"))

def manifest(data):
    """Name → digest; each line is a digest, two spaces and a name that no other line has."""
    found = dict(reversed(pair) for pair in re.findall(r"([0-9a-f]{64})  (.+)\n", data.decode("utf-8")))
    whole = "".join(f"{value}  {name}\n" for name, value in found.items()).encode("utf-8")
    refuse(whole == data, "a manifest has a line that is none, or a name twice")
    return found

def check_bytes(bag, found):
    """Is every byte the one that was recorded?"""
    there = {path.relative_to(bag.folder).as_posix(): path for path in sorted(bag.folder.rglob("*"))}
    files = {name: at.read_bytes() for name, at in there.items() if at.is_file() and not at.is_symlink()}
    found += [f"{name}: neither a file nor a folder that holds one" for name, path in there.items()
              if name not in files and (path.is_symlink() or not path.is_dir() or not os.listdir(path))]
    bag.data = {name[5:]: data for name, data in files.items() if name.startswith("data/")}
    payload, tags = manifest(files["manifest-sha256.txt"]), manifest(files[TAG])
    found.same(f"names in {TAG}", sorted(tags), TAGS)
    here = {name: digest(data) for name, data in files.items() if not SIDE.fullmatch(name)}
    found.same("manifests", {**payload, **tags}, here)
    oxum = f"Payload-Oxum: {sum(map(len, bag.data.values()))}.{len(bag.data)}\n".encode()
    found.unless(oxum in files["bag-info.txt"], "bag-info.txt: Payload-Oxum is another")
    found.same("bagit.txt", files["bagit.txt"], b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    refuse(json.loads(bag.data["environment.json"])["format"] == "sequester-evidence/2", "another format")
    bag.protocol, bag.results = tomllib.loads(bag.text("protocol.toml")), json.loads(bag.data["results.json"])

def chain(data, found):
    """The events of a ledger, and what is wrong with them as a chain."""
    events, previous, last = [], "0" * 64, datetime.datetime.min
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        event, at = json.loads(line), f"event {number}"
        chained = {"line": canonical(event), "sequence": number, "previous": previous}
        found.same(at, {"line": line, "sequence": event["sequence"], "previous": event["previous"]}, chained)
        known = event["event"] in NEEDED + KEPT + FREE and all(map(HEX.fullmatch, event["digests"].values()))
        found.unless(known, f"{at}: is no event with its digests")
        time = datetime.datetime.strptime(event["at"], "%Y-%m-%dT%H:%M:%SZ")
        found.unless(time >= last, f"{at}: is earlier than the one before it")
        events, last, previous = [*events, event], time, digest(line)
    found.unless(data.endswith(b"\n"), "the last line is cut")
    return events

def check_ledger(bag, found):
    """Does the chain of events hold, and are they of these files?"""
    events, here = chain(bag.data["ledger.jsonl"], found), {n: digest(data) for n, data in bag.data.items()}
    of = lambda *names: [event for event in events if event["event"] in names]
    found += [f"no event `{name}`" for name in NEEDED if not of(name)]
    found += [f"event {later['sequence']}: a further opening with other inputs gives no reason"
              for earlier, later in zip(of("test-set-opened"), of("test-set-opened")[1:])
              if later["digests"] != earlier["digests"] and not later.get("reason", "").strip(" .")]
    drawn = [row for row in bag.rows("cases.csv") if row["status"] not in ("excluded", "not-sampled")]
    names = [name for name in ("case_id", "patient_id", "stratum", "weight") if drawn and name in drawn[0]]
    table, lines = io.StringIO(), [names, *([row[name] for name in names] for row in drawn)]
    csv.writer(table, lineterminator="\n").writerows(lines)
    here["cohort.csv"] = digest(table.getvalue().encode("utf-8"))
    for event in [event for name in NEEDED for event in of(name)[-1:]] + of(*KEPT):
        kind = {"test-set-opened": INPUT, "results-recorded": DERIVED}.get(event["event"])
        names = [name for name in here if kind.fullmatch(name)] if kind else event["digests"]
        found.same(f"event `{event['event']}`", event["digests"], {name: here.get(name) for name in names})

def check_flow(bag, found):
    """Is every case counted once, from the tables to the results?"""
    flow, cases = bag.results["flow"], {row["case_id"]: row for row in bag.rows("cases.csv")}
    drawn = {case for case, row in cases.items() if row["status"] not in ("excluded", "not-sampled")}
    pool, taken = (Counter(cases[case].get("stratum") for case in some) for some in (cases, drawn))
    for case, row in ((case, cases[case]) for case in drawn if "weight" in cases[case]):
        share = float(row["weight"]) * taken[row["stratum"]] / pool[row["stratum"]]
        found.unless(abs(share - 1) <= CLOSE, f"cases.csv: the weight of {case} is not that of its stratum")
    for table in {"reference.csv", "derivation.csv", "scores.csv"} & set(bag.data) | {"scores.csv"}:
        once = sorted(row["case_id"] for row in bag.rows(table)) == sorted(drawn)
        found.unless(once, f"{table}: does not list the sampled cases, each once")
    truth = bag.truth = {row["case_id"]: row["consensus"] for row in bag.rows("reference.csv")}
    scores = {row["case_id"]: row["score"] for row in bag.rows("scores.csv")}
    made = {case: "no-consensus" if truth[case] == "none" else "analysed" if scores[case] else "no-score"
            for case in cases if case in drawn}
    bag.analysed = [(truth[c] == "positive", float(scores[c])) for c in made if made[c] == "analysed"]
    found.same("cases.csv", {case: cases[case]["status"] for case in made}, made)
    status, labels = Counter(row["status"] for row in cases.values()), [label for label, _ in bag.analysed]
    counted = {"considered": len(cases), "eligible": len(cases) - status["excluded"], "sampled": len(drawn),
               "not_sampled": status["not-sampled"], "without_consensus": status["no-consensus"],
               "without_score": status["no-score"], "analysed": status["analysed"],
               "positives": labels.count(True), "negatives": labels.count(False)}
    found.same("flow", {name: flow[name] for name in counted}, counted)
    first = Counter(row["excluded_by"] for row in cases.values())
    each = Counter(reason for row in cases.values() for reason in row["all_reasons"].split(";"))
    excluded = {rule["id"]: (rule["count"], rule["count_any"]) for rule in flow["excluded"]}
    found.same("flow.excluded", excluded, {n: (first[n], each[n]) for n in {*excluded, *first} if n})
    kinds = {rule.get("kind") for rule in bag.protocol.get("eligibility", ())}
    bag.told += ["cases are excluded by rules over columns (not judged here)"] * ("rule" in kinds)

def consensus(reads, adjudication, rule, declared):
    """(answer, basis) of a case from the reads of the reference readers, by the declared rule."""
    kind, none, as_if = rule["rule"], ("none", "none"), rule.get("indeterminate")
    adjudicated = (adjudication, "adjudicated") if adjudication in ("positive", "negative") else none
    excluded = rule.get("uninterpretable") == "exclude-case" and "uninterpretable" in reads
    if kind == "panel" or excluded: return none if excluded else adjudicated
    expected = rule.get("readers") or (declared if rule.get("fixed_readers", True) else None)
    alike = kind == "unanimous" or (kind == "adjudicated" and rule["adjudicate"] == "disagreement")
    needed = rule["agreeing"] if kind == "k-of-n" else (expected or 1) if alike else (expected or 1) // 2 + 1
    needed = max(rule.get("minimum_agreeing", needed), 1)
    if len(reads) < ((expected or 1) if rule.get("require_all_readers") else rule.get("minimum_reads", 0)):
        return none
    unread = as_if if rule.get("uninterpretable") == "as-indeterminate" else None
    votes = Counter({"indeterminate": as_if, "uninterpretable": unread}.get(read, read) for read in reads)
    yes, no, tie = votes["positive"], votes["negative"], rule.get("tie", "none")
    if yes == no > 0 and tie != "none": return adjudicated if tie == "adjudicator" else (tie, "tie")
    if yes == no or max(yes, no) < needed or (alike and min(yes, no)):
        return adjudicated if kind == "adjudicated" else none
    complete = yes + no >= (expected or max(len(reads), 2))
    basis = "incomplete" if not complete else "majority" if min(yes, no) else "unanimous"
    return "positive" if yes > no else "negative", basis

def check_reference(bag, found):
    """Does the declared rule give the reference standard from the reads?"""
    rule, bag.said = bag.protocol["reference_standard"], {}
    if "derivation.csv" not in bag.data: return NOT_SHOWN               # as in bundles of earlier programs
    table, reference = rule.get("readers_file"), {row["case_id"]: row for row in bag.rows("reference.csv")}
    readers = bag.rows(f"inputs/{table}") if table else bag.protocol.get("reader")
    voters = readers and sum(reader["role"].strip().lower() == "reference" for reader in readers)
    for row in bag.rows("derivation.csv"):
        case, reads, other = row["case_id"], [], reference.get(row["case_id"], {})
        for part in filter(None, row["readers"].split("; ")):
            reader, answer, role = re.fullmatch(r"(.*)=(.*?)(?: \((.*)\))?", part).groups()
            bag.said[reader, case] = answer
            reads += [answer] if role in (None, "reference") and answer in READS else []
        counts = {f"{read}_reads": str(reads.count(read)) for read in READS}
        found.same(f"derivation.csv: {case}", {name: row.get(name, "0") for name in counts}, counts)
        found.same(f"reference.csv: {case}", {name: other.get(name, counts[name]) for name in counts}, counts)
        got = (other.get("consensus"), other.get("basis"))
        found.same(f"derivation.csv: {case}", (row["reference"], row["level"]), got)
        if rule["rule"] != "given":
            found.same(f"reference.csv: {case}", got, consensus(reads, row["adjudication"], rule, voters))
    levels, counted = bag.results["consensus"], Counter(row["basis"] for row in reference.values())
    found.same("consensus", {n: levels.get(n, 0) for n in LEVELS}, {n: counted[n] for n in LEVELS})
    return NOT_SHOWN if rule["rule"] == "given" else None

def check_reads(bag, found):
    """Do the readers' files hold these reads?"""
    settings, seen = bag.protocol.get("reads", {}), set()
    if set(settings) != {"files"} or "inputs/reads/imports.json" in bag.data or not bag.said: return NOT_SHOWN
    said = [(name, (row.get("reader_id") or " ", row.get("case_id") or " "), row.get("read"))
            for name in bag.matching(settings["files"]) for row in bag.rows(name)]
    for name, key, read in said if all(r in READS and k == (*map(str.strip, k),) for _, k, r in said) else ():
        seen.add(key)
        found.same(f"{name}: {key[0]} of {key[1]}", bag.said.get(key, read), read)
    found += [f"no file holds what {key[0]} said of {key[1]}" for key in sorted(set(bag.said) - seen) if seen]
    return None if seen else NOT_SHOWN

def clopper_pearson(k, n, level):
    """Clopper and Pearson (1934), from the binomial tails themselves."""
    ways = lambda i: math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
    chance = lambda i, p: math.exp(ways(i) + i * math.log(p) + (n - i) * math.log1p(-p))
    tail = lambda least: lambda step: math.fsum(chance(i, step / 2**52) for i in range(least, n + 1))
    where = lambda least, share: bisect_left(range(1, 2**52), share, key=tail(least)) / 2**52
    return 0.0 if k == 0 else where(k, (1 - level) / 2), 1.0 if k == n else where(k + 1, (1 + level) / 2)

def wilson(k, n, level):                                                                   # Wilson (1927)
    z = statistics.NormalDist().inv_cdf((1 + level) / 2)
    centre, spread = k + z * z / 2, z * math.sqrt(k * (n - k) / n + z * z / 4)
    return (centre - spread) / (n + z * z), (centre + spread) / (n + z * z)

def area(cases):              # pairs won, ties one half, and all pairs, both twice: Mann and Whitney (1947)
    low, high = (sorted(score for label, score in cases if label == of) for of in (False, True))
    return sum(bisect_left(low, x) + bisect_right(low, x) for x in high), 2 * len(low) * len(high)

def check_numbers(bag, found):
    """Do labels and scores give the recorded counts, AUC, shares and exact intervals?"""
    results, cases, point = bag.results, bag.analysed, bag.protocol.get("operating_point", {})
    threshold, confusion = results["operating_point"]["threshold"], results["curves"]["confusion"]
    if point.get("source") != "declared" and "model/lock.json" in bag.data:
        point = json.loads(bag.data["model/lock.json"])["operating_point"]
    table = Counter((label, score >= threshold) for label, score in cases)
    tp, fn, fp, tn = (table[cell] for cell in ((True, True), (True, False), (False, True), (False, False)))
    found.same("operating_point.threshold", threshold, point.get("threshold", threshold))
    counted = {"tp": tp, "fn": fn, "fp": fp, "tn": tn} if cases else confusion
    found.same("curves.confusion", confusion, confusion and counted)
    ratios = {"auc": area(cases), "accuracy": (tp + tn, len(cases)), "sensitivity": (tp, tp + fn), "f1": (
        2 * tp, 2 * tp + fp + fn), "specificity": (tn, tn + fp), "ppv": (tp, tp + fp), "npv": (tn, tn + fn)}
    for estimate in results["estimates"]:
        value, say = estimate["value"], estimate.get
        place = " ".join(filter(None, ("estimates:", *map(say, ("id", "subgroup", "scenario")))))
        if say("id") in ratios and not any(map(say, ("subgroup", "scenario", "prevalence", "model"))):
            k, n = ratios[say("id")]
            found.unless(close(value, k / n if n else None), f"{place}: {value} recorded, {k}/{n} computed")
            found.same(f"{place}: of how many", (say("numerator", k), say("denominator", n)), (k, n))
        if say("denominator"):
            k, n = say("numerator"), say("denominator")
            found.unless(value is None or close(value, k / n), f"{place}: the value is not {k}/{n}")
            for interval in say("intervals", []):
                method, limits = interval["method"], (interval["lower"], interval["upper"])
                exact = {"clopper-pearson": clopper_pearson, "wilson": wilson}.get(method, lambda *_: limits)
                fits = all(map(close, exact(k, n, interval["level"]), limits))
                found.unless(fits, f"{place}: the interval `{method}` of {k}/{n} is another")

def check_verdicts(bag, found):
    """Do the verdicts follow from criteria and intervals?"""
    results, declared, compared = bag.results, bag.protocol["endpoint"], bag.results.get("comparisons", [])
    primary = [comparison["verdict"] for comparison in compared if comparison["role"] == "primary"]
    of = lambda some: {e["id"]: [e.get(word) for word in ("metric", "role", "criterion")] for e in some}
    found.same("endpoints", of(results["endpoints"]), of(e for e in declared if "against" not in e))
    for endpoint in (endpoint for endpoint in results["endpoints"] if endpoint["criterion"]):
        interval, (end, comparison, goal) = endpoint["interval"], endpoint["criterion"].split()
        meets = {">": float.__gt__, ">=": float.__ge__, "<": float.__lt__, "<=": float.__le__}[comparison]
        met = interval and ("met" if meets(float(interval[end]), float(goal)) else "not-met")
        verdict = endpoint["verdict"] if "family" in results else met or "not-evaluable"    # by p values
        recorded = {"bound": endpoint["bound"], "verdict": endpoint["verdict"]}
        found.same(endpoint["id"], recorded, {"bound": interval and interval[end], "verdict": verdict})
        primary += [verdict] if endpoint["role"] == "primary" else []
    found.same("conclusion", results["conclusion"], decides(primary))
    return NOT_SHOWN if compared or "family" in results else None

def check_readers(bag, found):
    """Do the ratings of the reader study give the recorded areas of its readers?"""
    study, said, cells = bag.results.get("reader_study"), bag.protocol.get("reader_study", {}), {}
    if not study or "case_map" in said: return NOT_SHOWN if study else NOT_ASKED
    columns = [said.get(f"{w.partition('_')[0]}_column", w) for w in "modality reader case_id rating".split()]
    for row in (row for name in bag.matching(said["files"]) for row in bag.rows(name)):
        *cell, case, rating = (row[column].strip() for column in columns)
        if rating and bag.truth.get(case, "none") != "none":
            cells.setdefault(tuple(cell), []).append((bag.truth[case] == "positive", float(rating)))
    areas = {cell: wins / pairs for cell, (wins, pairs) in zip(cells, map(area, cells.values()))}
    each = {(row["modality"], row["reader"]): row["value"] for row in study["merits"][0]["each"]}
    found.unless(each.keys() == areas.keys() and all(close(each[c], areas[c]) for c in each), "other areas")

def check_change(bag, found):
    """Are plan and predecessor those that the new version names, and does its verdict follow?"""
    change, at = bag.results.get("change"), "inputs/change/"
    if not change: return NOT_ASKED
    plan, last = tomllib.loads(bag.text(f"{at}plan.toml")), change["history"][-1]
    may, named = [row["kind"] for row in plan["modification"]], plan["predecessor"]
    said = [row["result"]["verdict"] for row in change["acceptance"] if row["judged"]] + [change["goals"]]
    said += ["not-met" for row in change["found"] if row["kind"] not in may]
    here = {"plan_sha256": digest(bag.data[f"{at}plan.toml"]), "goals": bag.results["conclusion"],
            "lock_sha256": digest(bag.data["model/lock.json"]), "openings": plan["test_set"]["openings"],
            "found": [{**r, "allowed": r["kind"] in may} for r in change["found"]], "verdict": decides(said)}
    found.same("change", {name: change[name] for name in here}, here)
    before = (named["root"], named["lock"], digest(bag.data[f"{at}lock.json"]))
    found.same("predecessor", (last["root"], last["lock_sha256"], named["lock"]), before)

def is_by(key, statement, signature, ssh):
    """Whether `ssh-keygen` or `openssl` takes the signature as one of the statement by this key."""
    string = lambda part: len(part).to_bytes(4, "big") + part
    header, name = P256 if key.startswith(P256[0]) else ED25519
    blob = string(name) + (string(b"nistp256") if name == P256[1] else b"") + string(key[len(header):])
    files = {"allowed": b"it %s %s\n" % (name, base(blob).encode()), "sig": signature,
             "pem": b"-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----\n" % base64.encodebytes(key),
             "dsse": b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(statement), statement)}
    command = ("ssh-keygen -Y verify -f allowed -I it -n sequester -s sig" if ssh else
               "openssl dgst -sha256 -verify pem -signature sig dsse" if name == P256[1] else
               "openssl pkeyutl -verify -pubin -inkey pem -rawin -in dsse -sigfile sig")
    with tempfile.TemporaryDirectory() as room:
        for file, data in files.items(): pathlib.Path(room, file).write_bytes(data)
        return subprocess.run(command.split(), cwd=room, input=statement, capture_output=True).returncode == 0

def signed(name, files):
    """The subjects and the predicate of a statement that is signed by the key that it names."""
    ssh, data = name.endswith(".statement.json"), files[name]
    envelope = {} if ssh else json.loads(data); statement = data if ssh else plain(envelope["payload"])
    said = json.loads(statement); key = plain(said["predicate"]["signer"]["key"])
    signature = files[f"{name}.sig"] if ssh else plain(envelope["signatures"][0]["sig"])
    whole = {"payload": base(statement), "payloadType": "application/vnd.in-toto+json",
             "signatures": [{"keyid": digest(key), "sig": base(signature)}]}
    refuse(ssh or canonical(whole) + b"\n" == data, "the envelope is not in its one form")
    refuse(canonical(said) == statement and said["predicateType"] == "urn:sequester:statement:1"
           and said["_type"] == "https://in-toto.io/Statement/v1", "is no statement in its one form")
    refuse(is_by(key, statement, signature, ssh), "is not signed by the key that it names")
    return said["subject"], said["predicate"]

def of_bundle(bag, said):
    """Refuses a claim with other verdicts than the results, or with another ledger than lies here."""
    claim, head, count = said["claim"], said["claim"]["ledger"], said["claim"]["ledger"]["events"]
    results = json.loads(bag.data["results.json"], parse_float=str, parse_int=str)
    for row in results.get("comparisons", []):
        criterion = f"{row['aim']} to {row['comparator']}, margin {row['margin']}"
        row |= {"criterion": criterion, "value": row["difference"], "bound": None}
    rows = results["endpoints"] + results.get("comparisons", [])
    words = ("bound", "criterion", "id", "metric", "role", "value", "verdict")
    here = {"endpoints": [{word: row[word] for word in words if row[word] is not None} for row in rows],
            "conclusion": results["conclusion"], "study": results["study"]["id"],
            "threshold": results["operating_point"]["threshold"]}
    refuse({**claim, **here} == claim, "says other verdicts or numbers than the results")
    whole = head["of"] == "study" and (own := bag.study / "ledger.jsonl").is_file()
    lines = (own.read_bytes() if whole else bag.data["ledger.jsonl"]).split(b"\n")[:-1]
    if head["of"] == "study" and not whole and count > len(lines): return "the study's ledger is not here"
    openings = sum(json.loads(line)["event"] == "test-set-opened" for line in lines[:count])
    here = (digest(lines[count - 1]) if 0 < count <= len(lines) else None, openings)
    refuse(here == (head["head"], head["openings"]), "signed another ledger, or one with more events")
    return f"{count} events, {openings} openings"

def check_signatures(bag, found):
    """Is what is signed by the keys that it names, and of this bundle?"""
    files = {path.name: path.read_bytes() for path in sorted(bag.signatures.glob("*"))}
    files |= {name: data for name, data in bag.data.items() if "-signature-" in name}
    if not files or not all(map(shutil.which, ("openssl", "ssh-keygen"))):
        return NOT_SHOWN if files else NOT_ASKED
    for name in (name for name in files if not (name.endswith(".statement.json.sig") and name[:-4] in files)):
        try:
            subject, said = signed(name, files)
            file = name.partition("-signature-")[0] + ".json" if "/" in name else TAG
            this, bar = (TAG, None) if file == TAG else ("commitment.json", json.loads(bag.data[file])["bar"])
            means = {"name": this, "digest": {"sha256": bag.root if file == TAG else digest(bag.data[file])}}
            here = ([means], "verified" if file == TAG else "committed", bar)
            refuse((subject, said["kind"], said["claim"].get("bar")) == here, f"is not of {file}")
            who = "{name} as {role}, meaning {meaning}".format(**said["signer"])
            about = of_bundle(bag, said) if file == TAG else file
            bag.told.append(f"{name}: {who}, key {digest(plain(said['signer']['key']))}; {about}")
        except Exception as error: found.append(f"{name}: {error}")

def check_study(study, found):
    """Does the study's ledger know every bundle, and no other?"""
    ledger = (study.folder / "ledger.jsonl").read_bytes()
    published = [e["digests"].get(TAG) for e in chain(ledger, found) if e["event"] == "evidence-published"]
    found.same("roots", set(published), {bag.root for bag in study.bags})
    found += [f"{bag.folder.name}: its events do not begin the study's ledger" for bag in study.bags
              if not ledger.startswith(bag.data.get("ledger.jsonl", b"?"))]

def main(arguments):
    if not 1 <= len(arguments) <= 2 or arguments[0] in ("-h", "--help"):
        return print(__doc__) or (0 if arguments[:1] in (["-h"], ["--help"]) else 2)
    top, signatures = pathlib.Path(arguments[0]), pathlib.Path(arguments[1]) if arguments[1:] else None
    one, study = (top / "manifest-sha256.txt").is_file(), Bundle(top)
    folders = [top] if one else sorted(filter(pathlib.Path.is_dir, (top / "evidence").glob("*")))
    study.bags = [Bundle(folder, signatures) for folder in folders]
    if not folders: return print(f"{top}: there is no evidence bundle here", file=sys.stderr) or 1
    for bag in study.bags:
        print(f"{bag.folder}\nroot digest {bag.root}")
        bag.ask(check_bytes)
        for check in (check_ledger, check_flow, check_reference, check_reads, check_numbers, check_verdicts,
                      check_readers, check_change, check_signatures) if bag.results else (): bag.ask(check)
    if not one and (top / "ledger.jsonl").is_file(): study.ask(check_study)
    return 20 if any(looked.contradicted for looked in [study, *study.bags]) else 0

if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
