//! Keys, statements and signatures as a whole: what is written is read, and any flipped bit fails.

use std::path::Path;

use proptest::prelude::*;

use super::statement::PREDICATE_TYPE;
use super::verified::{Endpoint, Head, Of, ROOT, Verified};
use super::*;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// Bytes that follow from a seed.
fn bytes_of(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut state = Digest::of(&seed.to_be_bytes());
    move |buffer| {
        for byte in buffer {
            state = Digest::of(state.as_bytes());
            *byte = state.as_bytes()[0];
        }
    }
}

fn key(algorithm: Algorithm, seed: u64) -> PrivateKey {
    PrivateKey::generate(algorithm, &mut bytes_of(seed))
}

fn claim() -> Verified {
    let endpoint = Endpoint {
        bound: Some("0.8123".to_owned()),
        criterion: Some("lower >= 0.8".to_owned()),
        id: "sensitivity".to_owned(),
        metric: "sensitivity".to_owned(),
        role: "primary".to_owned(),
        value: None,
        verdict: Some("met".to_owned()),
    };
    Verified {
        answers: [("bytes".to_owned(), "yes".to_owned())].into(),
        conclusion: "met".to_owned(),
        endpoints: vec![endpoint],
        ledger: Head { events: 2, head: Digest::of(b"b"), of: Of::Study, openings: 1 },
        run: "run-1".to_owned(),
        study: "a-study".to_owned(),
        threshold: "0.5".to_owned(),
    }
}

fn statement(key: &PublicKey) -> Statement {
    Statement {
        kind: Kind::Verified,
        subjects: vec![Subject { name: ROOT.to_owned(), digest: Digest::of(b"root") }],
        signer: Signer {
            key: key.to_base64(),
            meaning: Meaning::Approval,
            name: "Ä. Example".to_owned(),
            role: "statistician".to_owned(),
        },
        at: "2026-01-31T12:00:00Z".to_owned(),
        program: "sequester 0.2.0".to_owned(),
        claim: claim().to_claim(),
    }
}

fn trust(text: &str) -> Result<Trust, Vec<Diagnostic>> {
    let nothing = |name: &str| Err(Diagnostic::error(Code::FileMissing, name.to_owned()));
    Trust::parse(Path::new("trust.toml"), text, &nothing)
}

fn codes(problems: &[Diagnostic]) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[test]
fn a_key_is_written_and_read_in_every_form() {
    for algorithm in Algorithm::ALL {
        for seed in 0..4 {
            let private = key(algorithm, seed);
            let public = private.public();
            assert_eq!(public.algorithm(), algorithm);
            for text in [public.to_pem(), public.to_openssh(), format!("{} a comment\n", public.to_openssh())]
            {
                assert_eq!(PublicKey::parse(&text).expect(&text), public);
            }
            assert_eq!(PublicKey::from_base64(&public.to_base64()), Some(public.clone()));
            assert_eq!(public.id(), Digest::of(&public.spki()));
            let again = PrivateKey::parse(&private.to_pem(), None).expect("plain");
            assert_eq!(again.public(), public);
            let closed = private.to_encrypted_pem(b"a passphrase", 10, &mut bytes_of(9)).expect("encrypts");
            assert!(PrivateKey::is_encrypted(&closed) && !PrivateKey::is_encrypted(&private.to_pem()));
            let open = |with: Option<&[u8]>| PrivateKey::parse(&closed, with).map(|key| key.public());
            assert_eq!(open(Some(b"a passphrase")).expect("opens"), public);
            for wrong in [None, Some(&b"another"[..]), Some(b"")] {
                assert_eq!(open(wrong).expect_err("stays closed").code, Code::KeyPassphrase);
            }
            let message = b"a message";
            let signature = again.sign(message);
            assert_eq!(signature, private.sign(message), "it follows from key and message");
            assert!(
                public.verifies_canonically(message, &signature) && !public.verifies(b"another", &signature)
            );
        }
    }
    assert!(key(Algorithm::P256, 1).to_encrypted_pem(b"", 10, &mut bytes_of(9)).is_err());
}

#[test]
fn a_key_file_that_asks_for_hours_of_work_is_refused_at_once() {
    use pkcs8::der::Encode as _;
    use pkcs8::pkcs5::{EncryptionScheme, pbes2, scrypt};
    let rounds = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(90_000_000, b"salt", [0; 16]);
    let memory = scrypt::Params::new(25, 8, 1).expect("within what scrypt allows");
    let memory = pbes2::Parameters::generate_scrypt_aes256cbc(memory, b"salt", [0; 16]);
    for scheme in [rounds, memory] {
        let info = pkcs8::EncryptedPrivateKeyInfoOwned {
            encryption_algorithm: EncryptionScheme::from(scheme.expect("parameters")),
            encrypted_data: pkcs8::der::asn1::OctetString::new([0; 64]).expect("short"),
        };
        let text = pem::encode("ENCRYPTED PRIVATE KEY", &info.to_der().expect("DER"), pem::PKIX);
        let problem = PrivateKey::parse(&text, Some(b"p")).expect_err("hours");
        assert_eq!(problem.code, Code::KeyUnreadable);
        assert!(problem.message.contains("more work"), "{problem}");
    }
}

#[test]
fn the_other_half_of_an_ecdsa_signature_counts_where_others_sign_and_not_here() {
    let private = key(Algorithm::P256, 3);
    let (message, public) = (b"m", private.public());
    let signature = p256::ecdsa::Signature::from_der(&private.sign(message)).expect("DER");
    let (r, s) = signature.split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(*r, -*s).expect("scalars").to_der();
    assert!(
        public.verifies(message, other.as_bytes()) && !public.verifies_canonically(message, other.as_bytes())
    );
    let mut longer = signature.to_der().as_bytes().to_vec();
    longer.push(0);
    assert!(!public.verifies(message, &longer));
}

#[test]
fn keys_that_are_none_are_refused_by_name() {
    let weak = [0_u8; 32];
    assert_eq!(PublicKey::ed25519(&weak), None);
    let public = key(Algorithm::P256, 1).public();
    let mut off = public.raw();
    off[64] ^= 1;
    assert_eq!(PublicKey::p256(&off), None, "no point of the curve");
    for text in [
        "",
        "ssh-rsa AAAAB3NzaC1yc2E=",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        &key(Algorithm::P256, 1).to_pem(),
        &format!("ssh-ed25519 {}", public.to_openssh().split(' ').nth(1).expect("a blob")),
    ] {
        let problem = PublicKey::parse(text).expect_err(text);
        assert_eq!(problem.code, Code::KeyUnreadable);
        assert!(problem.hint.is_some());
        assert!(PrivateKey::parse(&public.to_pem(), None).is_err());
    }
}

#[test]
fn a_statement_is_signed_and_opened_in_both_ways() {
    for algorithm in Algorithm::ALL {
        let private = key(algorithm, 5);
        let statement = statement(&private.public());
        let bytes = statement.to_bytes().expect("valid");
        let sealed = seal(&statement, &private).expect("seals");
        let ssh = ssh::sign(&private, ssh::NAMESPACE, &bytes);
        for signed in [open_envelope(&sealed), open_ssh(&bytes, ssh.as_bytes())] {
            let signed = signed.expect("opens");
            assert_eq!((signed.statement.clone(), signed.digest), (statement.clone(), Digest::of(&bytes)));
            assert_eq!(signed.key, private.public());
            assert_eq!(Verified::of(&signed.statement.claim).expect("a claim"), claim());
        }
        let other = ssh::sign(&private, "file", &bytes);
        assert_eq!(
            open_ssh(&bytes, other.as_bytes()).expect_err("another purpose").code,
            Code::SignatureInvalid
        );
        let foreign = ssh::sign(&key(algorithm, 6), ssh::NAMESPACE, &bytes);
        assert_eq!(open_ssh(&bytes, foreign.as_bytes()).expect_err("foreign").code, Code::SignatureInvalid);
        assert_eq!(seal(&statement, &key(algorithm, 6)).expect_err("foreign").code, Code::SignatureInvalid);
    }
}

/// Every way in which one bit differs.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

#[test]
fn any_flipped_bit_of_a_statement_or_a_signature_fails() {
    for algorithm in Algorithm::ALL {
        let private = key(algorithm, 7);
        let statement = statement(&private.public());
        let bytes = statement.to_bytes().expect("valid");
        let sealed = seal(&statement, &private).expect("seals");
        let ssh = ssh::sign(&private, ssh::NAMESPACE, &bytes).into_bytes();
        // Each check of a signature takes a while in a build for tests: every third bit of the long ones.
        for flipped in flips(&sealed).skip(algorithm as usize).step_by(3) {
            assert!(open_envelope(&flipped).is_err(), "{}", String::from_utf8_lossy(&flipped));
        }
        for flipped in flips(&bytes).skip(algorithm as usize).step_by(7) {
            assert!(open_ssh(&flipped, &ssh).is_err(), "{}", String::from_utf8_lossy(&flipped));
        }
        for flipped in flips(&ssh) {
            assert!(open_ssh(&bytes, &flipped).is_err(), "{}", String::from_utf8_lossy(&flipped));
        }
    }
}

#[test]
fn any_flipped_bit_of_a_key_gives_no_key_or_another_one() {
    for algorithm in Algorithm::ALL {
        let private = key(algorithm, 8);
        let public = private.public();
        for text in [public.to_pem(), public.to_openssh()] {
            for flipped in flips(text.as_bytes()) {
                let read = String::from_utf8(flipped).ok().and_then(|text| PublicKey::parse(&text).ok());
                assert_ne!(read, Some(public.clone()));
            }
        }
        let same = |text: Vec<u8>, with: Option<&[u8]>| {
            let key = String::from_utf8(text).ok().and_then(|text| PrivateKey::parse(&text, with).ok());
            key.is_some_and(|key| key.public() == public)
        };
        for flipped in flips(private.to_pem().as_bytes()) {
            assert!(!same(flipped, None));
        }
        let closed = private.to_encrypted_pem(b"p", 1, &mut bytes_of(9)).expect("encrypts");
        for flipped in flips(closed.as_bytes()).step_by(3) {
            assert!(!same(flipped, Some(b"p")));
        }
    }
}

#[test]
fn a_statement_has_one_form() {
    let good = String::from_utf8(statement(&key(Algorithm::Ed25519, 1).public()).to_bytes().expect("valid"));
    let good = good.expect("text");
    assert!(Statement::parse(good.as_bytes()).is_ok());
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    for (what, text) in [
        ("a space", changed("{", "{ ")),
        ("a line end", format!("{good}\n")),
        ("an unknown key", changed("\"at\"", "\"_x\":1,\"at\"")),
        ("a key twice", changed("\"at\"", "\"at\":\"2026-01-31T12:00:00Z\",\"at\"")),
        ("another predicate", changed(PREDICATE_TYPE, "urn:other:1")),
        ("another type", changed("Statement/v1", "Statement/v0.1")),
        ("another kind", changed("\"verified\"", "\"rumoured\"")),
        ("another meaning", changed("approval", "applause")),
        ("a number that is no whole one", changed("\"events\":2", "\"events\":2.5")),
        ("a negative number", changed("\"events\":2", "\"events\":-2")),
        ("a number that others round", changed("\"events\":2", "\"events\":9007199254740993")),
        ("null", changed("\"events\":2", "\"events\":null")),
        ("no name", changed("Ä. Example", "")),
        ("a name that turns", changed("Ä. Example", "\u{202e}x")),
        ("an escape that need not be", changed("Ä", "\\u00c4")),
        ("no day", changed("2026-01-31", "2026-02-31")),
        ("a local time", changed("12:00:00Z", "12:00:00+00:00")),
        ("no subject", changed("[{\"digest\"", "[],\"x\":[{\"digest\"")),
        ("no digest", changed("\"sha256\":\"", "\"sha256\":\"g")),
        ("another digest", changed("\"sha256\":", "\"sha512\":")),
        ("no key", changed("\"key\":\"M", "\"key\":\"N")),
    ] {
        assert_eq!(
            Statement::parse(text.as_bytes()).expect_err(what).code,
            Code::StatementMalformed,
            "{what}"
        );
    }
}

#[test]
fn an_envelope_has_one_form() {
    let private = key(Algorithm::Ed25519, 1);
    let good =
        String::from_utf8(seal(&statement(&private.public()), &private).expect("seals")).expect("text");
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let signature =
        format!("{{{}}}", good.split("[{").nth(1).expect("a list").split("}]").next().expect("one"));
    for (what, text) in [
        ("no line end", good.trim_end().to_owned()),
        ("two line ends", format!("{good}\n")),
        ("another payload", changed("application/vnd.in-toto+json", "application/json")),
        ("two signatures", changed(&signature, &format!("{signature},{signature}"))),
        ("no signature", changed(&signature, "")),
        ("another key's id", changed("\"keyid\":\"", "\"keyid\":\"00")),
        ("an unknown key", changed("{\"payload\"", "{\"a\":1,\"payload\"")),
        ("nothing", String::new()),
    ] {
        assert!(open_envelope(text.as_bytes()).is_err(), "{what}");
    }
}

const TRUST: &str = r#"format = "sequester-trust/1"

[[signer]]
name = "Ä. Example"
roles = ["statistician"]
meanings = ["approval"]
keys = "KEY"
valid_from = "2026-01-01"
valid_until = "2026-01-31"

[[signer]]
name = "B. Example"
roles = ["statistician", "quality"]
keys = "OTHER"

[[required]]
kind = "verified"
role = "statistician"
meaning = "approval"

[[optional]]
kind = "verified"
count = 2
"#;

fn trusted() -> String {
    let (first, second) = (key(Algorithm::Ed25519, 1).public(), key(Algorithm::P256, 2).public());
    TRUST.replace("KEY", &first.to_openssh()).replace("OTHER", &second.to_openssh())
}

#[test]
fn a_signature_counts_by_key_name_role_meaning_and_day() {
    let trust = trust(&trusted()).expect("valid");
    let private = key(Algorithm::Ed25519, 1);
    let judged = |change: &dyn Fn(&mut Statement), private: &PrivateKey| {
        let mut statement = statement(&private.public());
        change(&mut statement);
        let signed = open_envelope(&seal(&statement, private).expect("seals")).expect("opens");
        trust.judge(&signed, &signed.statement.at).map(|person| person.name.clone()).map_err(|p| p.code)
    };
    assert_eq!(judged(&|_| {}, &private), Ok("Ä. Example".to_owned()));
    assert_eq!(judged(&|_| {}, &key(Algorithm::Ed25519, 3)), Err(Code::SignerUnknown));
    assert_eq!(judged(&|_| {}, &key(Algorithm::P256, 2)), Err(Code::SignerNotEntitled), "another's name");
    let role = |s: &mut Statement| s.signer.role = "quality".to_owned();
    assert_eq!(judged(&role, &private), Err(Code::SignerNotEntitled));
    let meaning = |s: &mut Statement| s.signer.meaning = Meaning::Review;
    assert_eq!(judged(&meaning, &private), Err(Code::SignerNotEntitled));
    for (at, fine) in
        [("2025-12-31", false), ("2026-01-01", true), ("2026-01-31", true), ("2026-02-01", false)]
    {
        let on = |s: &mut Statement| s.at = format!("{at}T23:59:59Z");
        assert_eq!(judged(&on, &private).is_ok(), fine, "{at}");
    }
}

#[test]
fn a_demand_is_met_by_persons_and_not_by_signatures() {
    let trust = trust(&trusted()).expect("valid");
    let signed = |name: &str, meaning: Meaning, algorithm, seed| {
        let private = key(algorithm, seed);
        let mut statement = statement(&private.public());
        (statement.signer.name, statement.signer.meaning) = (name.to_owned(), meaning);
        open_envelope(&seal(&statement, &private).expect("seals")).expect("opens")
    };
    let first = signed("Ä. Example", Meaning::Approval, Algorithm::Ed25519, 1);
    let review = signed("B. Example", Meaning::Review, Algorithm::P256, 2);
    let met = |accepted: &[Signed]| (trust.required[0].is_met(accepted), trust.optional[0].is_met(accepted));
    assert_eq!(met(&[]), (false, false));
    assert_eq!(met(std::slice::from_ref(&review)), (false, false));
    assert_eq!(met(&[first.clone(), first.clone()]), (true, false));
    assert_eq!(met(&[first, review]), (true, true));
    assert_eq!(trust.required[0].words(), "`verified` meaning approval as statistician");
}

#[test]
fn what_is_wrong_in_a_trust_file_is_said_with_its_place() {
    let good = trusted();
    let found = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        let problems = trust(&good.replacen(from, to, 1)).expect_err(to);
        assert!(
            problems.iter().all(|p| p.location.as_ref().is_some_and(|l| l.line.is_some())),
            "{problems:?}"
        );
        codes(&problems).join(" ")
    };
    assert_eq!(found("sequester-trust/1", "sequester-trust/2"), "format-unknown");
    assert_eq!(found("meanings", "meaning"), "unknown-key");
    assert_eq!(found("\"approval\"]", "\"applause\"]"), "value-unknown");
    assert_eq!(found("roles = [\"statistician\"]\n", ""), "key-missing");
    assert_eq!(found("ssh-ed25519 A", "ssh-ed25519 B"), "key-unreadable");
    assert_eq!(found("2026-01-31", "2026-02-31"), "value-unknown");
    assert_eq!(found("2026-01-31", "2025-02-01"), "value-range");
    assert_eq!(found("\"B. Example\"", "\"Ä. Example\""), "duplicate-id");
    assert_eq!(found("kind = \"verified\"", "kind = \"seen\""), "value-unknown");
    assert_eq!(found("count = 2", "count = 3"), "value-range");
    assert_eq!(found("count = 2", "by = \"C. Example\""), "value-unknown");
    assert_eq!(found("role = \"statistician\"", "role = \"nobody\""), "value-unknown");
    assert_eq!(codes(&trust("format = \"sequester-trust/1\"").expect_err("nobody")), ["key-missing"]);
    assert_eq!(codes(&trust("format = ").expect_err("no TOML")), ["toml-syntax"]);
}

#[test]
fn a_signed_head_finds_every_end_that_was_cut() {
    let lines = ["a", "b", "c", "d"];
    let bytes =
        |n: usize| lines[..n].iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect::<Vec<u8>>();
    let head = |n: usize| Head {
        events: n as u64,
        head: Digest::of(lines[n - 1].as_bytes()),
        of: Of::Study,
        openings: 0,
    };
    for signed in 1..=4 {
        for there in 0..=4 {
            let stands = head(signed).stands_in(&bytes(there)).is_ok();
            assert_eq!(stands, there >= signed, "{signed} signed, {there} there");
        }
    }
    assert!(head(2).stands_in(b"a\nx\nc\n").is_err(), "rewritten");
    assert!(head(2).stands_in(b"a\nb").is_err(), "the last line does not end");
    assert!(Head { events: 0, ..head(1) }.stands_in(&bytes(4)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_parser_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        label in 0..4_usize,
    ) {
        let _ = open_envelope(&bytes);
        let _ = Statement::parse(&bytes);
        let _ = open_ssh(&bytes, &bytes);
        let label = ["PUBLIC KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "SSH SIGNATURE"][label];
        let columns = if label == "SSH SIGNATURE" { pem::OPENSSH } else { pem::PKIX };
        let magic = &b"SSHSIG\0\0\0\x01"[..usize::from(bytes.len() % 2 == 0) * 10];
        let text = pem::encode(label, &[magic, &bytes].concat(), columns);
        prop_assert!(PublicKey::parse(&text).is_err());
        prop_assert!(PrivateKey::parse(&text, Some(b"p")).is_err());
        prop_assert!(ssh::SshSignature::parse(&text).is_err());
        let text = String::from_utf8_lossy(&bytes);
        let _ = trust(&text);
        let _ = PublicKey::parse(&text);
    }
}
