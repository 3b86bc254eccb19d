//! Label sets with their numbers, as the log, the series files and the blocks write them.
//!
//! A text is written once per list; after that by its place among the texts so far.

use std::collections::HashMap;

use squirrel_model::Labels;

use super::SeriesId;
use crate::bytes::{Reader, put_text, put_varint};

/// A series and its labels.
pub(crate) type Definition = (SeriesId, Labels);

/// Most labels that a series read from disk may have.
const MAX_LABELS: usize = 4096;

pub(crate) fn put_definitions(definitions: &[Definition], out: &mut Vec<u8>) {
    put_varint(out, definitions.len() as u64);
    let mut symbols: HashMap<&str, u64> = HashMap::new();
    for (id, labels) in definitions {
        put_varint(out, id.0);
        put_varint(out, labels.len() as u64);
        for text in labels.iter().flat_map(|(name, value)| [name, value]) {
            let next = symbols.len() as u64 + 1;
            let number = *symbols.entry(text).or_insert(next);
            if number == next {
                put_varint(out, 0);
                put_text(out, text);
            } else {
                put_varint(out, number);
            }
        }
    }
}

pub(crate) fn read_definitions(reader: &mut Reader<'_>) -> Option<Vec<Definition>> {
    let n = reader.count()?;
    let mut symbols: Vec<&str> = Vec::new();
    let mut definitions = Vec::with_capacity(n.min(1 << 16));
    for _ in 0..n {
        let id = SeriesId(reader.varint()?);
        let pairs = reader.count().filter(|n| *n <= MAX_LABELS)?;
        let mut labels = Vec::with_capacity(pairs);
        for _ in 0..pairs {
            let name = symbol(reader, &mut symbols)?;
            labels.push((name, symbol(reader, &mut symbols)?));
        }
        definitions.push((id, Labels::new(labels).ok()?));
    }
    Some(definitions)
}

fn symbol<'a>(reader: &mut Reader<'a>, symbols: &mut Vec<&'a str>) -> Option<&'a str> {
    let number = reader.count()?;
    if let Some(before) = number.checked_sub(1) {
        return symbols.get(before).copied();
    }
    let text = reader.text()?;
    symbols.push(text);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn label_sets_come_back(sets in prop::collection::vec(prop::collection::btree_map("[a-c_]{1,2}", "[a-cé\"\n]{0,3}", 0..5), 0..20)) {
            let definitions: Vec<Definition> =
                sets.into_iter().enumerate().map(|(i, set)| (SeriesId(i as u64 * 3), Labels::new(set).unwrap())).collect();
            let mut bytes = Vec::new();
            put_definitions(&definitions, &mut bytes);
            prop_assert_eq!(read_definitions(&mut Reader::new(&bytes)), Some(definitions));
            for len in 0..bytes.len() {
                let _ = read_definitions(&mut Reader::new(&bytes[..len]));
            }
        }
    }
}
