//! What a table says of itself: its fields, as data.

use std::net::IpAddr;

/// What a field holds, and so which values can be compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text: compared by what it contains, without regard to case.
    Text,
    /// One of a few words: compared whole, without regard to case, `-` the same as `_`.
    Word,
    /// A number without a unit.
    Number,
    /// Bytes: `10MiB`, `64kB`, `1500`.
    Bytes,
    /// Bytes per second: `1Mbit` (a second), `2MiB/s`, `1500`.
    Rate,
    /// Microseconds: `50ms`, `1.5s`, `200us`.
    Duration,
    /// A port: its number or the name of its service.
    Port,
    /// An address: whole, or a network such as `10.0.0.0/8`.
    Address,
}

impl Kind {
    /// How such a value is written, for error messages and documentation.
    pub fn example(self) -> &'static str {
        match self {
            Self::Text => "nginx, =nginx, \"two words\" or /^ng.*/",
            Self::Word => "a word such as established",
            Self::Number => "12, >12 or 3..5",
            Self::Bytes => "1500, >64kB or 1MiB..10MiB",
            Self::Rate => ">1Mbit, >=2MiB/s or 1500",
            Self::Duration => ">50ms, <200us or 1s..2s",
            Self::Port => "443, https, >1024 or 8000..8100",
            Self::Address => "192.0.2.1, 10.0.0.0/8 or 2001:db8::/32",
        }
    }

    /// Whether its values are numbers that can be more or less.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Bytes | Self::Rate | Self::Duration | Self::Port)
    }
}

/// A value of one row in one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// For [`Kind::Text`] and [`Kind::Word`].
    Text(&'a str),
    /// For the kinds that are numbers.
    Number(f64),
    /// For [`Kind::Address`].
    Address(IpAddr),
}

/// Hands the values of one field of a row to a function, one call for each.
pub type Values<R> = fn(&R, &mut dyn FnMut(Value<'_>));

/// One field of a table whose rows are `R`.
pub struct Field<R> {
    /// The name that users write.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// What it holds.
    pub kind: Kind,
    /// What it means, in a few words.
    pub help: &'static str,
    /// Whether a word without a field is looked for here.
    pub searched: bool,
    /// Hands over the values that a row has: none when it is not known, several when the field stands for
    /// several columns (`port` is either side's). Sorting uses the first.
    pub values: Values<R>,
}

impl<R> Field<R> {
    /// Whether this is the field's name or another name of it.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        std::iter::once(&self.name).chain(self.aliases).any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// The field that is called `name`.
pub(crate) fn find<R>(fields: &[Field<R>], name: &str) -> Option<usize> {
    fields.iter().position(|field| field.is_called(name))
}

/// All names, for "there are".
pub(crate) fn names<R>(fields: &[Field<R>]) -> String {
    fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}
