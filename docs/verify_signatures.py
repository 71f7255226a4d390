#!/usr/bin/env python3
"""The second verifier's companion for signatures: written from docs/files.md with Python's standard library, it asks
`openssl` and `ssh-keygen` whether the statements beside a bundle are signed by the keys that they name, and whether
they are of this bundle, these verdicts and this ledger:
    python3 docs/verify_signatures.py STUDY/evidence/run-1 [FOLDER OF THE SIGNATURES]

Whose keys these are nobody can read from them: the key's id, which is printed, is to be compared with what its owner
says. Exit code 0: nothing is contradicted; 20: something is; 1: there is no bundle, or a program is not there.
"""
import base64, hashlib, json, shutil, subprocess, sys, tempfile
from pathlib import Path

digest = lambda data: hashlib.sha256(data).hexdigest()
plain = lambda text: base64.b64decode(text, validate=True)
base = lambda data: base64.b64encode(data).decode("ascii")
# What stands before a key in SubjectPublicKeyInfo, and how OpenSSH names it.
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"), b"ecdsa-sha2-nistp256"
ED25519 = bytes.fromhex("302a300506032b6570032100"), b"ssh-ed25519"

def canonical(value):
    """RFC 8785 for texts, whole numbers, truth values, and lists and objects of them."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")

def refuse(unless, why):
    if not unless:
        raise ValueError(why)

def taken(command, message):
    return subprocess.run(command, input=message, capture_output=True).returncode == 0

def by_ssh_keygen(room, key, statement, signature):
    """Whether `ssh-keygen` takes the signature as one by this key for `sequester`."""
    string = lambda part: len(part).to_bytes(4, "big") + part
    header, name = next((kind for kind in (P256, ED25519) if key.startswith(kind[0])), (key, b"none"))
    curve = string(b"nistp256") if name == P256[1] else b""
    blob = string(name) + curve + string(key[len(header):])
    (room / "allowed").write_bytes(b"it " + name + b" " + base(blob).encode() + b"\n")
    (room / "sig").write_bytes(signature)
    who = ["-f", room / "allowed", "-I", "it", "-n", "sequester", "-s", room / "sig"]
    return taken(["ssh-keygen", "-Y", "verify", *who], statement)

def by_openssl(room, key, statement, signature):
    """Whether `openssl` takes the signature as one of the DSSE encoding of the statement by this key."""
    said = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(statement) + statement
    pem = b"-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----\n" % base64.encodebytes(key)
    for name, data in (("key", pem), ("sig", signature), ("said", said)):
        (room / name).write_bytes(data)
    pem, sig, said = room / "key", room / "sig", room / "said"
    if key.startswith(P256[0]):
        return taken(["openssl", "dgst", "-sha256", "-verify", pem, "-signature", sig, said], b"")
    return taken(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in", said, "-sigfile", sig], b"")

def signed(path):
    """The statement of a file among the signatures, if somebody signed it."""
    data = path.read_bytes()
    if path.name.endswith(".statement.json"):
        statement, signature, check = data, Path(f"{path}.sig").read_bytes(), by_ssh_keygen
        key = plain(json.loads(statement)["predicate"]["signer"]["key"])
    else:
        refuse(path.name.endswith(".dsse.json"), "is no signature")
        envelope = json.loads(data)
        [one] = envelope["signatures"]
        statement, signature, check = plain(envelope["payload"]), plain(one["sig"]), by_openssl
        key = plain(json.loads(statement)["predicate"]["signer"]["key"])
        whole = {"payload": base(statement), "payloadType": "application/vnd.in-toto+json",
                 "signatures": [{"keyid": digest(key), "sig": base(signature)}]}
        refuse(canonical(whole) + b"\n" == data, "the envelope is not in its one form")
    parsed = json.loads(statement)
    refuse(canonical(parsed) == statement, "the statement is not in its one form")
    refuse(parsed["_type"] == "https://in-toto.io/Statement/v1" and
           parsed["predicateType"] == "urn:sequester:statement:1", "is no statement of sequester")
    with tempfile.TemporaryDirectory() as room:
        refuse(check(Path(room), key, statement, signature), "is not signed by the key that it names")
    return parsed

def agrees(statement, bundle, study):
    """Whether a statement that a bundle was verified is of this one, its verdicts, and the ledger that lies here."""
    [subject], claim = statement["subject"], statement["predicate"]["claim"]
    root = digest((bundle / "tagmanifest-sha256.txt").read_bytes())
    refuse(subject == {"name": "tagmanifest-sha256.txt", "digest": {"sha256": root}}, "is of another bundle")
    results = json.loads((bundle / "data/results.json").read_bytes(), parse_float=str, parse_int=str)
    words = ("bound", "criterion", "id", "metric", "role", "value", "verdict")
    here = [{word: endpoint[word] for word in words if endpoint[word] is not None} for endpoint in results["endpoints"]]
    here += [{key: value for key, value in (("id", c["id"]), ("metric", c["metric"]), ("role", c["role"]),
              ("criterion", f"{c['aim']} to {c['comparator']}, margin {c['margin']}"), ("value", c["difference"]),
              ("verdict", c["verdict"])) if value is not None} for c in results.get("comparisons", [])]
    told = (claim["endpoints"], claim["conclusion"], claim["threshold"], claim["study"])
    refuse(told == (here, results["conclusion"], results["operating_point"]["threshold"], results["study"]["id"]),
           "says other verdicts or numbers than the results")
    head, of_study = claim["ledger"], claim["ledger"]["of"] == "study"
    alone = of_study and not study.is_file()
    lines = (study if of_study and not alone else bundle / "data/ledger.jsonl").read_bytes().split(b"\n")[:-1]
    if alone and head["events"] > len(lines):
        return "the study's ledger is not here"
    lines = lines[:head["events"]]
    openings = sum(json.loads(line)["event"] == "test-set-opened" for line in lines)
    refuse(len(lines) == head["events"] > 0 and digest(lines[-1]) == head["head"] and openings == head["openings"],
           "signed another ledger, or one with more events")
    return f"{head['events']} events, {openings} openings"

def main(arguments):
    if not 1 <= len(arguments) <= 2 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    bundle = Path(arguments[0]).resolve()
    top = bundle.parent.parent
    folder = Path(arguments[1]) if arguments[1:] else top / "signatures" / bundle.name
    if not (bundle / "tagmanifest-sha256.txt").is_file() or not all(map(shutil.which, ("openssl", "ssh-keygen"))):
        return print("there is no bundle here, or no openssl or ssh-keygen", file=sys.stderr) or 1
    wrong, there = 0, sorted(folder.iterdir()) if folder.is_dir() else []
    beside = {Path(f"{path}.sig") for path in there if path.name.endswith(".statement.json")}
    for path in there:
        if path in beside:
            continue
        try:
            statement = signed(path)
            signer, said = statement["predicate"]["signer"], agrees(statement, bundle, top / "ledger.jsonl")
            print(f"yes  {path.name}: {signer['name']} as {signer['role']}, meaning {signer['meaning']}, "
                  f"key {digest(plain(signer['key']))}; {said}".encode("unicode_escape").decode("ascii"))
        except (KeyError, ValueError, TypeError, IndexError, AttributeError, OSError) as error:
            wrong += 1
            print(f"no   {path.name}: {error}"[:300].encode("unicode_escape").decode("ascii"))
    print("unsigned" if not there else f"{len(there) - len(beside)} signatures, {wrong} contradicted")
    return 20 if wrong else 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
