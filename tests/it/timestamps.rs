//! Time-stamp tokens beside `openssl ts -verify`: authorities of our own, and every way in which a token does
//! not count.

use std::path::{Path, PathBuf};
use std::process::Command;

use sequester::timestamp::{self, Authorities, Refusal, Stamp};

/// A folder with a root, authorities below it, and something to stamp.
pub struct Authority {
    folder: tempfile::TempDir,
}

const CONFIG: &str = "
[ca]
default_ca = own
[own]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamping]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[not_critical]
extendedKeyUsage = timeStamping
[two_uses]
extendedKeyUsage = critical,timeStamping,codeSigning
[another_use]
extendedKeyUsage = critical,codeSigning
[no_use]
keyUsage = critical,digitalSignature
[no_authority]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = critical,timeStamping
[tsa]
serial = tsa-serial
digests = sha256, sha384, sha512
default_policy = 1.2.3.4.1
signer_digest = sha256
accuracy = secs:1, millisecs:500, microsecs:100
ess_cert_id_alg = sha256
[tsa_exact]
serial = tsa-serial
digests = sha256
default_policy = 1.2.3.4.1
signer_digest = sha256
clock_precision_digits = 6
ess_cert_id_alg = sha256
[tsa_sha1_name]
serial = tsa-serial
digests = sha256, sha384, sha512
default_policy = 1.2.3.4.1
signer_digest = sha512
ess_cert_id_alg = sha1
";

impl Authority {
    /// With a root, and the certificate `tsa` for time stamping.
    pub fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().expect("a folder") };
        for (name, text) in [("config", CONFIG), ("index.txt", ""), ("serial", "1000"), ("tsa-serial", "01")]
        {
            std::fs::write(made.path(name), text).expect("writes");
        }
        made.root("root", "Test Root");
        made.issue("tsa", "root", "stamping", &[]);
        made
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("reads")
    }

    /// Runs openssl in the folder; whether it succeeded.
    fn openssl(&self, words: &str, more: &[&str]) -> bool {
        let mut command = Command::new("openssl");
        command.current_dir(self.folder.path()).args(words.split_whitespace()).args(more);
        command.output().expect("openssl runs").status.success()
    }

    fn key(&self, name: &str) {
        let words = if name.contains("rsa") {
            format!("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {name}.key")
        } else if name.contains("384") {
            format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out {name}.key")
        } else {
            format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key")
        };
        assert!(self.openssl(&words, &[]), "{words}");
    }

    fn root(&self, name: &str, owner: &str) {
        self.key(name);
        let words = format!(
            "req -x509 -config config -extensions root -key {name}.key -sha256 -days 3650 -out {name}.pem"
        );
        let mut config = self.read("config");
        if !config.starts_with(b"[req]") {
            config = [b"[req]\ndistinguished_name = dn\n[dn]\n".as_slice(), &config].concat();
            std::fs::write(self.path("config"), config).expect("writes");
        }
        assert!(self.openssl(&words, &["-subj", &format!("/CN={owner}")]), "{words}");
    }

    /// A certificate below another, with the extensions of a section; `dates` are those of `openssl ca`.
    fn issue(&self, name: &str, above: &str, section: &str, dates: &[&str]) {
        self.key(name);
        let words = format!("req -new -config config -key {name}.key -out {name}.csr");
        assert!(self.openssl(&words, &["-subj", &format!("/CN=Test {name}")]), "{words}");
        let days = if dates.is_empty() { "-days 3000" } else { "" };
        let words = format!(
            "ca -batch -notext -config config -extensions {section} -in {name}.csr -cert {above}.pem \
             -keyfile {above}.key -out {name}.pem {days}"
        );
        assert!(self.openssl(&words, dates), "{words}");
    }

    /// A response of an authority for a file; with the certificates of a file in it where one is named.
    fn reply(&self, file: &str, signer: &str, chain: &str, section: &str, hash: &str) -> Vec<u8> {
        assert!(self.openssl(&format!("ts -query -data {file} -{hash} -cert -out q.tsq"), &[]));
        let chain = if chain.is_empty() { String::new() } else { format!("-chain {chain}.pem") };
        let words = format!(
            "ts -reply -config config -section {section} -queryfile q.tsq -signer {signer}.pem -inkey \
             {signer}.key {chain} -out r.tsr"
        );
        assert!(self.openssl(&words, &[]), "{words}");
        self.read("r.tsr")
    }

    /// A token of the file by the authority `tsa`, beside it as `FILE.tsr`; `made` is where the file lies.
    pub fn stamp(&self, made: &Path) -> PathBuf {
        std::fs::copy(made, self.path("stamped")).expect("copies");
        let reply = self.reply("stamped", "tsa", "", "tsa_exact", "sha256");
        let beside = PathBuf::from(format!("{}.tsr", made.display()));
        std::fs::write(&beside, reply).expect("writes");
        beside
    }

    /// A script that answers queries, and the root, for somebody who asks this authority.
    pub fn hand_over(&self, folder: &Path) {
        std::fs::copy(self.path("root.pem"), folder.join("authority.pem")).expect("copies");
        let here = self.folder.path().display();
        let script = format!(
            "cp \"$1\" {here}/asked.tsq && (cd {here} && openssl ts -reply -config config -section tsa_exact \
             -queryfile asked.tsq -signer tsa.pem -inkey tsa.key -out answer.tsr) 2>/dev/null && cp \
             {here}/answer.tsr \"$2\"\n"
        );
        std::fs::write(folder.join("authority.sh"), script).expect("writes");
    }

    /// The same as of another year: the content of a token signed anew by CMS.
    pub fn stamp_in_year(&self, made: &Path, year: &str) -> PathBuf {
        let beside = self.stamp(made);
        std::fs::copy(&beside, self.path("now.tsr")).expect("copies");
        assert!(self.openssl("ts -reply -in now.tsr -token_out -out now.tst", &[]));
        assert!(self.openssl("cms -verify -noverify -inform DER -in now.tst -out now.der", &[]));
        let mut info = self.read("now.der");
        let digits = |window: &[u8]| window[0] == 0x18 && window[2..16].iter().all(u8::is_ascii_digit);
        let at = info.windows(16).position(digits).expect("a time") + 2;
        info[at..at + 4].copy_from_slice(year.as_bytes());
        std::fs::write(self.path("now.der"), info).expect("writes");
        let words = "cms -sign -binary -nodetach -cades -nosmimecap -econtent_type 1.2.840.113549.1.9.16.1.4 \
                     -md sha256 -outform DER -in now.der -signer tsa.pem -inkey tsa.key -out other.tst";
        assert!(self.openssl(words, &[]), "{words}");
        std::fs::copy(self.path("other.tst"), &beside).expect("copies");
        beside
    }

    /// What `openssl ts -verify` says of a response.
    fn public_client(&self, response: &[u8], file: &str, trusted: &str, more: &str) -> bool {
        std::fs::write(self.path("asked.tsr"), response).expect("writes");
        let words = format!("ts -verify -data {file} -in asked.tsr -CAfile {trusted}.pem {more}");
        self.openssl(&words, &[])
    }

    fn ours(&self, response: &[u8], file: &str, trusted: &[&str]) -> Result<Stamp, Refusal> {
        let mut authorities = Authorities::default();
        for name in trusted {
            authorities.extend(Authorities::parse(&self.read(&format!("{name}.pem"))).expect("certificates"));
        }
        timestamp::check(response, &self.read(file), &authorities)
    }
}

#[test]
fn tokens_that_openssl_takes_are_taken_and_the_others_are_refused_for_their_reason() {
    let at = Authority::new();
    std::fs::write(at.path("file"), "the bar").expect("writes");
    std::fs::write(at.path("other"), "another bar").expect("writes");
    at.root("other-root", "Test Root");
    at.issue("tsa-rsa", "root", "stamping", &[]);
    at.issue("below-384", "root", "root", &[]);
    at.issue("tsa-384", "below-384", "stamping", &[]);
    let past = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"];
    at.issue("expired", "root", "stamping", &past);
    at.issue("no-ca", "root", "no_authority", &[]);
    at.issue("below-no-ca", "no-ca", "stamping", &[]);

    // Response, what is stamped, what is given, whether it counts.
    let good = at.reply("file", "tsa", "", "tsa", "sha256");
    let stamp = at.ours(&good, "file", &["root"]).expect("holds");
    assert_eq!((stamp.authority.as_str(), stamp.trusted.as_str()), ("Test tsa", "Test Root"));
    assert_eq!((stamp.policy.as_str(), stamp.hash), ("1.2.3.4.1", "SHA-256"));
    assert_eq!((stamp.latest() - stamp.earliest()).num_microseconds(), Some(2 * 1_500_100));
    assert!(at.public_client(&good, "file", "root", ""));
    let rsa = at.reply("file", "tsa-rsa", "root", "tsa_sha1_name", "sha512");
    assert_eq!(at.ours(&rsa, "file", &["root"]).expect("holds").hash, "SHA-512");
    assert!(at.public_client(&rsa, "file", "root", ""));
    let below = at.reply("file", "tsa-384", "below-384", "tsa", "sha384");
    assert_eq!(at.ours(&below, "file", &["root"]).expect("holds").trusted, "Test Root");
    assert!(at.public_client(&below, "file", "root", ""));
    // The authority between is in no token here: it has to be given.
    let apart = at.reply("file", "tsa-384", "", "tsa", "sha256");
    assert!(matches!(at.ours(&apart, "file", &["root"]), Err(Refusal::Untrusted(_))));
    assert!(!at.public_client(&apart, "file", "root", ""));
    assert!(at.ours(&apart, "file", &["root", "below-384"]).is_ok());
    assert!(at.public_client(&apart, "file", "root", "-untrusted below-384.pem"));
    // A token without its response.
    std::fs::write(at.path("good.tsr"), &good).expect("writes");
    assert!(at.openssl("ts -reply -in good.tsr -token_out -out good.tst", &[]));
    assert_eq!(at.ours(&at.read("good.tst"), "file", &["root"]), Ok(stamp));

    let refused = |response: &[u8], file: &str, trusted: &str| {
        assert!(!at.public_client(response, file, trusted, ""), "openssl takes it: {file}, {trusted}");
        at.ours(response, file, &[trusted]).expect_err("refused")
    };
    assert!(matches!(refused(&good, "other", "root"), Refusal::OtherBytes(_)));
    // A root of the same name with another key.
    assert!(matches!(refused(&good, "file", "other-root"), Refusal::Untrusted(_)));
    let expired = at.reply("file", "expired", "", "tsa", "sha256");
    assert!(matches!(refused(&expired, "file", "root"), Refusal::Expired(_)));
    let no_ca = at.reply("file", "below-no-ca", "no-ca", "tsa", "sha256");
    assert!(matches!(refused(&no_ca, "file", "root"), Refusal::Usage(_)));
    // openssl makes no token with a certificate of another use: the content of a good one is signed by CMS.
    std::fs::write(at.path("t.tst"), at.read("good.tst")).expect("writes");
    assert!(at.openssl("cms -verify -noverify -inform DER -in t.tst -out info.der", &[]));
    for (section, counts) in [
        ("stamping", true),
        ("not_critical", false),
        ("two_uses", false),
        ("another_use", false),
        ("no_use", false),
    ] {
        // Of the time of the token, which is older than this moment.
        at.issue(
            "signer",
            "root",
            section,
            &["-startdate", "20200101000000Z", "-enddate", "20400101000000Z"],
        );
        let words = "cms -sign -binary -nodetach -cades -nosmimecap -econtent_type 1.2.840.113549.1.9.16.1.4 \
                     -md sha256 -outform DER -in info.der -signer signer.pem -inkey signer.key -out own.tst";
        assert!(at.openssl(words, &[]), "{words}");
        let found = at.ours(&at.read("own.tst"), "file", &["root"]);
        let same = at.openssl("ts -verify -data file -in own.tst -token_in -CAfile root.pem", &[]);
        // openssl accepts a use that is not alone or not critical in some versions; RFC 3161 does not.
        assert!(same || !counts, "{section}: openssl refuses it");
        match found {
            Ok(_) => assert!(counts, "{section}"),
            Err(why) => assert!(!counts && matches!(why, Refusal::Usage(_)), "{section}: {why}"),
        }
    }
    // Without the attribute that names the certificate.
    let words = "cms -sign -binary -nodetach -nosmimecap -econtent_type 1.2.840.113549.1.9.16.1.4 -md sha256 \
                 -outform DER -in info.der -signer tsa.pem -inkey tsa.key -out bare.tst";
    assert!(at.openssl(words, &[]));
    assert!(matches!(at.ours(&at.read("bare.tst"), "file", &["root"]), Err(Refusal::Unreadable(_))));
    assert!(!at.openssl("ts -verify -data file -in bare.tst -token_in -CAfile root.pem", &[]));
}

#[test]
fn a_flipped_bit_of_any_byte_of_a_token_is_refused() {
    let at = Authority::new();
    std::fs::write(at.path("file"), "the bar").expect("writes");
    // With the root's certificate inside, which has no part in the signature.
    let response = at.reply("file", "tsa", "root", "tsa", "sha256");
    let authorities = Authorities::parse(&at.read("root.pem")).expect("certificates");
    let stamped = at.read("file");
    assert!(timestamp::check(&response, &stamped, &authorities).is_ok());
    let mut taken = Vec::new();
    for position in 0..response.len() {
        let mut changed = response.clone();
        changed[position] ^= 1 << (position % 8);
        if timestamp::check(&changed, &stamped, &authorities).is_ok() {
            taken.push(position);
        }
        assert!(
            timestamp::check(&response[..position], &stamped, &authorities).is_err(),
            "cut at {position}"
        );
    }
    assert_eq!(taken, [] as [usize; 0], "of {} bytes", response.len());
    assert!(timestamp::check(&[&response[..], b"\0"].concat(), &stamped, &authorities).is_err());
}

mod bytes {
    use proptest::prelude::*;
    use sequester::timestamp::{self, Authorities};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Whatever the bytes, also such as begin as a token does: an answer and no panic.
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            nested in 0..6_usize,
        ) {
            let mut token = bytes;
            for _ in 0..nested {
                let length = u16::try_from(token.len()).unwrap_or_default().to_be_bytes();
                let mut around = vec![0x30, 0x82, length[0], length[1]];
                around.extend([0x06, 0x01, 0x2a].iter().filter(|_| nested % 2 == 0));
                around.append(&mut token);
                token = around;
            }
            prop_assert!(timestamp::check(&token, b"x", &Authorities::default()).is_err());
            let _ = Authorities::parse(&token);
        }
    }
}
