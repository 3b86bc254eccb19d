//! Sockets as a table, with the words that readers of `ss` know for the details.

use squirrel_api::live::{Socket, SocketMemory, SocketTcp};
use squirrel_model::Untrusted;

use super::read::Row;
use crate::cli;
use crate::table::{self, Column};
use crate::units;

/// From this width on there is room for the owners beside the addresses.
const WIDE: usize = 110;

/// The table in blocks: the heading if there is one, then the lines of each socket.
pub(super) struct Blocks {
    pub(super) heading: Option<String>,
    pub(super) sockets: Vec<Vec<String>>,
}

impl Blocks {
    /// The blocks that fit into so many lines: the first always, since a narrow screen shall show something.
    pub(super) fn fitting(mut self, most: usize) -> Self {
        let mut lines = usize::from(self.heading.is_some());
        let fits = self.sockets.iter().take_while(|block| {
            lines += block.len();
            lines <= most
        });
        let fits = fits.count().max(1);
        self.sockets.truncate(fits);
        self
    }

    /// All lines.
    pub(super) fn lines(self) -> Vec<String> {
        self.heading.into_iter().chain(self.sockets.into_iter().flatten()).collect()
    }
}

/// The table; with a `width`, cut and broken to it.
pub(super) fn blocks(rows: &[Row], args: &cli::Sockets, width: Option<usize>) -> Blocks {
    let rates = args.watch.is_some();
    let mut columns = vec![
        Column::left("PROTO", 0),
        Column::left("STATE", 0),
        Column::right("RECV-Q"),
        Column::right("SEND-Q"),
        Column::address("LOCAL", 8),
        Column::address("REMOTE", 8),
    ];
    if rates {
        columns.extend([Column::right("RX bit/s"), Column::right("TX bit/s")]);
    }
    // On a narrow screen owners stand below, so that addresses stay whole.
    if args.namespaces {
        columns.push(Column::left("NAMESPACE", 9));
    }
    let beside = args.processes && width.is_none_or(|width| width >= WIDE);
    if beside {
        columns.push(Column::left("PROCESSES", 10));
    }
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(&row.socket, rates, beside)).collect();
    let mut lines = table::lines(&columns, &cells, width, !args.no_header).into_iter();
    let heading = if args.no_header { None } else { lines.next() };
    let sockets = lines
        .zip(rows)
        .map(|(line, row)| std::iter::once(line).chain(wrapped(&details(&row.socket, args), width)).collect());
    Blocks { heading, sockets: sockets.collect() }
}

fn cells(socket: &Socket, rates: bool, processes: bool) -> Vec<String> {
    let at = socket.interface.as_ref().map_or_else(String::new, |name| format!("%{name}"));
    let mut cells = vec![
        socket.protocol.to_string(),
        socket.state.to_string(),
        socket.receive_queue.to_string(),
        socket.send_queue.to_string(),
        local(&socket.local, &at),
        place(&socket.remote),
    ];
    if rates {
        let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), units::bits);
        cells.extend([rate(socket.receive_rate), rate(socket.transmit_rate)]);
    }
    if let Some(name) = socket.container.as_ref().or(socket.namespace.as_ref()) {
        cells.push(name.clone());
    }
    if processes {
        cells.push(owners(socket).join(", "));
    }
    cells
}

fn owners(socket: &Socket) -> Vec<String> {
    let owners = socket.processes.iter().flatten();
    owners.map(|owner| format!("{} pid={} fd={}", owner.name, owner.pid, owner.fd)).collect()
}

fn local(address: &str, at: &str) -> String {
    match address.rsplit_once(':') {
        Some((host, port)) if !at.is_empty() => format!("{host}{at}:{port}"),
        _ => address.to_owned(),
    }
}

/// An address; port 0 of nobody is `*`.
fn place(address: &str) -> String {
    match address.strip_suffix(":0") {
        Some(host) => format!("{host}:*"),
        None => address.to_owned(),
    }
}

/// What stands below a socket: words with their values.
fn details(socket: &Socket, args: &cli::Sockets) -> Vec<String> {
    let mut words = Vec::new();
    if args.options
        && let (Some(timer), Some(ms)) = (&socket.timer, socket.timer_ms)
    {
        words.push(format!("timer:{timer} {}ms retries:{}", ms, socket.timer_retransmits.unwrap_or(0)));
    }
    if args.extended {
        words.push(format!("uid:{}", socket.uid));
        words.push(format!("ino:{}", socket.inode));
        words.push(format!("cookie:{:x}", socket.cookie));
        words.extend(socket.cgroup_id.map(|id| format!("cgroup-id:{id}")));
    }
    if args.memory
        && let Some(memory) = &socket.memory
    {
        words.push(skmem(memory));
    }
    if args.info
        && let Some(tcp) = &socket.tcp
    {
        info(tcp, &mut words);
    }
    words
}

/// The letters of `ss`: r and t allocated, rb and tb limits, f forward, w queued, o options, bl backlog, d drops.
fn skmem(memory: &SocketMemory) -> String {
    let parts = [
        ("r", memory.receive_allocated),
        ("rb", memory.receive_buffer),
        ("t", memory.send_allocated),
        ("tb", memory.send_buffer),
        ("f", memory.forward_allocated),
        ("w", memory.send_queued),
        ("o", memory.option_memory),
        ("bl", memory.backlog),
        ("d", memory.drops),
    ];
    let parts: Vec<String> = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}{}", value?))).collect();
    format!("skmem:({})", parts.join(","))
}

fn info(tcp: &SocketTcp, words: &mut Vec<String>) {
    let ms = units::milliseconds;
    words.extend(tcp.congestion.clone());
    if let Some(rtt) = tcp.rtt_us {
        words.push(format!("rtt:{}/{}ms", ms(rtt), ms(tcp.rtt_variation_us.unwrap_or(0))));
    }
    words.extend(tcp.min_rtt_us.map(|us| format!("minrtt:{}ms", ms(us))));
    words.extend(tcp.rto_us.map(|us| format!("rto:{}ms", ms(us))));
    let mut number = |name: &str, value: Option<u64>| words.extend(value.map(|value| format!("{name}:{value}")));
    let small = |value: Option<u32>| value.map(u64::from);
    // Zero of something bad is no news.
    let bad = |value: Option<u32>| small(value).filter(|value| *value > 0);
    number("mss", small(tcp.send_mss));
    number("pmtu", small(tcp.path_mtu));
    number("cwnd", small(tcp.congestion_window));
    number("ssthresh", small(tcp.slow_start_threshold));
    number("sent", tcp.sent_bytes);
    number("acked", tcp.acknowledged_bytes);
    number("received", tcp.received_bytes);
    number("segs_out", small(tcp.segments_out));
    number("segs_in", small(tcp.segments_in));
    number("retrans_bytes", tcp.retransmitted_bytes.filter(|bytes| *bytes > 0));
    number("retrans", bad(tcp.retransmits));
    number("lost", bad(tcp.lost));
    number("dsack", bad(tcp.duplicates));
    number("ooo", bad(tcp.out_of_order));
    number("reordered", bad(tcp.reordering_seen));
    number("ce", bad(tcp.delivered_marked));
    number("unacked", bad(tcp.unacknowledged));
    number("notsent", bad(tcp.unsent_bytes));
    let rate = |rate: u64| units::rate(rate as f64).replace(' ', "");
    words.extend(tcp.delivery_rate.filter(|value| *value > 0).map(|value| format!("delivery:{}", rate(value))));
    words.extend(tcp.pacing_rate.map(|value| format!("pacing:{}", rate(value))));
    words.extend(tcp.busy_us.filter(|us| *us > 0).map(|us| limited_by(us, tcp)));
    words.extend(tcp.last_sent_ms.map(|ms| format!("lastsnd:{ms}ms")));
    words.extend(tcp.last_received_ms.map(|ms| format!("lastrcv:{ms}ms")));
}

/// How long there was data to send, and which share of it was held up by what.
fn limited_by(busy_us: u64, tcp: &SocketTcp) -> String {
    let mut text = format!("busy:{}ms", busy_us / 1000);
    for (name, us) in [("rwnd", tcp.receiver_limited_us), ("sndbuf", tcp.buffer_limited_us)] {
        if let Some(us) = us.filter(|us| *us > 0) {
            text += &format!(" {name}_limited:{}ms({:.0}%)", us / 1000, 100.0 * us as f64 / busy_us as f64);
        }
    }
    text
}

/// Words in lines that are indented and, with a `width`, not longer than it.
fn wrapped(words: &[String], width: Option<usize>) -> Vec<String> {
    const INDENT: &str = "      ";
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let word = Untrusted(word).to_string();
        match lines.last_mut() {
            Some(line) if width.is_none_or(|width| line.len() + 1 + word.len() <= width) => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(format!("{INDENT}{word}")),
        }
    }
    lines
}
