//! Server-sent events, as MCP sends messages in them: the lines `data:` up to an empty line.
//!
//! Lines end with LF or CR LF; a lone CR, which the standard allows too, is not known to be used.

use crate::octets::find;

/// What part of a body of events is for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Data(&'a [u8]),
    /// The event is complete.
    Event,
}

/// Where in a line we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    /// So many octets agree with `data:`.
    Name(usize),
    /// After the colon: one space is dropped.
    Space,
    Data,
    /// A line of no interest.
    Other,
    #[default]
    Start,
    /// Nothing but a CR so far.
    Empty,
}

/// Takes a body apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Events {
    line: Line,
    /// Whether the event has a line of data already.
    has_data: bool,
}

impl Events {
    pub(super) fn push(&mut self, octets: &[u8], each: &mut dyn FnMut(Part<'_>)) {
        let mut rest = octets;
        while let Some((octet, after)) = rest.split_first() {
            match (self.line, *octet) {
                (Line::Data | Line::Other | Line::Space, _) => {
                    let newline = find(rest, b'\n');
                    let (line, after) = rest.split_at(newline.unwrap_or(rest.len()));
                    self.inside(line, each);
                    if newline.is_some() {
                        self.line = Line::Start;
                    }
                    rest = after.get(1..).unwrap_or_default();
                    continue;
                }
                (Line::Start | Line::Empty, b'\n') => {
                    if self.has_data {
                        each(Part::Event);
                    }
                    *self = Self::default();
                }
                (Line::Start, b'\r') => self.line = Line::Empty,
                (Line::Name(_), b'\n') => self.line = Line::Start,
                (Line::Start, b'd') => self.line = Line::Name(1),
                (Line::Name(agreed), octet) if b"data:".get(agreed) == Some(&octet) => {
                    self.line = Line::Name(agreed + 1);
                    if agreed == 4 {
                        if self.has_data {
                            each(Part::Data(b"\n"));
                        }
                        (self.line, self.has_data) = (Line::Space, true);
                    }
                }
                _ => self.line = Line::Other,
            }
            rest = after;
        }
    }

    /// Octets of one line.
    fn inside(&mut self, line: &[u8], each: &mut dyn FnMut(Part<'_>)) {
        let mut line = line;
        if self.line == Line::Space && !line.is_empty() {
            line = line.strip_prefix(b" ").unwrap_or(line);
            self.line = Line::Data;
        }
        if self.line == Line::Data {
            // A CR stands before the LF only: JSON has none inside.
            for piece in line.split(|octet| *octet == b'\r').filter(|piece| !piece.is_empty()) {
                each(Part::Data(piece));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(octets: &[u8], cut: usize) -> String {
        let (mut events, mut told) = (Events::default(), String::new());
        for piece in octets.chunks(cut) {
            events.push(piece, &mut |part| match part {
                Part::Data(data) => told.push_str(&String::from_utf8_lossy(data)),
                Part::Event => told.push('|'),
            });
        }
        told
    }

    #[test]
    fn data_is_found_however_the_body_is_cut() {
        let body = b": hello\n\nid: 1\nevent: message\ndata: {\"a\":\ndata:1}\n\n\r\ndata:\ndata: x\r\n\r\ndatax: no\nd\ndata:  y\n\n";
        for cut in 1..=body.len() {
            assert_eq!(told(body, cut), "{\"a\":\n1}|\nx| y|", "{cut}");
        }
    }
}
