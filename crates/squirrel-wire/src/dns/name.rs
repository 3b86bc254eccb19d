//! Names: labels, and the pointers by which a message says a name only once (RFC 1035, section 4.1.4).

use core::fmt;

use crate::Malformed;

/// Octets of the longest name as it is sent.
pub const LONGEST_NAME: usize = 255;

/// Octets of the longest label.
const LONGEST_LABEL: usize = 63;

/// A name within a message, looked through to its end: it has at most 255 octets, and no loop.
///
/// It is shown with its final dot, as master files write it: a dot within a label as `\.`, what is no printable ASCII as
/// `\DDD`. So it is fit for every screen.
#[derive(Clone, Copy)]
pub struct Name<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Name<'a> {
    /// The name at `at`, and where the octets after it begin.
    pub(super) fn parse(message: &'a [u8], at: usize) -> Result<(Self, usize), Malformed> {
        let malformed = |offset| Malformed { layer: "dns name", offset };
        let name = Self { message, at };
        let (mut place, mut floor, mut len) = (at, at, 0_usize);
        let mut end = None;
        loop {
            match step(message, place).ok_or(malformed(place))? {
                Step::End => return Ok((name, end.unwrap_or(place + 1))),
                Step::Label(label, next) => {
                    len += label.len() + 1;
                    if len >= LONGEST_NAME {
                        return Err(malformed(place));
                    }
                    place = next;
                }
                Step::Pointer(target) => {
                    // Only backwards, before all that was read of this name: so it ends.
                    if target >= floor {
                        return Err(malformed(place));
                    }
                    end = end.or(Some(place + 2));
                    (place, floor) = (target, target);
                }
            }
        }
    }

    /// The labels, without the empty one at the end.
    pub fn labels(&self) -> Labels<'a> {
        Labels { message: self.message, at: Some(self.at), left: LONGEST_NAME }
    }

    /// Whether both are the same name, where a small letter is the same as a capital one (RFC 4343).
    pub fn is_same(&self, other: &Name<'_>) -> bool {
        let (mut own, mut others) = (self.labels(), other.labels());
        loop {
            match (own.next(), others.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if one.eq_ignore_ascii_case(other) => {}
                _ => return false,
            }
        }
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.labels().eq(other.labels())
    }
}

impl Eq for Name<'_> {}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_root = true;
        for label in self.labels() {
            is_root = false;
            for octet in label {
                match octet {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b' ' | b'\'' => {
                        write!(f, "\\{}", char::from(*octet))?;
                    }
                    b'!'..=b'~' => write!(f, "{}", char::from(*octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str(".")?;
        }
        if is_root { f.write_str(".") } else { Ok(()) }
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The labels of a name.
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    message: &'a [u8],
    at: Option<usize>,
    /// Steps that are left: a bound that does not rely on the name having been looked through.
    left: usize,
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            self.left = self.left.checked_sub(1)?;
            match step(self.message, self.at?)? {
                Step::End => {
                    self.at = None;
                    return None;
                }
                Step::Label(label, next) => {
                    self.at = Some(next);
                    return Some(label);
                }
                Step::Pointer(target) => self.at = Some(target),
            }
        }
    }
}

enum Step<'a> {
    End,
    Label(&'a [u8], usize),
    Pointer(usize),
}

fn step(message: &[u8], at: usize) -> Option<Step<'_>> {
    let length = *message.get(at)?;
    match length {
        0 => Some(Step::End),
        1..=0x3f => {
            let next = at + 1 + usize::from(length);
            Some(Step::Label(message.get(at + 1..next)?, next))
        }
        0xc0..=0xff => {
            let low = *message.get(at + 1)?;
            Some(Step::Pointer(usize::from(length & 0x3f) << 8 | usize::from(low)))
        }
        // Kinds of labels that were never in use (RFC 6891, section 5).
        0x40..=0xbf => None,
    }
}

/// Writes a name given as text, with or without its final dot, and gives its length. A dot within a label is written
/// `\.`, any octet `\DDD`.
pub(super) fn write(text: &str, out: &mut [u8]) -> Option<usize> {
    let mut octets = text.bytes();
    let (mut label_at, mut at) = (0, 1);
    let mut put = |at: usize, octet: u8| out.get_mut(at).filter(|_| at < LONGEST_NAME).map(|place| *place = octet);
    if text == "." {
        put(0, 0)?;
        return Some(1);
    }
    loop {
        let octet = octets.next();
        if matches!(octet, None | Some(b'.')) {
            let len = at - label_at - 1;
            if len == 0 || len > LONGEST_LABEL {
                return None;
            }
            put(label_at, len as u8)?;
            (label_at, at) = (at, at + 1);
            if octet.is_none() || octets.len() == 0 {
                put(label_at, 0)?;
                return Some(at);
            }
            continue;
        }
        let octet = match octet? {
            b'\\' => escaped(&mut octets)?,
            plain => Some(plain).filter(u8::is_ascii_graphic)?,
        };
        put(at, octet)?;
        at += 1;
    }
}

fn escaped(octets: &mut core::str::Bytes<'_>) -> Option<u8> {
    let first = octets.next()?;
    if !first.is_ascii_digit() {
        return Some(first).filter(|first| matches!(first, b' '..=b'~'));
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = octets.next().filter(u8::is_ascii_digit)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).ok()
}
