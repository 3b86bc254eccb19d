//! Texts that cannot do what they say: cut, cleaned, escaped.

use squirrel_model::is_hostile;

/// What stands where a text was cut.
const CUT: char = '…';

/// A text on one line of at most `most` characters: what could move, hide or reorder is written out.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    clean(text, most, |c| c == '\n' || c == '\r' || c == '\t', |_| " ")
}

/// A text whose line breaks stay.
pub(super) fn lines(text: &str, most: usize) -> String {
    clean(
        text,
        most,
        |c| c == '\n' || c == '\t' || c == '\r',
        |c| match c {
            '\n' => "\n",
            '\t' => " ",
            _ => "",
        },
    )
}

fn clean(text: &str, most: usize, is_kept: impl Fn(char) -> bool, kept: impl Fn(char) -> &'static str) -> String {
    let mut out = String::with_capacity(text.len().min(4 * most));
    let mut left = most;
    for c in text.chars() {
        let written = if is_kept(c) {
            kept(c).to_owned()
        } else if is_hostile(c) {
            format!("\\u{{{:x}}}", c as u32)
        } else {
            c.to_string()
        };
        let width = written.chars().count();
        if width >= left && width > 0 {
            out.push(CUT);
            break;
        }
        left -= width;
        out += &written;
    }
    out
}

/// A text, each character of it escaped by `escape`, as much of it as has room in `most` units, which `size` counts.
/// An escaped character is there as a whole or not at all.
pub(super) fn escaped_within(
    text: &str,
    most: usize,
    size: impl Fn(&str) -> usize,
    escape: impl Fn(char, &mut String),
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut piece = String::new();
    let mut used = 0;
    let mut fits_with_mark = 0;
    for c in text.chars() {
        piece.clear();
        escape(c, &mut piece);
        used += size(&piece);
        if used > most {
            out.truncate(fits_with_mark);
            out.push(CUT);
            return out;
        }
        out += &piece;
        if used + size("…") <= most {
            fits_with_mark = out.len();
        }
    }
    out
}

/// Octets as hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |text, octet| text + &format!("{octet:02x}"))
}

/// Characters, by Unicode's count.
pub(super) fn characters(text: &str) -> usize {
    text.chars().count()
}

/// Units of UTF-16, by which services written in JavaScript or C# count.
pub(super) fn utf16_units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Octets.
pub(super) fn octets(text: &str) -> usize {
    text.len()
}

/// A character that stands for itself.
pub(super) fn as_it_is(c: char, out: &mut String) {
    out.push(c);
}

/// HTML's text and quoted attributes.
pub(super) fn html(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// A whole text for HTML.
pub(super) fn html_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| html(c, &mut out));
    out
}

/// Discord's Markdown: behind a backslash each sign stands for itself, so that nothing is bold, a link or a mention.
pub(super) fn markdown(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

/// An address that stands in a message as a link: only of the web, and none that is long or holds what would end it.
pub(super) fn link(url: &str) -> Option<&str> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '|' | '\\' | '^' | '`' | '\'');
    (is_web && url.len() <= 1000 && url.chars().all(is_plain)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_whole_characters_and_marked() {
        assert_eq!(one_line("abc", 3), "ab…", "room for the mark is kept");
        assert_eq!(one_line("abc", 4), "abc");
        assert_eq!(one_line("a\r\nb\u{202e}c\u{1b}[2J", 100), "a  b\\u{202e}c\\u{1b}[2J");
        assert_eq!(lines("a\r\nb\tc\0", 100), "a\nb c\\u{0}");
        assert_eq!(escaped_within("a<b", 6, characters, html), "a&lt;b");
        assert_eq!(escaped_within("a<b", 5, characters, html), "a…", "no half of an entity");
        assert_eq!(escaped_within("ééé", 5, octets, as_it_is), "é…");
        assert_eq!(escaped_within("a*b", 100, characters, markdown), "a\\*b");
    }

    #[test]
    fn only_plain_addresses_become_links() {
        assert_eq!(link("https://a.example/x?y=%20#z"), Some("https://a.example/x?y=%20#z"));
        for url in
            ["", "javascript:alert(1)", "https://a b", "https://a>x", "https://a|x", "https://a\u{202e}x", "ftp://x"]
        {
            assert_eq!(link(url), None, "{url}");
        }
    }
}
