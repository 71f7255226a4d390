//! A page of its own: a template with named places, `{{name}}`, filled once and not read again, so that what
//! is put in cannot open a place. For pages that are programs more than documents.

use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;
use crate::document::text;

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub enum Fill<'a> {
    /// A text from a study: escaped for HTML.
    Text(&'a str),
    /// A value for a script element of type `application/json`.
    Json(&'a serde_json::Value),
    /// Own HTML, style or script, as it is.
    Own(&'a str),
}

/// Fills a template.
///
/// # Errors
/// `template` for a place without a filling, and for a filling without a place.
pub fn fill(template: &str, places: &[(&str, Fill<'_>)]) -> Result<String, Diagnostic> {
    let wrong = |name: &str| Diagnostic::error(Code::Template, format!("the page has no place `{name}`"));
    let mut out = String::with_capacity(template.len());
    let mut used = vec![false; places.len()];
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| wrong("}}"))?;
        let at = places.iter().position(|(place, _)| *place == name).ok_or_else(|| wrong(name))?;
        out += before;
        match places[at].1 {
            Fill::Text(given) => out += &text::html(given),
            Fill::Json(value) => out += &json(value),
            Fill::Own(given) => out += given,
        }
        used[at] = true;
        rest = after;
    }
    if let Some(unused) = used.iter().position(|used| !used) {
        return Err(wrong(places[unused].0));
    }
    Ok(out + rest)
}

/// JSON that ends no script element.
fn json(value: &serde_json::Value) -> String {
    let escaped = |sign: char| match sign {
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(sign)),
        other => other.to_string(),
    };
    value.to_string().chars().map(escaped).collect()
}

/// What a Content Security Policy calls a script or style of this text.
pub fn source_of(text: &str) -> String {
    format!("'sha256-{}'", base64(Digest::of(text.as_bytes()).as_bytes()))
}

/// RFC 4648, section 4.
pub fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for sign in 0..4 {
            let place = (bits >> (18 - 6 * sign) & 63) as usize;
            out.push(if sign <= three.len() { char::from(SIGNS[place]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn nothing_that_is_put_in_ends_an_element_or_opens_a_place() {
        let evil = "</script><b>{{c}}&\u{2028}\"'";
        let value = json!({ "a": evil });
        let filled = fill(
            "<p title=\"{{a}}\">{{a}}</p><script type=\"application/json\">{{b}}</script>{{c}}",
            &[("a", Fill::Text(evil)), ("b", Fill::Json(&value)), ("c", Fill::Own("<i>"))],
        )
        .expect("fills");
        assert_eq!(filled.matches("</script>").count(), 1, "{filled}");
        assert!(!filled.contains("<b>") && filled.ends_with("<i>"), "{filled}");
        let begin = filled.find("json\">").expect("a script") + 6;
        let inside = &filled[begin..filled.find("</script>").expect("its end")];
        assert_eq!(serde_json::from_str::<serde_json::Value>(inside).expect("JSON"), value);
    }

    #[test]
    fn places_and_fillings_are_the_same() {
        for (template, places) in
            [("{{a}}", &[][..]), ("", &[("a", Fill::Own(""))]), ("{{a", &[("a", Fill::Own(""))])]
        {
            assert_eq!(fill(template, places).expect_err("refused").code, Code::Template, "{template}");
        }
    }
}
