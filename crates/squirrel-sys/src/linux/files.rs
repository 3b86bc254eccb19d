//! Files below `/proc` and `/sys`, with the descriptors of those that are read again and again kept.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use crate::SysError;

/// Files whose path begins so are kept open: they stay the same file while the host runs. Those of
/// other processes and of single interfaces come and go and are opened for each reading.
const KEPT: &[&str] = &["/proc/net/", "/proc/self/", "/proc/sys/", "/proc/stat", "/proc/softirqs", "/proc/interrupts"];

/// Most descriptors that are kept; what comes later is opened for each reading.
const MAX_KEPT: usize = 128;

/// Largest content that is read. `/proc/net/tcp` with a million sockets has 150 MB.
const MAX_BYTES: usize = 256 << 20;

/// First size of a buffer, and the least room for each read: what the kernel writes at most at once
/// into the common kinds of files is one page.
const PAGE: usize = 4096;

/// The files, some of them kept open.
#[derive(Debug, Default)]
pub(super) struct Files {
    kept: Mutex<HashMap<String, Arc<File>>>,
}

impl Files {
    pub(super) fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        let failed = |call| move |error| SysError::new(call, path, error);
        if !is_kernel_path(path) {
            out.clear();
            let refused = io::Error::new(
                io::ErrorKind::InvalidInput,
                "only absolute paths below /proc and /sys that do not lead out of them can be read",
            );
            return Err(SysError::new("open", path, refused));
        }
        if let Some(file) = self.kept(path) {
            if read_all(&file, path, out).is_ok() {
                return Ok(());
            }
            // What stood behind the descriptor may be gone and back (a module, an interface).
            self.lock().remove(path);
        }
        out.clear();
        let file = File::open(path).map_err(failed("open"))?;
        read_all(&file, path, out).inspect_err(|_| out.clear()).map_err(failed("read"))?;
        self.keep(path, file);
        Ok(())
    }

    fn kept(&self, path: &str) -> Option<Arc<File>> {
        self.lock().get(path).cloned()
    }

    fn keep(&self, path: &str, file: File) {
        if KEPT.iter().any(|prefix| path.starts_with(prefix)) {
            let mut kept = self.lock();
            if kept.len() < MAX_KEPT {
                kept.insert(path.to_owned(), Arc::new(file));
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<File>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands over the names in a folder. The links in a process's `fd` are listed and not followed.
pub(super) fn list(path: &str, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    if path != "/proc" && !is_kernel_path(path.strip_suffix("/fd").unwrap_or(path)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "only absolute paths below /proc and /sys that do not lead out of them can be listed",
        ));
    }
    for entry in std::fs::read_dir(path)? {
        each(entry?.file_name().as_encoded_bytes());
    }
    Ok(())
}

/// Replaces `out` by where a link in a process's `fd` leads. No other link is told.
pub(super) fn link(path: &str, out: &mut Vec<u8>) -> io::Result<()> {
    out.clear();
    let folder = path.rsplit_once('/').filter(|(_, name)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()));
    if !folder.and_then(|(folder, _)| folder.strip_suffix("/fd")).is_some_and(is_kernel_path) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "only the links in a process's fd folder can be read"));
    }
    out.extend_from_slice(std::fs::read_link(path)?.as_os_str().as_encoded_bytes());
    Ok(())
}

/// Whether a path is below `/proc` or `/sys`, by its text alone. The links of a process to its root,
/// its working directory and its files lead elsewhere and are refused.
fn is_kernel_path(path: &str) -> bool {
    let below_proc = path.strip_prefix("/proc/");
    let Some(rest) = below_proc.or_else(|| path.strip_prefix("/sys/")) else {
        return false;
    };
    let leads_out = |part: &str| below_proc.is_some() && matches!(part, "root" | "cwd" | "exe" | "fd" | "map_files");
    rest.split('/').enumerate().all(|(depth, part)| {
        !part.is_empty() && part != "." && part != ".." && !(depth > 0 && !rest.starts_with("sys/") && leads_out(part))
    })
}

/// Whether one read gives the whole content, so that a short one is the end. This holds for the
/// values of sysfs and sysctl; other files of `/proc` are written page by page.
fn is_one_value(path: &str) -> bool {
    path.starts_with("/sys/") || path.starts_with("/proc/sys/")
}

/// Replaces `out` by the content from its beginning. Reading at offset zero makes the kernel write
/// the content afresh, whatever was read before.
fn read_all(file: &File, path: &str, out: &mut Vec<u8>) -> io::Result<()> {
    let one_value = is_one_value(path);
    let mut filled = 0;
    loop {
        if out.len() < filled + PAGE {
            // Growth by half keeps the number of steps small for the large tables.
            out.resize((filled + filled / 2 + 2 * PAGE).min(MAX_BYTES + 1), 0);
        }
        let room = out.get_mut(filled..).unwrap_or_default();
        let asked = room.len();
        match file.read_at(room, filled as u64) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                if one_value && count < asked {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if filled > MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the content is larger than 256 MiB"));
        }
    }
    out.truncate(filled);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_of_proc_and_sys_is_refused() {
        for path in
            ["/proc/net/snmp", "/sys/class/net/eth0/speed", "/proc/sys/net/ipv4/conf/root/forwarding", "/sys/x/fd"]
        {
            assert!(is_kernel_path(path), "{path}");
        }
        for path in [
            "/etc/passwd",
            "proc/net/snmp",
            "/proc",
            "/proc/",
            "/proc//net",
            "/proc/../etc/passwd",
            "/sys/class/net/../../../etc/passwd",
            "/sys/class/net/./x",
            "/proc/self/root/etc/passwd",
            "/proc/1/cwd/x",
            "/proc/self/fd/0",
            "/proc/self/task/1/root/etc/passwd",
            "/procfs/x",
        ] {
            assert!(!is_kernel_path(path), "{path}");
            let error = Files::default().read(path, &mut vec![1]).unwrap_err();
            assert_eq!(error.source.kind(), io::ErrorKind::InvalidInput);
        }
    }

    /// Whether `/proc/net/udp`, as read, has a socket with this local port.
    fn has_port(table: &[u8], port: u16) -> bool {
        String::from_utf8_lossy(table).contains(&format!(":{port:04X} "))
    }

    fn udp_port() -> (std::net::UdpSocket, u16) {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        (socket, port)
    }

    #[test]
    fn a_kept_file_is_read_afresh_each_time() {
        let (files, mut out) = (Files::default(), Vec::new());
        files.read("/proc/net/udp", &mut out).unwrap();
        assert!(files.kept("/proc/net/udp").is_some());
        let (_socket, port) = udp_port();
        assert!(!has_port(&out, port));
        files.read("/proc/net/udp", &mut out).unwrap();
        assert!(has_port(&out, port));
    }

    #[test]
    fn a_file_of_many_pages_is_read_to_its_end() {
        const SYMBOLS: &str = "/proc/kallsyms";
        let Ok(whole) = std::fs::read(SYMBOLS) else {
            return squirrel_testkit::skip("a_file_of_many_pages_is_read_to_its_end", "this kernel lists no symbols");
        };
        let mut out = vec![7; 100_000];
        Files::default().read(SYMBOLS, &mut out).unwrap();
        // Modules and programs of BPF come and go while this is read, and are named behind the symbol; the kernel
        // itself stays.
        let lasting = |text: &[u8]| {
            let lines = text.split(|octet| *octet == b'\n').filter(|line| !line.ends_with(b"]"));
            lines.map(<[u8]>::len).sum::<usize>()
        };
        assert!(lasting(&whole) > 10 * PAGE);
        assert_eq!(lasting(&out), lasting(&whole));
    }

    #[test]
    fn an_absent_file_leaves_no_old_content_behind() {
        let mut out = b"old".to_vec();
        let error = Files::default().read("/proc/net/no_such_file", &mut out).unwrap_err();
        assert!(error.is_absent() && out.is_empty());
        assert!(error.to_string().starts_with("open /proc/net/no_such_file: "), "{error}");
        let error = Files::default().read("/proc/net", &mut out).unwrap_err();
        assert_eq!((error.call, error.source.kind()), ("read", io::ErrorKind::IsADirectory));
    }

    #[test]
    fn a_folder_is_listed_and_one_outside_is_not() {
        let mut names = Vec::new();
        list("/proc/self/fd", &mut |name| names.push(name.to_vec())).unwrap();
        assert!(names.contains(&b"1".to_vec()), "{names:?}");
        names.clear();
        list("/proc", &mut |name| names.push(name.to_vec())).unwrap();
        assert!(names.contains(&std::process::id().to_string().into_bytes()));
        for path in ["/etc", "/proc/self/root/etc", "/proc/self/fd/0/fd", "/proc/self/task/../fd", "/fd"] {
            assert_eq!(list(path, &mut |_| {}).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path}");
        }
        assert_eq!(list("/proc/self/no_such_folder", &mut |_| {}).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_link_of_a_descriptor_is_told_and_no_other() {
        use std::os::fd::AsRawFd as _;
        let (socket, _) = udp_port();
        let mut out = Vec::new();
        link(&format!("/proc/self/fd/{}", socket.as_raw_fd()), &mut out).unwrap();
        assert!(out.starts_with(b"socket:["), "{}", String::from_utf8_lossy(&out));
        for path in ["/proc/self/exe", "/proc/self/fd/../exe", "/proc/self/fd/", "/proc/self/root/fd/1", "/tmp/fd/1"] {
            assert_eq!(link(path, &mut out).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path}");
            assert!(out.is_empty());
        }
        assert_eq!(link("/proc/self/fd/999999", &mut out).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_number_of_kept_files_is_bounded() {
        let files = Files::default();
        for _ in 0..MAX_KEPT + 20 {
            let n = files.lock().len();
            files.keep(&format!("/proc/net/{n}"), File::open("/proc/version").unwrap());
        }
        assert_eq!(files.lock().len(), MAX_KEPT);
    }
}
