//! A file that only takes up space, to be given up when the disk is full: then blocks can be
//! finished, and the log segments that they replace be deleted, which frees more.

use crate::dir::Dir;

pub(crate) const FILE: &str = "reserve";
const PIECE: usize = 1 << 20;

/// Whether the reserve is there.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    bytes: u64,
    present: bool,
}

impl Reserve {
    /// Looks whether the reserve is there; makes it if there is room.
    pub(super) fn open(dir: &dyn Dir, bytes: u64) -> Self {
        let there = dir.open(FILE).and_then(|file| file.len()).unwrap_or(0);
        let mut reserve = Self { bytes, present: bytes > 0 && there >= bytes };
        if !reserve.present {
            reserve.refill(dir);
        }
        reserve
    }

    /// Makes the reserve again after it was given up.
    pub(super) fn refill(&mut self, dir: &dyn Dir) {
        if self.present || self.bytes == 0 {
            return;
        }
        let _ = dir.remove(FILE); // an unfinished one
        let made = dir.create(FILE).and_then(|mut file| {
            let piece = vec![0; PIECE];
            let mut left = self.bytes as usize;
            while left > 0 {
                let n = left.min(PIECE);
                file.write(piece.get(..n).unwrap_or_default())?;
                left -= n;
            }
            file.sync()
        });
        self.present = made.is_ok();
        if !self.present {
            let _ = dir.remove(FILE); // there is no room: do not take the rest of it
        }
    }

    /// Gives the space back; answers whether there was any.
    pub(super) fn release(&mut self, dir: &dyn Dir) -> bool {
        let released = self.present && dir.remove(FILE).is_ok();
        self.present &= !released;
        released
    }
}
