//! Signing and asking who signed: `sequester keys`, `sign` and `verify --trust`, with the public programs
//! that read the same files: `ssh-keygen` and `openssl`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, Study, bundle_copy, files, sequester};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Runs another program in a folder; none where it is not there, which is said loudly.
fn public(folder: &Path, program: &str, arguments: &[&str]) -> Option<Ran> {
    let ran = Command::new(program).args(arguments).current_dir(folder).output();
    if ran.is_err() {
        eprintln!("SKIPPED a part of signatures: `{program}` is not there");
    }
    ran.ok().map(Ran::from)
}

/// A bundle by itself in `received/run-1`, and a folder for keys beside.
struct Room {
    _folder: tempfile::TempDir,
    top: PathBuf,
    bag: PathBuf,
}

impl Room {
    fn new() -> Self {
        let (folder, bag) = bundle_copy(2, "scored-elsewhere");
        let received = folder.path().join("received");
        std::fs::create_dir(&received).expect("makes");
        std::fs::rename(&bag, received.join("run-1")).expect("moves");
        Self { top: folder.path().to_path_buf(), bag: received.join("run-1"), _folder: folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.top.join(name)
    }

    fn signatures(&self) -> PathBuf {
        self.file("signatures/run-1")
    }

    /// A key without a passphrase.
    fn key(&self, name: &str, algorithm: &str) -> PathBuf {
        let path = self.file(name);
        let made = ["keys", "new", "--out", text(&path), "--algorithm", algorithm, "--no-passphrase"];
        let ran = sequester(&made);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        path
    }

    /// A key of OpenSSH; none where there is no OpenSSH.
    fn openssh(&self, name: &str, kind: &str) -> Option<PathBuf> {
        let ran =
            public(&self.top, "ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", "a comment", "-f", name])?;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        Some(self.file(name))
    }

    fn sign(&self, with: [&str; 2], who: [&str; 3], more: &[&str]) -> Ran {
        let [name, role, meaning] = who;
        let said = ["--by", name, "--role", role, "--meaning", meaning];
        sequester(&[&["sign", text(&self.bag)][..], &with, &said, more].concat())
    }

    fn signed(&self, key: &Path, who: [&str; 3]) {
        let ran = self.sign(["--key", text(key)], who, &[]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }

    fn verify(&self, more: &[&str]) -> Ran {
        sequester(&[&["verify", text(&self.bag)][..], more].concat())
    }

    /// Writes `trust.toml`: signers with their key files, and the rest as it is given.
    fn trust(&self, signers: &[(&str, &str, &str)], rest: &str) -> String {
        let mut trust = "format = \"sequester-trust/1\"\n".to_owned();
        for (name, role, file) in signers {
            trust.push_str(&format!(
                "\n[[signer]]\nname = \"{name}\"\nroles = [\"{role}\"]\nkey_files = \"{file}\"\n"
            ));
        }
        let path = self.file("trust.toml");
        std::fs::write(&path, trust + rest).expect("writes");
        text(&path).to_owned()
    }

    /// The one file among the signatures whose name ends so.
    fn one(&self, ending: &str) -> PathBuf {
        let found: Vec<PathBuf> =
            files(&self.signatures()).into_keys().filter(|p| text(p).ends_with(ending)).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }
}

fn code_of(ran: &Ran) -> Vec<&str> {
    let codes = ran.stderr.lines().filter_map(|line| line.strip_prefix("error[")?.split(']').next());
    codes.collect()
}

const APPROVED: &str = "\n[[required]]\nkind = \"verified\"\nmeaning = \"approval\"\n";
const A: [&str; 3] = ["Ä. Example", "statistician", "approval"];
const B: [&str; 3] = ["B. Example", "quality", "review"];

#[test]
fn signatures_of_every_kind_are_verified_here_and_by_public_programs() {
    let room = Room::new();
    let before = files(&room.bag);
    room.signed(&room.key("a.pem", "p256"), A);
    room.signed(&room.key("b.pem", "ed25519"), B);
    let mut signers =
        vec![("Ä. Example", "statistician", "a.pem.pub"), ("B. Example", "quality", "b.pem.pub")];
    let mut ssh = Vec::new();
    for (kind, name, who) in [("ed25519", "c", "C. Example"), ("ecdsa", "d", "D. Example")] {
        let Some(key) = room.openssh(name, kind) else { continue };
        let ran = room.sign(["--ssh", text(&key)], [who, "reader", "authorship"], &[]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        ssh.push((name, who));
    }
    if ssh.len() == 2 {
        signers.extend([("C. Example", "reader", "c.pub"), ("D. Example", "reader", "d.pub")]);
    }
    assert_eq!(files(&room.bag), before, "nothing is written into the bundle");
    let trust = room.trust(&signers, APPROVED);
    let ran = room.verify(&["--trust", &trust]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let line = ran.stdout.lines().find(|line| line.contains("Who signed")).expect("the question");
    assert!(line.starts_with("yes "), "{line}");
    for (name, role, _) in &signers {
        assert!(line.contains(&format!("{name} as {role}, meaning ")), "{line}");
    }
    // `ssh-keygen` takes the statement with an allowed_signers of its own.
    for (name, who) in ssh {
        let allowed = room.file("allowed_signers");
        let key = std::fs::read_to_string(room.file(&format!("{name}.pub"))).expect("reads");
        std::fs::write(&allowed, format!("someone namespaces=\"sequester\" {key}")).expect("writes");
        let of = |path: &PathBuf| std::fs::read_to_string(path).is_ok_and(|text| text.contains(who));
        let mut statements =
            files(&room.signatures()).into_keys().filter(|p| text(p).ends_with(".statement.json"));
        let statement = statements.find(of).expect("the statement");
        let line = format!(
            "ssh-keygen -Y verify -f {} -I someone -n sequester -s {}.sig < {}",
            text(&allowed),
            text(&statement),
            text(&statement)
        );
        let ran = public(&room.top, "sh", &["-c", &line]).expect("a shell");
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
    // `openssl` takes the bytes that DSSE signs.
    for path in files(&room.signatures()).into_keys().filter(|path| text(path).ends_with(".dsse.json")) {
        let envelope: Value = serde_json::from_slice(&std::fs::read(&path).expect("reads")).expect("JSON");
        let payload = decoded(&envelope["payload"]);
        let mut pae = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len()).into_bytes();
        pae.extend(&payload);
        std::fs::write(room.file("pae"), pae).expect("writes");
        std::fs::write(room.file("sig"), decoded(&envelope["signatures"][0]["sig"])).expect("writes");
        let statement: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
        let arguments = if statement["predicate"]["signer"]["name"] == A[0] {
            vec!["dgst", "-sha256", "-verify", "a.pem.pub", "-signature", "sig", "pae"]
        } else {
            vec![
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "b.pem.pub",
                "-rawin",
                "-in",
                "pae",
                "-sigfile",
                "sig",
            ]
        };
        if let Some(ran) = public(&room.top, "openssl", &arguments) {
            assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        }
    }
}

/// Base64, without a crate for it.
fn decoded(value: &Value) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut out) = (0_u32, 0, Vec::new());
    for letter in value.as_str().expect("text").bytes().filter(|letter| *letter != b'=') {
        let six = letters.iter().position(|l| *l == letter).expect("base64") as u32;
        bits = (bits << 6) | six;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    out
}

#[test]
fn what_does_not_verify_is_not_signed() {
    let room = Room::new();
    let key = room.key("a.pem", "p256");
    let results = room.bag.join("data/results.json");
    let text_of = std::fs::read_to_string(&results).expect("reads");
    std::fs::write(&results, text_of.replacen("\"conclusion\": \"", "\"conclusion\": \" ", 1))
        .expect("writes");
    for more in [&[][..], &["--dry-run"]] {
        let ran = room.sign(["--key", text(&key)], A, more);
        assert_eq!(ran.code, 20, "{}{}", ran.stdout, ran.stderr);
        assert!(code_of(&ran).contains(&"file-changed"), "{}", ran.stderr);
    }
    assert!(!room.file("signatures").exists(), "nothing is written");
}

#[test]
fn a_dry_run_and_a_statement_for_elsewhere_sign_nothing() {
    let room = Room::new();
    let key = room.key("a.pem", "p256");
    let ran = room.sign(["--key", text(&key)], A, &["--dry-run"]);
    assert_eq!((ran.code, room.file("signatures").exists()), (0, false), "{}", ran.stderr);
    assert!(ran.stdout.contains("nothing was signed"), "{}", ran.stdout);
    for missing in [&["--by", "A. Example"][..], &["--role", "statistician"]] {
        let said = ["sign", text(&room.bag), "--key", text(&key), "--meaning", "review"];
        assert_eq!(sequester(&[&said[..], missing].concat()).code, 2);
    }
    let Some(key) = room.openssh("c", "ed25519") else { return };
    std::fs::create_dir_all(room.signatures()).expect("makes");
    let statement = room.signatures().join("approval.statement.json");
    let ran = room.sign(["--ssh", text(&room.file("c.pub"))], A, &["--statement", text(&statement)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(code_of(&room.verify(&[])), ["signature-malformed"], "a statement that nobody signed");
    let signed = ["-Y", "sign", "-n", "sequester", "-f", text(&key), text(&statement)];
    assert_eq!(public(&room.top, "ssh-keygen", &signed).expect("it was there").code, 0);
    let trust = room.trust(&[("Ä. Example", "statistician", "c.pub")], APPROVED);
    let ran = room.verify(&["--trust", &trust]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    std::fs::remove_file(room.signatures().join("approval.statement.json.sig")).expect("removes");
    let other = ["-Y", "sign", "-n", "file", "-f", text(&key), text(&statement)];
    assert_eq!(public(&room.top, "ssh-keygen", &other).expect("it was there").code, 0);
    assert_eq!(code_of(&room.verify(&[])), ["signature-invalid"], "signed for something else");
}

#[test]
fn what_is_no_signature_of_this_bundle_by_somebody_trusted_is_a_discrepancy() {
    let room = Room::new();
    let key = room.key("a.pem", "ed25519");
    room.key("other.pem", "ed25519");
    room.signed(&key, A);
    let file = room.one(".dsse.json");
    let good = std::fs::read(&file).expect("reads");
    let trusted = room.trust(&[("Ä. Example", "statistician", "a.pem.pub")], APPROVED);
    let found = |trust: &str| {
        let ran = room.verify(&["--trust", trust]);
        (ran.code, code_of(&ran).join(" "))
    };
    assert_eq!(found(&trusted), (0, String::new()));
    for (what, bytes, code) in [
        ("garbage", b"garbage".to_vec(), "signature-malformed"),
        ("nothing", Vec::new(), "signature-malformed"),
        ("a line more", [&good[..], b"\n"].concat(), "signature-malformed"),
    ] {
        std::fs::write(&file, bytes).expect("writes");
        assert_eq!(found(&trusted), (20, code.to_owned()), "{what}");
    }
    std::fs::write(&file, &good).expect("writes");
    for name in ["readme.txt", "x.sig", "x.statement.json.sig"] {
        let stranger = room.signatures().join(name);
        std::fs::write(&stranger, "x").expect("writes");
        assert_eq!(found(&trusted), (20, "signature-malformed".to_owned()), "{name}");
        std::fs::remove_file(stranger).expect("removes");
    }
    let folder = room.signatures().join("folder");
    std::fs::create_dir(&folder).expect("makes");
    assert_eq!(found(&trusted).0, 20, "a folder");
    std::fs::remove_dir(folder).expect("removes");
    let unknown = room.trust(&[("Ä. Example", "statistician", "other.pem.pub")], "");
    assert_eq!(found(&unknown), (20, "signer-unknown".to_owned()));
    let renamed = room.trust(&[("B. Example", "statistician", "a.pem.pub")], "");
    assert_eq!(found(&renamed), (20, "signer-not-entitled".to_owned()));
    let other_role = room.trust(&[("Ä. Example", "quality", "a.pem.pub")], "");
    assert_eq!(found(&other_role), (20, "signer-not-entitled".to_owned()));
    let expired = "valid_until = \"2025-12-31\"\n";
    let expired = room.trust(&[("Ä. Example", "statistician", "a.pem.pub")], expired);
    assert_eq!(found(&expired), (20, "key-expired".to_owned()));
    // A signature of another bundle.
    let (_other, bag) = bundle_copy(2, "adjudicated");
    let there = room.signatures();
    let ran = sequester(&["verify", text(&bag), "--signatures", text(&there)]);
    assert_eq!((ran.code, code_of(&ran)), (20, vec!["signature-foreign"]), "{}", ran.stderr);
}

#[test]
fn required_signatures_that_are_absent_end_with_21_and_optional_ones_are_unsigned() {
    let room = Room::new();
    let (a, b) = (room.key("a.pem", "ed25519"), room.key("b.pem", "ed25519"));
    let signers = [("Ä. Example", "statistician", "a.pem.pub"), ("B. Example", "quality", "b.pem.pub")];
    let unsigned = room.verify(&[]);
    assert!(!unsigned.stdout.contains("Who signed"), "nobody asked, and nothing is there");
    assert_eq!(room.verify(&["--require", "signatures"]).code, 21);
    let optional = APPROVED.replace("required", "optional");
    let trust = room.trust(&signers, &optional);
    let ran = room.verify(&["--trust", &trust]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("Who signed, as what, meaning what?  (unsigned"), "{}", ran.stdout);
    let two = "\n[[required]]\nkind = \"verified\"\ncount = 2\n";
    let trust = room.trust(&signers, &format!("{APPROVED}{two}"));
    let missing = |expected: usize| {
        let ran = room.verify(&["--trust", &trust]);
        let code = if expected == 0 { 0 } else { 21 };
        assert_eq!((ran.code, ran.stderr.matches("required and not signed").count()), (code, expected));
    };
    missing(2);
    room.signed(&b, B);
    missing(2);
    room.signed(&a, A);
    missing(0);
    // The same person twice is one person.
    std::fs::remove_dir_all(room.signatures()).expect("removes");
    room.signed(&a, A);
    room.signed(&a, ["Ä. Example", "statistician", "review"]);
    missing(1);
    // Without a trust file the keys are the signatures' own.
    let ran = room.verify(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("--trust says whose keys count"), "{}", ran.stdout);
    let json: Value =
        serde_json::from_str(&room.verify(&["--trust", &trust, "--json"]).stdout).expect("JSON");
    assert_eq!(json["signatures"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["unsigned"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_end_of_a_studys_ledger_is_held_by_a_signature() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let key = study.file("a.pem");
    let made = ["keys", "new", "--out", text(&key), "--algorithm", "ed25519", "--no-passphrase"];
    assert_eq!(sequester(&made).code, 0);
    let said =
        ["--key", text(&key), "--by", "A. Example", "--role", "statistician", "--meaning", "authorship"];
    assert_eq!(study.run("sign", &said).code, 0);
    assert_eq!(study.run("verify", &[]).code, 0);
    let ledger = study.read("ledger.jsonl");
    let lines: Vec<&str> = ledger.split_inclusive('\n').collect();
    // The last line alone: without a signature nothing rests on it.
    study.write("ledger.jsonl", &lines[..lines.len() - 1].concat());
    let ran = study.run("verify", &[]);
    assert_eq!(ran.code, 20, "{}", ran.stdout);
    assert!(code_of(&ran).contains(&"ledger-behind-signature"), "{}", ran.stderr);
    // Neither does it help to have another run's bundle looked at.
    std::fs::rename(study.file("signatures/run-1"), study.file("signatures/run-2")).expect("moves");
    let ran = study.run("verify", &[]);
    assert_eq!(ran.code, 20, "{}", ran.stdout);
    assert!(ran.stderr.contains("signatures/run-2"), "{}", ran.stderr);
    std::fs::rename(study.file("signatures/run-2"), study.file("signatures/run-1")).expect("moves");
    study.write("ledger.jsonl", &ledger);
    let again = study.run("sign", &said);
    assert_eq!(again.code, 0, "the same statement at the same time is the same signature: {}", again.stderr);
    assert_eq!(files(&study.file("signatures")).len(), 1);
}

#[test]
fn keys_are_those_of_openssl_and_a_passphrase_is_never_an_argument() {
    let room = Room::new();
    let (key, passphrase) = (room.file("a.pem"), room.file("passphrase"));
    std::fs::write(&passphrase, "a passphrase\n").expect("writes");
    let with = ["--passphrase-file", text(&passphrase)];
    let made = sequester(&[&["keys", "new", "--out", text(&key)][..], &with].concat());
    assert_eq!(made.code, 0, "{}", made.stderr);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&key).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else reads a private key");
    }
    let again = sequester(&[&["keys", "new", "--out", text(&key)][..], &with].concat());
    assert_eq!((again.code, code_of(&again)), (1, vec!["file-exists"]));
    let shown = sequester(&[&["keys", "public", text(&key)][..], &with].concat());
    let half = sequester(&["keys", "public", text(&room.file("a.pem.pub"))]);
    assert_eq!((shown.code, &shown.stdout), (0, &half.stdout), "{}", shown.stderr);
    let none = sequester(&["keys", "public", text(&key)]);
    assert_eq!((none.code, code_of(&none)), (1, vec!["key-passphrase"]), "no terminal, no passphrase");
    std::fs::write(&passphrase, "another\n").expect("writes");
    let ran = room.sign(["--key", text(&key)], A, &with);
    assert_eq!((ran.code, code_of(&ran)), (1, vec!["key-passphrase"]), "{}", ran.stderr);
    assert!(!room.file("signatures").exists());
    let opened = ["pkey", "-in", "a.pem", "-passin", "pass:a passphrase", "-pubout"];
    if let Some(ran) = public(&room.top, "openssl", &opened) {
        let half = std::fs::read_to_string(room.file("a.pem.pub")).expect("reads");
        assert_eq!(ran.stdout, half, "{}", ran.stderr);
    }
    for (name, algorithm) in
        [("e.pem", &["ed25519"][..]), ("p.pem", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])]
    {
        let plain = [&["genpkey", "-out", name, "-algorithm"][..], algorithm].concat();
        let closed = [&plain[..], &["-aes-256-cbc", "-pass", "pass:another"]].concat();
        for arguments in [plain, closed] {
            let Some(ran) = public(&room.top, "openssl", &arguments) else { return };
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let shown =
                sequester(&[&["keys", "public", text(&room.file(name)), "--json"][..], &with].concat());
            assert_eq!(shown.code, 0, "{}", shown.stderr);
            let told: Value = serde_json::from_str(&shown.stdout).expect("JSON");
            let pem =
                public(&room.top, "openssl", &["pkey", "-in", name, "-passin", "pass:another", "-pubout"]);
            assert_eq!(told["pem"], pem.expect("it was there").stdout);
        }
    }
}

/// `docs/verify.py` on the room's bundle; none where Python or a program that it asks is missing.
fn second(room: &Room) -> Option<i32> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.py");
    let ran = public(&room.top, "python3", &[text(&script), text(&room.bag)])?;
    if ran.stdout.contains("not shown  Is what is signed") || ran.stderr.contains("tomllib") {
        eprintln!("SKIPPED the second verifier on signatures: {}", ran.stderr);
        return None;
    }
    // Where the bundle itself cannot be understood nothing else is asked.
    let asked = ran.stdout.contains("Is what is signed by the keys that it names");
    assert!(asked || ran.code == 20, "{}", ran.stdout);
    Some(ran.code)
}

#[test]
fn the_second_verifier_says_the_same_of_signatures_that_both_can_judge() {
    let room = Room::new();
    room.signed(&room.key("a.pem", "p256"), A);
    let Some(code) = second(&room) else { return };
    assert_eq!((code, room.verify(&[]).code), (0, 0));
    room.signed(&room.key("b.pem", "ed25519"), B);
    if let Some(key) = room.openssh("c", "ed25519") {
        assert_eq!(room.sign(["--ssh", text(&key)], A, &[]).code, 0);
    }
    let both = |what: &str, expected: i32| {
        assert_eq!((second(&room), room.verify(&[]).code), (Some(expected), expected), "{what}");
    };
    both("honest", 0);
    for (path, bytes) in files(&room.signatures()) {
        for at in [bytes.len() / 3, bytes.len() - 40] {
            // Other ends of lines are the same to `ssh-keygen`.
            let at = if bytes[at] == b'\n' { at + 1 } else { at };
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, flipped).expect("writes");
            both(&format!("{} at {at}", path.display()), 20);
        }
        std::fs::write(&path, [&bytes[..], b"\n"].concat()).expect("writes");
        let ssh = text(&path).ends_with(".sig");
        assert!(ssh || second(&room) == Some(20), "a line more in {}", path.display());
        std::fs::write(&path, bytes).expect("writes");
    }
    let stranger = room.signatures().join("notes.txt");
    std::fs::write(&stranger, "x").expect("writes");
    both("a stranger", 20);
    std::fs::remove_file(stranger).expect("removes");
    let tags = room.bag.join("tagmanifest-sha256.txt");
    let honest = std::fs::read(&tags).expect("reads");
    std::fs::write(&tags, [&honest[..], b"\n"].concat()).expect("writes");
    both("another root", 20);
}

/// What the schema of `trust.toml` says of one, and what the program says.
#[test]
fn the_schema_of_the_trust_file_and_the_program_say_the_same_of_its_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(root.join("docs/schemas/trust.json")).expect("reads");
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a schema");
    let kinds = sequester::attestation::Kind::ALL.map(|kind| kind.name());
    let key = sequester::attestation::PrivateKey::generate(
        sequester::attestation::Algorithm::Ed25519,
        &mut |bytes: &mut [u8]| bytes.fill(7),
    );
    let good = format!(
        "format = \"sequester-trust/1\"\n[[signer]]\nname = \"A\"\nroles = [\"b\"]\n\
         meanings = [\"review\"]\nkeys = \"{}\"\nvalid_until = \"2026-01-31\"\n\
         [[required]]\nkind = \"{}\"\ncount = 1\n\
         [[optional]]\nkind = \"verified\"\nby = \"A\"\nrole = \"b\"\nmeaning = \"review\"\n",
        key.public().to_openssh(),
        kinds[kinds.len() - 1],
    );
    let nothing = |name: &str| {
        let code = sequester::diagnostic::Code::FileMissing;
        Err(sequester::diagnostic::Diagnostic::error(code, name.to_owned()))
    };
    let both = |text: &str| {
        let value: toml::Table = toml::from_str(text).expect("TOML");
        let value = serde_json::to_value(value).expect("JSON");
        let parsed = sequester::attestation::Trust::parse(Path::new("trust.toml"), text, &nothing);
        (schema.is_valid(&value), parsed.is_ok())
    };
    assert_eq!(both(&good), (true, true));
    for (from, to) in [
        ("trust/1", "trust/2"),
        ("name = \"A\"\n", ""),
        ("name = \"A\"", "nom = \"A\""),
        ("roles = [\"b\"]", "roles = []"),
        ("[\"review\"]", "[\"applause\"]"),
        ("keys = ", "key = "),
        ("2026-01-31", "tomorrow"),
        ("kind = \"verified\"", "kind = \"seen\""),
        ("count = 1", "count = 0"),
        ("count = 1", "count = \"1\""),
        ("[[optional]]", "[[wished]]"),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(both(&good.replacen(from, to, 1)), (false, false), "{to}");
    }
}
