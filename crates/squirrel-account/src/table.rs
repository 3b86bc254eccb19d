//! The sockets that are followed, by cookie and by inode.

use crate::connection::Connection;
use crate::hash::NumberMap;
use crate::slots::{Slot, Slots};

/// All of them, open and lately ended.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Slots<Connection>,
    /// By cookie: cookies are unique on the whole host, whatever the namespace.
    by_cookie: NumberMap<u64, Slot>,
    /// Open ones by inode, to find them among a process's descriptors.
    by_inode: NumberMap<u32, Slot>,
    open: usize,
}

impl Table {
    pub(crate) fn find(&self, cookie: u64) -> Option<Slot> {
        self.by_cookie.get(&cookie).copied()
    }

    pub(crate) fn by_inode(&self, inode: u32) -> Option<Slot> {
        self.by_inode.get(&inode).copied()
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Connection> {
        self.rows.get(slot)
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Connection> {
        self.rows.get_mut(slot)
    }

    /// Adds an open one.
    pub(crate) fn add(&mut self, connection: Connection) -> Slot {
        let (cookie, inode) = (connection.cookie, connection.inode);
        let slot = self.rows.insert(connection);
        self.by_cookie.insert(cookie, slot);
        self.set_inode(slot, 0, inode);
        self.open += 1;
        slot
    }

    /// Keeps the index right when the inode changed: it becomes zero when no process has the socket open any more.
    pub(crate) fn set_inode(&mut self, slot: Slot, before: u32, inode: u32) {
        if before != inode && before != 0 && self.by_inode.get(&before) == Some(&slot) {
            self.by_inode.remove(&before);
        }
        if inode != 0 {
            self.by_inode.insert(inode, slot);
        }
    }

    /// Marks an open one as ended.
    pub(crate) fn close(&mut self, slot: Slot, wall: i64) {
        let Some(row) = self.rows.get_mut(slot).filter(|row| row.is_open()) else { return };
        row.closed = wall.max(1);
        let inode = row.inode;
        self.open -= 1;
        self.set_inode(slot, inode, 0);
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        let Some(row) = self.rows.remove(slot) else { return };
        self.by_cookie.remove(&row.cookie);
        self.set_inode(slot, row.inode, 0);
        self.open -= usize::from(row.is_open());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &Connection)> {
        self.rows.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, &mut Connection)> {
        self.rows.iter_mut()
    }

    /// Open ones.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of memory, near enough.
    pub(crate) fn memory(&self) -> usize {
        let index = (self.by_cookie.capacity() * 17 + self.by_inode.capacity() * 9) * 8 / 7;
        self.rows.places() * size_of::<Option<Connection>>() + index
    }

    pub(crate) fn shrink(&mut self) {
        self.rows.shrink();
        if self.by_cookie.capacity() > 4096 && self.by_cookie.len() * 4 < self.by_cookie.capacity() {
            self.by_cookie.shrink_to_fit();
            self.by_inode.shrink_to_fit();
        }
    }
}
