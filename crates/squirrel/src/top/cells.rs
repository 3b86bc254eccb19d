//! The rows of `squirrel top` as cells of a table: which columns each table has, and what stands in them.

use squirrel_api::live::{Connection, Host, Interface, Process};

use crate::table::Column;
use crate::units::{bits, bytes, milliseconds};

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

/// The columns of a table, and the cells of each row.
pub(super) type Cells = (Vec<Column>, Vec<Vec<String>>);

pub(super) fn processes(rows: &[Process], wide: bool, all: bool) -> Cells {
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

pub(super) fn connections(rows: &[Connection], wide: bool) -> Cells {
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

pub(super) fn hosts(rows: &[Host]) -> Cells {
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
pub(super) fn interfaces(rows: &[Interface]) -> Cells {
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
