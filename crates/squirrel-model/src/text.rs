//! Texts that come from outside, and the shapes of names.

use std::fmt;

/// Whether `name` may be a label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether `name` may be a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// Shows a text of unknown origin on a terminal or in a log, with everything escaped that could
/// move a cursor, hide, reorder or imitate: control characters (C0, DEL, C1), line breaks,
/// bidirectional controls, zero-width characters and tags.
pub struct Untrusted<'a>(pub &'a str);

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_hostile(c) {
                write!(f, "\\u{{{:x}}}", c as u32)?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

/// Whether a terminal could obey `c`, or a reader be deceived by it: what [`Untrusted`] escapes.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_shape_of_the_data_model() {
        assert!(is_label_name("device") && is_label_name("_x9"));
        assert!(!is_label_name("") && !is_label_name("9a") && !is_label_name("a:b") && !is_label_name("é"));
        assert!(is_metric_name("job:up:sum") && !is_metric_name("a-b") && !is_metric_name(""));
    }

    #[test]
    fn escape_sequences_and_reordering_are_shown_not_obeyed() {
        assert_eq!(Untrusted("eth0\x1b[2J").to_string(), "eth0\\u{1b}[2J");
        assert_eq!(Untrusted("a\u{202e}b\nc\u{9b}").to_string(), "a\\u{202e}b\\u{a}c\\u{9b}");
        assert_eq!(Untrusted("Größe 日本").to_string(), "Größe 日本");
    }
}
