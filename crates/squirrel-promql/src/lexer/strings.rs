//! String literals, with the escapes of Go.

use super::TokenKind;

/// A string with its closing quote, and what it says.
pub(super) fn string(rest: &str, quote: char) -> (usize, TokenKind) {
    match read_string(rest, quote) {
        Ok((len, value)) => (len, TokenKind::String(value)),
        Err(message) => (rest.len(), TokenKind::Broken(message)),
    }
}

fn read_string(rest: &str, quote: char) -> Result<(usize, String), String> {
    let body = rest.get(1..).unwrap_or_default();
    if quote == '`' {
        let end = body.find('`').ok_or("the raw string is not closed: \"`\" is missing")?;
        return Ok((end + 2, body.get(..end).unwrap_or_default().to_owned()));
    }
    let mut bytes = Vec::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => break,
            '\\' => escape(&mut chars, quote, &mut bytes)?,
            c if c == quote => {
                let value = String::from_utf8(bytes).map_err(|_| "the string's escapes are not valid UTF-8")?;
                return Ok((at + 2, value));
            }
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(format!("the string is not closed: {quote} is missing"))
}

/// One escape after its backslash, as in Go's string literals.
fn escape(chars: &mut std::str::CharIndices<'_>, quote: char, out: &mut Vec<u8>) -> Result<(), String> {
    let unfinished = || "the string ends within an escape sequence".to_owned();
    let (_, c) = chars.next().ok_or_else(unfinished)?;
    let plain = match c {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        c if c == quote => c as u8,
        _ => 0,
    };
    if plain != 0 {
        out.push(plain);
        return Ok(());
    }
    let (mut value, radix, digits) = match c {
        '0'..='7' => (c.to_digit(8).unwrap_or_default(), 8, 2),
        'x' => (0, 16, 2),
        'u' => (0, 16, 4),
        'U' => (0, 16, 8),
        _ => return Err(format!("unknown escape sequence \\{c}")),
    };
    for _ in 0..digits {
        let (_, digit) = chars.next().ok_or_else(unfinished)?;
        let digit = digit.to_digit(radix).ok_or_else(|| format!("{digit:?} is no digit of an escape sequence"))?;
        value = value.checked_mul(radix).and_then(|v| v.checked_add(digit)).ok_or("the escape is no character")?;
    }
    if matches!(c, 'u' | 'U') {
        let c = char::from_u32(value).ok_or("the escape sequence is no Unicode character")?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.push(u8::try_from(value).map_err(|_| "the octal escape is above \\377")?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{TokenKind, tokens};

    #[test]
    fn escapes_are_resolved_and_bad_ones_refused() {
        let first = |t: &str| tokens(t)[0].kind.clone();
        let text = |t: &str| match first(t) {
            TokenKind::String(s) => s,
            other => format!("{other:?}"),
        };
        assert_eq!(text(r#""a\n\"\x41\101\u00e9\U0001F43F""#), "a\n\"AAé🐿");
        assert_eq!(text(r"'it\'s'"), "it's");
        assert_eq!(text("`a\\n\nb`"), "a\\n\nb");
        for bad in [r#""\q""#, r#""\xff""#, r#""\ud800""#, r#""\'""#, "\"a\nb\"", "'a", "`a", r#""\"#, r#""\x4"#] {
            assert!(matches!(first(bad), TokenKind::Broken(_)), "{bad}");
        }
    }
}
