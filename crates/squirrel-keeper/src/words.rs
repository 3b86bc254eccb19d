//! What is said, and how it is written: one octet for the word, then its fields, numbers in the machine's order.

use squirrel_sys::containers::{ContainerId, Runtime};
use squirrel_wire::{Malformed, Reader};

/// The capabilities that the keeper goes on holding: looking at other users' processes, and entering their network
/// namespaces. Those for eBPF are given up once its programs are loaded.
pub const KEPT_CAPABILITIES: [&str; 3] = ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN"];

/// What the starter holds for those that it starts; in force in none but them. The last one lets them make their
/// bounding set smaller.
pub const STARTER_CAPABILITIES: [&str; 7] = [
    "CAP_SYS_PTRACE",
    "CAP_DAC_READ_SEARCH",
    "CAP_SYS_ADMIN",
    "CAP_NET_ADMIN",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_SETPCAP",
];

/// What the process that counts frames holds while it lives: it loads programs and attaches them to interfaces that
/// come, in namespaces that it enters for that.
pub const FRAMES_CAPABILITIES: [&str; 6] =
    ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_PERFMON", "CAP_BPF"];

/// Which netlink socket is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// For dumps of interfaces and addresses.
    Route,
    /// For dumps of sockets.
    SockDiag,
    /// For announcements of sockets that end.
    Ended,
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Parts,
    Ended,
    Living,
    Missed,
    Process {
        tgid: u32,
        started_ns: u64,
    },
    SocketsOf(u32),
    Namespaces,
    Open {
        namespace: u64,
        door: Door,
    },
    Container {
        runtime: Runtime,
        id: ContainerId,
    },
    /// To the process that counts frames, as the others below.
    Attach {
        namespace: u64,
        interface: u32,
        name: Name,
    },
    Detach {
        namespace: u64,
        interface: u32,
    },
    Frames {
        namespace: u64,
    },
    Release {
        namespace: u64,
    },
}

/// The name of an interface, up to the first zero (`IFNAMSIZ`).
pub(crate) type Name = [u8; 16];

impl Question {
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        out.clear();
        match self {
            Self::Parts => out.push(1),
            Self::Ended => out.push(2),
            Self::Living => out.push(3),
            Self::Missed => out.push(7),
            Self::Process { tgid, started_ns } => {
                out.push(8);
                out.extend_from_slice(&tgid.to_ne_bytes());
                out.extend_from_slice(&started_ns.to_ne_bytes());
            }
            Self::SocketsOf(process) => {
                out.push(4);
                out.extend_from_slice(&process.to_ne_bytes());
            }
            Self::Namespaces => out.push(5),
            Self::Container { runtime, id } => {
                out.push(9);
                out.push(match runtime {
                    Runtime::Any => 0,
                    Runtime::Docker => 1,
                    Runtime::Podman => 2,
                    Runtime::Kubernetes => 3,
                });
                out.extend_from_slice(&id.0);
            }
            Self::Attach { namespace, interface, name } => {
                out.push(10);
                out.extend_from_slice(&namespace.to_ne_bytes());
                out.extend_from_slice(&interface.to_ne_bytes());
                out.extend_from_slice(&name);
            }
            Self::Detach { namespace, interface } => {
                out.push(11);
                out.extend_from_slice(&namespace.to_ne_bytes());
                out.extend_from_slice(&interface.to_ne_bytes());
            }
            Self::Frames { namespace } => {
                out.push(12);
                out.extend_from_slice(&namespace.to_ne_bytes());
            }
            Self::Release { namespace } => {
                out.push(13);
                out.extend_from_slice(&namespace.to_ne_bytes());
            }
            Self::Open { namespace, door } => {
                out.push(6);
                out.extend_from_slice(&namespace.to_ne_bytes());
                out.push(match door {
                    Door::Route => 0,
                    Door::SockDiag => 1,
                    Door::Ended => 2,
                });
            }
        }
    }

    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("question to the keeper", message);
        let question = match reader.u8()? {
            1 => Self::Parts,
            2 => Self::Ended,
            3 => Self::Living,
            4 => Self::SocketsOf(reader.u32()?),
            5 => Self::Namespaces,
            7 => Self::Missed,
            8 => Self::Process { tgid: reader.u32()?, started_ns: reader.u64()? },
            9 => Self::Container {
                runtime: match reader.u8()? {
                    0 => Runtime::Any,
                    1 => Runtime::Docker,
                    2 => Runtime::Podman,
                    3 => Runtime::Kubernetes,
                    _ => return Err(reader.malformed()),
                },
                id: ContainerId(reader.array()?),
            },
            10 => Self::Attach { namespace: reader.u64()?, interface: reader.u32()?, name: reader.array()? },
            11 => Self::Detach { namespace: reader.u64()?, interface: reader.u32()? },
            12 => Self::Frames { namespace: reader.u64()? },
            13 => Self::Release { namespace: reader.u64()? },
            6 => Self::Open {
                namespace: reader.u64()?,
                door: match reader.u8()? {
                    0 => Door::Route,
                    1 => Door::SockDiag,
                    2 => Door::Ended,
                    _ => return Err(reader.malformed()),
                },
            },
            _ => return Err(reader.malformed()),
        };
        if reader.is_empty() { Ok(question) } else { Err(reader.malformed()) }
    }
}

/// The first octet of each message of an answer. An answer is any number of [`answer::MORE`] and then one of the
/// others.
pub(crate) mod answer {
    /// A part of the answer; more follows.
    pub(crate) const MORE: u8 = 1;
    /// The end of the answer: a number (losses, descriptors looked at, processes denied).
    pub(crate) const DONE: u8 = 2;
    /// It failed: the error's number (0 if it has none), the call, what it was about, and the text.
    pub(crate) const FAILED: u8 = 3;
}

/// One message of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Its items were handed over.
    More,
    Done(u64),
    Failed {
        number: i32,
        call: String,
        subject: String,
        text: String,
    },
}

impl Answer {
    /// Reads one message, and hands over each item in it.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        each: &mut dyn FnMut(&mut Reader<'_>) -> Result<(), Malformed>,
    ) -> Result<Self, Malformed> {
        match reader.u8()? {
            answer::MORE => {
                while !reader.is_empty() {
                    each(reader)?;
                }
                Ok(Self::More)
            }
            answer::DONE => Ok(Self::Done(reader.u64()?)),
            answer::FAILED => Ok(Self::Failed {
                number: reader.u32()? as i32,
                call: read_text(reader)?,
                subject: read_text(reader)?,
                text: read_text(reader)?,
            }),
            _ => Err(reader.malformed()),
        }
    }
}

/// Adds a text behind its length.
pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) {
    put_octets(text.as_bytes(), out);
}

/// Adds octets behind their length.
pub(crate) fn put_octets(octets: &[u8], out: &mut Vec<u8>) {
    let len = octets.len().min(usize::from(u16::MAX));
    out.extend_from_slice(&(len as u16).to_ne_bytes());
    out.extend_from_slice(octets.get(..len).unwrap_or_default());
}

/// Reads a text behind its length.
pub(crate) fn read_text(reader: &mut Reader<'_>) -> Result<String, Malformed> {
    Ok(String::from_utf8_lossy(read_octets(reader)?).into_owned())
}

/// Reads octets behind their length.
pub(crate) fn read_octets<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let len = reader.u16()?;
    reader.take(usize::from(len))
}

#[cfg(test)]
mod tests;
