//! Numbers as Go writes them, and `printf`. <https://pkg.go.dev/fmt>

use super::value::Value;

/// Widest padding and longest precision that are obeyed: nobody reads more.
const MAX_WIDTH: usize = 1_000;

/// A number by one of Go's verbs `e`, `f`, `g`; without a precision, the shortest that reads back.
pub(super) fn float_text(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    match (verb, precision) {
        ('e', precision) => exponent_text(value, precision),
        ('f', Some(precision)) => format!("{value:.precision$}"),
        ('f', None) => format!("{value}"),
        (_, precision) => {
            let significant = precision.map(|p| p.max(1));
            let written = exponent_text(value, significant.map(|p| p - 1));
            let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let mantissa =
                if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
            // Go decides about the shortest form as if six digits were asked for.
            let limit = significant.map_or(SHORTEST_LIMIT, |p| p as i32);
            if exponent < -4 || exponent >= limit {
                return format!("{mantissa}e{}", exponent_digits(exponent));
            }
            let digits = mantissa.chars().filter(char::is_ascii_digit).count() as i32;
            format!("{value:.*}", (digits - 1 - exponent).max(0) as usize)
        }
    }
}

/// From this exponent on the shortest form is written with it.
const SHORTEST_LIMIT: i32 = 6;

fn exponent_text(value: f64, precision: Option<usize>) -> String {
    let text = precision.map_or_else(|| format!("{value:e}"), |p| format!("{value:.p$e}"));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{mantissa}e{}", exponent_digits(exponent.parse().unwrap_or(0)))
}

fn exponent_digits(exponent: i32) -> String {
    format!("{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// What stands between `%` and the verb.
#[derive(Default)]
struct Flags {
    /// What stands before a number that is not negative: `+` or a space.
    sign: Option<char>,
    /// Filled up behind the value.
    minus: bool,
    /// Filled up with zeros.
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// `printf`: a mistake is written into the text, as Go does it.
pub(super) fn printf(format: &str, args: &[Value]) -> String {
    let mut out = String::new();
    let mut args_left = args.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = Flags::default();
        while let Some(c) = chars.next_if(|c| matches!(c, '+' | '-' | ' ' | '0' | '#')) {
            match c {
                '+' => flags.sign = Some(c),
                ' ' => flags.sign = flags.sign.or(Some(c)),
                '-' => flags.minus = true,
                '0' => flags.zero = true,
                // The alternate forms of `#` are of no use for people's texts: taken, and not obeyed.
                _ => {}
            }
        }
        flags.width = number(&mut chars).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            flags.precision = Some(number(&mut chars).unwrap_or(0));
        }
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match args_left.next() {
                None => out.push_str(&format!("%!{verb}(MISSING)")),
                Some(value) => out.push_str(&one(verb, value, &flags)),
            },
        }
    }
    let extra: Vec<String> = args_left.map(|value| format!("{}={}", value.word(), value.show())).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        number = Some((number.unwrap_or(0) * 10 + digit as usize).min(MAX_WIDTH));
    }
    number
}

fn one(verb: char, value: &Value, flags: &Flags) -> String {
    let text = match (verb, value) {
        ('v', Value::Float(number)) => signed(float_text(*number, 'g', flags.precision), flags),
        ('e' | 'f' | 'g', Value::Float(number)) => {
            let precision = flags.precision.or(if verb == 'g' { None } else { Some(6) });
            signed(float_text(*number, verb, precision), flags)
        }
        ('F', Value::Float(number)) => signed(float_text(*number, 'f', flags.precision.or(Some(6))), flags),
        ('E' | 'G', Value::Float(number)) => {
            let precision = flags.precision.or(if verb == 'G' { None } else { Some(6) });
            signed(float_text(*number, verb.to_ascii_lowercase(), precision).replace('e', "E"), flags)
        }
        ('d' | 'v', Value::Integer(number)) => signed(number.to_string(), flags),
        ('x' | 'X' | 'o' | 'b', Value::Integer(number)) => {
            let magnitude = number.unsigned_abs();
            let digits = match verb {
                'x' => format!("{magnitude:x}"),
                'X' => format!("{magnitude:X}"),
                'o' => format!("{magnitude:o}"),
                _ => format!("{magnitude:b}"),
            };
            signed(if *number < 0 { format!("-{digits}") } else { digits }, flags)
        }
        ('c', Value::Integer(number)) => {
            u32::try_from(*number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()
        }
        ('t', Value::Bool(yes)) => yes.to_string(),
        ('q', Value::Text(text)) => quoted(text),
        ('x', Value::Text(text)) => hexadecimal(text),
        ('X', Value::Text(text)) => hexadecimal(text).to_uppercase(),
        ('v' | 's', Value::Nil) if verb == 'v' => "<nil>".to_owned(),
        ('s' | 'v', Value::Text(text)) => cut(text, flags.precision),
        ('v', value) => value.show(),
        ('s', Value::Labels(_) | Value::Map(_)) => value.show(),
        (verb, Value::Nil) => return format!("%!{verb}(<nil>)"),
        (verb, value) => return format!("%!{verb}({}={})", value.word(), value.show()),
    };
    padded(text, value, flags)
}

fn hexadecimal(text: &str) -> String {
    let mut out = String::with_capacity(2 * text.len());
    for octet in text.bytes() {
        out.push_str(&format!("{octet:02x}"));
    }
    out
}

fn cut(text: &str, most: Option<usize>) -> String {
    most.map_or_else(|| text.to_owned(), |most| text.chars().take(most).collect())
}

fn signed(text: String, flags: &Flags) -> String {
    let bare = text.strip_prefix('+').unwrap_or(&text);
    if bare.starts_with('-') {
        text
    } else if let Some(sign) = flags.sign {
        format!("{sign}{bare}")
    } else {
        text
    }
}

fn padded(text: String, value: &Value, flags: &Flags) -> String {
    let missing = flags.width.saturating_sub(text.chars().count());
    let finite = !matches!(value, Value::Float(number) if !number.is_finite());
    if missing == 0 {
        text
    } else if flags.minus {
        text + &" ".repeat(missing)
    } else if flags.zero && finite {
        let sign = text.chars().next().filter(|c| matches!(c, '+' | '-' | ' ') && !matches!(value, Value::Text(_)));
        let digits = sign.map_or(text.as_str(), |_| &text[1..]);
        format!("{}{}{digits}", sign.map(String::from).unwrap_or_default(), "0".repeat(missing))
    } else {
        " ".repeat(missing) + &text
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x80 && c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if squirrel_model::is_hostile(c) => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
