//! A table whose rows keep their place, so that a place (four octets) can stand for a row.

/// The place of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    /// No row.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) fn is_some(self) -> bool {
        self != Self::NONE
    }
}

/// Rows, with the places that became free.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    rows: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    pub(crate) fn insert(&mut self, row: T) -> Slot {
        if let Some(at) = self.free.pop() {
            if let Some(place) = self.rows.get_mut(at as usize) {
                *place = Some(row);
            }
            return Slot(at);
        }
        // Tables are bounded far below 2³² rows.
        let at = self.rows.len() as u32;
        self.rows.push(Some(row));
        Slot(at)
    }

    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let row = self.rows.get_mut(slot.0 as usize)?.take()?;
        self.free.push(slot.0);
        Some(row)
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        self.rows.get(slot.0 as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.rows.get_mut(slot.0 as usize)?.as_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    /// Rows that there is memory for.
    pub(crate) fn places(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        self.rows.iter().enumerate().filter_map(|(at, row)| Some((Slot(at as u32), row.as_ref()?)))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, &mut T)> {
        self.rows.iter_mut().enumerate().filter_map(|(at, row)| Some((Slot(at as u32), row.as_mut()?)))
    }

    /// Gives back the memory of places at the end that are free, when they are many.
    pub(crate) fn shrink(&mut self) {
        if self.rows.len() < 4096 || self.len() * 4 > self.rows.len() {
            return;
        }
        while self.rows.last().is_some_and(Option::is_none) {
            self.rows.pop();
        }
        let len = self.rows.len();
        self.free.retain(|at| (*at as usize) < len);
        self.rows.shrink_to_fit();
        self.free.shrink_to_fit();
    }
}
