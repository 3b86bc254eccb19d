//! YAML as a tree that knows where everything stands, with limits on its depth and size.
//!
//! Only the syntax is left to the outside parser: it tells events with places. What the words mean
//! (numbers, nothing, merged mappings) is decided here, as go-yaml decides it, since files written
//! for Prometheus were tried with that.

use std::collections::HashMap;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

/// A place in a file, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Character within the line.
    pub column: u32,
}

/// `line:column`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Something wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what to write instead.
    pub message: String,
}

impl Problem {
    /// Something wrong at this place.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A word or text.
    Scalar {
        /// As written, without quotes.
        text: String,
        /// Whether it stands without quotes, so that it may be a number or nothing.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Keys and values in the order of the file; each key is a word, and stands once.
    Map(Vec<(Node, Node)>),
}

/// The first document of a file, and what should be said about the file.
#[derive(Debug)]
pub struct Document {
    /// None when the file holds nothing.
    pub root: Option<Node>,
    /// A second document, which nobody would read.
    pub warnings: Vec<Problem>,
}

/// Longest file, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// How deep lists and mappings may stand within each other. Rule files need five.
const MAX_DEPTH: usize = 32;
/// Most values, those that aliases repeat among them.
const MAX_NODES: usize = 1_000_000;

/// Reads the first document.
///
/// # Errors
/// What is no YAML, or larger than the limits: 8 MiB, 32 levels, a million values. The first mistake only, since what
/// follows it cannot be told.
pub fn document(text: &str) -> Result<Document, Problem> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_BYTES} are refused: split it", text.len());
        return Err(Problem::new(Place { line: 1, column: 1 }, message));
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    let mut root = None;
    let mut warnings = Vec::new();
    let mut documents = 0;
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    let message = "a second document begins here and is not read: put everything into the first one";
                    warnings.push(Problem::new(place(span), message));
                    break;
                }
            }
            event => root = Some(reader.node(event, span, 0)?),
        }
    }
    let root = root.filter(|node| !node.is_null());
    Ok(Document { root, warnings })
}

fn place(span: Span) -> Place {
    Place { line: span.start.line() as u32, column: span.start.col() as u32 + 1 }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Problem> {
        self.parser.next_event().transpose().map_err(|e| {
            let at = Place { line: e.marker().line() as u32, column: e.marker().col() as u32 + 1 };
            Problem::new(at, format!("this is no YAML: {}", e.info()))
        })
    }

    fn inner(&mut self, at: Place) -> Result<(Event<'a>, Span), Problem> {
        self.next()?.ok_or_else(|| Problem::new(at, "this is no YAML: what begins here does not end"))
    }

    fn count(&mut self, more: usize, at: Place) -> Result<(), Problem> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            return Err(Problem::new(at, format!("more than {MAX_NODES} values, those repeated by aliases counted")));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Problem> {
        let at = place(span);
        self.count(1, at)?;
        if depth > MAX_DEPTH {
            return Err(Problem::new(at, format!("more than {MAX_DEPTH} levels within each other are refused")));
        }
        let before = self.nodes;
        let (anchor, kind) = match event {
            Event::Alias(anchor) => {
                // The anchor of what is still open is not there yet: a value within itself.
                let known = self.anchors.get(&anchor).cloned();
                let (node, size) = known.ok_or_else(|| Problem::new(at, "this alias stands within what it repeats"))?;
                self.count(size, at)?;
                return Ok(Node { place: at, ..node });
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !is_text(tag.as_deref());
                (anchor, Kind::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.inner(at)? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                (anchor, Kind::List(items))
            }
            Event::MappingStart(anchor, _) => (anchor, Kind::Map(self.mapping(at, depth)?)),
            _ => return Err(Problem::new(at, "this is no YAML: a value is missing here")),
        };
        let node = Node { place: at, kind };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        Ok(node)
    }

    fn mapping(&mut self, at: Place, depth: usize) -> Result<Vec<(Node, Node)>, Problem> {
        let mut pairs: Vec<(Node, Node)> = Vec::new();
        let mut merged: Vec<Node> = Vec::new();
        let mut seen: HashMap<String, Place> = HashMap::new();
        loop {
            let (event, span) = self.inner(at)?;
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.inner(at)?;
            let value = self.node(event, span, depth + 1)?;
            let Some(name) = key.text() else {
                return Err(Problem::new(key.place, "a key must be a word, not a list or a mapping"));
            };
            if let Some(first) = seen.insert(name.to_owned(), key.place) {
                let message = format!("{name:?} is given twice in one mapping, first at {first}: keep one");
                return Err(Problem::new(key.place, message));
            }
            if matches!(&key.kind, Kind::Scalar { text, plain: true } if text == "<<") {
                merged.push(value);
            } else {
                pairs.push((key, value));
            }
        }
        for value in merged {
            merge(value, &mut pairs)?;
        }
        Ok(pairs)
    }
}

/// `<<: *defaults`: what is not there yet is taken from one mapping or several.
fn merge(value: Node, pairs: &mut Vec<(Node, Node)>) -> Result<(), Problem> {
    let refused = Problem::new(value.place, "<< takes a mapping, or a list of mappings");
    let sources = match value.kind {
        Kind::List(items) => items,
        _ => vec![value],
    };
    for source in sources {
        let Kind::Map(more) = source.kind else { return Err(refused) };
        for (key, value) in more {
            if pairs.iter().all(|(known, _)| known.text() != key.text()) {
                pairs.push((key, value));
            }
        }
    }
    Ok(())
}

fn is_text(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str")
}

impl Node {
    /// What kind of value this is, for messages.
    pub fn word(&self) -> &'static str {
        match &self.kind {
            _ if self.is_null() => "nothing",
            Kind::Scalar { .. } => "a word",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// Whether nothing is written, or one of YAML's words for it.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar as written, whatever its type.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn root(text: &str) -> Node {
        document(text).unwrap().root.unwrap()
    }

    fn refusal(text: &str) -> String {
        let problem = document(text).err().unwrap();
        format!("{} {}", problem.place, problem.message)
    }

    #[test]
    fn places_are_counted_from_one_in_characters() {
        let Kind::Map(pairs) = root("ä: 1\nb:\n  - é: x\n").kind else { panic!("a mapping") };
        assert_eq!(pairs[1].0.place, Place { line: 2, column: 1 });
        let Kind::List(items) = &pairs[1].1.kind else { panic!("a list") };
        let Kind::Map(inner) = &items[0].kind else { panic!("a mapping") };
        assert_eq!(inner[0].1.place, Place { line: 3, column: 8 });
    }

    #[test]
    fn aliases_and_merged_mappings_are_followed() {
        let Kind::Map(pairs) = root("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}").kind else { panic!("a mapping") };
        let Kind::Map(merged) = &pairs[1].1.kind else { panic!("a mapping") };
        let texts: Vec<_> = merged.iter().map(|(k, v)| (k.text().unwrap(), v.text().unwrap())).collect();
        assert_eq!(texts, [("k", "3"), ("l", "2")]);
    }

    #[test]
    fn what_grows_without_end_is_refused() {
        let mut laughs = String::from("a: &a [x,x,x,x,x,x,x,x,x,x]\n");
        for (one, next) in ["a", "b", "c", "d", "e", "f", "g"].iter().zip(["b", "c", "d", "e", "f", "g", "h"]) {
            laughs += &format!("{next}: &{next} [{}]\n", vec![format!("*{one}"); 10].join(","));
        }
        assert!(refusal(&laughs).contains("more than 1000000 values"), "{}", refusal(&laughs));
        assert!(refusal(&"[".repeat(100)).contains("levels"), "{}", refusal(&"[".repeat(100)));
        assert!(refusal("a: &a [*a]").contains("within what it repeats"));
    }

    #[test]
    fn broken_files_are_refused_with_the_place() {
        assert!(refusal("a: 1\na: 2\n").starts_with("2:1 \"a\" is given twice"));
        assert!(refusal("a: [1,\nb: }").contains("no YAML"));
        assert_eq!(document("a: 1\n---\nb: 2\n").unwrap().warnings[0].place.line, 2);
        assert!(document("# nothing\n").unwrap().root.is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[-a-z:&*<>|{}\\[\\]\"'#!%@` \t\n0-9]{0,120}|.{0,60}") {
            let _ = document(&text);
        }
    }
}
