//! Who said what: keys, statements, the envelopes that carry them, and whose word counts.
//!
//! A statement is an in-toto Statement v1 in canonical JSON; it lies in a DSSE envelope, or beside an SSHSIG.
//! Everything here takes one form alone: a byte more, a key twice, base64 with bits to spare are refused, and
//! no bytes make it panic. There are no files, no clock and no generator: random bytes and times come in.

mod encoding;
pub mod envelope;
pub mod key;
pub mod oms;
mod pem;
pub mod private;
pub mod ssh;
pub mod statement;
pub mod trust;
pub mod verified;
mod wire;

pub use envelope::{Signed, open_envelope, open_ssh, seal};
pub use key::{Algorithm, PublicKey};
pub use private::PrivateKey;
pub use statement::{Kind, Meaning, Signer, Statement, Subject};
pub use trust::Trust;

#[cfg(test)]
mod tests;
