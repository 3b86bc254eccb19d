//! Fields of documents that arrive in any pieces.

use proptest::prelude::*;

use super::*;

fn found(paths: &[&str], message: &[u8], cut: usize) -> Vec<String> {
    let paths = FieldPaths::new(paths).unwrap();
    let mut reader = FieldReader::new(&paths);
    message.chunks(cut).for_each(|piece| reader.push(piece));
    reader.found().map(|(place, value)| format!("{} {value:?}", paths.name(place))).collect()
}

#[test]
fn values_are_found_by_their_paths_however_the_message_is_cut() {
    let message = r#"{"id":7,"params":{"x":[{"name":1}],"name":"a\u0062","arguments":{"size":1.5e2,"deep":{"size":-3}},
            "a.b":"dot","yes":true,"name2":"z"},"result":"text"}"#;
    let paths = ["id", "params.name", "params.arguments.size", "params.arguments.deep.size", r"params.a\.b"];
    let more = ["params.yes", "params.arguments", "params.x", "params.none", "result.none", "result"];
    let expected = [
        "id Number(7.0)",
        "params.name Text(\"ab\")",
        "params.arguments.size Number(150.0)",
        "params.arguments.deep.size Number(-3.0)",
        "params.a\\.b Text(\"dot\")",
        "params.yes Other",
        "params.arguments Other",
        "params.x Other",
        "result Text(\"text\")",
    ];
    for cut in 1..=message.len() {
        assert_eq!(found(&[&paths[..], &more[..]].concat(), message.as_bytes(), cut), expected, "{cut}");
    }
}

#[test]
fn the_last_of_several_counts_and_what_is_unusable_is_other() {
    let long = format!(r#"{{"a":1,"a":"{}"}}"#, "x".repeat(65));
    for (message, value) in [
        (r#"{"a":1,"a":"b"}"#, &["a Text(\"b\")"][..]),
        (long.as_str(), &["a Other"]),
        (r#"{"a":1e999}"#, &["a Other"]),
        (r#"{"a":null}"#, &["a Other"]),
        (r#"{"a":nul"#, &[]),
        (r#"{"a":1 x"#, &[]),
        (r#"{"a":"\x"}"#, &[]),
        ("[7]", &[]),
        ("", &[]),
    ] {
        assert_eq!(found(&["a"], message.as_bytes(), 5), value, "{message}");
    }
}

proptest! {
    #[test]
    fn any_octets_give_the_same_values_however_cut(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "{", "}", "[", "]", "\"a\"", "\"b\"", ":", ",", "1", "-", "true", "\"", "\\", " ", "\"\\u0061\"", "é",
        ]), 0..60),
        cut in 1_usize..9,
    ) {
        let message = format!("{{{}", pieces.concat());
        let paths = ["a", "a.b", "a.b.a", "b"];
        prop_assert_eq!(found(&paths, message.as_bytes(), cut), found(&paths, message.as_bytes(), usize::MAX));
    }
}
