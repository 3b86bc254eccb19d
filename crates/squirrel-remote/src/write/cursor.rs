//! Up to where a target has everything, and the file that says so.

use std::io;

use squirrel_model::Timestamp;
use squirrel_store::dir::{Dir, write_whole};

/// The folder of all cursors, in the store's.
const FOLDER: &str = "remote-write";

/// The first line of the file.
const HEAD: &str = "squirrel remote write 1";

/// A place in the store's time, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Everything up to here was taken.
    pub(super) sent: i64,
    /// Up to here, something may have been taken.
    pub(super) pending: Option<i64>,
}

impl Cursor {
    pub(super) fn at(sent: Timestamp) -> Self {
        Self { sent: sent.millis(), pending: None }
    }

    fn text(self) -> String {
        let mut text = format!("{HEAD}\nsent {}\n", self.sent);
        if let Some(pending) = self.pending {
            text += &format!("pending {pending}\n");
        }
        text + "end\n"
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix("end\n")?.lines();
        let head = lines.next()?;
        let sent = lines.next()?.strip_prefix("sent ")?.parse().ok()?;
        let pending = match lines.next() {
            None => None,
            Some(line) => Some(line.strip_prefix("pending ")?.parse().ok()?),
        };
        (head == HEAD && lines.next().is_none()).then_some(Self { sent, pending })
    }
}

/// The file of one target's cursor.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    name: String,
}

impl Kept {
    pub(super) fn new(target: &str) -> Self {
        Self { name: format!("{target}.cursor") }
    }

    /// What was written last; `None` when nothing was.
    pub(super) fn read(&self, dir: &dyn Dir) -> Result<Option<Cursor>, String> {
        let path = format!("{FOLDER}/{}", self.name);
        match dir.read(&path) {
            Ok(octets) => {
                let cursor = std::str::from_utf8(&octets).ok().and_then(Cursor::parse);
                cursor.map(Some).ok_or_else(|| format!("{path} is damaged"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{path} cannot be read: {error}")),
        }
    }

    /// Writes it so that it is either there as a whole or as it was before.
    pub(super) fn write(&self, dir: &dyn Dir, cursor: Cursor) -> io::Result<()> {
        dir.make_folder(FOLDER)?;
        write_whole(dir, FOLDER, &self.name, cursor.text().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_store::dir::MemoryDir;

    #[test]
    fn a_cursor_comes_back_and_a_damaged_one_is_told_from_none() {
        let dir = MemoryDir::new();
        let kept = Kept::new("hub");
        assert_eq!(kept.read(&dir), Ok(None));
        for cursor in [Cursor { sent: 5, pending: None }, Cursor { sent: -1, pending: Some(1_795_275_000_000) }] {
            kept.write(&dir, cursor).unwrap();
            assert_eq!(kept.read(&dir), Ok(Some(cursor)));
            let text = cursor.text();
            for end in 0..text.len() {
                assert_eq!(Cursor::parse(&text[..end]), None, "{}", &text[..end]);
            }
        }
        write_whole(&dir, FOLDER, "hub.cursor", b"squirrel").unwrap();
        assert_eq!(kept.read(&dir), Err("remote-write/hub.cursor is damaged".to_owned()));
    }
}
