//! The text of a template in pieces, and the words within an action.

use super::Failure;

/// Text between actions, or an action without its braces.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// The words of an action, and where it begins.
    Action(Vec<Word>, usize),
}

/// A word and its first byte in the template.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) at: usize,
    /// Whether white space stands before it: `x .y` are two terms, `x.y` is one.
    pub(super) apart: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name, keyword or function.
    Name(String),
    /// `$` or `$name`, with the dollar.
    Variable(String),
    /// `.name`, without the dot.
    Field(String),
    Dot,
    Text(String),
    Integer(i64),
    Float(f64),
    Pipe,
    Open,
    Close,
    Comma,
    Declare,
    Assign,
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// Cuts a template into texts and actions; comments are gone, and white space at trimming braces.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Failure> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut trim_next = false;
    loop {
        let rest = &text[at..];
        let Some(open) = rest.find(OPEN) else {
            push_text(&mut out, if trim_next { rest.trim_start_matches(SPACES) } else { rest });
            return Ok(out);
        };
        let begin = at + open;
        let mut before = &rest[..open];
        let mut inside = begin + OPEN.len();
        if trim_next {
            before = before.trim_start_matches(SPACES);
        }
        if starts_trim(&text[inside..]) {
            before = before.trim_end_matches(SPACES);
            inside += 2;
        }
        push_text(&mut out, before);
        if text[inside..].starts_with("/*") {
            let end =
                text[inside..].find("*/").ok_or_else(|| Failure::new(begin, "this comment has no end: write */}}"))?;
            at = inside + end + 2;
            trim_next = text[at..].starts_with(SPACES) && text[at + 1..].starts_with("-}}");
            at += if trim_next { 2 } else { 0 };
            if !text[at..].starts_with(CLOSE) {
                return Err(Failure::new(begin, "a comment is an action of its own: write }} right behind its */"));
            }
            at += CLOSE.len();
            continue;
        }
        let mut words = Words { text, at: inside, out: Vec::new(), depth: 0 };
        (at, trim_next) = words.action(begin)?;
        out.push(Piece::Action(words.out, begin));
    }
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn starts_trim(inside: &str) -> bool {
    inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACES))
}

fn push_text<'a>(out: &mut Vec<Piece<'a>>, text: &'a str) {
    if !text.is_empty() {
        out.push(Piece::Text(text));
    }
}

struct Words<'a> {
    text: &'a str,
    at: usize,
    out: Vec<Word>,
    depth: usize,
}

impl Words<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Reads to the closing braces: the byte behind them, and whether they trim.
    fn action(&mut self, begin: usize) -> Result<(usize, bool), Failure> {
        loop {
            let rest = self.rest();
            let spaces = rest.len() - rest.trim_start_matches(SPACES).len();
            let apart = spaces > 0;
            let behind = &rest[spaces..];
            let trims = apart && behind.starts_with("-}}");
            if trims || behind.starts_with(CLOSE) {
                if self.depth > 0 {
                    return Err(Failure::new(self.at, "a parenthesis is open here: write )"));
                }
                return Ok((self.at + spaces + CLOSE.len() + usize::from(trims), trims));
            }
            if behind.is_empty() {
                return Err(Failure::new(begin, "this action has no end: write }}"));
            }
            self.at += spaces;
            let at = self.at;
            let kind = self.word()?;
            self.out.push(Word { kind, at, apart });
        }
    }

    fn word(&mut self) -> Result<Kind, Failure> {
        let at = self.at;
        let rest = self.rest();
        let mut chars = rest.chars();
        let first = chars.next().unwrap_or_default();
        let second = chars.next().unwrap_or_default();
        let (kind, len) = match first {
            '|' => (Kind::Pipe, 1),
            ',' => (Kind::Comma, 1),
            '=' => (Kind::Assign, 1),
            ':' if second == '=' => (Kind::Declare, 2),
            '(' => {
                self.depth += 1;
                (Kind::Open, 1)
            }
            ')' => {
                self.depth = self.depth.checked_sub(1).ok_or_else(|| Failure::new(at, "this ) closes nothing"))?;
                (Kind::Close, 1)
            }
            '"' => return self.quoted(),
            '`' => {
                let end = rest[1..].find('`').ok_or_else(|| Failure::new(at, "this text has no end: write `"))?;
                (Kind::Text(rest[1..=end].to_owned()), end + 2)
            }
            '\'' => return self.character(),
            '.' if is_name(second) && !second.is_ascii_digit() => {
                let name = name(&rest[1..]);
                (Kind::Field(name.to_owned()), 1 + name.len())
            }
            '.' if !second.is_ascii_digit() => (Kind::Dot, 1),
            '$' => {
                let name = name(&rest[1..]);
                (Kind::Variable(rest[..=name.len()].to_owned()), 1 + name.len())
            }
            c if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => return self.number(),
            c if is_name(c) => {
                let name = name(rest);
                (Kind::Name(name.to_owned()), name.len())
            }
            c => return Err(Failure::new(at, format!("{c:?} has no meaning here"))),
        };
        self.at += len;
        if matches!(kind, Kind::Name(_) | Kind::Variable(_) | Kind::Field(_)) {
            let next = self.rest().chars().next().unwrap_or(' ');
            let ends = SPACES.contains(&next) || matches!(next, '.' | ',' | '|' | ':' | '=' | ')' | '(' | '}');
            if !ends {
                return Err(Failure::new(self.at, format!("{next:?} right behind a name: write a space between")));
            }
        }
        Ok(kind)
    }

    /// A text in double quotes, with Go's escapes.
    fn quoted(&mut self) -> Result<Kind, Failure> {
        let begin = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let mut chars = self.rest().chars();
            match chars.next() {
                None | Some('\n') => return Err(Failure::new(begin, "this text has no end: write \"")),
                Some('"') => {
                    self.at += 1;
                    return Ok(Kind::Text(out));
                }
                Some('\\') => out.push(self.escape()?),
                Some(c) => {
                    self.at += c.len_utf8();
                    out.push(c);
                }
            }
        }
    }

    fn character(&mut self) -> Result<Kind, Failure> {
        let begin = self.at;
        let broken = || Failure::new(begin, "one character stands between single quotes; for a text write \"");
        self.at += 1;
        let c = match self.rest().chars().next() {
            None | Some('\n' | '\'') => return Err(broken()),
            Some('\\') => self.escape()?,
            Some(c) => {
                self.at += c.len_utf8();
                c
            }
        };
        if !self.rest().starts_with('\'') {
            return Err(broken());
        }
        self.at += 1;
        Ok(Kind::Integer(i64::from(u32::from(c))))
    }

    fn escape(&mut self) -> Result<char, Failure> {
        let at = self.at;
        let rest = &self.text[at + 1..];
        let kind = rest.chars().next().unwrap_or_default();
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                let plain = match kind {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'v' => '\u{b}',
                    '\\' | '"' | '\'' => kind,
                    _ => return Err(Failure::new(at, "no such escape: write \\\\ for a backslash")),
                };
                self.at += 2;
                return Ok(plain);
            }
        };
        let number = rest.get(1..=digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let c = number.and_then(char::from_u32).ok_or_else(|| Failure::new(at, "this escape is no character"))?;
        self.at += 2 + digits;
        Ok(c)
    }

    fn number(&mut self) -> Result<Kind, Failure> {
        let at = self.at;
        let rest = self.rest();
        let mut len = 0;
        let mut previous = ' ';
        for c in rest.chars() {
            let sign = matches!(c, '+' | '-') && (len == 0 || matches!(previous, 'e' | 'E') && !rest.contains("0x"));
            if !(sign || c.is_ascii_alphanumeric() || matches!(c, '.' | '_')) {
                break;
            }
            previous = c;
            len += c.len_utf8();
        }
        let text = &rest[..len];
        let digits = text.trim_start_matches(['+', '-']).replace('_', "");
        let (negative, lower) = (text.starts_with('-'), digits.to_ascii_lowercase());
        let radix =
            [("0x", 16), ("0o", 8), ("0b", 2)].iter().find_map(|(p, radix)| Some((lower.strip_prefix(p)?, *radix)));
        let octal = lower.strip_prefix('0').filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
        let integer = match (radix, octal) {
            (Some((digits, radix)), _) => i64::from_str_radix(digits, radix).ok(),
            (None, Some(digits)) => i64::from_str_radix(digits, 8).ok(),
            (None, None) => lower.parse().ok(),
        };
        let float = lower.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
        let kind = match integer {
            Some(n) => Kind::Integer(if negative { n.wrapping_neg() } else { n }),
            None => match lower.parse::<f64>() {
                Ok(n) if float && n.is_finite() => Kind::Float(if negative { -n } else { n }),
                _ => return Err(Failure::new(at, format!("{text:?} is no number"))),
            },
        };
        self.at += len;
        Ok(kind)
    }
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn name(text: &str) -> &str {
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    &text[..end]
}
