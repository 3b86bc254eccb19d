//! A table of `squirrel top` for a person.

use anyhow::anyhow;
use squirrel_account::Picture;
use squirrel_api::live::{
    BookEntry, Connection, Connections, Host, Hosts, Interface, Interfaces, LevelReport, Process, Processes, Question,
    Table, Totals, Unattributed,
};
use squirrel_model::{Untrusted, duration_text};

use crate::table::{self, Column};
use crate::units::{bits, bytes, milliseconds};

/// From this width on there is room for what is useful and not needed.
const WIDE: usize = 110;

/// The rows of one of the tables.
enum Rows {
    Processes(Vec<Process>),
    Connections(Vec<Connection>),
    Hosts(Vec<Host>),
    Interfaces(Vec<Interface>),
}

/// A table and what is said beside it.
pub(super) struct View {
    rows: Rows,
    seconds: f64,
    level: LevelReport,
    matched: usize,
    total: usize,
    sort: String,
    totals: Totals,
    unattributed: Vec<Unattributed>,
    lost_events: u64,
}

macro_rules! from_document {
    ($document:ident, $variant:ident, $rows:ident) => {
        impl From<$document> for View {
            fn from(document: $document) -> Self {
                Self {
                    seconds: (document.time - document.since).max(0.0),
                    level: document.level,
                    matched: document.matched,
                    total: document.total,
                    sort: format!("{} {}", document.sort, document.order),
                    totals: document.totals,
                    unattributed: document.unattributed,
                    lost_events: document.lost_events,
                    rows: Rows::$variant(document.$rows),
                }
            }
        }
    };
}

from_document!(Processes, Processes, processes);
from_document!(Connections, Connections, connections);
from_document!(Hosts, Hosts, hosts);
from_document!(Interfaces, Interfaces, interfaces);

impl View {
    /// The rows that a question chooses from a picture.
    pub(super) fn of_picture(picture: &Picture, table: Table, question: &Question) -> anyhow::Result<Self> {
        let view = match table {
            Table::Processes => question.processes(picture).map(Self::from),
            Table::Connections => question.connections(picture).map(Self::from),
            Table::Hosts => question.hosts(picture).map(Self::from),
            Table::Interfaces => question.interfaces(picture).map(Self::from),
        };
        view.map_err(|error| anyhow!(error.message))
    }

    /// The lines: a heading, the table, the sums, and what must be known to read it rightly.
    pub(super) fn lines(&self, table: Table, width: Option<usize>) -> Vec<String> {
        let wide = width.is_none_or(|width| width >= WIDE);
        let (columns, cells) = match &self.rows {
            Rows::Processes(rows) => processes(rows, wide, width.is_none()),
            Rows::Connections(rows) => connections(rows, wide),
            Rows::Hosts(rows) => hosts(rows),
            Rows::Interfaces(rows) => interfaces(rows),
        };
        let shown = match &self.rows {
            Rows::Processes(rows) => rows.len(),
            Rows::Connections(rows) => rows.len(),
            Rows::Hosts(rows) => rows.len(),
            Rows::Interfaces(rows) => rows.len(),
        };
        let name = table.name();
        let mut lines = vec![format!("{name} by {}, bytes of {}", self.sort, span(self.seconds))];
        lines.extend(table::lines(&columns, &cells, width, true));
        let what = if table == Table::Interfaces { "wire" } else { "payload" };
        let totals = &self.totals;
        lines.push(format!(
            "showing {shown} of {}{}; {what} RX {} at {}bit/s, TX {} at {}bit/s",
            self.matched,
            if self.matched == self.total { String::new() } else { format!(" chosen from {}", self.total) },
            bytes(totals.receive_bytes),
            spaced(&bits(totals.receive_rate)),
            bytes(totals.transmit_bytes),
            spaced(&bits(totals.transmit_rate)),
        ));
        lines.extend(self.remarks());
        match width {
            Some(width) => lines.into_iter().map(|line| table::cut(&line, width)).collect(),
            None => lines,
        }
    }

    /// What has no owner, what was lost, and what this level cannot see.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Rows::Interfaces(rows) = &self.rows
            && rows.iter().any(|row| row.counted_elsewhere.is_some())
        {
            remarks
                .push("(in parentheses): counted elsewhere or never leaves the host, and not in the sums".to_owned());
        }
        remarks.extend(match &self.rows {
            Rows::Interfaces(rows) => rows.iter().flat_map(unexplained).collect(),
            Rows::Hosts(rows) => {
                rows.iter().filter_map(|row| row.note.as_ref().map(|note| format!("{}: {note}", row.address))).collect()
            }
            _ => Vec::new(),
        });
        for row in self.unattributed.iter().filter(|row| row.receive_bytes > 0 || row.transmit_bytes > 0) {
            let (receive, transmit) = (bytes(row.receive_bytes), bytes(row.transmit_bytes));
            remarks.push(format!("without owner: RX {receive}, TX {transmit}: {} ({})", row.meaning, row.reason));
        }
        if self.lost_events > 0 {
            remarks
                .push(format!("{} events of the kernel were lost: short connections may be missing", self.lost_events));
        }
        // With the kernel's own ledger every byte of a process is known: nothing to be told each second.
        if let Some(next) = self.level.next.as_ref().filter(|_| matches!(&*self.level.name, "counters" | "own")) {
            remarks.push(format!("level {}: {next}", self.level.name));
        }
        remarks.iter().map(|remark| Untrusted(remark).to_string()).collect()
    }
}

/// What is said of the bytes of an interface that are not explained, from a hundredth of all on.
fn unexplained(row: &Interface) -> Vec<String> {
    let wire = row.receive_bytes.saturating_add(row.transmit_bytes);
    let entries = row.entries.iter().filter(|entry| {
        let entered = entry.receive_bytes.saturating_add(entry.transmit_bytes);
        entry.part == "unexplained" && entered.saturating_mul(100) >= wire
    });
    let line = |entry: &BookEntry| {
        let (receive, transmit) = (bytes(entry.receive_bytes), bytes(entry.transmit_bytes));
        format!("unexplained on {}: RX {receive}, TX {transmit}: {} ({})", row.name, entry.meaning, entry.reason)
    };
    entries.map(line).collect()
}

fn spaced(number: &str) -> String {
    if number.contains(' ') { number.to_owned() } else { format!("{number} ") }
}

/// Seconds as people say them.
fn span(seconds: f64) -> String {
    if seconds < 60.0 { format!("{seconds:.1} s") } else { duration_text(seconds as i64 * 1000) }
}

/// A figure of a source that does not know is none.
fn known(source: &str, text: String) -> String {
    match source {
        "unavailable" => "-".to_owned(),
        "sampled" => format!("~{text}"),
        _ => text,
    }
}

/// The four columns that every table has.
const FIGURES: [Column; 4] =
    [Column::right("RX bit/s"), Column::right("TX bit/s"), Column::right("RX"), Column::right("TX")];

/// Bytes and rates of a row.
struct Moved<'a> {
    source: &'a str,
    rates: (f64, f64),
    bytes: (u64, u64),
}

impl Moved<'_> {
    fn cells(&self) -> [String; 4] {
        let texts = [bits(self.rates.0), bits(self.rates.1), bytes(self.bytes.0), bytes(self.bytes.1)];
        texts.map(|text| known(self.source, text))
    }
}

type Cells = (Vec<Column>, Vec<Vec<String>>);

fn processes(rows: &[Process], wide: bool, all: bool) -> Cells {
    let mut columns = vec![Column::right("PID"), Column::left("PROCESS", 8), Column::left("USER", 4)];
    if wide {
        columns.push(Column::left("UNIT OR CONTAINER", 6));
    }
    columns.push(Column::right("CONNS"));
    columns.extend(FIGURES);
    if wide {
        columns.push(Column::left("COMMAND", 7));
    }
    let cells = rows.iter().map(|row| {
        let name = if row.ended.is_some() { format!("{} (ended)", row.name) } else { row.name.clone() };
        let mut cells = vec![row.pid.to_string(), name, row.user.clone()];
        if wide {
            cells.push(row.container.clone().or_else(|| row.unit.clone()).unwrap_or_default());
        }
        cells.push(row.connections.to_string());
        let (source, rates) = (row.source.as_ref(), (row.receive_rate, row.transmit_rate));
        cells.extend(Moved { source, rates, bytes: (row.receive_bytes, row.transmit_bytes) }.cells());
        if wide {
            // A command line may have megabytes; who wants all of it asks for JSON.
            let most = if all { 200 } else { 80 };
            cells.push(row.command.as_deref().unwrap_or_default().chars().take(most).collect());
        }
        cells
    });
    (columns, cells.collect())
}

fn connections(rows: &[Connection], wide: bool) -> Cells {
    let mut columns = vec![Column::left("PROTO", 0)];
    if wide {
        columns.push(Column::left("STATE", 0));
    }
    columns.extend([Column::address("LOCAL", 10), Column::address("REMOTE", 10), Column::left("PROCESS", 6)]);
    if wide {
        columns.extend([Column::right("PID"), Column::right("RTT ms"), Column::right("RETRANS")]);
    }
    columns.extend(FIGURES);
    let cells = rows.iter().map(|row| {
        let mut cells = vec![row.protocol.to_string()];
        if wide {
            cells.push(if row.closed.is_some() { "closed".to_owned() } else { row.state.to_string() });
        }
        let remote = if row.count > 1 { format!("{} of them", row.count) } else { place(&row.remote) };
        cells.extend([place(&row.local), remote, row.process.clone().unwrap_or_else(|| "-".to_owned())]);
        if wide {
            let some = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            cells.push(some(row.pid.map(|pid| pid.to_string())));
            cells.push(some(row.rtt_us.map(milliseconds)));
            cells.push(some(row.retransmitted_bytes.map(bytes)));
        }
        let (source, rates) = (row.source.as_ref(), (row.receive_rate, row.transmit_rate));
        cells.extend(Moved { source, rates, bytes: (row.receive_bytes, row.transmit_bytes) }.cells());
        cells
    });
    (columns, cells.collect())
}

/// An address; nobody's is `*`.
fn place(address: &str) -> String {
    match address {
        "0.0.0.0:0" | "[::]:0" => "*".to_owned(),
        other => other.to_owned(),
    }
}

fn hosts(rows: &[Host]) -> Cells {
    let mut columns = vec![Column::left("ADDRESS", 15), Column::right("CONNS")];
    columns.extend(FIGURES);
    let cells = rows.iter().map(|row| {
        let mut cells = vec![row.address.clone(), row.connections.to_string()];
        let (source, rates) = (row.source.as_ref(), (row.receive_rate, row.transmit_rate));
        cells.extend(Moved { source, rates, bytes: (row.receive_bytes, row.transmit_bytes) }.cells());
        cells
    });
    (columns, cells.collect())
}

/// A line for each direction: the wire bytes and the parts that make them up.
fn interfaces(rows: &[Interface]) -> Cells {
    let columns = ["bit/s", "WIRE", "PAYLOAD", "HEADERS", "FORWARD", "KERNEL", "UNKNOWN"].map(Column::right);
    // Each namespace has a loopback: where there are several, the name alone tells nothing.
    let elsewhere = rows.iter().any(|row| row.namespace_name.is_some());
    let first = elsewhere.then(|| Column::left("NAMESPACE", 9));
    let columns = first.into_iter().chain([Column::left("NAME", 6), Column::left("", 0)]).chain(columns).collect();
    let cells = rows.iter().flat_map(|row| {
        let source = row.source.as_ref();
        let line = |name: &str, way: &str, rate: f64, wire: u64, parts: [u64; 5]| {
            let namespace =
                elsewhere.then(|| if name.is_empty() { "" } else { row.namespace_name.as_deref().unwrap_or("-") });
            let mut cells: Vec<String> = namespace.into_iter().map(str::to_owned).collect();
            cells.extend([name.to_owned(), way.to_owned(), bits(rate), bytes(wire)]);
            cells.extend(parts.map(|part| known(source, bytes(part))));
            cells
        };
        let name = if row.counted_elsewhere.is_some() { format!("({})", row.name) } else { row.name.clone() };
        [
            line(
                &name,
                "RX",
                row.receive_rate,
                row.receive_bytes,
                [
                    row.attributed_receive_bytes,
                    row.headers_receive_bytes,
                    row.forwarded_receive_bytes,
                    row.kernel_receive_bytes,
                    row.unexplained_receive_bytes,
                ],
            ),
            line(
                "",
                "TX",
                row.transmit_rate,
                row.transmit_bytes,
                [
                    row.attributed_transmit_bytes,
                    row.headers_transmit_bytes,
                    row.forwarded_transmit_bytes,
                    row.kernel_transmit_bytes,
                    row.unexplained_transmit_bytes,
                ],
            ),
        ]
    });
    (columns, cells.collect())
}
