//! Base64 (RFC 4648) and canonical JSON (RFC 8785), each in its one form.

use base64ct::{Base64, Encoding as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// With padding, in one line.
pub(super) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// The bytes of a text that [`base64`] gives; none for any other text, such as one with bits to spare.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64::decode_vec(text).ok()?;
    (base64(&bytes) == text).then_some(bytes)
}

/// Canonical JSON of texts, whole numbers, lists and objects.
pub(super) fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| unreachable!("text, whole numbers and maps"))
}

/// What a canonical JSON text says. Another form of the same, a key twice or an unknown one is refused,
/// because it is not what is written again.
///
/// # Errors
/// In words.
pub(super) fn from_canonical<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let value: T = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if canonical(&value) == bytes {
        Ok(value)
    } else {
        Err("is not canonical JSON (RFC 8785), or holds a key twice or one that has no meaning".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_form() {
        assert_eq!(from_base64("YQ==").as_deref(), Some(&b"a"[..]));
        for other in ["YQ", "YQ=", "YR==", "YQ==\n", " YQ==", "Y Q==", "YQ==YQ==", "-_=="] {
            assert_eq!(from_base64(other), None, "{other:?}");
        }
        assert_eq!(from_base64("").as_deref(), Some(&b""[..]));
    }

    #[test]
    fn json_has_one_form() {
        type Map = std::collections::BTreeMap<String, u64>;
        assert_eq!(from_canonical::<Map>(b"{\"a\":1,\"b\":2}").expect("canonical").len(), 2);
        for other in
            ["{\"b\":2,\"a\":1}", "{\"a\":1, \"b\":2}", "{\"a\":1,\"a\":1}", "{\"a\":1}\n", "{\"a\":1e0}"]
        {
            assert!(from_canonical::<Map>(other.as_bytes()).is_err(), "{other}");
        }
    }
}
