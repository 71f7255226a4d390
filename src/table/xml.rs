//! What XML writes for a sign.

/// One of the five entities of XML, or a sign by its number; every other stays as it is written, so that no
/// text grows.
pub fn entity(name: &str) -> String {
    let sign = name.strip_prefix('#').and_then(|number| {
        let code = match number.strip_prefix('x') {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code)
    });
    match (name, sign) {
        (_, Some(sign)) => sign.to_string(),
        ("lt", _) => "<".to_owned(),
        ("gt", _) => ">".to_owned(),
        ("amp", _) => "&".to_owned(),
        ("quot", _) => "\"".to_owned(),
        ("apos", _) => "'".to_owned(),
        _ => format!("&{name};"),
    }
}
