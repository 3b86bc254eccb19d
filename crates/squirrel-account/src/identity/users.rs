//! Names of users.
//!
//! Source: `passwd(5)`.

use std::collections::HashMap;

use squirrel_sys::SysError;

/// Reads the table of users into a buffer.
pub(crate) type Table = Box<dyn FnMut(&mut Vec<u8>) -> Result<(), SysError> + Send>;

/// How many numbers without a name let the table be read again: each after twice as many as before, so that a host
/// whose users stand elsewhere (a directory service) does not read it each time.
const FIRST_PATIENCE: u32 = 1;

/// The users met so far.
pub(crate) struct Users {
    table: Option<Table>,
    names: HashMap<u32, String>,
    unknown: u32,
    patience: u32,
}

impl Users {
    pub(crate) fn new(table: Option<Table>) -> Self {
        Self { table, names: HashMap::new(), unknown: 0, patience: FIRST_PATIENCE }
    }

    /// The name, or the number as text.
    pub(crate) fn name(&mut self, uid: u32) -> String {
        if let Some(name) = self.names.get(&uid) {
            return name.clone();
        }
        self.unknown += 1;
        if self.unknown >= self.patience {
            self.read();
        }
        self.names.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }

    fn read(&mut self) {
        self.unknown = 0;
        self.patience = self.patience.saturating_mul(2);
        let mut octets = Vec::new();
        if let Some(table) = &mut self.table
            && table(&mut octets).is_ok()
        {
            self.names = parse(&octets).collect();
        }
    }
}

/// The name of a user by the system's table, or `user N` where it has none.
pub fn user_name(uid: u32) -> String {
    let mut octets = Vec::new();
    let known = squirrel_sys::user_table(&mut octets).ok().and_then(|()| parse(&octets).find(|(one, _)| *one == uid));
    known.map_or_else(|| format!("user {uid}"), |(_, name)| name)
}

/// The numbers and names of a table. A number that stands twice has its last name; names that are no text are read as
/// far as they are.
pub(crate) fn parse(octets: &[u8]) -> impl Iterator<Item = (u32, String)> {
    octets.split(|octet| *octet == b'\n').filter_map(|line| {
        let mut fields = line.split(|octet| *octet == b':');
        let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(b"#"))?;
        let uid = std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()?;
        Some((uid, String::from_utf8_lossy(name).into_owned()))
    })
}
