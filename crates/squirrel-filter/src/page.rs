//! Rows in an order, and a part of them.

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::Filter;
use crate::error::did_you_mean;
use crate::field::{self, Field, Value};

/// By which field rows are ordered.
pub struct Order<R: 'static> {
    field: &'static Field<R>,
    descending: bool,
}

/// A name by which no table can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no field {name:?} to sort by.{hint} There are: {names}")]
pub struct SortError {
    name: String,
    hint: String,
    names: String,
}

impl<R> Order<R> {
    /// By the field of this name. Without `descending` numbers begin with the largest, texts and addresses with
    /// the first: what users of a table want to see on top.
    ///
    /// # Errors
    /// The table has no such field.
    pub fn by(fields: &'static [Field<R>], name: &str, descending: Option<bool>) -> Result<Self, SortError> {
        let found = field::find(fields, name).and_then(|index| fields.get(index));
        let field = found.ok_or_else(|| SortError {
            name: name.to_owned(),
            hint: did_you_mean(name, fields.iter().map(|field| field.name)),
            names: field::names(fields),
        })?;
        Ok(Self { field, descending: descending.unwrap_or(field.kind.is_number()) })
    }

    /// The name of the field.
    pub fn name(&self) -> &'static str {
        self.field.name
    }

    /// Whether the largest comes first.
    pub fn is_descending(&self) -> bool {
        self.descending
    }
}

/// Which rows are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<'a, R> {
    /// The rows of this page.
    pub rows: Vec<&'a R>,
    /// Every row that the filter chose, in the order of the table: for totals.
    pub chosen: Vec<&'a R>,
}

/// What a row is ordered by.
#[derive(PartialEq)]
enum Key {
    Number(f64),
    Address(IpAddr),
    Text(String),
}

fn key<R>(field: &Field<R>, row: &R) -> Option<Key> {
    let mut key = None;
    (field.values)(row, &mut |value| {
        if key.is_none() {
            key = Some(match value {
                Value::Number(number) => Key::Number(number),
                Value::Address(address) => Key::Address(address),
                Value::Text(text) => Key::Text(text.to_owned()),
            });
        }
    });
    key
}

fn compare(a: &Key, b: &Key) -> Ordering {
    match (a, b) {
        (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
        (Key::Address(a), Key::Address(b)) => a.cmp(b),
        (Key::Text(a), Key::Text(b)) => a.cmp(b),
        // A field has values of one kind.
        _ => Ordering::Equal,
    }
}

/// The rows that `filter` chooses, ordered, from the `offset`th on at most `limit`. Rows without a value in the
/// field of the order come last; rows with the same value keep their order.
pub fn page<'a, R>(
    rows: &'a [R],
    filter: &Filter<R>,
    order: Option<&Order<R>>,
    offset: usize,
    limit: usize,
) -> Page<'a, R> {
    let chosen: Vec<&R> = rows.iter().filter(|row| filter.matches(row)).collect();
    match order {
        None => Page { rows: chosen.iter().copied().skip(offset).take(limit).collect(), chosen },
        Some(order) => order.page_of(chosen, offset, limit),
    }
}

impl<R> Order<R> {
    /// As [`page()`], of rows that were chosen already.
    pub fn page_of<'a>(&self, chosen: Vec<&'a R>, offset: usize, limit: usize) -> Page<'a, R> {
        let mut keyed: Vec<(Option<Key>, &R)> = chosen.iter().map(|row| (key(self.field, row), *row)).collect();
        keyed.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some(a), Some(b)) if self.descending => compare(b, a),
            (Some(a), Some(b)) => compare(a, b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        Page { rows: keyed.into_iter().skip(offset).take(limit).map(|(_, row)| row).collect(), chosen }
    }
}
