//! A filter's text as tokens with their places.

use crate::FilterError;

/// What stands at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    /// A word, a quoted text or a pattern, perhaps of a field.
    Term {
        field: Option<String>,
        value: Value,
    },
}

/// How a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Plain(String),
    Quoted(String),
    Pattern(String),
}

/// A token and its column, counted in characters from 1.
pub(crate) type Placed = (usize, Token);

/// The text being read.
struct Cursor {
    chars: Vec<char>,
    at: usize,
}

/// Reads all tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Placed>, FilterError> {
    let mut cursor = Cursor { chars: text.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        while cursor.peek().is_some_and(char::is_whitespace) {
            cursor.at += 1;
        }
        let column = cursor.at + 1;
        let Some(first) = cursor.peek() else { return Ok(tokens) };
        let token = match first {
            '(' => cursor.single(Token::Open),
            ')' => cursor.single(Token::Close),
            '-' | '!' => cursor.single(Token::Not),
            _ => cursor.term()?,
        };
        tokens.push((column, token));
    }
}

impl Cursor {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn term(&mut self) -> Result<Token, FilterError> {
        if let Some(field) = self.field() {
            let value = self.value()?;
            return Ok(Token::Term { field: Some(field), value });
        }
        let value = self.value()?;
        if let Value::Plain(word) = &value {
            match word.to_ascii_lowercase().as_str() {
                "and" => return Ok(Token::And),
                "or" => return Ok(Token::Or),
                "not" => return Ok(Token::Not),
                _ => {}
            }
        }
        Ok(Token::Term { field: None, value })
    }

    /// A name and its colon, if they stand here. An IPv6 address such as `fe80::1` has no field.
    fn field(&mut self) -> Option<String> {
        let rest = self.chars.get(self.at..)?;
        let length = rest.iter().take_while(|c| c.is_ascii_alphabetic() || **c == '_').count();
        if length == 0 || rest.get(length) != Some(&':') {
            return None;
        }
        let name: String = rest.iter().take(length).collect();
        let hexadecimal = name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hexadecimal && rest.iter().skip(length + 1).any(|c| *c == ':') {
            return None;
        }
        self.at += length + 1;
        Some(name)
    }

    fn value(&mut self) -> Result<Value, FilterError> {
        match self.peek() {
            Some('"') => self.delimited('"').map(Value::Quoted),
            Some('/') => self.delimited('/').map(Value::Pattern),
            _ => {
                let rest = self.chars.get(self.at..).unwrap_or_default();
                let word: String = rest.iter().take_while(|c| !c.is_whitespace() && !matches!(c, '(' | ')')).collect();
                self.at += word.chars().count();
                Ok(Value::Plain(word))
            }
        }
    }

    /// A text up to the next such mark; a backslash before the mark (and in a quoted text before a backslash)
    /// takes its meaning away.
    fn delimited(&mut self, mark: char) -> Result<String, FilterError> {
        let column = self.at + 1;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == mark {
                return Ok(text);
            }
            let next = self.peek();
            let escaped = c == '\\' && (next == Some(mark) || mark == '"' && next == Some('\\'));
            text.push(if escaped { next.unwrap_or(c) } else { c });
            self.at += usize::from(escaped);
        }
        Err(FilterError::new(column, format!("the {mark} that opens here is not closed")))
    }
}
