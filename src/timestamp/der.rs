//! Strict DER (ITU-T X.690): one way to write a value, so that a changed byte is a changed value. No panic
//! whatever the bytes; nothing is copied.

/// Why bytes are not DER, in words.
pub(super) type Malformed = String;

/// `BOOLEAN`.
pub(super) const BOOLEAN: u8 = 0x01;
/// `INTEGER`.
pub(super) const INTEGER: u8 = 0x02;
/// `BIT STRING`.
pub(super) const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`.
pub(super) const OCTET_STRING: u8 = 0x04;
/// `NULL`.
pub(super) const NULL: u8 = 0x05;
/// `OBJECT IDENTIFIER`.
pub(super) const OBJECT: u8 = 0x06;
/// `UTF8String`.
pub(super) const UTF8: u8 = 0x0c;
/// `UTCTime`.
pub(super) const UTC_TIME: u8 = 0x17;
/// `GeneralizedTime`.
pub(super) const GENERALIZED_TIME: u8 = 0x18;
/// `SEQUENCE` and `SEQUENCE OF`.
pub(super) const SEQUENCE: u8 = 0x30;
/// `SET` and `SET OF`.
pub(super) const SET: u8 = 0x31;

/// `[number]` of a constructed value.
pub(super) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// `[number]` of a primitive value.
pub(super) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) tag: u8,
    /// What it holds.
    pub(super) body: &'a [u8],
    /// With tag and length.
    pub(super) whole: &'a [u8],
}

impl<'a> Item<'a> {
    /// Its parts, where it is constructed.
    pub(super) fn parts(&self) -> Reader<'a> {
        Reader { rest: self.body }
    }
}

/// Values one after another.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next value.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next value, whatever it is.
    pub(super) fn any(&mut self) -> Result<Item<'a>, Malformed> {
        let whole = self.rest;
        let (&tag, rest) = whole.split_first().ok_or("a value is missing")?;
        if tag & 0x1f == 0x1f {
            return Err("a tag above 30".to_owned());
        }
        let (&first, mut rest) = rest.split_first().ok_or("a length is missing")?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 || rest.len() < count {
                return Err("a length that is indefinite, cut or above 4 GiB".to_owned());
            }
            let (digits, after) = rest.split_at(count);
            rest = after;
            let length = digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
            if digits[0] == 0 || length < 0x80 {
                return Err("a length that is longer than it must be".to_owned());
            }
            length
        };
        if rest.len() < length {
            return Err("a value that ends before its length".to_owned());
        }
        let (body, after) = rest.split_at(length);
        self.rest = after;
        Ok(Item { tag, body, whole: &whole[..whole.len() - after.len()] })
    }

    /// The next value, which has this tag.
    pub(super) fn take(&mut self, tag: u8, what: &str) -> Result<Item<'a>, Malformed> {
        match self.peek() {
            Some(found) if found == tag => self.any(),
            Some(found) => Err(format!("{what}: tag {found:#04x} where {tag:#04x} belongs")),
            None => Err(format!("{what}: is missing")),
        }
    }

    /// The next value, if it has this tag.
    pub(super) fn maybe(&mut self, tag: u8) -> Result<Option<Item<'a>>, Malformed> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// The parts of the next value, which has this tag.
    pub(super) fn within(&mut self, tag: u8, what: &str) -> Result<Self, Malformed> {
        self.take(tag, what).map(|item| item.parts())
    }

    /// Nothing is left.
    pub(super) fn end(&self, what: &str) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("{what}: {} bytes too many", self.rest.len())) }
    }

    /// An object identifier: its bytes, as they are compared.
    pub(super) fn object(&mut self, what: &str) -> Result<&'a [u8], Malformed> {
        let item = self.take(OBJECT, what)?;
        let mut starts = true;
        for byte in item.body {
            if starts && *byte == 0x80 {
                return Err(format!("{what}: an object identifier that is longer than it must be"));
            }
            starts = byte & 0x80 == 0;
        }
        if item.body.is_empty() || !starts {
            return Err(format!("{what}: no object identifier"));
        }
        Ok(item.body)
    }

    /// An integer of any size, two's complement without a byte too many.
    pub(super) fn integer(&mut self, what: &str) -> Result<&'a [u8], Malformed> {
        let body = self.take(INTEGER, what)?.body;
        is_integer(body, what)
    }

    /// A small whole number from 0.
    pub(super) fn number(&mut self, what: &str) -> Result<u64, Malformed> {
        small(self.integer(what)?, what)
    }

    /// `TRUE` where it stands: DER leaves out what is `FALSE` by default.
    pub(super) fn default_false(&mut self, what: &str) -> Result<bool, Malformed> {
        match self.maybe(BOOLEAN)? {
            None => Ok(false),
            Some(item) if item.body == [0xff] => Ok(true),
            Some(_) => Err(format!("{what}: a value that is left out or true")),
        }
    }
}

/// Two's complement without a byte too many.
pub(super) fn is_integer<'a>(body: &'a [u8], what: &str) -> Result<&'a [u8], Malformed> {
    match body {
        [] => Err(format!("{what}: an empty number")),
        [0, next, ..] if next & 0x80 == 0 => Err(format!("{what}: a number longer than it must be")),
        [0xff, next, ..] if next & 0x80 != 0 => Err(format!("{what}: a number longer than it must be")),
        _ => Ok(body),
    }
}

/// A whole number from 0 that fits 63 bits.
pub(super) fn small(body: &[u8], what: &str) -> Result<u64, Malformed> {
    if body.len() > 8 || body.first().is_none_or(|first| first & 0x80 != 0) {
        return Err(format!("{what}: a number out of range"));
    }
    Ok(body.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

/// The digits of an object identifier, for messages.
pub(super) fn dotted(object: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut number: u128 = 0;
    for byte in object {
        number = (number << 7) | u128::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number -= first * 40;
            }
            numbers.push(number);
            number = 0;
        }
    }
    numbers.iter().map(u128::to_string).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_in_one_way() {
        let one = |bytes: &[u8]| Reader::new(bytes).any().map(|item| item.body.to_vec());
        assert_eq!(one(&[4, 2, 7, 8]), Ok(vec![7, 8]));
        for bad in [
            &[][..],
            &[4],
            &[4, 2, 7],
            &[4, 0x80, 0, 0],
            &[4, 0x81, 1, 7],
            &[4, 0x82, 0, 200],
            &[4, 0x85, 0, 0, 0, 0, 1, 7],
            &[0x1f, 1, 0],
        ] {
            assert!(one(bad).is_err(), "{bad:?}");
        }
        let long = [&[4, 0x81, 200][..], &[9; 200]].concat();
        assert_eq!(one(&long).map(|body| body.len()), Ok(200));
        for bad in [&[2, 0][..], &[2, 2, 0, 1], &[2, 2, 0xff, 0x80]] {
            assert!(Reader::new(bad).integer("n").is_err(), "{bad:?}");
        }
        assert_eq!(Reader::new(&[2, 2, 0, 0x80]).number("n"), Ok(128));
        assert!(Reader::new(&[2, 1, 0x80]).number("n").is_err(), "negative");
        for bad in [&[6, 0][..], &[6, 1, 0x80], &[6, 2, 0x80, 1]] {
            assert!(Reader::new(bad).object("o").is_err(), "{bad:?}");
        }
        assert_eq!(dotted(&[0x2b, 6, 1, 5, 5, 7, 3, 8]), "1.3.6.1.5.5.7.3.8");
        assert_eq!(dotted(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]), "2.16.840.1.101.3.4.2.1");
        assert!(Reader::new(&[1, 1, 0]).default_false("b").is_err());
        assert_eq!(Reader::new(&[1, 1, 0xff]).default_false("b"), Ok(true));
    }
}
