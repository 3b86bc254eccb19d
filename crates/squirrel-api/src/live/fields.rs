//! By what the tables can be filtered and sorted, as data: the same for API, command line and dashboard.

use squirrel_account::{ConnectionRow, Figures, HostRow, InterfaceRow, ProcessRow, ProcessSummary};
use squirrel_filter::{Field, Kind, Value, Values};

/// Bytes of both directions together.
pub(super) fn sum(figures: &Figures) -> u64 {
    figures.bytes.receive.saturating_add(figures.bytes.transmit)
}

const fn field<R>(name: &'static str, kind: Kind, help: &'static str, values: Values<R>) -> Field<R> {
    Field { name, aliases: &[], kind, help, searched: matches!(kind, Kind::Text | Kind::Address | Kind::Port), values }
}

const fn called<R>(aliases: &'static [&'static str], field: &Field<R>) -> Field<R> {
    Field {
        aliases,
        name: field.name,
        kind: field.kind,
        help: field.help,
        searched: field.searched,
        values: field.values,
    }
}

/// The fields of bytes and rates, which every table has.
macro_rules! figures {
    ($figures:ident, $($more:expr),* $(,)?) => {
        &[
            $($more,)*
            called(&["rx"], &field("receive_bytes", Kind::Bytes, "bytes received", |row, each| {
                each(Value::Number(row.$figures.bytes.receive as f64));
            })),
            called(&["tx"], &field("transmit_bytes", Kind::Bytes, "bytes transmitted", |row, each| {
                each(Value::Number(row.$figures.bytes.transmit as f64));
            })),
            field("bytes", Kind::Bytes, "bytes of both directions", |row, each| {
                each(Value::Number(sum(&row.$figures) as f64));
            }),
            called(&["rx_rate"], &field("receive_rate", Kind::Rate, "received per second", |row, each| {
                each(Value::Number(row.$figures.receive_rate));
            })),
            called(&["tx_rate"], &field("transmit_rate", Kind::Rate, "transmitted per second", |row, each| {
                each(Value::Number(row.$figures.transmit_rate));
            })),
            field("rate", Kind::Rate, "per second, both directions", |row, each| {
                each(Value::Number(row.$figures.receive_rate + row.$figures.transmit_rate));
            }),
            field("source", Kind::Word, "exact, sampled or unavailable", |row, each| {
                each(Value::Text(row.source.word()));
            }),
        ]
    };
}

pub(crate) fn text(text: Option<&String>, each: &mut dyn FnMut(Value<'_>)) {
    if let Some(text) = text {
        each(Value::Text(text));
    }
}

pub(crate) fn number(number: Option<f64>, each: &mut dyn FnMut(Value<'_>)) {
    if let Some(number) = number {
        each(Value::Number(number));
    }
}

fn container(process: &ProcessSummary, each: &mut dyn FnMut(Value<'_>)) {
    if let Some(container) = &process.container {
        each(Value::Text(&container.name));
        each(Value::Text(&container.id));
    }
}

/// Fields of processes.
pub static PROCESSES: &[Field<ProcessRow>] = figures![
    figures,
    called(&["name"], &field("process", Kind::Text, "the name", |row, each| each(Value::Text(&row.process.name)))),
    field("pid", Kind::Number, "the process id", |row, each| each(Value::Number(row.process.pid.into()))),
    field("command", Kind::Text, "the command line", |row, each| text(row.process.command.as_ref(), each)),
    field("user", Kind::Text, "the user's name", |row, each| each(Value::Text(&row.process.user))),
    field("uid", Kind::Number, "the user's number", |row, each| each(Value::Number(row.process.uid.into()))),
    field("unit", Kind::Text, "the systemd unit", |row, each| text(row.process.unit.as_ref(), each)),
    field("container", Kind::Text, "the container's name or id", |row, each| container(&row.process, each)),
    field("cgroup", Kind::Text, "the control group's path", |row, each| text(row.process.cgroup.as_ref(), each)),
    field("parent", Kind::Number, "the parent's process id", |row, each| {
        number(row.process.parent.map(f64::from), each);
    }),
    field("connections", Kind::Number, "open connections", |row, each| each(Value::Number(row.connections.into()))),
    field("ended", Kind::Number, "seconds since 1970 at which it ended", |row, each| {
        number(row.ended.map(squirrel_model::Timestamp::seconds), each);
    }),
];

/// Fields of connections.
pub static CONNECTIONS: &[Field<ConnectionRow>] = figures![
    figures,
    called(
        &["name"],
        &field("process", Kind::Text, "the owner's name", |row, each| {
            text(row.process.as_ref().map(|process| &process.name), each);
        })
    ),
    field("pid", Kind::Number, "the owner's process id", |row, each| {
        number(row.process.as_ref().map(|process| process.pid.into()), each);
    }),
    field("command", Kind::Text, "the owner's command line", |row, each| {
        text(row.process.as_ref().and_then(|process| process.command.as_ref()), each);
    }),
    field("user", Kind::Text, "the owner's user", |row, each| {
        text(row.process.as_ref().map(|process| &process.user), each);
    }),
    field("unit", Kind::Text, "the owner's systemd unit", |row, each| {
        text(row.process.as_ref().and_then(|process| process.unit.as_ref()), each);
    }),
    field("container", Kind::Text, "the owner's container", |row, each| {
        if let Some(process) = &row.process {
            container(process, each);
        }
    }),
    called(
        &["proto"],
        &field("protocol", Kind::Word, "tcp, mptcp, udp, icmp, raw, packet or other", |row, each| each(Value::Text(
            row.carrier.word()
        )))
    ),
    field("state", Kind::Word, "the state, such as established", |row, each| each(Value::Text(row.state))),
    field("port", Kind::Port, "either side's port", |row, each| {
        each(Value::Number(row.local.port().into()));
        each(Value::Number(row.remote.port().into()));
    }),
    called(
        &["sport", "lport"],
        &field("local_port", Kind::Port, "this side's port", |row, each| {
            each(Value::Number(row.local.port().into()));
        })
    ),
    called(
        &["dport", "rport"],
        &field("remote_port", Kind::Port, "the other side's port", |row, each| {
            each(Value::Number(row.remote.port().into()));
        })
    ),
    called(
        &["src"],
        &field("local", Kind::Address, "this side's address", |row, each| {
            each(Value::Address(row.local.ip()));
        })
    ),
    called(
        &["dst", "host"],
        &field("remote", Kind::Address, "the other side's address", |row, each| {
            each(Value::Address(row.remote.ip()));
        })
    ),
    field("rtt", Kind::Duration, "smoothed round-trip time", |row, each| {
        number(row.tcp.as_ref().and_then(|tcp| tcp.rtt_us).map(f64::from), each);
    }),
    field("min_rtt", Kind::Duration, "smallest round-trip time", |row, each| {
        number(row.tcp.as_ref().and_then(|tcp| tcp.min_rtt_us).map(f64::from), each);
    }),
    called(
        &["retransmitted"],
        &field("retransmitted_bytes", Kind::Bytes, "bytes sent again", |row, each| {
            number(row.tcp.as_ref().and_then(|tcp| tcp.retransmitted_bytes).map(|bytes| bytes as f64), each);
        })
    ),
    field("congestion", Kind::Word, "the congestion algorithm", |row, each| {
        text(row.tcp.as_ref().and_then(|tcp| tcp.congestion.as_ref()), each);
    }),
    field("receive_queue", Kind::Bytes, "bytes not yet read", |row, each| each(Value::Number(
        row.receive_queue.into()
    ))),
    field("send_queue", Kind::Bytes, "bytes not yet acknowledged", |row, each| each(Value::Number(
        row.send_queue.into()
    ))),
    field("drops", Kind::Number, "packets that the socket dropped", |row, each| number(row.drops.map(f64::from), each)),
    field("cookie", Kind::Number, "the kernel's identity of the socket", |row, each| {
        each(Value::Number(row.cookie as f64));
    }),
    called(
        &["netns"],
        &field("namespace", Kind::Number, "the network namespace's inode", |row, each| {
            each(Value::Number(row.namespace as f64));
        })
    ),
    field("count", Kind::Number, "how many connections the row stands for", |row, each| {
        each(Value::Number(row.count as f64));
    }),
    field("opened", Kind::Number, "seconds since 1970 at which it was first seen", |row, each| {
        each(Value::Number(row.opened.seconds()));
    }),
    field("closed", Kind::Number, "seconds since 1970 at which it ended", |row, each| {
        number(row.closed.map(squirrel_model::Timestamp::seconds), each);
    }),
];

/// Fields of remote hosts.
pub static HOSTS: &[Field<HostRow>] = figures![
    figures,
    called(
        &["host", "remote", "dst"],
        &field("address", Kind::Address, "the address", |row, each| {
            each(Value::Address(row.address));
        })
    ),
    field("connections", Kind::Number, "open connections", |row, each| each(Value::Number(row.connections.into()))),
];

/// Fields of interfaces.
pub static INTERFACES: &[Field<InterfaceRow>] = figures![
    wire,
    called(&["interface", "device"], &field("name", Kind::Text, "the name", |row, each| each(Value::Text(&row.name)))),
    field("index", Kind::Number, "the index", |row, each| each(Value::Number(row.index.into()))),
    called(
        &["netns"],
        &field("namespace", Kind::Number, "the network namespace's inode", |row, each| {
            each(Value::Number(row.namespace as f64));
        })
    ),
    called(
        &["container"],
        &field("namespace_name", Kind::Text, "the name of the network namespace or of its container", |row, each| {
            text(row.namespace_name.as_ref(), each);
        })
    ),
    field("unexplained", Kind::Bytes, "bytes of both directions that are not explained", |row, each| {
        each(Value::Number(row.unexplained.receive as f64 + row.unexplained.transmit as f64));
    }),
];
