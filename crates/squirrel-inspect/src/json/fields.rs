//! Values of members that somebody asked for by their path.
//!
//! A second reader beside the scanner, and only there when fields are asked for. It enters the objects that a
//! path leads through and passes over everything else. Arrays are not entered.

use super::skip::{Meter, Skip};
use super::text::{Progress, Text, Unescape};
use crate::{Direction, Event, Field, FieldPaths, FieldValue, Limits};

/// What was found at the end of a path.
#[derive(Clone, Copy, Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Number(f64),
    Text(Text<{ Limits::MAX_NAME }>),
    /// A truth value, nothing, a container, or a text that is too long to be kept.
    Other,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the object. What separates the messages of a batch is passed over.
    #[default]
    Start,
    Key,
    InKey,
    Colon,
    Value,
    InText,
    InLiteral,
    Skipping,
    AfterValue,
    Done,
}

/// The machine. One for each direction.
#[derive(Clone, Debug)]
pub(crate) struct FieldReader {
    paths: FieldPaths,
    state: State,
    /// For each object that we are in, the paths that lead through it: a bit for each.
    through: [u16; FieldPaths::MAX_PARTS],
    depth: usize,
    /// The paths that the present key is part of.
    here: u16,
    scratch: Text<{ Limits::MAX_NAME }>,
    unescape: Unescape,
    skip: Skip,
    meter: Meter,
    slots: Vec<Slot>,
}

impl FieldReader {
    pub(crate) fn new(paths: &FieldPaths) -> Self {
        Self {
            slots: vec![Slot::Empty; paths.len()],
            paths: paths.clone(),
            state: State::Start,
            through: [0; FieldPaths::MAX_PARTS],
            depth: 0,
            here: 0,
            scratch: Text::default(),
            unescape: Unescape::default(),
            skip: Skip::default(),
            meter: Meter { levels: u32::MAX, ..Meter::default() },
        }
    }

    /// Makes ready for the next message.
    pub(crate) fn reset(&mut self) {
        self.state = State::Start;
        self.slots.fill(Slot::Empty);
    }

    /// Steps of work so far.
    pub(crate) fn work(&self) -> u64 {
        self.meter.work
    }

    /// Tells what was found in this message.
    pub(crate) fn tell(&self, protocol: &'static str, direction: Direction, events: &mut dyn FnMut(Event<'_>)) {
        for (place, value) in self.found() {
            events(Event::Field(Field { protocol, direction, place, path: self.paths.name(place), value }));
        }
    }

    /// What was found in this message: the path's place, and the value. The last of several members of one name
    /// counts.
    fn found(&self) -> impl Iterator<Item = (usize, FieldValue<'_>)> {
        self.slots.iter().enumerate().filter_map(|(place, slot)| {
            let value = match slot {
                Slot::Empty => return None,
                Slot::Number(number) => FieldValue::Number(*number),
                Slot::Text(text) => text.text().map_or(FieldValue::Other, FieldValue::Text),
                Slot::Other => FieldValue::Other,
            };
            Some((place, value))
        })
    }

    /// Shows the next octets.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        let mut at = 0;
        while let Some(octet) = octets.get(at).copied() {
            self.meter.work += 1;
            let rest = octets.get(at..).unwrap_or_default();
            match self.state {
                State::Done => return,
                State::InKey | State::InText => match self.unescape.read(rest, &mut self.scratch) {
                    Progress::More => {
                        self.meter.work += rest.len() as u64;
                        return;
                    }
                    // The scanner tells what is wrong.
                    Progress::Bad => self.give_up(),
                    Progress::Ended(used) => {
                        self.meter.work += used as u64;
                        at += used;
                        self.text_ended();
                    }
                },
                State::Skipping => {
                    let (used, ended) = self.skip.advance(rest, &mut self.meter);
                    at += used;
                    if ended {
                        self.state = State::AfterValue;
                    }
                }
                State::InLiteral if is_literal(octet) => {
                    self.scratch.push(&[octet]);
                    at += 1;
                }
                State::InLiteral => self.literal_ended(),
                _ => {
                    at += 1;
                    self.structure(octet);
                }
            }
        }
    }

    fn structure(&mut self, octet: u8) {
        match (self.state, octet) {
            (State::Start, b'{') => {
                self.depth = 0;
                self.enter(self.paths.all());
            }
            (State::Key, b'"') => {
                self.begin_text();
                self.state = State::InKey;
            }
            (State::Colon, b':') => self.state = State::Value,
            (State::AfterValue, b',') => self.state = State::Key,
            (State::Key | State::AfterValue, b'}') => match self.depth.checked_sub(1) {
                Some(depth) => (self.depth, self.state) = (depth, State::AfterValue),
                None => self.state = State::Done,
            },
            (State::Start, _) | (_, b' ' | b'\t' | b'\r' | b'\n') => {}
            (State::Value, octet) => self.value_begins(octet),
            _ => self.give_up(),
        }
    }

    fn enter(&mut self, through: u16) {
        if let Some(level) = self.through.get_mut(self.depth) {
            *level = through;
        }
        self.state = State::Key;
    }

    fn begin_text(&mut self) {
        self.scratch.clear();
        self.unescape = Unescape::default();
    }

    /// The paths that end with the present key.
    fn ending(&self) -> u16 {
        self.here & self.paths.of_length(self.depth + 1)
    }

    fn text_ended(&mut self) {
        if self.state == State::InKey {
            let through = self.through.get(self.depth).copied().unwrap_or(0);
            let key = self.scratch;
            self.here = if key.is_overflown() { 0 } else { self.paths.with_part(through, self.depth, key.octets()) };
            self.state = State::Colon;
            return;
        }
        let text = self.scratch;
        self.put(Slot::Text(text));
        self.state = State::AfterValue;
    }

    fn value_begins(&mut self, octet: u8) {
        let ending = self.ending();
        match octet {
            b'{' | b'[' => {
                self.put(Slot::Other);
                let further = self.here & !ending;
                if octet == b'{' && further != 0 {
                    self.depth += 1;
                    self.enter(further);
                } else {
                    self.skip = Skip::container();
                    self.state = State::Skipping;
                }
            }
            b'"' if ending != 0 => {
                self.begin_text();
                self.state = State::InText;
            }
            b'"' => {
                self.skip = Skip::text();
                self.state = State::Skipping;
            }
            octet if is_literal(octet) => {
                self.scratch.clear();
                self.scratch.push(&[octet]);
                self.state = State::InLiteral;
            }
            _ => self.give_up(),
        }
    }

    fn literal_ended(&mut self) {
        let number = self.scratch.text().filter(|text| !text.starts_with(['t', 'f', 'n'])).map(str::parse::<f64>);
        self.put(match number {
            Some(Ok(number)) if number.is_finite() => Slot::Number(number),
            _ => Slot::Other,
        });
        self.state = State::AfterValue;
    }

    fn put(&mut self, value: Slot) {
        let ending = self.ending();
        for (place, slot) in self.slots.iter_mut().enumerate().filter(|(place, _)| ending >> place & 1 == 1) {
            debug_assert!(place < FieldPaths::MAX, "a bit for each path");
            *slot = value;
        }
    }

    fn give_up(&mut self) {
        self.slots.fill(Slot::Empty);
        self.state = State::Done;
    }
}

fn is_literal(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests;
