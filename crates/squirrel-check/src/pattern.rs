//! Patterns in Go's syntax (RE2), as modules are written with, turned into that of the engine here.
//!
//! Both know the same expressions and run in linear time, but differ in small things: a brace that counts nothing is a
//! character in Go, `[` within a class too, `\d`, `\s`, `\w` and `\b` mean ASCII alone, and `\Q…\E` quotes.
//!
//! <https://github.com/google/re2/wiki/Syntax>

use regex::bytes::{Regex, RegexBuilder};
use squirrel_model::REGEX_BYTES;

/// A pattern, ready to look for.
///
/// # Errors
/// A sentence about what is wrong with it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&from_go(pattern)).octal(true).size_limit(REGEX_BYTES).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            format!("the pattern compiles to more than {REGEX_BYTES} bytes: repeat less")
        }
        error => {
            // The last line says what is wrong; those before draw the pattern as it is meant here.
            let text = error.to_string();
            format!(
                "the pattern cannot be read: {}",
                text.lines().last().unwrap_or_default().trim_start_matches("error: ")
            )
        }
    })
}

/// The same pattern for `regex::bytes`, with its option `octal`. What is no pattern stays none.
fn from_go(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    // Whether a class is open, and whether the next character is its first.
    let mut class: Option<bool> = None;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let is_first = class == Some(true);
        if class.is_some() {
            class = Some(false);
        }
        rest = match (c, class.is_some()) {
            ('\\', is_in_class) => escape(after, is_in_class, &mut out),
            ('[', false) => {
                class = Some(true);
                out.push('[');
                let negated = after.strip_prefix('^');
                if negated.is_some() {
                    out.push('^');
                }
                negated.unwrap_or(after)
            }
            (']', true) if !is_first => {
                class = None;
                out.push(']');
                after
            }
            ('[', true) if after.starts_with(':') => named_class(after, &mut out),
            // Sets within sets, and what joins them, are this engine's own.
            ('[' | ']' | '&' | '~', true) => {
                out.push('\\');
                out.push(c);
                after
            }
            // A range that begins with a hyphen, or ends with one.
            ('-', true) if is_first && after.starts_with('-') => {
                out.push_str("\\-");
                after
            }
            ('-', true) if after.starts_with('-') => {
                out.push_str("-\\-");
                after.get(1..).unwrap_or_default()
            }
            ('{', false) if !is_count(after) => {
                out.push_str("\\{");
                after
            }
            _ => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// `[:alpha:]`, which both know; a bracket that begins no such name is a character.
fn named_class<'t>(after: &'t str, out: &mut String) -> &'t str {
    let end = after.find(":]").filter(|end| {
        let name = after.get(1..*end).unwrap_or_default();
        name.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'^') && !name.is_empty()
    });
    if let Some(end) = end {
        let (name, rest) = after.split_at(end + 2);
        out.push('[');
        out.push_str(name);
        rest
    } else {
        out.push_str("\\[");
        after
    }
}

/// What follows a backslash; gives the rest.
fn escape<'t>(after: &'t str, is_in_class: bool, out: &mut String) -> &'t str {
    let Some(c) = after.chars().next() else {
        out.push('\\');
        return after;
    };
    let rest = after.get(c.len_utf8()..).unwrap_or_default();
    match c {
        'Q' => {
            let (quoted, rest) = rest.split_once("\\E").unwrap_or((rest, ""));
            out.push_str(&regex::escape(quoted));
            return rest;
        }
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        's' => out.push_str("[\\t\\n\\f\\r ]"),
        'S' => out.push_str("[^\\t\\n\\f\\r ]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        'b' | 'B' if !is_in_class => {
            out.push_str("(?-u:\\");
            out.push(c);
            out.push(')');
        }
        // One digit alone is a reference to a group, which neither has; more are a character's number.
        '1'..='7' if !rest.starts_with(|c| matches!(c, '0'..='7')) => out.push_str("\\9"),
        'C' if !is_in_class => out.push_str("(?s-u:.)"),
        // A word's edge in this engine, a character in Go.
        '<' | '>' => out.push(c),
        _ => {
            out.push('\\');
            out.push(c);
            // Braces that belong to the escape, and are no count: \x{41}, \p{Greek}.
            if matches!(c, 'x' | 'p' | 'P') && rest.starts_with('{') {
                let (braces, rest) = rest.split_at(rest.find('}').map_or(rest.len(), |end| end + 1));
                out.push_str(braces);
                return rest;
            }
        }
    }
    rest
}

/// Whether what follows an opening brace makes it a count: `2}`, `2,}`, `2,3}`.
fn is_count(after: &str) -> bool {
    let Some((inner, _)) = after.split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, "0"));
    let is_number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern).unwrap().is_match(text.as_bytes())
    }

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, yes, no) in [
            (r#"{"status":"ok"}"#, r#"{"status":"ok"}"#, "status"),
            ("^a{2}$", "aa", "a{2}"),
            ("^a{2,}$", "aaa", "a"),
            ("^a{,2}$", "a{,2}", "aa"),
            ("^a{x$", "a{x", "ax"),
            (r"^\d+$", "12", "٣"),
            (r"^\w$", "_", "ä"),
            (r"^[\w-]+$", "a-b", "ä"),
            (r"^[^\s]$", "a", " "),
            (r"^\Qa.b\E$", "a.b", "axb"),
            (r"\Q[", "x[", "x"),
            (r"^[[]$", "[", "]"),
            (r"^[]]$", "]", "["),
            (r"^[^]]$", "a", "]"),
            (r"^[a&&b]+$", "a&b", "-"),
            (r"^[a~]$", "~", "b"),
            (r"^[+--]$", ",", "a"),
            (r"^[--/]$", ".", "a"),
            (r"^[[:alpha:]]$", "q", "1"),
            (r"^[[:]$", ":", "a"),
            (r"^\<b\>$", "<b>", "b"),
            (r"^\x{41}\x42$", "AB", "ab"),
            (r"^\p{Greek}$", "α", "a"),
            (r"^\101$", "A", "101"),
            (r"\bfoo\b", "a foo b", "foobar"),
            (r"(?i)^HELLO$", "hello", "hell"),
            (r"^a\{b$", "a{b", "a\\{b"),
        ] {
            assert!(matches(pattern, yes), "{pattern} finds {yes}: {}", from_go(pattern));
            assert!(!matches(pattern, no), "{pattern} does not find {no}: {}", from_go(pattern));
        }
    }

    #[test]
    fn what_go_cannot_read_is_read_nowhere() {
        for pattern in ["(", "[a", "(?=a)", r"(a)\1", r"\y", "[z-a]", "*a", "a{3,2}", r"\"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_survived(pattern in "\\PC{0,30}|[\\\\\\[\\]{}()QEdwsbxp:&~,0-9a-c-]{0,20}") {
            let _ = compile(&pattern);
        }

        /// Letters and digits are nothing special in either.
        #[test]
        fn words_find_themselves(word in "[a-zA-Z0-9 äß{}]{1,20}") {
            proptest::prop_assume!(!word.contains('{') || !word.contains('}'));
            proptest::prop_assert!(matches(&word, &word));
        }
    }
}
