//! Names that become labels: bounded in length and in number.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::Limits;

/// The label of whatever is on no list.
pub const OTHER: &str = "other";

/// A name's place in its table. Zero is [`OTHER`].
pub(crate) type LabelId = u16;

/// A table of names. The hash has random keys: the names are chosen by others.
#[derive(Debug)]
pub(crate) struct LabelTable {
    places: HashMap<Box<str>, LabelId>,
    names: Vec<Cow<'static, str>>,
    capacity: usize,
    folded: u64,
}

impl LabelTable {
    /// A table that takes the first `capacity` names that it is asked for.
    pub(crate) fn open(capacity: usize) -> Self {
        let capacity = capacity.min(usize::from(LabelId::MAX));
        Self { places: HashMap::new(), names: vec![Cow::Borrowed(OTHER)], capacity, folded: 0 }
    }

    /// A table of these names, in this order from place 1, that takes no other. Who has such a list
    /// knows the places himself: to [`intern`](Self::intern) every name is unknown.
    pub(crate) fn closed(names: impl Iterator<Item = &'static str>) -> Self {
        let names = std::iter::once(OTHER).chain(names).map(Cow::Borrowed).collect();
        Self { places: HashMap::new(), names, capacity: 0, folded: 0 }
    }

    /// The place of `name`; that of [`OTHER`] for `None`, for what is empty, too long or not
    /// printable, and when the table is full.
    pub(crate) fn intern(&mut self, name: Option<&str>) -> LabelId {
        let Some(name) = name else {
            self.folded += 1;
            return 0;
        };
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let printable = !name.is_empty() && name.len() <= Limits::MAX_NAME && !name.chars().any(char::is_control);
        if !printable || self.places.len() >= self.capacity || name == OTHER {
            self.folded += 1;
            return 0;
        }
        let place = self.names.len() as LabelId;
        self.names.push(Cow::Owned(name.to_string()));
        self.places.insert(name.into(), place);
        place
    }

    /// The name at a place.
    pub(crate) fn name(&self, place: LabelId) -> &str {
        self.names.get(usize::from(place)).map_or(OTHER, AsRef::as_ref)
    }

    /// How often a name was not on the list.
    pub(crate) fn folded(&self) -> u64 {
        self.folded
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_folds_new_names_and_keeps_the_old() {
        let mut table = LabelTable::open(2);
        let places: Vec<_> = ["a", "b", "c", "a", ""].map(|name| table.intern(Some(name))).into();
        assert_eq!(places, [1, 2, 0, 1, 0]);
        assert_eq!((table.name(2), table.name(0), table.name(99), table.folded()), ("b", OTHER, OTHER, 2));
    }

    #[test]
    fn what_no_screen_should_show_is_folded() {
        let mut table = LabelTable::open(10);
        let long = "x".repeat(Limits::MAX_NAME + 1);
        for name in [Some("a\u{1b}[2J"), Some(long.as_str()), None] {
            assert_eq!(table.intern(name), 0, "{name:?}");
        }
        assert_eq!(table.len(), 0);
    }
}
