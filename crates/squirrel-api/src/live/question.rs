//! Which rows of which table are wanted, in which order: the parameters of `GET /api/live/…`, which the command
//! line has as flags.

use std::borrow::Cow;

use squirrel_account::{Figures, Picture};
use squirrel_filter::{Field, Filter, Order, Services, page};

use super::rows::{Interface, LevelReport, Unattributed};
use super::views::{Books, Connections, Hosts, Interfaces, Processes, Top, Totals};
use super::{LIVE_SCHEMA, fields};
use crate::ApiError;

/// Rows of an answer when no number is asked for.
pub const USUAL_LIMIT: usize = 100;
/// The most rows of an answer.
pub const MOST_ROWS: usize = 10_000;

/// A table of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Table {
    /// Processes.
    #[default]
    Processes,
    /// Sockets.
    Connections,
    /// Remote hosts.
    Hosts,
    /// Interfaces.
    Interfaces,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Processes, Self::Connections, Self::Hosts, Self::Interfaces];

    /// The table's name, in addresses, documents and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Connections => "connections",
            Self::Hosts => "hosts",
            Self::Interfaces => "interfaces",
        }
    }

    /// The table of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

/// Which rows are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// A filter in Squirrel's grammar; empty for all rows.
    pub filter: String,
    /// The field that orders the rows; `None` for the rate of both directions, then the bytes.
    pub sort: Option<String>,
    /// Whether the largest comes first; `None` for what suits the field.
    pub descending: Option<bool>,
    /// Rows to pass over.
    pub offset: usize,
    /// Most rows to give.
    pub limit: usize,
}

impl Default for Question {
    fn default() -> Self {
        Self { filter: String::new(), sort: None, descending: None, offset: 0, limit: USUAL_LIMIT }
    }
}

/// What a question chose from a table.
struct Chosen<T> {
    total: usize,
    matched: usize,
    sort: &'static str,
    order: &'static str,
    totals: Totals,
    rows: Vec<T>,
}

/// Writes the document of one table.
macro_rules! document {
    ($self:ident, $picture:ident, $chosen:expr, $name:ident { $rows:ident }) => {{
        let chosen = $chosen?;
        Ok($name {
            schema: Cow::Borrowed(LIVE_SCHEMA),
            time: $picture.at.seconds(),
            since: $picture.since.seconds(),
            level: LevelReport::from(&$picture.level),
            total: chosen.total,
            matched: chosen.matched,
            offset: $self.offset,
            limit: $self.limit,
            sort: Cow::Borrowed(chosen.sort),
            order: Cow::Borrowed(chosen.order),
            totals: chosen.totals,
            unattributed: $picture.unattributed.iter().map(Unattributed::from).collect(),
            lost_events: $picture.lost_events,
            $rows: chosen.rows,
        })
    }};
}

impl Question {
    /// The processes.
    ///
    /// # Errors
    /// A filter that is not understood (with its column), or a field to sort by that does not exist.
    pub fn processes(&self, picture: &Picture) -> Result<Processes, ApiError> {
        let chosen = self.choose(&picture.processes, fields::PROCESSES, |row| Some(&row.figures));
        document!(self, picture, chosen, Processes { processes })
    }

    /// The sockets.
    ///
    /// # Errors
    /// As [`Question::processes`].
    pub fn connections(&self, picture: &Picture) -> Result<Connections, ApiError> {
        let chosen = self.choose(&picture.connections, fields::CONNECTIONS, |row| Some(&row.figures));
        document!(self, picture, chosen, Connections { connections })
    }

    /// The remote hosts.
    ///
    /// # Errors
    /// As [`Question::processes`].
    pub fn hosts(&self, picture: &Picture) -> Result<Hosts, ApiError> {
        let chosen = self.choose(&picture.hosts, fields::HOSTS, |row| Some(&row.figures));
        document!(self, picture, chosen, Hosts { hosts })
    }

    /// The interfaces.
    ///
    /// # Errors
    /// As [`Question::processes`].
    pub fn interfaces(&self, picture: &Picture) -> Result<Interfaces, ApiError> {
        let chosen = self.choose(&picture.interfaces, fields::INTERFACES, |row| {
            row.counted_elsewhere.is_none().then_some(&row.wire)
        });
        document!(self, picture, chosen, Interfaces { interfaces })
    }

    /// The whole picture as one document, in which this question chooses the rows of one table and the others are
    /// whole, the busiest rows first; no table has more than `most` rows.
    ///
    /// # Errors
    /// As [`Question::processes`].
    pub fn top(&self, picture: &Picture, table: Table, most: usize) -> Result<Top, ApiError> {
        let mut top = Top::new(picture, "command", false);
        match table {
            Table::Processes => top.processes = self.processes(picture)?.processes,
            Table::Connections => top.connections = self.connections(picture)?.connections,
            Table::Hosts => top.hosts = self.hosts(picture)?.hosts,
            Table::Interfaces => top.interfaces = self.interfaces(picture)?.interfaces,
        }
        top.processes.truncate(most);
        top.connections.truncate(most);
        top.hosts.truncate(most);
        top.interfaces.truncate(most);
        Ok(top)
    }

    /// Whether the filter and the order can be applied to a table: for mistakes that shall be said before a
    /// measurement begins.
    ///
    /// # Errors
    /// As [`Question::processes`].
    pub fn check(&self, table: Table) -> Result<(), ApiError> {
        let nothing = Picture::default();
        match table {
            Table::Processes => self.processes(&nothing).map(|_| ()),
            Table::Connections => self.connections(&nothing).map(|_| ()),
            Table::Hosts => self.hosts(&nothing).map(|_| ()),
            Table::Interfaces => self.interfaces(&nothing).map(|_| ()),
        }
    }

    fn choose<'a, R: 'static, T: From<&'a R>>(
        &self,
        rows: &'a [R],
        fields: &'static [Field<R>],
        figures: impl Fn(&R) -> Option<&Figures>,
    ) -> Result<Chosen<T>, ApiError> {
        let filter = Filter::parse(&self.filter, fields, &Services::default())
            .map_err(|error| ApiError::invalid_parameter("filter", error.to_string()))?;
        let order = Order::by(fields, self.sort.as_deref().unwrap_or("rate"), self.descending)
            .map_err(|error| ApiError::invalid_parameter("sort", error.to_string()))?;
        // Rows of the same rate, such as those at rest, are told apart by their bytes.
        let page = if self.sort.is_none() {
            let mut by_bytes: Vec<&R> = rows.iter().filter(|row| filter.matches(row)).collect();
            by_bytes.sort_by_key(|row| std::cmp::Reverse(figures(row).map(fields::sum)));
            order.page_of(by_bytes, self.offset, self.limit)
        } else {
            page(rows, &filter, Some(&order), self.offset, self.limit)
        };
        Ok(Chosen {
            total: rows.len(),
            matched: page.chosen.len(),
            sort: order.name(),
            order: if order.is_descending() { "desc" } else { "asc" },
            totals: Totals::of(page.chosen.iter().filter_map(|row| figures(row))),
            rows: page.rows.into_iter().map(T::from).collect(),
        })
    }
}

impl Books {
    /// The books of a picture; with `interface`, the rows of that name alone: one in each network namespace that has
    /// such an interface. The sums are the host's in any case.
    pub fn new(picture: &Picture, interface: Option<&str>) -> Self {
        let counted = picture.interfaces.iter().filter(|row| row.counted_elsewhere.is_none());
        let asked = picture.interfaces.iter().filter(|row| interface.is_none_or(|name| row.name == name));
        Self {
            schema: Cow::Borrowed(LIVE_SCHEMA),
            time: picture.at.seconds(),
            since: picture.since.seconds(),
            level: LevelReport::from(&picture.level),
            interfaces: asked.map(Interface::from).collect(),
            unattributed: picture.unattributed.iter().map(Unattributed::from).collect(),
            totals: Totals::of(counted.map(|row| &row.wire)),
            lost_events: picture.lost_events,
            pruned: picture.pruned,
            sampling: picture.sampling.max(1),
        }
    }
}
