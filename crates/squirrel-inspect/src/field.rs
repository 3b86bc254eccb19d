//! Fields that are asked for: their paths, and what is found there.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::{Direction, Limits};

/// The value of one field of one message. Follows the message that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// The protocol.
    pub protocol: &'static str,
    /// Which way the message went.
    pub direction: Direction,
    /// The path's place among those that were asked for.
    pub place: usize,
    /// The path, as it was asked for.
    pub path: &'a str,
    /// What stands there.
    pub value: FieldValue<'a>,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldValue<'a> {
    /// A number, finite.
    Number(f64),
    /// A text of at most [`Limits::MAX_NAME`] octets.
    Text(&'a str),
    /// Something else: a truth value, nothing, an object, an array, or a longer text.
    Other,
}

/// Paths of fields, such as `params.arguments.size`: names of members from the message inwards, with dots
/// between; a dot within a name is written `\.`. Arrays are not entered. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPaths(Arc<[Path]>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Path {
    name: String,
    parts: Vec<Box<[u8]>>,
}

impl FieldPaths {
    /// The most paths.
    pub const MAX: usize = 16;
    /// The most names in a path.
    pub const MAX_PARTS: usize = 8;

    /// Understands paths.
    ///
    /// # Errors
    /// When there are too many, one is too long, or a name in it is empty or longer than [`Limits::MAX_NAME`].
    pub fn new<P: AsRef<str>>(paths: &[P]) -> Result<Self, BadPath> {
        if paths.len() > Self::MAX {
            return Err(BadPath(format!("{} fields are asked for: {} are possible", paths.len(), Self::MAX)));
        }
        paths.iter().map(|path| Path::new(path.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A path as it was asked for; empty for a place where there is none.
    pub fn name(&self, place: usize) -> &str {
        self.0.get(place).map_or("", |path| &path.name)
    }

    /// A bit for each path.
    pub(crate) fn all(&self) -> u16 {
        self.bits(|_| true)
    }

    /// Those of so many names.
    pub(crate) fn of_length(&self, length: usize) -> u16 {
        self.bits(|path| path.parts.len() == length)
    }

    /// Those among `candidates` whose name at `depth` this is.
    pub(crate) fn with_part(&self, candidates: u16, depth: usize, part: &[u8]) -> u16 {
        candidates & self.bits(|path| path.parts.get(depth).is_some_and(|name| **name == *part))
    }

    fn bits(&self, wanted: impl Fn(&Path) -> bool) -> u16 {
        self.0.iter().enumerate().filter(|(_, path)| wanted(path)).fold(0, |bits, (place, _)| bits | 1 << place)
    }
}

impl Path {
    fn new(path: &str) -> Result<Self, BadPath> {
        let mut parts = vec![String::new()];
        let mut characters = path.chars();
        while let Some(character) = characters.next() {
            match (character, parts.last_mut()) {
                ('.', _) => parts.push(String::new()),
                ('\\', Some(part)) => part.extend(characters.next()),
                (character, Some(part)) => part.push(character),
                (_, None) => {}
            }
        }
        let good = |part: &String| !part.is_empty() && part.len() <= Limits::MAX_NAME;
        if parts.len() > FieldPaths::MAX_PARTS || !parts.iter().all(good) {
            let (most, longest) = (FieldPaths::MAX_PARTS, Limits::MAX_NAME);
            let message = format!(
                "the field {path:?}: write at most {most} names of 1 to {longest} octets with dots between, such as params.name"
            );
            return Err(BadPath(message));
        }
        Ok(Self { name: path.to_owned(), parts: parts.into_iter().map(|part| part.into_bytes().into()).collect() })
    }
}

/// Why paths cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPath(String);

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadPath {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_understood_or_refused() {
        let deep = ["a"; 9].join(".");
        let long = "x".repeat(65);
        for path in ["", ".", "a.", ".a", "a..b", deep.as_str(), long.as_str()] {
            assert!(FieldPaths::new(&[path]).is_err(), "{path}");
        }
        let many: Vec<String> = (0..17).map(|number| format!("a{number}")).collect();
        assert!(FieldPaths::new(&many).is_err());
        let paths = FieldPaths::new(&many[..16]).unwrap();
        assert_eq!((paths.len(), paths.name(15), paths.name(16), paths.all()), (16, "a15", "", u16::MAX));
    }
}
