#!/usr/bin/env python3
"""A second verifier for evidence bundles of sequester, written from docs/files.md with Python's standard library
alone (3.11 or later), so that nobody has to believe one program:
    python3 docs/verify.py STUDY/evidence/run-1            the bundle
    python3 docs/verify.py STUDY                           every bundle of a study, and the study's ledger

Each question is answered yes, no, or not shown: what the bundle does not hold, or what this verifier does not
judge. Exit code 0: nothing is contradicted; 20: something is; 1: there is no bundle to look at.
It does not judge rules over columns, draw the cohort, repeat a bootstrap or render: `sequester verify` does.
"""
import csv, hashlib, io, json, math, os, re, sys, tomllib
from bisect import bisect_left, bisect_right
from collections import Counter
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist

EVENTS = ["protocol-locked", "test-set-sealed", "model-locked", "reads-imported", "reference-standard-locked",
          "test-set-opened", "results-recorded", "evidence-published", "deviation-recorded", "scores-examined",
          "change-assessed", "commitment-made", "commitment-stamped", "reads-sealed", "opening-granted",
          "change-plan-locked"]
SIDE = re.compile(r"tagmanifest-sha256\.txt\.(asc|crt|gpg|minisig|ots|p7s|pem|sig|sigstore|sigstore\.json|tsr)$")
# Of values that were computed by another route in the same precision.
HEX, CLOSE = re.compile("[0-9a-f]{64}"), 1e-9

class Bundle:
    """The files of a bundle below `data`, and what was found; `wrong` lists what contradicts an answer."""
    def __init__(self, folder):
        self.folder, self.answers, self.data, self.root = folder, [], {}, "none"
    def answer(self, question, wrong, shown=True):
        self.answers.append(("no" if wrong else "yes" if shown else "not shown", question, wrong))
    def rows(self, name):
        return list(csv.DictReader(io.StringIO(self.data[name].decode("utf-8"), newline="")))

digest = lambda data: hashlib.sha256(data).hexdigest()

def canonical(value):
    """RFC 8785 for what a ledger holds: texts, whole numbers, and objects of them."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")

def manifest(data):
    """Name → digest; each line is a digest, two spaces and a name that no other line has."""
    found = dict(reversed(pair) for pair in re.findall(r"([0-9a-f]{64})  (.+)\n", data.decode("utf-8")))
    if "".join(f"{value}  {name}\n" for name, value in found.items()).encode("utf-8") != data:
        raise ValueError("a manifest has a line that is none, or a name twice")
    return found

def check_bytes(bundle):
    """Every file is in a manifest with its digest, and nothing else lies there (RFC 8493)."""
    wrong, files = [], {}
    for path in sorted(bundle.folder.rglob("*")):
        name = path.relative_to(bundle.folder).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            wrong.append(f"{name}: neither a file nor a folder")
        elif path.is_dir() and not os.listdir(path):
            wrong.append(f"{name}: an empty folder")
        elif path.is_file():
            files[name] = path.read_bytes()
    tags = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"]
    try:
        payload, tag = manifest(files["manifest-sha256.txt"]), manifest(files["tagmanifest-sha256.txt"])
        if sorted(tag) != tags:
            wrong.append("tagmanifest-sha256.txt: does not name exactly " + ", ".join(tags))
        wrong += [f"{name}: " + ("has another digest than the manifest" if name in files else "is not there")
                  for name, expected in {**payload, **tag}.items()
                  if name not in files or digest(files[name]) != expected]
        unnamed = set(files) - set(payload) - {*tags, "tagmanifest-sha256.txt"}
        wrong += [f"{name}: no manifest names it" for name in sorted(unnamed) if not SIDE.match(name)]
        sizes = [len(data) for name, data in files.items() if name.startswith("data/")]
        if f"Payload-Oxum: {sum(sizes)}.{len(sizes)}\n" not in files["bag-info.txt"].decode("utf-8"):
            wrong.append("bag-info.txt: Payload-Oxum is another")
        if files["bagit.txt"] != b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
            wrong.append("bagit.txt: not the declaration of BagIt 1.0")
        bundle.root = digest(files["tagmanifest-sha256.txt"])
    except (KeyError, ValueError) as error:
        wrong.append(f"manifests: {error}")
    bundle.data = {name[5:]: data for name, data in files.items() if name.startswith("data/")}
    bundle.answer("Is every byte the one that was recorded?", wrong)

def chain(data):
    """The events of a ledger, and what is wrong with them as a chain."""
    wrong, events, previous, last = [], [], "0" * 64, None
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        event = json.loads(line)
        if canonical(event) != line:
            wrong.append(f"event {number}: is not canonical JSON")
        if event["sequence"] != number or event["previous"] != previous:
            wrong.append(f"event {number}: does not follow the one before it")
        if event["event"] not in EVENTS or not all(map(HEX.fullmatch, event["digests"].values())):
            wrong.append(f"event {number}: is no event with its digests")
        at = datetime.strptime(event["at"], "%Y-%m-%dT%H:%M:%SZ")
        if last and at < last:
            wrong.append(f"event {number}: is earlier than the one before it")
        last, previous = at, digest(line)
        events.append(event)
    return events, wrong + ([] if data.endswith(b"\n") else ["the last line is cut"])

def check_ledger(bundle):
    """The chain holds, and each event is of the files that are here."""
    events, wrong = chain(bundle.data["ledger.jsonl"])
    bundle.events, here = events, {name: digest(data) for name, data in bundle.data.items()}
    of = lambda name: [event for event in events if event["event"] == name]
    wrong += [f"no event `{name}`" for name in EVENTS[:3] + EVENTS[4:7] if not of(name)]
    openings = of("test-set-opened")
    wrong += [f"event {later['sequence']}: a further opening with other inputs gives no reason"
              for earlier, later in zip(openings, openings[1:])
              if later["digests"] != earlier["digests"] and not later.get("reason", "").strip(" .")]
    expected = {name: value for name, value in here.items()
                if name.startswith("inputs/") or name in ("protocol.toml", "model/lock.json")}
    derived = {n: here[n] for n in ("cases.csv", "derivation.csv", "description.json", "reference.csv",
                                    "reference-differences.csv", "results.json", "scores.csv", "tuning.csv")
               if n in here}
    for name, want in [("test-set-opened", expected), ("results-recorded", derived)]:
        for event in of(name)[-1:]:
            wrong += [f"{key}: is not what the event `{name}` recorded" for key in sorted({**want, **event["digests"]})
                      if want.get(key) != event["digests"].get(key)]
    locked = [event for n in (0, 2, 4) for event in of(EVENTS[n])[-1:]]
    for event in locked + sum(map(of, EVENTS[11:]), []):
        wrong += [f"{key}: is not what the event `{event['event']}` recorded"
                  for key, value in event["digests"].items() if here.get(key) != value]
    drawn = [row for row in bundle.rows("cases.csv") if row["status"] not in ("excluded", "not-sampled")]
    names = [name for name in ("case_id", "patient_id", "stratum", "weight") if drawn and name in drawn[0]]
    sealed, lines = io.StringIO(), [[row[name] for name in names] for row in drawn]
    csv.writer(sealed, lineterminator="\n").writerows([names, *lines])
    cohort = digest(sealed.getvalue().encode("utf-8"))
    if any(event["digests"].get("cohort.csv") != cohort for event in of("test-set-sealed")[-1:]):
        wrong.append("cases.csv: the sampled cases are not those that were sealed")
    bundle.answer("Does the chain of events hold, and are they of these files?", wrong)

def check_flow(bundle):
    """The tables agree with each other and with the flow."""
    wrong, flow = [], bundle.results["flow"]
    cases = {row["case_id"]: row for row in bundle.rows("cases.csv")}
    count = lambda *status: sum(row["status"] in status for row in cases.values())
    excluded = sum(entry["count"] for entry in flow["excluded"])
    wrong += [f"flow.{name}: {flow[name]} recorded, {value} in cases.csv" for name, value in [
        ("considered", len(cases)), ("eligible", len(cases) - count("excluded")), ("not_sampled", count("not-sampled")),
        ("without_consensus", count("no-consensus")), ("without_score", count("no-score")),
        ("analysed", count("analysed")), ("sampled", count("no-consensus", "no-score", "analysed")),
        ("considered", flow["eligible"] + excluded)] if flow[name] != value]
    first = Counter(row["excluded_by"] for row in cases.values())
    each = Counter(reason for row in cases.values() for reason in row["all_reasons"].split(";"))
    wrong += [f"flow.excluded: {entry['id']}: other numbers in cases.csv" for entry in flow["excluded"]
              if (first[entry["id"]], each[entry["id"]]) != (entry["count"], entry["count_any"])]
    drawn = {case for case, row in cases.items() if row["status"] not in ("excluded", "not-sampled")}
    pool, taken = (Counter(cases[case].get("stratum") for case in of) for of in (cases, drawn))
    wrong += [f"cases.csv: the weight of {case} is not that of its stratum" for case in drawn if "weight" in cases[case]
              for at in [cases[case]["stratum"]]
              if abs(float(cases[case]["weight"]) * taken[at] / pool[at] - 1) > CLOSE]
    for table in {"reference.csv", "derivation.csv", "scores.csv"} & set(bundle.data) | {"scores.csv"}:
        if sorted(row["case_id"] for row in bundle.rows(table)) != sorted(drawn):
            wrong.append(f"{table}: does not list the sampled cases, each once")
    reference = {row["case_id"]: row["consensus"] for row in bundle.rows("reference.csv")}
    scores = {row["case_id"]: row["score"] for row in bundle.rows("scores.csv")}
    bundle.analysed = []
    for case in filter(drawn.__contains__, cases):
        status = "no-consensus" if reference[case] == "none" else "analysed" if scores[case] else "no-score"
        if cases[case]["status"] != status:
            wrong.append(f"cases.csv: {case} is `{cases[case]['status']}`, and the tables make it `{status}`")
        if status == "analysed":
            bundle.analysed.append((reference[case] == "positive", float(scores[case])))
    positives = sum(label for label, _ in bundle.analysed)
    if (flow["positives"], flow["negatives"]) != (positives, len(bundle.analysed) - positives):
        wrong.append("flow: positives and negatives are others than those of reference.csv")
    bundle.answer("Is every case counted once, from the tables to the results?", wrong)
    if any(criterion.get("kind") == "rule" for criterion in bundle.protocol.get("eligibility", [])):
        bundle.answer("Do the rules over columns exclude these cases? (not judged here)", [], False)

def vote(read, rule):
    as_indeterminate = read == "uninterpretable" and rule.get("uninterpretable") == "as-indeterminate"
    read = rule.get("indeterminate") if as_indeterminate or read == "indeterminate" else read
    return {"positive": True, "negative": False}.get(read)

def consensus(reads, adjudication, rule, declared):
    """(answer, basis) of a case from the reads of the reference readers, by the declared rule."""
    kind, none = rule["rule"], ("none", "none")
    adjudicated = (adjudication, "adjudicated") if adjudication in ("positive", "negative") else none
    if rule.get("uninterpretable") == "exclude-case" and "uninterpretable" in reads:
        return none
    if kind == "panel":
        return adjudicated
    expected = rule.get("readers") or (declared if rule.get("fixed_readers", True) else None)
    alike = kind == "unanimous" or (kind == "adjudicated" and rule["adjudicate"] == "disagreement")
    needed = rule["agreeing"] if kind == "k-of-n" else (expected or 1) if alike else (expected or 1) // 2 + 1
    needed = max(rule.get("minimum_agreeing", needed), 1)
    if len(reads) < ((expected or 1) if rule.get("require_all_readers") else rule.get("minimum_reads", 0)):
        return none
    votes = [vote(read, rule) for read in reads]
    yes, no = votes.count(True), votes.count(False)
    undecided = adjudicated if kind == "adjudicated" else none
    if yes == no:
        tie = rule.get("tie", "none")
        return undecided if yes == 0 or tie == "none" else adjudicated if tie == "adjudicator" else (tie, "tie")
    if max(yes, no) < needed or (alike and min(yes, no)):
        return undecided
    complete = yes + no >= (expected or max(len(reads), 2))
    basis = "incomplete" if not complete else "majority" if min(yes, no) else "unanimous"
    return "positive" if yes > no else "negative", basis

def voters(bundle):
    """How many declared readers vote; None where nobody is declared."""
    table = bundle.protocol["reference_standard"].get("readers_file")
    readers = bundle.rows(f"inputs/{table}") if table else bundle.protocol.get("reader")
    return readers and sum(reader["role"].strip().lower() == "reference" for reader in readers)

def check_reference(bundle):
    """The reads of each case give the recorded answer by the declared rule."""
    wrong, rule = [], bundle.protocol["reference_standard"]
    reference = {row["case_id"]: row for row in bundle.rows("reference.csv")}
    if "derivation.csv" not in bundle.data:          # as in bundles of earlier programs
        return bundle.answer("Does the declared rule give the reference standard from the reads?", [], False)
    derivation = {row["case_id"]: row for row in bundle.rows("derivation.csv")}
    known, said = ("positive", "negative", "indeterminate", "uninterpretable"), {}
    for case, row in derivation.items():
        reads = []
        for part in filter(None, row["readers"].split("; ")):
            reader, answer = part.rsplit("=", 1)
            answer = answer.split(" (")
            role = answer[1].rstrip(")") if len(answer) > 1 else "reference"
            said[reader, case] = answer[0]
            if role == "reference" and answer[0] in known:
                reads.append(answer[0])
        other = reference.get(case, {})
        wrong += [f"{case}: `{name}_reads` is not what the listed readers said" for name in known
                  for column in [f"{name}_reads"] if row.get(column, "0") != str(reads.count(name))
                  or other.get(column, row.get(column)) != row.get(column)]
        got = (other.get("consensus"), other.get("basis"))
        if rule["rule"] != "given" and got != consensus(reads, row["adjudication"], rule, voters(bundle)):
            wrong.append(f"{case}: the rule `{rule['rule']}` does not give {got[0]} ({got[1]}) from its reads")
        if (row["reference"], row["level"]) != got:
            wrong.append(f"{case}: derivation.csv and reference.csv differ")
    levels, counted = bundle.results["consensus"], Counter(row["basis"] for row in reference.values())
    wrong += [f"results.json: the number of `{level}` cases is another" for level in
              ("unanimous", "majority", "incomplete", "tie", "adjudicated", "given", "none")
              if levels.get(level, 0) != counted[level]]
    bundle.answer("Does the declared rule give the reference standard from the reads?", wrong, rule["rule"] != "given")
    check_reads(bundle, said)

def check_reads(bundle, said):
    """What the listed readers said stands in their files, where these are tables in the plain form."""
    settings, wrong, seen = bundle.protocol.get("reads", {}), [], set()
    plain = set(settings) <= {"files"} and "inputs/reads/imports.json" not in bundle.data
    patterns = [settings["files"]] if isinstance(settings.get("files"), str) else settings.get("files", [])
    names = [re.compile(re.escape(pattern).replace(r"\*", "[^/]*") + "$") for pattern in patterns]
    for name in sorted(bundle.data) if plain else []:
        if name.startswith("inputs/") and any(pattern.match(name[7:]) for pattern in names):
            for row in bundle.rows(name):
                key = row.get("reader_id"), row.get("case_id")
                seen.add(key)
                if said.get(key) not in (row.get("read"), None):
                    wrong.append(f"{name}: {key[0]} said {row.get('read')!r} of {key[1]}, derivation.csv {said[key]!r}")
    wrong += [f"derivation.csv: no file holds what {key[0]} said of {key[1]}" for key in set(said) - seen if seen]
    bundle.answer("Do the readers' files hold these reads?", wrong, plain and bool(seen))

def binomial_tail(k, n, p):
    """P(X >= k) for X ~ Bin(n, p), with k > 0 and 0 < p < 1."""
    ways = lambda i: math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
    chance = lambda i: math.exp(ways(i) + i * math.log(p) + (n - i) * math.log1p(-p))
    return math.fsum(map(chance, range(k, n + 1)))

def solve(function, target):
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < target else (low, middle)
    return (low + high) / 2

def clopper_pearson(k, n, level):
    """Clopper and Pearson (1934), from the binomial tails themselves."""
    lower = 0.0 if k == 0 else solve(lambda p: binomial_tail(k, n, p), (1 - level) / 2)
    return lower, 1.0 if k == n else solve(lambda p: binomial_tail(k + 1, n, p), (1 + level) / 2)

def wilson(k, n, level):
    """Wilson (1927)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre, spread = k + z * z / 2, z * math.sqrt(k * (n - k) / n + z * z / 4)
    return (centre - spread) / (n + z * z), (centre + spread) / (n + z * z)

def auc(cases):
    """The Mann-Whitney probability as a fraction: ties count one half."""
    negatives = sorted(score for label, score in cases if not label)
    positives = [score for label, score in cases if label]
    wins = sum(bisect_left(negatives, score) + bisect_right(negatives, score) for score in positives)
    return Fraction(wins, 2 * len(negatives) * len(positives)) if negatives and positives else None

def check_numbers(bundle):
    """Counts, AUC, shares and exact intervals, computed again from labels and scores."""
    wrong, results, cases = [], bundle.results, bundle.analysed
    threshold = results["operating_point"]["threshold"]
    point = bundle.protocol.get("operating_point", {})
    if point.get("source") != "declared" and "model/lock.json" in bundle.data:
        point = json.loads(bundle.data["model/lock.json"])["operating_point"]
    if point.get("threshold", threshold) != threshold:
        wrong.append(f"operating_point.threshold: {threshold} recorded, {point['threshold']} declared or locked")
    table = {name: sum((label, score >= threshold) == pair for label, score in cases) for name, pair in
             {"tp": (True, True), "fn": (True, False), "fp": (False, True), "tn": (False, False)}.items()}
    if cases and results["curves"]["confusion"] not in (table, None):
        wrong.append(f"curves.confusion: {results['curves']['confusion']} recorded, {table} computed")
    tp, fn, fp, tn = table.values()
    area = auc(cases)
    ratios = {"sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp), "ppv": (tp, tp + fp), "npv": (tn, tn + fn),
              "accuracy": (tp + tn, len(cases)), "f1": (2 * tp, 2 * tp + fp + fn),
              "auc": area.as_integer_ratio() if area is not None else (0, 0)}
    close = lambda a, b: a is b or None not in (a, b) and abs(a - b) <= CLOSE
    for estimate in results["estimates"]:
        name, value = estimate["id"], estimate["value"]
        place = "estimates: " + " ".join(filter(None, (name, estimate.get("subgroup"), estimate.get("scenario"))))
        if name in ratios and not any(estimate.get(key) for key in ("subgroup", "scenario", "prevalence", "model")):
            k, n = ratios[name]
            if not close(value, k / n if n else None):
                wrong.append(f"{place}: {value} recorded, {k}/{n} computed")
            if estimate.get("denominator", n) != n or estimate.get("numerator", k) != k:
                wrong.append(f"{place}: another numerator or denominator than {k}/{n}")
        if estimate.get("denominator"):
            k, n = estimate["numerator"], estimate["denominator"]
            for interval in estimate.get("intervals", []):
                again = {"clopper-pearson": clopper_pearson, "wilson": wilson}.get(interval["method"])
                if again and not all(map(close, again(k, n, interval["level"]), map(interval.get, ("lower", "upper")))):
                    wrong.append(f"{place}: the interval `{interval['method']}` of {k}/{n} is another")
            wrong += [f"{place}: the value is not {k}/{n}"] * (value is not None and not close(value, k / n))
    bundle.answer("Do labels and scores give the recorded counts, AUC, shares and exact intervals?", wrong)

def check_verdicts(bundle):
    """Each verdict follows from its criterion and its interval, and the conclusion from the verdicts."""
    wrong, results, compared = [], bundle.results, bundle.results.get("comparisons", [])
    primary = [comparison["verdict"] for comparison in compared if comparison["role"] == "primary"]
    declared = {endpoint["id"]: endpoint for endpoint in bundle.protocol["endpoint"] if "against" not in endpoint}
    for endpoint in results["endpoints"]:
        stated = declared.pop(endpoint["id"], None)
        if not stated or any(stated.get(key) != endpoint[key] for key in ("metric", "role", "criterion")):
            wrong.append(f"{endpoint['id']}: is not the declared endpoint")
            continue
        words, interval = (endpoint["criterion"] or "").split(), endpoint["interval"]
        if words:
            limit, goal = interval and interval[words[0]], float(words[2])
            compare = {">": float.__gt__, ">=": float.__ge__, "<": float.__lt__, "<=": float.__le__}[words[1]]
            verdict = "not-evaluable" if not interval else "met" if compare(float(limit), goal) else "not-met"
            verdict = endpoint["verdict"] if "family" in results else verdict      # by adjusted p values
            if endpoint["verdict"] != verdict or endpoint["bound"] != limit:
                wrong.append(f"{endpoint['id']}: `{endpoint['verdict']}` recorded, and `{verdict}` follows")
            if endpoint["role"] == "primary":
                primary.append(verdict)
    wrong += [f"{name}: a declared endpoint that the results do not judge" for name in declared]
    told = next((verdict for verdict in ("not-met", "not-evaluable") if verdict in primary), "met")
    if results["conclusion"] != told:
        wrong.append(f"conclusion: `{results['conclusion']}` recorded, and `{told}` follows")
    shown = not compared and "family" not in results
    bundle.answer("Do the verdicts follow from criteria and intervals?", wrong, shown)

def verify(folder):
    bundle = Bundle(folder)
    try:
        check_bytes(bundle)
        environment = json.loads(bundle.data["environment.json"])
        if environment["format"] != "sequester-evidence/2":
            raise ValueError(f"this verifier reads sequester-evidence/2, not {environment['format']}")
        bundle.protocol = tomllib.loads(bundle.data["protocol.toml"].decode("utf-8"))
        bundle.results = json.loads(bundle.data["results.json"])
        for check in (check_ledger, check_flow, check_reference, check_numbers, check_verdicts):
            check(bundle)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, ZeroDivisionError) as error:
        bundle.answer("Can every file be understood?", [f"{type(error).__name__}: {error}"])
    return bundle

def check_study(study, bundles):
    """Every bundle's ledger begins the study's own, and the study's own names each bundle's root."""
    whole = (study / "ledger.jsonl").read_bytes()
    events, wrong = chain(whole)
    published = {event["digests"].get("tagmanifest-sha256.txt") for event in events if event["event"] == EVENTS[7]}
    wrong += [f"{bundle.folder.name}: its events do not begin the study's ledger" for bundle in bundles
              if not whole.startswith(bundle.data.get("ledger.jsonl", b"?"))]
    wrong += [f"{bundle.folder.name}: the study's ledger does not name its root digest" for bundle in bundles
              if bundle.root not in published]
    wrong += [f"the published bundle {root} is not there" for root in published - {bundle.root for bundle in bundles}]
    return "no" if wrong else "yes", "Does the study's ledger know every bundle, and no other?", wrong

def main(arguments):
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    top = Path(arguments[0])
    one = (top / "manifest-sha256.txt").is_file()
    folders = [top] if one else sorted(filter(Path.is_dir, (top / "evidence").glob("*")))
    if not folders:
        return print(f"{top}: there is no evidence bundle here", file=sys.stderr) or 1
    bundles = [verify(folder) for folder in folders]
    answers = [answer for bundle in bundles for answer in bundle.answers]
    for bundle in bundles:
        print(f"{bundle.folder}\nroot digest {bundle.root}")
        for answer, question, wrong in bundle.answers:
            print(f"{answer:<9}  {question}")
            for what in wrong[:20]:
                print(f"           {what}"[:300].encode("unicode_escape").decode("ascii"))
    if top not in folders and (top / "ledger.jsonl").is_file():
        answers.append(check_study(top, bundles))
        print("study\n{:<9}  {}".format(*answers[-1]), *answers[-1][2], sep="\n           ")
    return 20 if any(answer == "no" for answer, *_ in answers) else 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
