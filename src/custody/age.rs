//! Files encrypted to X25519 recipients in the format `age-encryption.org/v1` (F. Valsorda and B.
//! Cartwright-Cox, C2SP `age`, 2019 to 2025), so that the public clients `age` and `rage` read and write
//! them as well.
//!
//! A random file key is wrapped for each recipient, a header with a MAC names the wrapped keys, and the
//! content follows in chunks of 64 KiB, each authenticated, the last marked as such. Other kinds of
//! recipients (passphrases, SSH keys, plugins) are not written, and are passed over where somebody else
//! wrote them.
//!
//! Pure: random bytes come in. The crate `age` was not taken: it brings message catalogues, their compiler
//! and about seventy further crates for what is three primitives in a fixed order here.

use base64ct::{Base64Unpadded, Encoding as _};
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

use crate::diagnostic::{Code, Diagnostic};

const VERSION: &str = "age-encryption.org/v1";
const X25519_INFO: &str = "age-encryption.org/v1/X25519";
const PUBLIC: &str = "age";
const SECRET: &str = "age-secret-key-";
/// Plain bytes of a chunk.
const CHUNK: usize = 64 * 1024;
/// Bytes that authenticate a chunk.
const TAG: usize = 16;
/// Bytes of a header at most: 1,000 recipients have 100,000.
const LONGEST_HEADER: usize = 1 << 20;

/// Fills a buffer with random bytes of the operating system.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Somebody to whom files can be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipient([u8; 32]);

impl Recipient {
    /// From its text, `age1...`.
    ///
    /// # Errors
    /// `age-key`.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let wrong = |why: String| {
            Diagnostic::error(Code::AgeKey, format!("`{}` is no recipient of age: {why}", shortened(text)))
                .hint("the line `# public key: age1...` that `age-keygen` prints")
        };
        if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
            // The text itself is never repeated.
            let problem = Diagnostic::error(Code::AgeKey, "a secret key stands where a public one belongs");
            return Err(problem.hint("the public key begins with age1; a secret key is shown to nobody"));
        }
        key(text, PUBLIC).map(Self).map_err(wrong)
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = bech32::Hrp::parse(PUBLIC)
            .ok()
            .and_then(|hrp| bech32::encode_lower::<bech32::Bech32>(hrp, &self.0).ok());
        f.write_str(text.as_deref().unwrap_or_else(|| unreachable!("32 bytes fit")))
    }
}

/// Secret keys; nothing prints them but [`Identity::to_text`].
#[derive(Clone)]
pub struct Identity(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.recipient())
    }
}

impl Identity {
    /// A new one.
    pub fn generate(random: Random<'_>) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        random(secret.as_mut_slice());
        Self(secret)
    }

    /// Its public side.
    pub fn recipient(&self) -> Recipient {
        Recipient(x25519(*self.0, X25519_BASEPOINT_BYTES))
    }

    /// As `age-keygen` writes it, with its public side before it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let text = bech32::Hrp::parse(SECRET)
            .ok()
            .and_then(|hrp| bech32::encode_upper::<bech32::Bech32>(hrp, self.0.as_slice()).ok());
        let secret = Zeroizing::new(text.unwrap_or_else(|| unreachable!("32 bytes fit")));
        Zeroizing::new(format!("# public key: {}\n{}\n", self.recipient(), secret.as_str()))
    }
}

/// The secret keys of a file as `age-keygen` writes it: one a line, and comments.
///
/// # Errors
/// `age-key` with the line; the line itself is not repeated.
pub fn identities(text: &str) -> Result<Vec<Identity>, Diagnostic> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let secret = key(line, SECRET).map_err(|why| {
            Diagnostic::error(Code::AgeKey, format!("line {} is no secret key of age: {why}", index + 1))
                .hint(
                    "a file of `age-keygen`: AGE-SECRET-KEY-1...; keys of plugins, SSH and files with a \
                       passphrase are not read: decrypt the file first (`age -d`)",
                )
        })?;
        found.push(Identity(Zeroizing::new(secret)));
    }
    if found.is_empty() {
        return Err(Diagnostic::error(Code::AgeKey, "the file holds no secret key of age")
            .hint("`age-keygen -o FILE`, or `sequester custodian key FILE`, writes one"));
    }
    Ok(found)
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(70).collect()
}

fn key(text: &str, prefix: &str) -> Result<[u8; 32], String> {
    if text.len() > 120 {
        return Err("too long".to_owned());
    }
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<bech32::Bech32>(text);
    let checked = checked.map_err(|_| "a character is wrong (Bech32)".to_owned())?;
    if checked.hrp().to_lowercase() != prefix {
        return Err(format!("it does not begin with `{prefix}1`"));
    }
    let bytes: Vec<u8> = checked.byte_iter().collect();
    bytes.try_into().map_err(|_| "not of 32 bytes".to_owned())
}

fn derive<const N: usize>(secret: &[u8], salt: &[u8], info: &str) -> Zeroizing<[u8; N]> {
    let mut out = Zeroizing::new([0; N]);
    let expanded = Hkdf::<Sha256>::new(Some(salt), secret).expand(info.as_bytes(), out.as_mut_slice());
    expanded.unwrap_or_else(|_| unreachable!("32 bytes are fewer than HKDF gives"));
    out
}

fn mac(file_key: &[u8], header: &[u8]) -> Hmac<Sha256> {
    let key = derive::<32>(file_key, &[], "header");
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice())
        .unwrap_or_else(|_| unreachable!("a MAC takes keys of any length"));
    mac.update(header);
    mac
}

/// The key that wraps a file key between two; `None` where the point has a small order.
fn wrapping(shared: [u8; 32], ephemeral: &[u8; 32], recipient: &Recipient) -> Option<ChaCha20Poly1305> {
    let shared = Zeroizing::new(shared);
    if shared.iter().all(|byte| *byte == 0) {
        return None;
    }
    let salt = [ephemeral.as_slice(), &recipient.0].concat();
    let key = derive::<32>(shared.as_slice(), &salt, X25519_INFO);
    ChaCha20Poly1305::new_from_slice(key.as_slice()).ok()
}

/// Encrypts bytes to recipients.
///
/// # Errors
/// `age-key` without a recipient, or for one that is no key (a point of small order).
pub fn encrypt(plain: &[u8], to: &[Recipient], random: Random<'_>) -> Result<Vec<u8>, Diagnostic> {
    if to.is_empty() {
        return Err(Diagnostic::error(Code::AgeKey, "there is nobody to encrypt to"));
    }
    let mut file_key = Zeroizing::new([0_u8; 16]);
    random(file_key.as_mut_slice());
    let mut header = format!("{VERSION}\n");
    for recipient in to {
        let mut secret = Zeroizing::new([0_u8; 32]);
        random(secret.as_mut_slice());
        let ephemeral = x25519(*secret, X25519_BASEPOINT_BYTES);
        let wrapped = wrapping(x25519(*secret, recipient.0), &ephemeral, recipient)
            .and_then(|cipher| cipher.encrypt(&Nonce::default(), file_key.as_slice()).ok());
        let Some(wrapped) = wrapped else {
            return Err(Diagnostic::error(
                Code::AgeKey,
                format!("{recipient} is no key that protects anything"),
            ));
        };
        header += &format!(
            "-> X25519 {}\n{}\n",
            Base64Unpadded::encode_string(&ephemeral),
            Base64Unpadded::encode_string(&wrapped)
        );
    }
    header += "---";
    let authenticated = mac(file_key.as_slice(), header.as_bytes()).finalize().into_bytes();
    header += &format!(" {}\n", Base64Unpadded::encode_string(&authenticated));
    let mut nonce = [0_u8; 16];
    random(&mut nonce);
    let mut out = header.into_bytes();
    out.extend(nonce);
    let cipher = payload_cipher(file_key.as_slice(), &nonce);
    let chunks = plain.len().div_ceil(CHUNK).max(1);
    for number in 0..chunks {
        let end = plain.len().min((number + 1) * CHUNK);
        let chunk = &plain[(number * CHUNK).min(end)..end];
        let sealed = cipher.encrypt(&chunk_nonce(number as u64, number + 1 == chunks), chunk);
        out.extend(sealed.unwrap_or_else(|_| unreachable!("a chunk is shorter than the cipher takes")));
    }
    Ok(out)
}

fn payload_cipher(file_key: &[u8], nonce: &[u8]) -> ChaCha20Poly1305 {
    let key = derive::<32>(file_key, nonce, "payload");
    ChaCha20Poly1305::new_from_slice(key.as_slice()).unwrap_or_else(|_| unreachable!("the key has 32 bytes"))
}

/// Eleven bytes of the chunk's number, and one that says whether it is the last.
fn chunk_nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}

/// A wrapped file key of a recipient of our kind.
struct Stanza {
    ephemeral: [u8; 32],
    wrapped: Vec<u8>,
}

/// A header in its parts.
struct Header<'a> {
    stanzas: Vec<Stanza>,
    /// What the MAC is of.
    authenticated: &'a [u8],
    mac: Vec<u8>,
    payload: &'a [u8],
}

/// The next line, and what follows it.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(LONGEST_HEADER).position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

fn header(bytes: &[u8]) -> Result<Header<'_>, &'static str> {
    const SHORT: &str = "its header is cut";
    let (version, mut rest) = line(bytes).ok_or(SHORT)?;
    if version != VERSION {
        return Err(if version.starts_with("-----BEGIN AGE") {
            "it is armoured: `age -d` reads it, and without `-a` age writes the form that is read here"
        } else {
            "it does not begin with `age-encryption.org/v1`"
        });
    }
    let mut stanzas = Vec::new();
    loop {
        if bytes.len() - rest.len() > LONGEST_HEADER {
            return Err("its header is longer than a megabyte");
        }
        let start = bytes.len() - rest.len();
        let (words, after) = line(rest).ok_or(SHORT)?;
        if let Some(mac) = words.strip_prefix("--- ") {
            let mac = decoded(mac).ok_or("the end of its header is not base64")?;
            return Ok(Header { stanzas, authenticated: &bytes[..start + 3], mac, payload: after });
        }
        let mut words = words.strip_prefix("-> ").ok_or("a line of its header is none")?.split(' ');
        let kind = words.next().unwrap_or_default();
        let arguments: Vec<&str> = words.collect();
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_word(kind) || !arguments.iter().all(|word| is_word(word)) {
            return Err("a line of its header is none");
        }
        // The body ends with the first line that is shorter than 64 characters.
        let mut body = String::new();
        rest = after;
        loop {
            let (part, after) = line(rest).ok_or(SHORT)?;
            rest = after;
            if part.len() > 64 {
                return Err("a line of its header is longer than 64 characters");
            }
            body += part;
            if part.len() < 64 {
                break;
            }
        }
        let wrapped = decoded(&body).ok_or("a wrapped key is not base64")?;
        if kind == "X25519" {
            let ephemeral = match arguments.as_slice() {
                [one] => decoded(one).and_then(|bytes| bytes.try_into().ok()),
                _ => None,
            };
            let ephemeral = ephemeral.ok_or("a recipient of its header is none")?;
            if wrapped.len() != 32 {
                return Err("a wrapped key is not of 32 bytes");
            }
            stanzas.push(Stanza { ephemeral, wrapped });
        }
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    Base64Unpadded::decode_vec(text).ok()
}

/// Whether bytes begin as a file of age does.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(VERSION.as_bytes())
}

/// Decrypts bytes with whichever of the keys fits.
///
/// # Errors
/// `age-format` where it is no such file; `age-other-key` where no key fits; `age-damaged` where it was
/// changed or cut. Nothing of the content is given then.
pub fn decrypt(bytes: &[u8], with: &[Identity]) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
    let header = header(bytes).map_err(|why| {
        Diagnostic::error(Code::AgeFormat, format!("is no file of age that is read here: {why}"))
    })?;
    let file_key = with.iter().find_map(|identity| {
        let recipient = identity.recipient();
        header.stanzas.iter().find_map(|stanza| {
            let shared = x25519(*identity.0, stanza.ephemeral);
            let cipher = wrapping(shared, &stanza.ephemeral, &recipient)?;
            cipher.decrypt(&Nonce::default(), stanza.wrapped.as_slice()).ok().map(Zeroizing::new)
        })
    });
    let Some(file_key) = file_key else {
        let keys = with.iter().map(|identity| identity.recipient().to_string()).collect::<Vec<_>>();
        let message = format!(
            "is encrypted to {} X25519 recipients, of whom {} is none",
            header.stanzas.len(),
            keys.join(" or ")
        );
        return Err(Diagnostic::error(Code::AgeOtherKey, message)
            .hint("it takes the secret key of one to whom it was encrypted; a lost key cannot be replaced"));
    };
    let damaged = |what: &str| {
        Diagnostic::error(Code::AgeDamaged, format!("was changed or cut after it was encrypted: {what}"))
            .hint("get the file again from whoever made it")
    };
    if mac(file_key.as_slice(), header.authenticated).verify_slice(&header.mac).is_err() {
        return Err(damaged("its header does not verify"));
    }
    let Some((nonce, sealed)) = header.payload.split_at_checked(16) else {
        return Err(damaged("its content is missing"));
    };
    let cipher = payload_cipher(file_key.as_slice(), nonce);
    let chunks = sealed.len().div_ceil(CHUNK + TAG).max(1);
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    for number in 0..chunks {
        let last = number + 1 == chunks;
        let end = sealed.len().min((number + 1) * (CHUNK + TAG));
        let chunk = cipher.decrypt(&chunk_nonce(number as u64, last), &sealed[number * (CHUNK + TAG)..end]);
        let chunk =
            Zeroizing::new(chunk.map_err(|_| damaged(&format!("chunk {} does not verify", number + 1)))?);
        if chunk.is_empty() && number > 0 {
            return Err(damaged("an empty chunk stands at its end"));
        }
        plain.extend_from_slice(&chunk);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Different bytes at each call, the same in every run.
    fn random() -> impl FnMut(&mut [u8]) {
        let mut count = 0_u64;
        move |buffer: &mut [u8]| {
            for part in buffer.chunks_mut(32) {
                count += 1;
                let digest = crate::digest::Digest::of(&count.to_be_bytes());
                part.copy_from_slice(&digest.as_bytes()[..part.len()]);
            }
        }
    }

    #[test]
    fn what_is_encrypted_comes_back_for_every_recipient_and_for_nobody_else() {
        let random = &mut random();
        let [one, two, other] = [(); 3].map(|()| Identity::generate(random));
        for length in [0, 1, 15, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7] {
            let plain: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let sealed = encrypt(&plain, &[one.recipient(), two.recipient()], random).expect("encrypts");
            for with in [&one, &two] {
                let back = decrypt(&sealed, &[other.clone(), with.clone()]).expect("decrypts");
                assert_eq!(back.as_slice(), plain, "{length}");
            }
            let code = decrypt(&sealed, std::slice::from_ref(&other)).expect_err("another key").code;
            assert_eq!(code, Code::AgeOtherKey);
        }
        assert_eq!(encrypt(b"x", &[], random).expect_err("nobody").code, Code::AgeKey);
        assert_eq!(encrypt(b"x", &[Recipient([0; 32])], random).expect_err("no key").code, Code::AgeKey);
    }

    #[test]
    fn a_flipped_bit_or_a_cut_is_noticed() {
        let random = &mut random();
        let identity = Identity::generate(random);
        let sealed = encrypt(b"reads of a sealed set", &[identity.recipient()], random).expect("encrypts");
        let with = [identity];
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(decrypt(&changed, &with).is_err(), "byte {at}");
            assert!(decrypt(&sealed[..at], &with).is_err(), "cut at {at}");
        }
        assert!(decrypt(&[sealed.as_slice(), b"x"].concat(), &with).is_err());
        // Chunks that are dropped, doubled or changed in order.
        let plain = vec![7; 3 * CHUNK];
        let sealed = encrypt(&plain, &[with[0].recipient()], random).expect("encrypts");
        let start = sealed.len() - 3 * (CHUNK + TAG);
        let (head, chunks) = sealed.split_at(start);
        let part = |n: usize| &chunks[n * (CHUNK + TAG)..(n + 1) * (CHUNK + TAG)];
        for order in [&[0, 1][..], &[0, 2], &[1, 0, 2], &[0, 1, 2, 2], &[]] {
            let mut other = head.to_vec();
            order.iter().for_each(|n| other.extend(part(*n)));
            assert_eq!(
                decrypt(&other, &with).expect_err("another order").code,
                Code::AgeDamaged,
                "{order:?}"
            );
        }
    }

    #[test]
    fn keys_are_written_as_age_writes_them() {
        // Key pair of the age specification's test vectors: the secret key is 32 bytes of a known text.
        let identity = Identity::generate(&mut |buffer: &mut [u8]| buffer.fill(0x42));
        let text = identity.to_text();
        let back = identities(&text).expect("reads");
        assert_eq!(back[0].recipient(), identity.recipient());
        assert_eq!(Recipient::parse(&identity.recipient().to_string()), Ok(identity.recipient()));
        let secret = text.lines().nth(1).expect("the second line");
        assert!(
            secret.starts_with("AGE-SECRET-KEY-1") && identity.recipient().to_string().starts_with("age1")
        );
        let refused = Recipient::parse(secret).expect_err("a secret");
        assert!(!refused.to_string().contains(&secret[20..]), "{refused}");
        let refused =
            identities(&format!("{}x", &secret[..secret.len() - 1])).expect_err("a wrong character");
        assert!(!refused.to_string().contains(&secret[20..30]), "{refused}");
        for bad in ["", "age1", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "age1é", "\u{0}"] {
            assert_eq!(Recipient::parse(bad).expect_err(bad).code, Code::AgeKey);
        }
        assert!(identities("# only a comment\n").is_err());
    }
}
