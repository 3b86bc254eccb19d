//! A table of `squirrel top` for a person.

use anyhow::anyhow;
use squirrel_account::Picture;
use squirrel_api::live::{
    BookEntry, Connection, Connections, Host, Hosts, Interface, Interfaces, LevelReport, Process, Processes, Question,
    Table, Totals, Unattributed,
};
use squirrel_model::{Untrusted, duration_text};

use super::cells::{connections, hosts, interfaces, processes};
use crate::table;
use crate::units::{bits, bytes};

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
