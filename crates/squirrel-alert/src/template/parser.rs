//! Pieces to a tree. Variables and functions must be known, as Go demands.

use super::Failure;
use super::ast::{Base, Branch, Command, Node, Pipeline, Term};
use super::functions;
use super::lexer::{Kind, Piece, Word, pieces};

/// Longest template, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// How deep blocks and parentheses may stand within each other.
const MAX_DEPTH: usize = 32;

/// The variables that are there from the beginning.
pub(super) const GIVEN: [&str; 5] = ["$", "$labels", "$externalLabels", "$externalURL", "$value"];

pub(super) fn parse(text: &str) -> Result<Vec<Node>, Failure> {
    if text.len() > MAX_BYTES {
        return Err(Failure::new(0, format!("a template of {} bytes: more than {MAX_BYTES} are refused", text.len())));
    }
    let mut parser = Parser {
        pieces: pieces(text)?.into_iter(),
        variables: GIVEN.iter().map(|name| (*name).to_owned()).collect(),
        loops: 0,
        end: text.len(),
    };
    let (nodes, stop) = parser.list(0)?;
    match stop {
        Stop::End { at } => Err(Failure::new(at, "{{end}} without an if, with or range before it")),
        Stop::Else { at, .. } => Err(Failure::new(at, "{{else}} without an if, with or range before it")),
        Stop::Text => Ok(nodes),
    }
}

/// What ended a list of nodes.
enum Stop {
    Text,
    End {
        at: usize,
    },
    /// With the words behind `else`.
    Else {
        at: usize,
        words: Vec<Word>,
    },
}

struct Parser<'a> {
    pieces: std::vec::IntoIter<Piece<'a>>,
    variables: Vec<String>,
    loops: usize,
    end: usize,
}

impl Parser<'_> {
    fn list(&mut self, depth: usize) -> Result<(Vec<Node>, Stop), Failure> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (words, at) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text.to_owned()));
                    continue;
                }
                Piece::Action(words, at) => (words, at),
            };
            let keyword = match words.first().map(|word| &word.kind) {
                Some(Kind::Name(name)) => name.clone(),
                None => return Err(Failure::new(at, "nothing stands between these braces: write what to fill in")),
                Some(_) => String::new(),
            };
            let behind = words.get(1..).unwrap_or_default();
            let alone = |what: &str| match behind.first() {
                Some(word) => Err(Failure::new(word.at, format!("nothing may stand behind {what}"))),
                None => Ok(()),
            };
            let kind = match keyword.as_str() {
                "end" => {
                    alone("end")?;
                    return Ok((nodes, Stop::End { at }));
                }
                "else" => return Ok((nodes, Stop::Else { at, words: behind.to_vec() })),
                "if" => Branch::If,
                "with" => Branch::With,
                "range" => Branch::Range,
                "break" | "continue" => {
                    alone(&keyword)?;
                    if self.loops == 0 {
                        return Err(Failure::new(at, format!("{{{{{keyword}}}}} stands in no range")));
                    }
                    nodes.push(if keyword == "break" { Node::Break } else { Node::Continue });
                    continue;
                }
                "define" | "template" | "block" => {
                    return Err(Failure::new(at, format!("{keyword} is not known here: write the text itself")));
                }
                _ => {
                    nodes.push(Node::Action(self.whole(&words, at, 1)?));
                    continue;
                }
            };
            nodes.push(self.branch(kind, behind, at, depth + 1)?);
        }
        Ok((nodes, Stop::Text))
    }

    fn branch(&mut self, kind: Branch, words: &[Word], at: usize, depth: usize) -> Result<Node, Failure> {
        if depth > MAX_DEPTH {
            return Err(Failure::new(at, format!("more than {MAX_DEPTH} blocks within each other are refused")));
        }
        let scope = self.variables.len();
        let pipeline = self.whole(words, at, if kind == Branch::Range { 2 } else { 1 })?;
        self.loops += usize::from(kind == Branch::Range);
        let inner = self.variables.len();
        let (body, stop) = self.list(depth)?;
        self.variables.truncate(inner);
        self.loops -= usize::from(kind == Branch::Range);
        let missing = || Failure::new(at, "this block has no end: write {{end}}");
        let otherwise = match stop {
            Stop::End { .. } => Vec::new(),
            Stop::Text => return Err(missing()),
            Stop::Else { words, .. } if words.is_empty() => match self.list(depth)? {
                (nodes, Stop::End { .. }) => nodes,
                (_, Stop::Else { at, .. }) => return Err(Failure::new(at, "a second {{else}} of one block")),
                (_, Stop::Text) => return Err(missing()),
            },
            Stop::Else { at, words } => {
                let again = match (kind, words.first().map(|word| &word.kind)) {
                    (Branch::If, Some(Kind::Name(name))) if name == "if" => Branch::If,
                    (Branch::With, Some(Kind::Name(name))) if name == "with" => Branch::With,
                    _ => return Err(Failure::new(at, "behind else stands nothing, or if with a condition")),
                };
                vec![self.branch(again, words.get(1..).unwrap_or_default(), at, depth + 1)?]
            }
        };
        self.variables.truncate(scope);
        Ok(Node::Branch { kind, pipeline, body, otherwise })
    }

    /// A pipeline that fills an action.
    fn whole(&mut self, words: &[Word], at: usize, most_variables: usize) -> Result<Pipeline, Failure> {
        let mut reader = Reader { words, next: 0, action: at, end: self.end };
        let pipeline = reader.pipeline(self, most_variables, 0)?;
        match reader.peek() {
            None => Ok(pipeline),
            Some(word) => Err(Failure::new(word.at, "this does not belong here")),
        }
    }
}

struct Reader<'w> {
    words: &'w [Word],
    next: usize,
    action: usize,
    end: usize,
}

impl<'w> Reader<'w> {
    fn peek(&self) -> Option<&'w Word> {
        self.words.get(self.next)
    }

    fn at(&self) -> usize {
        self.peek().map_or_else(|| self.words.last().map_or(self.action, |word| word.at), |word| word.at).min(self.end)
    }

    fn pipeline(&mut self, parser: &mut Parser<'_>, most: usize, depth: usize) -> Result<Pipeline, Failure> {
        let at = self.at();
        let (variables, assigns) = self.declaration(parser, most)?;
        let mut commands = vec![self.command(parser, depth)?];
        while self.peek().is_some_and(|word| word.kind == Kind::Pipe) {
            self.next += 1;
            let at = self.at();
            let command = self.command(parser, depth)?;
            let runs = command.terms.first().is_some_and(|term| {
                matches!(term.base, Base::Function(_) | Base::Dot | Base::Variable(_) | Base::Group(_))
            });
            if !runs {
                return Err(Failure::new(at, "behind a | stands a function"));
            }
            commands.push(command);
        }
        if !assigns {
            parser.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline { variables, assigns, commands, at })
    }

    /// `$x :=`, `$x =`, `$i, $x :=`.
    fn declaration(&mut self, parser: &Parser<'_>, most: usize) -> Result<(Vec<String>, bool), Failure> {
        let kind = |i: usize| self.words.get(self.next + i).map(|word| &word.kind);
        let mut names = Vec::new();
        let mut i = 0;
        while let Some(Kind::Variable(name)) = kind(i) {
            names.push(name.clone());
            i += 1;
            match kind(i) {
                Some(Kind::Comma) => i += 1,
                Some(sign @ (Kind::Declare | Kind::Assign)) => {
                    let assigns = *sign == Kind::Assign;
                    if names.len() > most {
                        return Err(Failure::new(self.at(), "too many variables: range takes two, all else one"));
                    }
                    let unknown = names.iter().find(|name| assigns && !parser.variables.contains(name));
                    if let Some(name) = unknown {
                        return Err(Failure::new(self.at(), format!("no variable {name}: write := to make it")));
                    }
                    self.next += i + 1;
                    return Ok((names, assigns));
                }
                _ => break,
            }
        }
        Ok((Vec::new(), false))
    }

    fn command(&mut self, parser: &mut Parser<'_>, depth: usize) -> Result<Command, Failure> {
        let mut terms = Vec::new();
        while let Some(word) = self.peek() {
            if matches!(word.kind, Kind::Pipe | Kind::Close) {
                break;
            }
            if !terms.is_empty() && !word.apart {
                return Err(Failure::new(word.at, "write a space between two values"));
            }
            terms.push(self.term(parser, depth)?);
        }
        let Some(first) = terms.first() else {
            return Err(Failure::new(self.at(), "a value or a function is missing here"));
        };
        if matches!(first.base, Base::Nil) && terms.len() == 1 {
            return Err(Failure::new(first.at, "nil is no command"));
        }
        Ok(Command { terms })
    }

    fn term(&mut self, parser: &mut Parser<'_>, depth: usize) -> Result<Term, Failure> {
        let Some(word) = self.peek() else { return Err(Failure::new(self.at(), "a value is missing here")) };
        self.next += 1;
        let mut fields = Vec::new();
        let base = match &word.kind {
            Kind::Dot => Base::Dot,
            Kind::Field(name) => {
                fields.push(name.clone());
                Base::Dot
            }
            Kind::Variable(name) if parser.variables.contains(name) => Base::Variable(name.clone()),
            Kind::Variable(name) => {
                return Err(Failure::new(
                    word.at,
                    format!("undefined variable {name}: there are {}", GIVEN[1..].join(", ")),
                ));
            }
            Kind::Name(name) => match name.as_str() {
                "true" => Base::Bool(true),
                "false" => Base::Bool(false),
                "nil" => Base::Nil,
                name => match functions::find(name) {
                    Some(function) => Base::Function(function),
                    None => return Err(Failure::new(word.at, format!("function {name:?} not defined"))),
                },
            },
            Kind::Text(text) => Base::Text(text.clone()),
            Kind::Integer(number) => Base::Integer(*number),
            Kind::Float(number) => Base::Float(*number),
            Kind::Open if depth < MAX_DEPTH => {
                let inner = self.pipeline(parser, 0, depth + 1)?;
                match self.peek() {
                    Some(Word { kind: Kind::Close, .. }) => self.next += 1,
                    _ => return Err(Failure::new(self.at(), "a parenthesis is open here: write )")),
                }
                Base::Group(Box::new(inner))
            }
            Kind::Open => return Err(Failure::new(word.at, "too many parentheses within each other")),
            Kind::Pipe | Kind::Close | Kind::Comma | Kind::Declare | Kind::Assign => {
                return Err(Failure::new(word.at, "a value is missing before this sign"));
            }
        };
        while let Some(Word { kind: Kind::Field(name), apart: false, at }) = self.peek() {
            if !matches!(base, Base::Dot | Base::Variable(_) | Base::Group(_)) {
                return Err(Failure::new(*at, "only what has parts can be followed by a field: put it in parentheses"));
            }
            fields.push(name.clone());
            self.next += 1;
        }
        Ok(Term { base, fields, at: word.at })
    }
}
