//! Which series of two operands belong together.

use std::collections::HashMap;

use squirrel_model::{Labels, NAME_LABEL};

use super::column::Series;
use crate::ast::Matching;

/// The series of both sides that share the labels they are matched by, as indexes.
#[derive(Default)]
pub(super) struct Group {
    pub(super) left: Vec<usize>,
    pub(super) right: Vec<usize>,
}

/// The labels by which a series is matched.
pub(super) fn match_labels(labels: &Labels, matching: &Matching) -> Labels {
    let named = matching.labels.as_deref().unwrap_or_default();
    if matching.on {
        labels.filter(|name| named.iter().any(|n| n == name))
    } else {
        labels.filter(|name| name != NAME_LABEL && !named.iter().any(|n| n == name))
    }
}

/// Groups in the order in which the left side, then the right side, first shows them.
pub(super) fn groups(left: &[Series], right: &[Series], matching: &Matching) -> Vec<Group> {
    let mut places: HashMap<Labels, usize> = HashMap::with_capacity(left.len());
    let mut out: Vec<Group> = Vec::with_capacity(left.len());
    let mut place = |labels: &Labels, out: &mut Vec<Group>| {
        let place = *places.entry(match_labels(labels, matching)).or_insert(out.len());
        if place == out.len() {
            out.push(Group::default());
        }
        place
    };
    for (i, one) in left.iter().enumerate() {
        let place = place(&one.labels, &mut out);
        if let Some(group) = out.get_mut(place) {
            group.left.push(i);
        }
    }
    for (i, one) in right.iter().enumerate() {
        let place = place(&one.labels, &mut out);
        if let Some(group) = out.get_mut(place) {
            group.right.push(i);
        }
    }
    out
}
