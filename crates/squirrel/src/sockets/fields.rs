//! By what sockets can be filtered and sorted; names as in the tables of `squirrel top`.

use squirrel_api::live::SocketTcp;
use squirrel_filter::{Field, Kind, Value, Values};

use super::read::Row;

const fn field(name: &'static str, kind: Kind, help: &'static str, values: Values<Row>) -> Field<Row> {
    let searched = matches!(kind, Kind::Text | Kind::Address | Kind::Port);
    Field { name, aliases: &[], kind, help, searched, values }
}

const fn called(aliases: &'static [&'static str], field: &Field<Row>) -> Field<Row> {
    Field {
        aliases,
        name: field.name,
        kind: field.kind,
        help: field.help,
        searched: field.searched,
        values: field.values,
    }
}

fn tcp(row: &Row, value: fn(&SocketTcp) -> Option<f64>, each: &mut dyn FnMut(Value<'_>)) {
    if let Some(value) = row.socket.tcp.as_ref().and_then(value) {
        each(Value::Number(value));
    }
}

fn number(number: Option<f64>, each: &mut dyn FnMut(Value<'_>)) {
    if let Some(number) = number {
        each(Value::Number(number));
    }
}

/// Fields whose values come from the descriptors of processes, which are looked at only when needed.
pub(super) const OF_OWNERS: [&str; 3] = ["process", "name", "pid"];

pub(super) static FIELDS: &[Field<Row>] = &[
    called(
        &["proto"],
        &field("protocol", Kind::Word, "tcp or udp", |row, each| each(Value::Text(&row.socket.protocol))),
    ),
    field("state", Kind::Word, "the state, such as established", |row, each| each(Value::Text(&row.socket.state))),
    called(
        &["name"],
        &field("process", Kind::Text, "the name of an owner", |row, each| {
            for owner in row.socket.processes.iter().flatten() {
                each(Value::Text(&owner.name));
            }
        }),
    ),
    field("pid", Kind::Number, "the process id of an owner", |row, each| {
        for owner in row.socket.processes.iter().flatten() {
            each(Value::Number(owner.pid.into()));
        }
    }),
    called(
        &["netns"],
        &field("namespace", Kind::Text, "the network namespace's name, with --namespaces", |row, each| {
            if let Some(name) = &row.socket.namespace {
                each(Value::Text(name));
            }
        }),
    ),
    field("container", Kind::Text, "the container's name, with --namespaces", |row, each| {
        if let Some(name) = &row.socket.container {
            each(Value::Text(name));
        }
    }),
    field("uid", Kind::Number, "the user's number", |row, each| each(Value::Number(row.socket.uid.into()))),
    field("port", Kind::Port, "either side's port", |row, each| {
        each(Value::Number(row.local.port().into()));
        each(Value::Number(row.remote.port().into()));
    }),
    called(
        &["sport", "lport"],
        &field("local_port", Kind::Port, "this side's port", |row, each| {
            each(Value::Number(row.local.port().into()));
        }),
    ),
    called(
        &["dport", "rport"],
        &field("remote_port", Kind::Port, "the other side's port", |row, each| {
            each(Value::Number(row.remote.port().into()));
        }),
    ),
    called(
        &["src"],
        &field("local", Kind::Address, "this side's address", |row, each| {
            each(Value::Address(row.local.ip()));
        }),
    ),
    called(
        &["dst", "host"],
        &field("remote", Kind::Address, "the other side's address", |row, each| {
            each(Value::Address(row.remote.ip()));
        }),
    ),
    called(
        &["device"],
        &field("interface", Kind::Text, "the interface it is bound to", |row, each| {
            if let Some(name) = &row.socket.interface {
                each(Value::Text(name));
            }
        }),
    ),
    field("receive_queue", Kind::Bytes, "bytes not yet read", |row, each| {
        each(Value::Number(row.socket.receive_queue.into()));
    }),
    field("send_queue", Kind::Bytes, "bytes not yet acknowledged", |row, each| {
        each(Value::Number(row.socket.send_queue.into()));
    }),
    field("drops", Kind::Number, "packets that the socket dropped", |row, each| {
        number(row.socket.memory.as_ref().and_then(|memory| memory.drops).map(f64::from), each);
    }),
    field("rtt", Kind::Duration, "smoothed round-trip time", |row, each| {
        tcp(row, |tcp| tcp.rtt_us.map(f64::from), each);
    }),
    field("min_rtt", Kind::Duration, "smallest round-trip time", |row, each| {
        tcp(row, |tcp| tcp.min_rtt_us.map(f64::from), each);
    }),
    called(
        &["retransmitted"],
        &field("retransmitted_bytes", Kind::Bytes, "bytes sent again", |row, each| {
            tcp(row, |tcp| tcp.retransmitted_bytes.map(|bytes| bytes as f64), each);
        }),
    ),
    called(
        &["tx"],
        &field("sent_bytes", Kind::Bytes, "bytes sent, also again", |row, each| {
            tcp(row, |tcp| tcp.sent_bytes.map(|bytes| bytes as f64), each);
        }),
    ),
    called(
        &["rx"],
        &field("received_bytes", Kind::Bytes, "bytes received", |row, each| {
            tcp(row, |tcp| tcp.received_bytes.map(|bytes| bytes as f64), each);
        }),
    ),
    called(
        &["cwnd"],
        &field("congestion_window", Kind::Number, "segments that may be on their way", |row, each| {
            tcp(row, |tcp| tcp.congestion_window.map(f64::from), each);
        }),
    ),
    field("delivery_rate", Kind::Rate, "what reaches the other side", |row, each| {
        tcp(row, |tcp| tcp.delivery_rate.map(|rate| rate as f64), each);
    }),
    called(
        &["rx_rate"],
        &field("receive_rate", Kind::Rate, "received per second (--watch)", |row, each| {
            number(row.socket.receive_rate, each);
        }),
    ),
    called(
        &["tx_rate"],
        &field("transmit_rate", Kind::Rate, "transmitted per second (--watch)", |row, each| {
            number(row.socket.transmit_rate, each);
        }),
    ),
    field("congestion", Kind::Word, "the congestion algorithm", |row, each| {
        if let Some(name) = row.socket.tcp.as_ref().and_then(|tcp| tcp.congestion.as_ref()) {
            each(Value::Text(name));
        }
    }),
    field("cookie", Kind::Number, "the kernel's identity of the socket", |row, each| {
        each(Value::Number(row.socket.cookie as f64));
    }),
    field("inode", Kind::Number, "the inode of its file", |row, each| each(Value::Number(row.socket.inode.into()))),
];
