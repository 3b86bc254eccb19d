//! A kernel made of a few answers, for tests of collectors.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use squirrel_sys::{Kernel, Netlink, SysError};

/// The messages of one dump: type and payload.
pub type Messages = Vec<(u16, Vec<u8>)>;

type OnDump = Box<dyn Fn(Netlink, u16, &[u8]) -> io::Result<Messages> + Send + Sync>;
type OnEthtool = Box<dyn Fn(&str, &mut [u8]) -> io::Result<()> + Send + Sync>;

/// Answers from memory. A folder's entries are the names of the files given below it. What was not given does not exist: files give `ENOENT`, dumps and ethtool
/// requests `EOPNOTSUPP`.
#[derive(Default)]
pub struct FakeKernel {
    files: Mutex<BTreeMap<String, Result<Vec<u8>, i32>>>,
    on_dump: Option<OnDump>,
    on_ethtool: Option<OnEthtool>,
}

impl FakeKernel {
    /// With one more file.
    #[must_use]
    pub fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(path, content);
        self
    }

    /// Sets a file's content.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.files().insert(path.to_owned(), Ok(content.as_ref().to_vec()));
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        self.files().remove(path);
    }

    /// Lets reads of a file fail with an errno, such as 13 for `EACCES`.
    pub fn refuse(&self, path: &str, errno: i32) {
        self.files().insert(path.to_owned(), Err(errno));
    }

    /// Answers dumps by a function of family, message type and payload.
    #[must_use]
    pub fn on_dump(
        mut self,
        answer: impl Fn(Netlink, u16, &[u8]) -> io::Result<Messages> + Send + Sync + 'static,
    ) -> Self {
        self.on_dump = Some(Box::new(answer));
        self
    }

    /// Answers ethtool requests by a function of interface and command, which it overwrites.
    #[must_use]
    pub fn on_ethtool(mut self, answer: impl Fn(&str, &mut [u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.on_ethtool = Some(Box::new(answer));
        self
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Result<Vec<u8>, i32>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const ENOENT: i32 = 2;
const EOPNOTSUPP: i32 = 95;

impl Kernel for FakeKernel {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clear();
        match self.files().get(path) {
            Some(Ok(content)) => {
                out.extend_from_slice(content);
                Ok(())
            }
            Some(Err(errno)) => Err(SysError::new("open", path, io::Error::from_raw_os_error(*errno))),
            None => Err(SysError::new("open", path, io::Error::from_raw_os_error(ENOENT))),
        }
    }

    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        let files = self.files();
        let below = files.keys().filter_map(|file| file.strip_prefix(path)?.strip_prefix('/')?.split('/').next());
        let names: std::collections::BTreeSet<&str> = below.collect();
        if names.is_empty() {
            return Err(SysError::new("list", path, io::Error::from_raw_os_error(ENOENT)));
        }
        for name in names {
            each(name.as_bytes());
        }
        Ok(())
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        // A link is given as a file whose content is where it leads.
        self.read(path, out)
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        let answer = match &self.on_dump {
            Some(answer) => answer(family, message_type, payload),
            None => Err(io::Error::from_raw_os_error(EOPNOTSUPP)),
        };
        let messages = answer.map_err(|source| SysError::new("netlink dump", family.name(), source))?;
        for (kind, payload) in messages {
            each(kind, &payload);
        }
        Ok(())
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        match &self.on_ethtool {
            Some(answer) => answer(interface, command),
            None => Err(io::Error::from_raw_os_error(EOPNOTSUPP)),
        }
        .map_err(|source| SysError::new("ethtool", interface, source))
    }
}
