//! `squirrel sockets`: the sockets of this host, as the kernel lists them now.

mod fields;
mod kill;
mod owners;
mod read;
mod show;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use squirrel_api::live::{SOCKETS_SCHEMA, Socket, Sockets, schema};
use squirrel_api::params::parse_duration_ms;
use squirrel_filter::ss::{self, Names, SsFilter};
use squirrel_filter::{Filter, Order, Services, page};
use squirrel_model::Elapsed;
use squirrel_sys::{Linux, NetworkNamespace, clock, network_namespaces, terminal};

use crate::cli;
use crate::failure::{Class, classed, forbidden_or, marked};
use crate::frames::Frames;
use crate::output;
use read::{Interfaces, Row, Selection};

/// The list of services is short on every host.
const MOST_SERVICES: u64 = 4 << 20;

/// Everything that the arguments say, understood.
struct Plan<'a> {
    args: &'a cli::Sockets,
    selection: Selection,
    filter: Filter<Row>,
    order: Option<Order<Row>>,
    owners: bool,
}

/// Lists, watches or closes sockets.
pub(crate) fn run(args: &cli::Sockets) -> anyhow::Result<()> {
    if args.schema {
        return Ok(output::print(&(serde_json::to_string_pretty(&schema::<Sockets>("squirrel sockets"))? + "\n"))?);
    }
    let kernel = open(args.net.as_deref())?;
    let interfaces = read::interfaces(&kernel)?;
    let plan = plan(args, &interfaces).map_err(|error| classed(Class::Usage, &error))?;
    if args.kill {
        return kill::run(&kernel, &plan, &interfaces);
    }
    match &args.watch {
        Some(interval) => {
            let interval = parse_duration_ms(interval).ok().filter(|ms| *ms >= 100);
            let interval = interval.context("--watch takes a time of at least 100ms, such as --watch=2s");
            let interval = interval.map_err(|error| classed(Class::Usage, &error))?;
            watch(&kernel, &plan, &interfaces, Duration::from_millis(interval.unsigned_abs()))
        }
        None => once(&kernel, &plan, &interfaces),
    }
}

/// The kernel as seen from this namespace, or from the one of this name.
fn open(name: Option<&str>) -> anyhow::Result<Linux> {
    let Some(name) = name else { return Linux::open().context("cannot ask the kernel for its sockets") };
    let found = network_namespaces().context("cannot look for network namespaces")?;
    let mut namespace: NetworkNamespace = found
        .namespaces
        .into_iter()
        .find(|namespace| namespace.name.as_deref() == Some(name))
        .with_context(|| format!("there is no network namespace {name:?}; `ip netns` lists them"))
        .map_err(|error| classed(Class::Usage, &error))?;
    let opened = namespace.hold().and_then(|()| Linux::open_in(&namespace));
    opened.map_err(|error| forbidden_or(error, "entering a network namespace needs CAP_SYS_ADMIN"))
}

fn plan<'a>(args: &'a cli::Sockets, interfaces: &Interfaces) -> anyhow::Result<Plan<'a>> {
    let services = services();
    let text = args.expression.join(" ");
    let index = |name: &str| interfaces.iter().find(|(_, known)| *known == name).map(|(index, _)| *index);
    let names = Names { services: &services, interface: &index };
    let expression = SsFilter::parse(&text, &names).map_err(|error| marked(&error, &text))?;
    let filter = Filter::parse(&args.filter, fields::FIELDS, &services)
        .map_err(|error| marked(&error, &args.filter).context("--filter"))?;
    let descending = args.order.map(|order| order == cli::Direction::Desc);
    let order = args.sort.as_deref().map(|sort| Order::by(fields::FIELDS, sort, descending)).transpose()?;
    let states = expression.states.unwrap_or(match (args.all, args.listening) {
        (true, _) => ss::ALL,
        (false, true) => ss::LISTENING,
        (false, false) => ss::OPEN,
    });
    let both = args.tcp == args.udp;
    let of_owners = |text: &str| fields::OF_OWNERS.iter().any(|name| text.contains(&format!("{name}:")));
    let owners = args.processes
        || of_owners(&args.filter)
        || order.as_ref().is_some_and(|order| fields::OF_OWNERS.contains(&order.name()));
    let details = args.json
        || args.json_lines
        || args.info
        || args.memory
        || args.watch.is_some()
        || !args.filter.is_empty()
        || args.sort.is_some();
    Ok(Plan {
        args,
        selection: Selection {
            tcp: args.tcp || both,
            udp: args.udp || both,
            ipv4: !args.ipv6,
            ipv6: !args.ipv4,
            states,
            expression,
            details,
        },
        filter,
        order,
        owners,
    })
}

/// Names of ports as this host has them; without such a list the usual ones.
fn services() -> Services {
    let path = "/etc/services";
    let small = std::fs::metadata(path).is_ok_and(|file| file.len() <= MOST_SERVICES);
    let text = if small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    Services::with(&String::from_utf8_lossy(&text))
}

impl Plan<'_> {
    /// Reads and chooses; the rows in their order.
    fn read(
        &self,
        kernel: &Linux,
        interfaces: &Interfaces,
        at: Elapsed,
        before: Option<&Reading>,
    ) -> anyhow::Result<(Vec<Row>, Reading)> {
        let mut rows = read::rows(kernel, &self.selection, interfaces)?;
        // Only who watches compares.
        let reading = Reading::new(at, if self.args.watch.is_some() { &rows } else { &[] });
        if let Some(before) = before {
            before.put_rates(&reading, &mut rows);
        }
        if self.owners {
            let looked = owners::name(kernel, &mut rows)?;
            if looked.denied > 0 && before.is_none() {
                output::complain(&format!(
                    "squirrel: the sockets of {} processes of other users have no name here: run as root, or grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
                    looked.denied
                ));
            }
        }
        rows.retain(|row| self.filter.matches(row));
        if self.order.is_some() {
            let all = Filter::parse("", fields::FIELDS, &Services::default()).map_err(|error| anyhow!(error))?;
            let order: Vec<u64> = page(&rows, &all, self.order.as_ref(), 0, usize::MAX)
                .rows
                .iter()
                .map(|row| row.socket.cookie)
                .collect();
            let places: HashMap<u64, usize> =
                order.into_iter().enumerate().map(|(place, cookie)| (cookie, place)).collect();
            rows.sort_by_key(|row| places.get(&row.socket.cookie).copied());
        }
        Ok((rows, reading))
    }

    fn document(&self, rows: Vec<Row>, seconds: Option<f64>) -> Sockets {
        let matched = rows.len();
        let limit = self.args.limit.unwrap_or(usize::MAX);
        let sockets: Vec<Socket> = rows.into_iter().take(limit).map(|row| row.socket).collect();
        Sockets { schema: Cow::Borrowed(SOCKETS_SCHEMA), time: clock::wall().seconds(), seconds, matched, sockets }
    }
}

/// The bytes of each TCP connection at one moment.
struct Reading {
    at: Elapsed,
    bytes: HashMap<u64, (u64, u64)>,
}

impl Reading {
    fn new(at: Elapsed, rows: &[Row]) -> Self {
        let bytes = rows.iter().filter_map(|row| {
            let tcp = row.socket.tcp.as_ref()?;
            let sent = tcp.sent_bytes?.saturating_sub(tcp.retransmitted_bytes?);
            Some((row.socket.cookie, (tcp.received_bytes?, sent)))
        });
        Self { at, bytes: bytes.collect() }
    }

    /// Puts the rates from this reading to a later one into its rows. A connection that is new began at zero.
    fn put_rates(&self, later: &Self, rows: &mut [Row]) {
        let seconds = later.at.0.saturating_sub(self.at.0).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        for row in rows {
            let cookie = row.socket.cookie;
            if let Some((received, sent)) = later.bytes.get(&cookie) {
                let before = self.bytes.get(&cookie).copied().unwrap_or_default();
                row.socket.receive_rate = Some(received.saturating_sub(before.0) as f64 / seconds);
                row.socket.transmit_rate = Some(sent.saturating_sub(before.1) as f64 / seconds);
            }
        }
    }
}

fn once(kernel: &Linux, plan: &Plan<'_>, interfaces: &Interfaces) -> anyhow::Result<()> {
    if plan.args.json && !plan.owners && plan.order.is_none() && plan.args.limit.is_none() {
        return stream(kernel, plan, interfaces);
    }
    let (rows, _) = plan.read(kernel, interfaces, Elapsed::default(), None)?;
    if plan.args.json {
        let document = plan.document(rows, None);
        return output::print_json(&document);
    }
    let width = terminal::size().map(|(_, columns)| columns);
    let limit = plan.args.limit.unwrap_or(usize::MAX);
    let matched = rows.len();
    let shown: Vec<Row> = rows.into_iter().take(limit).collect();
    let mut lines = show::blocks(&shown, plan.args, width).lines();
    if shown.len() < matched {
        lines.push(format!("showing {} of {matched}", shown.len()));
    }
    Ok(output::print_lines(&lines)?)
}

/// The document of `--json` written while the kernel lists its sockets: it may have a hundred thousand, of a kilobyte
/// each, and nothing of them needs to be kept.
fn stream(kernel: &Linux, plan: &Plan<'_>, interfaces: &Interfaces) -> anyhow::Result<()> {
    let mut out = output::Stream::new();
    let schema = serde_json::to_string(SOCKETS_SCHEMA)?;
    let time = clock::wall().seconds();
    out.text(&format!("{{\"schema\":{schema},\"time\":{time},\"seconds\":null,\"sockets\":["));
    let mut matched = 0;
    read::each(kernel, &plan.selection, interfaces, &mut |row| {
        if plan.filter.matches(&row) {
            if matched > 0 {
                out.text(",");
            }
            out.json(&row.socket);
            matched += 1;
        }
    })?;
    out.text(&format!("],\"matched\":{matched}}}\n"));
    out.finish()
}

fn watch(kernel: &Linux, plan: &Plan<'_>, interfaces: &Interfaces, interval: Duration) -> anyhow::Result<()> {
    let monotonic = clock::Monotonic::start();
    let mut before: Option<Reading> = None;
    let mut frames = Frames::new(plan.args.count);
    frames.each(interval, || {
        let began = monotonic.elapsed();
        let (rows, reading) = plan.read(kernel, interfaces, began, before.as_ref())?;
        let seconds = before.as_ref().map(|before| began.0.saturating_sub(before.at.0).as_secs_f64());
        before = Some(reading);
        // Without a reading before there is no rate, and so nothing to watch yet.
        let Some(seconds) = seconds else { return Ok(None) };
        if plan.args.json_lines || plan.args.json {
            return Ok(Some(vec![output::json_line(&plan.document(rows, Some(seconds)))?]));
        }
        let size = terminal::size();
        let matched = rows.len();
        let limit = plan.args.limit.unwrap_or(usize::MAX);
        let few: Vec<Row> = rows.into_iter().take(limit.min(size.map_or(usize::MAX, |(lines, _)| lines))).collect();
        let blocks = show::blocks(&few, plan.args, size.map(|(_, columns)| columns));
        // A line for the sums and one for the cursor.
        let blocks = blocks.fitting(size.map_or(usize::MAX, |(lines, _)| lines.saturating_sub(2)));
        let shown = blocks.sockets.len();
        let mut lines = blocks.lines();
        lines.push(format!("showing {shown} of {matched} sockets, rates over {seconds:.1} s"));
        Ok(Some(lines))
    })
}
