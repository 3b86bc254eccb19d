//! Just enough of Rust's grammar to find functions and words in a source file.
//!
//! A real parser would be the slowest thing that a fresh machine builds first; comments, literals,
//! attributes and braces are all that the checks need to tell apart.

use std::ops::Range;

/// A function as it stands in a file.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// The paths of its attributes: `test`, `tokio::test`, `ignore`.
    pub(crate) attributes: Vec<String>,
    /// The attributes whole, with blanked literals.
    pub(crate) attribute_text: String,
    /// What stands between its braces, as a range of the blanked text.
    pub(crate) body: Range<usize>,
}

impl Function {
    /// Whether a test runner runs it: `#[test]`, `#[tokio::test]` and the like.
    pub(crate) fn is_test(&self) -> bool {
        self.attributes.iter().any(|path| path.rsplit("::").next() == Some("test"))
    }
}

/// The same text with comments and the content of literals replaced by spaces, byte for byte, so
/// that positions and lines stay what they were.
pub(crate) fn blank(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(end) = literal_end(bytes, at) {
            for byte in &mut out[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            at = end;
        } else if is_word(bytes[at]) {
            at += bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
        } else {
            at += 1;
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

/// The end of the comment or literal that begins at `at`, when one does.
fn literal_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..];
    let length = match rest {
        [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => comment_length(rest),
        [b'"', ..] => quoted_length(rest, b'"'),
        [b'\'', b'\\', ..] => quoted_length(rest, b'\''),
        [b'\'', first, ..] => {
            // A lifetime has no closing quote after one character.
            let width = 1 + usize::from(*first >= 0xC0) + usize::from(*first >= 0xE0) + usize::from(*first >= 0xF0);
            if rest.get(1 + width) != Some(&b'\'') {
                return None;
            }
            width + 2
        }
        _ => {
            let prefix = rest.iter().take_while(|byte| matches!(byte, b'r' | b'b' | b'c')).count();
            if prefix == 0 || prefix > 2 {
                return None;
            }
            let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
            let raw = rest[..prefix].contains(&b'r');
            match rest.get(prefix + hashes)? {
                b'"' if raw => raw_length(rest, prefix + hashes, hashes),
                b'"' if hashes == 0 => prefix + quoted_length(&rest[prefix..], b'"'),
                b'\'' if hashes == 0 && !raw => prefix + quoted_length(&rest[prefix..], b'\''),
                _ => return None,
            }
        }
    };
    Some((at + length).min(text.len()))
}

fn comment_length(text: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// Length of a literal between two `quote`s, escapes heeded.
fn quoted_length(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn raw_length(text: &[u8], opening: usize, hashes: usize) -> usize {
    let closes = |at: usize| {
        text[at] == b'"' && text[at + 1..].iter().take_while(|byte| **byte == b'#').take(hashes).count() == hashes
    };
    (opening + 1..text.len()).find(|at| closes(*at)).map_or(text.len(), |at| at + 1 + hashes)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The identifiers, keywords and numbers of a blanked text, with their positions.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().take_while(|byte| !is_word(**byte)).count();
        let start = at;
        at += bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
        (start < at).then(|| (start, &text[start..at]))
    })
}

/// The line, counted from 1, of a position.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// All functions with a body in a blanked text, nested ones and those inside macros too.
pub(crate) fn functions(text: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, word) in words(text) {
        if word != "fn" {
            continue;
        }
        let Some((name_at, name)) = words(&text[at + 2..]).next() else { continue };
        if !text[at + 2..at + 2 + name_at].bytes().all(|byte| byte.is_ascii_whitespace()) {
            continue; // a pointer type: `fn(u8)`
        }
        let Some(body) = body_after(text, at + 2 + name_at) else { continue };
        let before = &text[..at];
        let start = before.rfind([';', '{', '}']).map_or(0, |brace| brace + 1);
        let attribute_text = before[start..].to_string();
        let attributes = attribute_paths(&attribute_text);
        found.push(Function { name: name.to_string(), line: line_of(text, at), attributes, attribute_text, body });
    }
    found
}

/// The range between the braces that follow a signature; `None` for a declaration without body.
fn body_after(text: &str, signature: usize) -> Option<Range<usize>> {
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate().skip(signature) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(at + 1..closing_brace(text, at)),
            _ => {}
        }
    }
    None
}

/// The position of the brace that closes the one at `opening`; the end of the text when none does.
pub(crate) fn closing_brace(text: &str, opening: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate().skip(opening) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    text.len()
}

fn attribute_paths(text: &str) -> Vec<String> {
    let after = text.split("#[").skip(1);
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    after.map(|rest| rest.trim_start().chars().take_while(|c| is_path(*c)).collect()).collect()
}

/// The ranges of `#[cfg(test)] mod … { … }` in a blanked text.
pub(crate) fn test_modules(text: &str) -> Vec<Range<usize>> {
    let starts = text.match_indices("#[cfg(test)]").map(|(at, _)| at);
    let module = |at: usize| {
        let after = &text[at..];
        let opening = at + after.find('{')?;
        let head = &text[at..opening];
        (words(head).any(|(_, word)| word == "mod") && !head.contains(';')).then(|| at..closing_brace(text, opening))
    };
    starts.filter_map(module).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_nothing_else_moves() {
        let cases = [
            ("line comment", "a // unsafe\nb", "a          \nb"),
            ("nested comment", "a /* x /* y */ z */ b", "a                   b"),
            ("string with escape", r#"f("a\"b") + 1"#, "f(      ) + 1"),
            ("raw string", "f(r#\"a\"b\"#) + 1", "f(        ) + 1"),
            ("byte string", "f(b\"ab\")", "f(     )"),
            ("char", "f('{', '\\'', 'é')", "f(   ,     ,     )"),
            ("lifetime", "fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("raw identifier", "r#type + br + c", "r#type + br + c"),
            ("word that ends like a prefix", "var\"x\"", "var   "),
        ];
        for (name, source, expected) in cases {
            assert_eq!(blank(source), expected, "{name}");
        }
    }

    #[test]
    fn an_unfinished_literal_ends_with_the_text() {
        for source in ["\"abc", "r##\"abc\"#", "/* abc", "'\\", "b\"\\"] {
            assert_eq!(blank(source).trim(), "", "{source}");
        }
    }

    #[test]
    fn functions_are_found_with_attributes_and_bodies() {
        let source = "proptest! {\n #[test]\n #[cfg(a)]\n fn p(x in vec(any::<u8>(), 0..3)) { a(); }\n}\n\
                      #[tokio::test(flavor = \"x\")]\nasync fn q() -> Result<(), E> { b() }\nfn r(f: fn(u8)) {}\n\
                      trait T { fn s(&self); }";
        let text = blank(source);
        let found = functions(&text);
        let seen: Vec<(&str, usize, bool)> = found.iter().map(|f| (f.name.as_str(), f.line, f.is_test())).collect();
        assert_eq!(seen, [("p", 4, true), ("q", 7, true), ("r", 8, false)]);
        assert_eq!(&text[found[0].body.clone()], " a(); ");
    }

    #[test]
    fn modules_for_tests_are_found() {
        let text = blank("fn a() {}\n#[cfg(test)]\nmod tests { fn b() { } }\n#[cfg(test)]\nmod other;\nfn c() {}");
        let found = test_modules(&text);
        assert_eq!(found.len(), 1);
        assert!(text[found[0].clone()].contains("fn b") && !text[found[0].clone()].contains("fn c"));
    }
}
