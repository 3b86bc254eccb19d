//! Text to tokens. What a letter means depends on where it stands: between braces words are label
//! names, between brackets a colon parts range and step.

mod strings;

use self::strings::string;
use crate::{ParseError, Span, number};

/// A word with a meaning of its own outside of braces. All are recognised in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    And,
    Or,
    Unless,
    Atan2,
    Offset,
    By,
    Without,
    On,
    Ignoring,
    GroupLeft,
    GroupRight,
    Bool,
    Start,
    End,
}

const KEYWORDS: [(&str, Keyword); 14] = [
    ("and", Keyword::And),
    ("or", Keyword::Or),
    ("unless", Keyword::Unless),
    ("atan2", Keyword::Atan2),
    ("offset", Keyword::Offset),
    ("by", Keyword::By),
    ("without", Keyword::Without),
    ("on", Keyword::On),
    ("ignoring", Keyword::Ignoring),
    ("group_left", Keyword::GroupLeft),
    ("group_right", Keyword::GroupRight),
    ("bool", Keyword::Bool),
    ("start", Keyword::Start),
    ("end", Keyword::End),
];

impl Keyword {
    /// Whether the word may also name a metric.
    pub(crate) fn can_be_metric(self) -> bool {
        !matches!(self, Self::Atan2 | Self::On | Self::Ignoring | Self::GroupLeft | Self::GroupRight | Self::Bool)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// A punctuation mark or operator of one or two characters.
    Sign(&'static str),
    /// A number; a duration is given in seconds, with the mark that it was written so.
    Number { value: f64, duration: bool },
    /// A string with its escapes resolved.
    String(String),
    /// A name. With a colon it can only be a metric's.
    Word,
    /// A word with a meaning of its own.
    Keyword(Keyword),
    /// What cannot be read: the lexer stops here and the parser says why when it arrives.
    Broken(String),
    /// After the last character.
    End,
}

#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    pub(crate) fn is(&self, sign: &str) -> bool {
        matches!(self.kind, TokenKind::Sign(s) if s == sign)
    }

    pub(crate) fn is_keyword(&self, keyword: Keyword) -> bool {
        self.kind == TokenKind::Keyword(keyword)
    }

    /// How an error names it.
    pub(crate) fn description(&self) -> String {
        match &self.kind {
            TokenKind::Sign(sign) => format!("{sign:?}"),
            TokenKind::Number { duration: false, .. } => format!("number {:?}", self.text),
            TokenKind::Number { duration: true, .. } => format!("duration {:?}", self.text),
            TokenKind::String(_) => format!("string {}", self.text),
            TokenKind::Word => format!("identifier {:?}", self.text),
            TokenKind::Keyword(_) => format!("keyword {:?}", self.text),
            TokenKind::Broken(_) => format!("{:?}", self.text),
            TokenKind::End => "end of input".to_owned(),
        }
    }
}

/// Signs outside of braces, longest first.
const SIGNS: [&str; 22] =
    ["==", "!=", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", "[", "]", ",", "@", ":"];

/// Signs between braces, longest first.
const BRACE_SIGNS: [&str; 6] = ["=~", "!~", "!=", "=", "}", ","];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
    in_braces: bool,
    in_brackets: bool,
}

/// All tokens of a query; the last is [`TokenKind::End`] or [`TokenKind::Broken`].
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, at: 0, line: 1, column: 1, in_braces: false, in_brackets: false };
    let mut out = Vec::new();
    loop {
        lexer.skip_blanks();
        let token = lexer.next();
        let last = matches!(token.kind, TokenKind::End | TokenKind::Broken(_));
        out.push(token);
        if last {
            return out;
        }
    }
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Steps over `bytes` bytes of the text and keeps count of lines.
    fn advance(&mut self, bytes: usize) -> &'a str {
        let taken = self.rest().get(..bytes).unwrap_or_default();
        for c in taken.chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at += taken.len();
        taken
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let comment = if rest.starts_with('#') { rest.find(['\n', '\r']).unwrap_or(rest.len()) } else { 0 };
            if blanks + comment == 0 {
                return;
            }
            self.advance(blanks.max(comment));
        }
    }

    fn next(&mut self) -> Token<'a> {
        let begin = Span { start: self.at as u32, end: self.at as u32, line: self.line, column: self.column };
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            let kind = if self.in_braces {
                TokenKind::Broken("the selector is not closed: \"}\" is missing".to_owned())
            } else {
                TokenKind::End
            };
            return Token { kind, span: begin, text: "" };
        };
        let (len, kind) = match first {
            '"' | '\'' | '`' => string(rest, first),
            'a'..='z' | 'A'..='Z' | '_' => self.word(rest),
            ':' if !self.in_braces && !self.in_brackets => self.word(rest),
            '0'..='9' | '.' if !self.in_braces => number_token(rest),
            _ => self.sign(rest, first),
        };
        let text = self.advance(len);
        Token { kind, span: Span { end: self.at as u32, ..begin }, text }
    }

    fn sign(&mut self, rest: &str, first: char) -> (usize, TokenKind) {
        let signs: &[&'static str] = if self.in_braces { &BRACE_SIGNS } else { &SIGNS };
        let Some(sign) = signs.iter().copied().find(|sign| rest.starts_with(sign)) else {
            let place = if self.in_braces { " inside braces" } else { "" };
            return (first.len_utf8(), TokenKind::Broken(format!("unexpected character {first:?}{place}")));
        };
        match sign {
            "{" => self.in_braces = true,
            "}" => self.in_braces = false,
            "[" => self.in_brackets = true,
            "]" => self.in_brackets = false,
            _ => {}
        }
        (sign.len(), TokenKind::Sign(sign))
    }

    fn word(&self, rest: &str) -> (usize, TokenKind) {
        let colons = !self.in_braces && !self.in_brackets;
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || (colons && *b == b':');
        let len = rest.bytes().take_while(is_part).count();
        let text = rest.get(..len).unwrap_or_default();
        if self.in_braces {
            return (len, TokenKind::Word);
        }
        if let Some(value) = number::number(text).filter(|n| !n.is_finite()) {
            return (len, TokenKind::Number { value, duration: false });
        }
        let keyword = KEYWORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        (len, keyword.map_or(TokenKind::Word, |(_, keyword)| TokenKind::Keyword(*keyword)))
    }
}

/// A number or a duration: everything up to the first character that neither can hold, so that
/// `5mx` is one wrong duration and not a duration and a name.
fn number_token(rest: &str) -> (usize, TokenKind) {
    let bytes = rest.as_bytes();
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let mut len = 0;
    while let Some(b) = bytes.get(len) {
        let before = len.checked_sub(1).and_then(|i| bytes.get(i));
        let exponent_sign = matches!(b, b'+' | b'-') && matches!(before, Some(b'e' | b'E')) && !hexadecimal;
        if !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_') || exponent_sign) {
            break;
        }
        len += 1;
    }
    let text = rest.get(..len).unwrap_or_default();
    let kind = match (number::number(text), number::duration_ms(text)) {
        (Some(value), _) => TokenKind::Number { value, duration: false },
        (None, Some(ms)) => TokenKind::Number { value: ms as f64 / 1000.0, duration: true },
        (None, None) => TokenKind::Broken(format!("bad number or duration {text:?}")),
    };
    (len.max(1), kind)
}

/// What stands at `token` cannot be there.
pub(crate) fn unexpected(token: &Token<'_>, place: &str, wanted: &str) -> ParseError {
    if let TokenKind::Broken(message) = &token.kind {
        return ParseError::new(token.span, message.clone());
    }
    let wanted = if wanted.is_empty() { String::new() } else { format!(", expected {wanted}") };
    let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
    ParseError::new(token.span, format!("unexpected {}{place}{wanted}", token.description()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).into_iter().map(|t| t.kind).collect()
    }

    #[test]
    fn words_between_braces_are_names_and_keywords_elsewhere() {
        assert_eq!(kinds("by{by")[..3], [TokenKind::Keyword(Keyword::By), TokenKind::Sign("{"), TokenKind::Word]);
        assert_eq!(kinds("a:b")[0], TokenKind::Word);
        assert_eq!(kinds("[1:")[2], TokenKind::Sign(":"));
        assert_eq!(kinds("NaN")[1], TokenKind::End);
    }

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let all = tokens("é # comment\n  foo");
        assert!(matches!(all[0].kind, TokenKind::Broken(_)));
        let all = tokens("a # é\n  foo");
        assert_eq!((all[1].span.line, all[1].span.column, all[1].text), (2, 3, "foo"));
    }
}
