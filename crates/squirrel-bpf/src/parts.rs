//! Programs that are tried one by one, and why one of them is missing.

use std::io;
use std::path::PathBuf;

use aya::programs::links::FdLink;
use aya::programs::{BtfTracePoint, CgroupAttachMode, CgroupSock, FEntry, FExit, Iter, Program, ProgramError};
use aya::{Btf, BtfError, Ebpf};
use squirrel_sys::bpf::control_group_root;
use squirrel_sys::privilege::Capabilities;

use crate::rows::Rows;

/// Nothing of the ledger works here.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub(crate) String);

/// Where kernels put their type information.
pub(crate) const TYPE_INFORMATION: &str = "/sys/kernel/btf/vmlinux";

/// Reads the kernel's type information.
pub(crate) fn type_information(path: &PathBuf) -> Result<Btf, String> {
    Btf::parse_file(path, aya::Endianness::default()).map_err(|error| {
        format!(
            "the kernel's type information cannot be read: {}: {}; \
             it needs a kernel with CONFIG_DEBUG_INFO_BTF and a readable {TYPE_INFORMATION}",
            path.display(),
            chain(&error)
        )
    })
}

/// How to be allowed to load programs.
pub(crate) const GRANT: &str = "run as root, or grant CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: \
    AmbientCapabilities= in the systemd unit, or `setcap cap_bpf,cap_perfmon,cap_net_admin+ep` on the program";

const NEEDED: [&str; 3] = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"];

/// Where a program is attached.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// A tracepoint, with typed arguments.
    Tracepoint(&'static str),
    /// The end of a kernel function.
    Exit(&'static str),
    /// The start of a kernel function.
    Entry(&'static str),
    /// `cgroup/sock_release` at the root of the control groups.
    SocketRelease,
}

/// One program of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// The function in the C source.
    pub(crate) program: &'static str,
    /// What is missing without it, for people.
    pub(crate) name: &'static str,
    pub(crate) place: Place,
}

/// What was tried, and why what is missing is missing.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) links: Vec<FdLink>,
    pub(crate) outcomes: Vec<(String, Option<String>)>,
    /// Programs that are not tried.
    pub(crate) without: Vec<String>,
}

impl Parts {
    /// Notes what became of a part; whether it works.
    pub(crate) fn note(&mut self, name: &str, outcome: Result<(), String>) -> bool {
        let works = outcome.is_ok();
        self.outcomes.push((name.to_owned(), outcome.err()));
        works
    }

    /// Loads and attaches one program; whether it works.
    pub(crate) fn attach(&mut self, object: &mut Ebpf, btf: &Btf, part: &Part) -> bool {
        let outcome = self.program(object, part.program).and_then(|program| attach(program, part.place, btf));
        let outcome = outcome.map(|link| self.links.push(link));
        self.note(part.name, outcome)
    }

    /// Takes the parts out again that stand behind the first `links` links and `outcomes` outcomes, since they are
    /// of no use without another one.
    pub(crate) fn give_up(&mut self, links: usize, outcomes: usize) {
        self.links.truncate(links);
        for (_, reason) in self.outcomes.iter_mut().skip(outcomes) {
            reason.get_or_insert_with(|| "given up, since its counterpart is missing".to_owned());
        }
    }

    /// Why parts are missing, each reason once.
    pub(crate) fn reasons(&self) -> String {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, reason) in &self.outcomes {
            let Some(reason) = reason else { continue };
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, names)) => names.push(name),
                None => reasons.push((reason, vec![name])),
            }
        }
        let sentences: Vec<String> =
            reasons.iter().map(|(reason, names)| format!("{}: {reason}", names.join(", "))).collect();
        sentences.join("; ")
    }

    /// A program of the object, unless it is not wanted.
    pub(crate) fn program<'a>(&self, object: &'a mut Ebpf, name: &str) -> Result<&'a mut Program, String> {
        if self.without.iter().any(|unwanted| unwanted == name) {
            return Err("switched off".to_owned());
        }
        object.program_mut(name).ok_or_else(|| format!("the object has no program `{name}`"))
    }
}

fn attach(program: &mut Program, place: Place, btf: &Btf) -> Result<FdLink, String> {
    let owned = match place {
        Place::Tracepoint(name) => {
            let program: &mut BtfTracePoint = typed(program)?;
            let link = program.load(name, btf).and_then(|()| program.attach()).and_then(|id| program.take_link(id));
            link.map(FdLink::from)
        }
        Place::Exit(function) => {
            let program: &mut FExit = typed(program)?;
            let link = program.load(function, btf).and_then(|()| program.attach()).and_then(|id| program.take_link(id));
            link.map(FdLink::from)
        }
        Place::Entry(function) => {
            let program: &mut FEntry = typed(program)?;
            let link = program.load(function, btf).and_then(|()| program.attach()).and_then(|id| program.take_link(id));
            link.map(FdLink::from)
        }
        Place::SocketRelease => {
            let program: &mut CgroupSock = typed(program)?;
            program.load().map_err(|error| reason(&error))?;
            let root = control_group_root().map_err(|error| format!("{error}; mount it at /sys/fs/cgroup"))?;
            // Single is what links take; they stand beside each other all the same.
            let link = program.attach(root, CgroupAttachMode::Single).and_then(|id| program.take_link(id));
            return link.map_err(|error| reason(&error))?.try_into().map_err(|error| format!("{error}"));
        }
    };
    owned.map_err(|error| reason(&error))
}

pub(crate) fn typed<'a, T>(program: &'a mut Program) -> Result<&'a mut T, String>
where
    &'a mut T: TryFrom<&'a mut Program, Error = ProgramError>,
{
    program.try_into().map_err(|error: ProgramError| error.to_string())
}

/// Loads the program that gives sockets older than the ledger a first owner, and runs it once.
pub(crate) fn seed(program: &mut Program, btf: &Btf) -> Result<(), String> {
    let program: &mut Iter = typed(program)?;
    let link = program.load("task_file", btf).and_then(|()| program.attach()).and_then(|id| program.take_link(id));
    let mut pass = link
        .map_err(|error| reason(&error))?
        .into_file()
        .map_err(|error| format!("the list of open files cannot be walked: {error}"))?;
    Rows::<1>::default().read(&mut pass, |_| ()).map_err(|error| format!("the list of open files broke off: {error}"))
}

/// Loads an iterator program, and leaves it to the caller to attach it.
pub(crate) fn load_iterator<'a>(program: &'a mut Program, kind: &str, btf: &Btf) -> Result<&'a mut Iter, String> {
    let program: &mut Iter = typed(program)?;
    program.load(kind, btf).map_err(|error| reason(&error))?;
    Ok(program)
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(&format!(": {inner_text}"));
        }
        cause = inner.source();
    }
    text
}

/// So much of the verifier's log says what it disliked.
const LOG_LINES: usize = 3;

/// Why a program does not load, in a sentence that says what to do.
pub(crate) fn reason(error: &ProgramError) -> String {
    match error {
        ProgramError::LoadError { io_error, verifier_log } => refused(io_error, &verifier_log.to_string()),
        ProgramError::Btf(BtfError::UnknownBtfTypeName { type_name }) => {
            format!("this kernel does not have {}", type_name.trim_start_matches("btf_trace_"))
        }
        ProgramError::SyscallError(call) => refused(&call.io_error, ""),
        other => other.to_string(),
    }
}

fn refused(error: &io::Error, log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    // The last line counts instructions; what was disliked stands before it.
    let spoken =
        lines.iter().rposition(|line| !line.starts_with("processed ") && !line.starts_with("verification time"));
    if let Some(end) = spoken {
        let from = (end + 1).saturating_sub(LOG_LINES);
        return format!("the kernel's verifier refused it ({error}): {}", lines[from..=end].join(" / "));
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let held = Capabilities::read().is_ok_and(|held| NEEDED.iter().all(|name| held.effective.contains(name)));
            if held {
                return format!("the kernel's policy forbids such programs ({error}), as lockdown does");
            }
            format!("a missing capability or the kernel's policy forbids it ({error}): {GRANT}")
        }
        _ => format!("the kernel refused it: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_policy_from_the_verifier() {
        let forbidden = refused(&io::Error::from_raw_os_error(libc::EPERM), "");
        assert!(forbidden.contains("forbids") && forbidden.contains("policy"), "{forbidden}");
        let log = "0: R1=ctx()\n5: (79) r1 = *(u64 *)(r1 +8)\ninvalid access to field\n\
            processed 6 insns (limit 1000000) max_states_per_insn 0\n";
        let verifier = refused(&io::Error::from_raw_os_error(libc::EACCES), log);
        assert!(verifier.contains("verifier") && verifier.ends_with("invalid access to field"), "{verifier}");
        let other = refused(&io::Error::from_raw_os_error(libc::EINVAL), "processed 0 insns\n");
        assert!(other.starts_with("the kernel refused it: Invalid argument"), "{other}");
    }

    #[test]
    fn a_reason_that_several_parts_share_is_told_once() {
        let mut parts = Parts::default();
        for (name, outcome) in [("a", Err("no")), ("b", Ok(())), ("c", Err("never")), ("d", Err("no"))] {
            parts.note(name, outcome.map_err(str::to_owned));
        }
        assert_eq!(parts.reasons(), "a, d: no; c: never");
    }

    #[test]
    fn a_tracepoint_that_is_not_there_is_named() {
        let type_name = "btf_trace_sock_send_length".to_owned();
        let error = ProgramError::Btf(BtfError::UnknownBtfTypeName { type_name });
        assert_eq!(reason(&error), "this kernel does not have sock_send_length");
    }
}
