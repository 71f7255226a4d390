use super::*;
use crate::report::submission::Formats;

fn record() -> Record {
    let text = |text: &str| text.to_owned();
    Record {
        study: text("a <study>"),
        run: text("run-1"),
        root: "ab".repeat(32),
        created: text("2026-01-01T00:00:00Z"),
        conclusion: text("met"),
        verdicts: vec![Judged {
            id: text("auc"),
            criterion: text("lower > 0.70"),
            bound: text("0.8123"),
            verdict: text("met"),
        }],
        signatures: vec![Signature {
            file: text("approval-0011.dsse.json"),
            name: text("A. *Example* | <b>"),
            role: text("statistician"),
            meaning: text("approval"),
            of: text("the bundle"),
            at: text("2026-01-31T12:00:00Z"),
            key: "cd".repeat(32),
        }],
        fonts: Vec::new(),
    }
}

#[test]
fn the_record_prints_name_role_meaning_time_and_key_and_is_the_same_again() {
    let files = render(&record(), Formats::WithoutPdf).expect("renders");
    let text = |name: &str| {
        let bytes = files.iter().find(|(path, _)| path.as_str() == name).expect("is written").1;
        String::from_utf8(bytes.clone()).expect("UTF-8")
    };
    let html = text("signatures.html");
    for words in [
        "a &lt;study&gt;",
        "A. *Example* | &lt;b&gt;",
        "statistician",
        "approval",
        "2026-01-31T12:00:00Z",
        "not shown",
        "lower &gt; 0.70",
        "0.8123",
        &"ab".repeat(32),
        &"cd".repeat(32),
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert!(!html.contains("<b>") && text("signatures.md").contains("statistician"));
    assert_eq!(render(&record(), Formats::WithoutPdf).expect("renders"), files);
}
