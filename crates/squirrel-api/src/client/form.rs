//! Parameters as they are sent.

/// `application/x-www-form-urlencoded`, also right for the query part of a URL.
pub(super) fn encode(parameters: &[(&str, String)]) -> String {
    let mut out = String::new();
    for (name, value) in parameters {
        if !out.is_empty() {
            out.push('&');
        }
        encode_part(&mut out, name);
        out.push('=');
        encode_part(&mut out, value);
    }
    out
}

fn encode_part(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
}
