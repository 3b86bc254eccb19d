//! What is wrong with a JSON document that cannot be read, in words of our own: where it is, what was found there and
//! what belongs there.

use serde_json::error::Category;
use squirrel_model::{Untrusted, is_label_name};

/// Longest sentence, in characters.
const LONGEST: usize = 500;

/// The sentence about a document that could not be read; `what` names it, such as `the report`.
pub(super) fn sentence(what: &str, body: &[u8], error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    let near = field_before(body, error).map_or_else(String::new, |field| format!(", near {field:?}"));
    let text = match error.classify() {
        Category::Eof => format!("{what} ends too early, at {place}{near}"),
        Category::Syntax | Category::Io => {
            let told = error.to_string();
            let wrong = match told.split(" at line ").next() {
                Some("number out of range") => "has a number that is too large",
                Some("recursion limit exceeded") => "is nested too deeply",
                _ => "is no JSON",
            };
            format!("{what} {wrong} at {place}{near}")
        }
        Category::Data => format!("{what} is not as it should be at {place}{near}: {}", mistake(&error.to_string())),
    };
    Untrusted(&text).to_string().chars().take(LONGEST).collect()
}

/// What is wrong with the value.
fn mistake(told: &str) -> String {
    let name = || told.split('`').nth(1).unwrap_or_default().to_owned();
    let told_without_place = told.rsplit_once(" at line ").map_or(told, |(told, _)| told);
    if told.starts_with("missing field") {
        format!("the field {:?} is missing", name())
    } else if told.starts_with("duplicate field") {
        format!("the field {:?} stands twice", name())
    } else if told.starts_with("unknown field") {
        format!("there is no field {:?}", name())
    } else if told.starts_with("unknown variant") {
        format!("the word {:?} means nothing there", name())
    } else if let Some((found, expected)) = told_without_place.split_once(", expected ") {
        let found = found.split_once(": ").map_or(found, |(_, found)| found);
        format!("{} stands there, and {} belongs there", kind(found), kind(expected))
    } else {
        "a value is not allowed there".to_owned()
    }
}

/// A kind of value, by the words that the parser has for it.
fn kind(words: &str) -> &'static str {
    const KINDS: [(&[&str], &str); 6] = [
        (&["string", "a string", "str", "borrowed string", "character"], "a text"),
        (
            &["integer", "floating", "u8", "u16", "u32", "u64", "usize", "i32", "i64", "f64", "a number", "number"],
            "a number",
        ),
        (&["boolean", "a boolean"], "true or false"),
        (&["null", "unit", "unit value"], "null"),
        (&["sequence", "a sequence", "tuple", "an array"], "a list"),
        (&["map", "a map", "struct"], "an object"),
    ];
    let known = KINDS.iter().find(|(words_of_it, _)| {
        words_of_it
            .iter()
            .any(|word| words.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '`'])))
    });
    known.map_or("another value", |(_, kind)| kind)
}

/// The name of the field whose value ends where the error was met: the parser knows the place only.
fn field_before<'a>(body: &'a [u8], error: &serde_json::Error) -> Option<&'a str> {
    let before = error.line().checked_sub(1)?;
    let line = body.split(|octet| *octet == b'\n').nth(before)?;
    let text = line.get(..error.column().min(line.len()))?;
    let end = text.windows(2).rposition(|pair| pair == b"\":")?;
    let name = text.get(..end)?;
    let name = name.get(name.iter().rposition(|octet| *octet == b'"')? + 1..)?;
    std::str::from_utf8(name).ok().filter(|name| is_label_name(name) && name.len() <= 64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use squirrel_api::application::ApplicationReport;

    use super::*;

    fn said<T: serde::de::DeserializeOwned>(body: &str) -> String {
        let error = serde_json::from_str::<T>(body).map(|_| ()).unwrap_err();
        sentence("the report", body.as_bytes(), &error)
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read into")]
    struct Small {
        pid: u32,
        names: Vec<String>,
        state: State,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum State {
        Raised,
    }

    #[test]
    fn each_mistake_is_told_in_words_and_with_its_place() {
        for (body, expected) in [
            ("{", "the report ends too early, at line 1, column 1"),
            ("{\"pid\": 1,}", "the report is no JSON at line 1, column 11, near \"pid\""),
            ("{\"pid\": \"7\"}", "column 11, near \"pid\": a text stands there, and a number belongs there"),
            ("{\"pid\": -7}", "a number stands there, and a number belongs there"),
            ("{\"names\": {}}", "an object stands there, and a list belongs there"),
            ("{\"names\": [null]}", "null stands there, and a text belongs there"),
            ("{\"pid\": 1, \"names\": []}", "the field \"state\" is missing"),
            ("{\"pid\": 1, \"pid\": 2}", "the field \"pid\" stands twice"),
            ("{\"ppid\": 1}", "there is no field \"ppid\""),
            ("{\"state\": \"asleep\"}", "the word \"asleep\" means nothing there"),
            ("{\"pid\": 1e999}", "has a number that is too large"),
        ] {
            let said = said::<Small>(body);
            assert!(said.contains(expected), "{body}: {said}");
        }
        let hostile = said::<Small>("{\"\u{1b}[2J\": 1}");
        assert!(!hostile.contains('\u{1b}'), "{hostile}");
    }

    proptest! {
        #[test]
        fn any_document_is_answered_without_the_parsers_own_words(body in "[\\[\\]{}:,\"a-z0-9 .\\n-]{0,60}") {
            if let Err(error) = serde_json::from_str::<ApplicationReport>(&body) {
                let said = sentence("the report", body.as_bytes(), &error);
                prop_assert!(said.starts_with("the report") && said.chars().count() <= LONGEST);
                for word in ["invalid type", "expected ", "EOF", "struct ", "ident"] {
                    prop_assert!(!said.contains(word) || body.contains(word), "{}", said);
                }
            }
        }
    }
}
