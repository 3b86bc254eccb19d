//! A text of `ss`'s language to its meaning.

use std::iter::Peekable;
use std::net::IpAddr;
use std::vec::IntoIter;

use super::{Names, Node, Side, SsFilter, states};
use crate::FilterError;
use crate::condition::{Condition, network};
use crate::error::did_you_mean;

/// Longest filter, in bytes.
const MOST_BYTES: usize = 4096;
/// Deepest nesting.
const MOST_DEPTH: usize = 32;

const WORDS: [&str; 10] = ["state", "exclude", "dst", "src", "dport", "sport", "dev", "autobound", "fwmark", "cgroup"];

type Word = (usize, String);

struct Parser<'a> {
    names: &'a Names<'a>,
    words: Peekable<IntoIter<Word>>,
    end: usize,
    needs_autobound: bool,
}

/// How a port is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    AtLeast,
    AtMost,
    More,
    Less,
}

pub(super) fn parse(text: &str, names: &Names<'_>) -> Result<SsFilter, FilterError> {
    if text.len() > MOST_BYTES {
        return Err(FilterError::new(1, format!("a filter has at most {MOST_BYTES} bytes")));
    }
    let words = words(text).into_iter().peekable();
    let mut parser = Parser { names, words, end: text.chars().count() + 1, needs_autobound: false };
    let states = parser.states()?;
    let root = if parser.words.peek().is_some() { Some(parser.list(0)?) } else { None };
    match parser.words.next() {
        None => Ok(SsFilter { states, root, needs_autobound: parser.needs_autobound }),
        Some((column, _)) => Err(FilterError::new(column, "this ) closes nothing")),
    }
}

/// Parentheses, runs of operator signs, and what lies between them and blanks.
fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut last = None;
    for (index, c) in text.chars().enumerate() {
        let class = match c {
            ' ' | '\t' | '\n' => None,
            '(' | ')' => Some('('),
            '=' | '!' | '<' | '>' | '&' | '|' => Some('='),
            _ => Some('a'),
        };
        match (class, words.last_mut()) {
            (None, _) => {}
            (Some('a' | '='), Some((_, word))) if class == last => word.push(c),
            _ => words.push((index + 1, c.to_string())),
        }
        last = class;
    }
    words
}

impl Parser<'_> {
    /// `state X` adds and `exclude X` takes away; the first decides what it begins with.
    fn states(&mut self) -> Result<Option<u32>, FilterError> {
        let mut states = None;
        while let Some((column, word)) =
            self.words.next_if(|(_, word)| matches!(word.as_str(), "state" | "exclude" | "excl"))
        {
            let Some((column, name)) = self.words.next() else {
                return Err(FilterError::new(self.end.max(column), format!("{word} needs the name of a state")));
            };
            let bits = states::bits(&name).map_err(|message| FilterError::new(column, message))?;
            states =
                Some(if word == "state" { states.unwrap_or(0) | bits } else { states.unwrap_or(states::ALL) & !bits });
        }
        Ok(states)
    }

    fn list(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut node = self.one(depth)?;
        while let Some((_, word)) = self.words.peek() {
            match word.as_str() {
                ")" => break,
                "or" | "|" | "||" => {
                    self.words.next();
                    node = Node::Or(Box::new(node), Box::new(self.one(depth)?));
                }
                "and" | "&" | "&&" => {
                    self.words.next();
                    node = Node::And(Box::new(node), Box::new(self.one(depth)?));
                }
                _ => node = Node::And(Box::new(node), Box::new(self.one(depth)?)),
            }
        }
        Ok(node)
    }

    fn one(&mut self, depth: usize) -> Result<Node, FilterError> {
        let (column, word) = self.word("the filter ends where a condition was expected")?;
        if depth > MOST_DEPTH {
            return Err(FilterError::new(column, format!("nested deeper than {MOST_DEPTH}")));
        }
        let refused = |message: String| Err(FilterError::new(column, message));
        match word.as_str() {
            "!" | "not" => Ok(Node::Not(Box::new(self.one(depth + 1)?))),
            "(" => {
                let node = self.list(depth + 1)?;
                match self.words.next() {
                    Some((_, close)) if close == ")" => Ok(node),
                    _ => refused("the ( that opens here is not closed".to_owned()),
                }
            }
            "src" => self.host(Side::Local),
            "dst" => self.host(Side::Remote),
            "sport" => self.port(Side::Local),
            "dport" => self.port(Side::Remote),
            "dev" => self.interface(),
            "autobound" => {
                self.needs_autobound = true;
                Ok(Node::Autobound)
            }
            "fwmark" => {
                refused("fwmark is not supported: the kernel tells marks to CAP_NET_ADMIN only; use ss".to_owned())
            }
            "cgroup" => refused("cgroup is not supported here: use --filter with unit: or container:".to_owned()),
            "state" | "exclude" | "excl" => refused(format!("{word} must stand before all other conditions")),
            _ => {
                let hint = did_you_mean(&word, WORDS.into_iter());
                refused(format!("{word:?} is no condition.{hint} There are: {}", WORDS.join(", ")))
            }
        }
    }

    fn word(&mut self, missing: &str) -> Result<Word, FilterError> {
        self.words.next().ok_or_else(|| FilterError::new(self.end, missing))
    }

    fn operator(&mut self) -> Operator {
        let found = self.words.peek().and_then(|(_, word)| {
            Some(match word.as_str() {
                "=" | "==" | "eq" => Operator::Equal,
                "!=" | "ne" | "neq" => Operator::NotEqual,
                ">=" | "ge" | "geq" => Operator::AtLeast,
                "<=" | "le" | "leq" => Operator::AtMost,
                ">" | "gt" => Operator::More,
                "<" | "lt" => Operator::Less,
                _ => return None,
            })
        });
        if found.is_some() {
            self.words.next();
        }
        found.unwrap_or(Operator::Equal)
    }

    fn host(&mut self, side: Side) -> Result<Node, FilterError> {
        let operator = self.operator();
        let (column, word) = self.word("an address such as 10.0.0.0/8 or [::1]:80 is missing")?;
        let (address, port) = split_port(&word);
        let network = match address {
            "" | "*" => None,
            other => Some(prefix(other).map_err(|message| FilterError::new(column, message))?),
        };
        let port = match port {
            None | Some("" | "*") => None,
            Some(port) => Some(self.number(column, port)?),
        };
        let node = Node::Host { side, network, port };
        match operator {
            Operator::Equal => Ok(node),
            Operator::NotEqual => Ok(Node::Not(Box::new(node))),
            _ => Err(FilterError::new(column, "an address is not more or less than another")),
        }
    }

    fn port(&mut self, side: Side) -> Result<Node, FilterError> {
        let operator = self.operator();
        let (column, word) = self.word("a port such as :443 or :ssh is missing")?;
        let port = self.number(column, word.strip_prefix(':').unwrap_or(&word))?;
        let not = |node| Node::Not(Box::new(node));
        let same = Node::Host { side, network: None, port: Some(port) };
        Ok(match operator {
            Operator::Equal => same,
            Operator::NotEqual => not(same),
            Operator::AtLeast => Node::AtLeast(side, port),
            Operator::AtMost => Node::AtMost(side, port),
            Operator::More => not(Node::AtMost(side, port)),
            Operator::Less => not(Node::AtLeast(side, port)),
        })
    }

    fn number(&self, column: usize, text: &str) -> Result<u16, FilterError> {
        let wrong =
            || FilterError::new(column, format!("{text:?} is no port: write a number or a service such as :ssh"));
        self.names.services.port(text).ok_or_else(wrong)
    }

    fn interface(&mut self) -> Result<Node, FilterError> {
        let operator = self.operator();
        let (column, name) = self.word("the name of an interface is missing")?;
        let Some(index) = name.parse().ok().or_else(|| (self.names.interface)(&name)) else {
            return Err(FilterError::new(column, format!("there is no interface {name:?}")));
        };
        match operator {
            Operator::Equal => Ok(Node::Interface(index)),
            Operator::NotEqual => Ok(Node::Not(Box::new(Node::Interface(index)))),
            _ => Err(FilterError::new(column, "an interface is not more or less than another")),
        }
    }
}

/// Address and port of `10.0.0.0/8:80`, `[::1]:80`, `:80`, `*`; an IPv6 address without brackets has no port.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if text.starts_with('[')
        && let Some(end) = text.find(']')
    {
        // A prefix length may stand within the brackets or behind them.
        return match text.get(end + 1..).unwrap_or_default().rsplit_once(':') {
            Some((rest, port)) => (text.get(..=end + rest.len()).unwrap_or(text), Some(port)),
            None => (text, None),
        };
    }
    match text.rsplit_once(':') {
        Some((address, _)) if address.contains(':') => (text, None),
        Some((address, port)) => (address, Some(port)),
        None => (text, None),
    }
}

/// A network; of an IPv4 one the last numbers may be left out when they are zero, as in `10/8`.
fn prefix(text: &str) -> Result<(IpAddr, u8), String> {
    // Within brackets: [2001:db8::/32].
    let text = match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) if inner.contains('/') => inner,
        _ => text,
    };
    let (address, bits) = text.split_once('/').unwrap_or((text, ""));
    let short = !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let dots = address.matches('.').count();
    let full = if short && dots < 3 { format!("{address}{}", ".0".repeat(3 - dots)) } else { address.to_owned() };
    let whole = if bits.is_empty() { full } else { format!("{full}/{bits}") };
    match network(&whole) {
        Ok(Condition::Within(address, bits)) => Ok((address, bits)),
        Ok(_) | Err(_) => {
            Err(format!("{text:?} is no address; names of hosts are not looked up. Write 10.0.0.0/8, [::1]:80 or :443"))
        }
    }
}
