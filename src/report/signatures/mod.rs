//! Who signed a bundle, as a document beside the others: what 21 CFR 11.50 wants to be read with a signature
//! (printed name, time, meaning), and what of it is shown. A signature comes after the documents of a bundle
//! and cannot be inside them; this one is made from bundle and signatures, and gives the same bytes again.

mod content;
mod record;

#[cfg(test)]
mod tests;

pub use content::render;
pub use record::{Judged, NAME, Record, Signature};
