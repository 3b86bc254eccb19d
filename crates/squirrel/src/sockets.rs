//! `squirrel sockets`: the sockets of this host, as the kernel lists them now.

mod fields;
mod kill;
mod owners;
mod places;
mod read;
mod show;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use squirrel_api::live::{SOCKETS_SCHEMA, Socket, Sockets, schema};
use squirrel_api::params::parse_duration_ms;
use squirrel_filter::ss::{self, Names, SsFilter};
use squirrel_filter::{Filter, Order, Services, page};
use squirrel_keeper::KeptKernel;
use squirrel_model::Elapsed;
use squirrel_sys::{clock, terminal};

use crate::cli;
use crate::failure::{Class, classed, marked};
use crate::frames::Frames;
use crate::keeper::Looker;
use crate::output;
use places::Place;
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
    services: Services,
    /// Looks at what this process may not.
    looker: Option<Looker>,
}

/// Lists, watches or closes sockets.
pub(crate) fn run(args: &cli::Sockets) -> anyhow::Result<()> {
    if args.schema {
        return Ok(output::print(&(serde_json::to_string_pretty(&schema::<Sockets>("squirrel sockets"))? + "\n"))?);
    }
    let (looker, mut places) = places::open(args, owners::are_wanted(args))?;
    // Where a name of an interface in the expression means nothing, no socket fulfils it; if so everywhere, it is a slip.
    let understood = |place: &Place| plan(args, &place.interfaces);
    let first = places.iter().find_map(|place| understood(place).ok());
    let mut plan = match (first, places.first()) {
        (Some(plan), _) => plan,
        (None, Some(place)) => understood(place).map_err(|error| classed(Class::Usage, &error))?,
        (None, None) => bail!("no network namespace can be entered"),
    };
    plan.looker = looker;
    places.retain(|place| expression(args, &plan.services, &place.interfaces).is_ok());
    if let (true, [place, ..]) = (args.kill, &places[..]) {
        return kill::run(place, &plan);
    }
    match &args.watch {
        Some(interval) => {
            let interval = parse_duration_ms(interval).ok().filter(|ms| *ms >= 100);
            let interval = interval.context("--watch takes a time of at least 100ms, such as --watch=2s");
            let interval = interval.map_err(|error| classed(Class::Usage, &error))?;
            watch(&places, &plan, Duration::from_millis(interval.unsigned_abs()))
        }
        None => once(&places, &plan),
    }
}

fn plan<'a>(args: &'a cli::Sockets, interfaces: &Interfaces) -> anyhow::Result<Plan<'a>> {
    let services = services();
    let expression = expression(args, &services, interfaces)?;
    let filter = Filter::parse(&args.filter, fields::FIELDS, &services)
        .map_err(|error| marked(&error, &args.filter).context("--filter"))?;
    let descending = args.order.map(|order| order == cli::Direction::Desc);
    let order = args.sort.as_deref().map(|sort| Order::by(fields::FIELDS, sort, descending)).transpose()?;
    let owners = owners::are_wanted(args);
    let states = expression.states.unwrap_or(match (args.all, args.listening) {
        (true, _) => ss::ALL,
        (false, true) => ss::LISTENING,
        (false, false) => ss::OPEN,
    });
    let both = args.tcp == args.udp;
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
        services,
        looker: None,
    })
}

/// The expression in the language of ss, as it is meant where these are the interfaces.
fn expression(args: &cli::Sockets, services: &Services, interfaces: &Interfaces) -> anyhow::Result<SsFilter> {
    let text = args.expression.join(" ");
    let index = |name: &str| interfaces.iter().find(|(_, known)| *known == name).map(|(index, _)| *index);
    SsFilter::parse(&text, &Names { services, interface: &index }).map_err(|error| marked(&error, &text))
}

/// Names of ports as this host has them; without such a list the usual ones.
fn services() -> Services {
    let path = "/etc/services";
    let small = std::fs::metadata(path).is_ok_and(|file| file.len() <= MOST_SERVICES);
    let text = if small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    Services::with(&String::from_utf8_lossy(&text))
}

impl Plan<'_> {
    /// Hands over the sockets of all places that the language of ss chooses.
    fn each(&self, places: &[Place], take: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
        for place in places {
            // An interface of the same name has another number elsewhere.
            let own;
            let selection = if places.len() == 1 {
                &self.selection
            } else {
                own = self.selection.with(expression(self.args, &self.services, &place.interfaces)?);
                &own
            };
            read::each(&place.kernel, selection, &place.interfaces, &mut |mut row| {
                row.socket.namespace.clone_from(&place.name);
                row.socket.container.clone_from(&place.container);
                take(row);
            })?;
        }
        Ok(())
    }

    /// Reads and chooses; the rows in their order.
    fn read(&self, places: &[Place], at: Elapsed, before: Option<&Reading>) -> anyhow::Result<(Vec<Row>, Reading)> {
        let mut rows = Vec::new();
        self.each(places, &mut |row| rows.push(row))?;
        // Only who watches compares.
        let reading = Reading::new(at, if self.args.watch.is_some() { &rows } else { &[] });
        if let Some(before) = before {
            before.put_rates(&reading, &mut rows);
        }
        if let (true, Some(place)) = (self.owners, places.first()) {
            let looked = match &self.looker {
                Some(looker) => owners::name(&KeptKernel::new(&place.kernel, looker.keeper()), &mut rows)?,
                None => owners::name(&place.kernel, &mut rows)?,
            };
            if !looked.denied.is_empty() && before.is_none() {
                let may_trace = self.looker.as_ref().is_some_and(Looker::may_trace);
                let what = looked.denied.sentence(may_trace, "the sockets", "the sockets");
                output::complain(&format!("squirrel: {what}; run as root to name all owners"));
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

fn once(places: &[Place], plan: &Plan<'_>) -> anyhow::Result<()> {
    if plan.args.json && !plan.owners && plan.order.is_none() && plan.args.limit.is_none() {
        return stream(places, plan);
    }
    let (rows, _) = plan.read(places, Elapsed::default(), None)?;
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
fn stream(places: &[Place], plan: &Plan<'_>) -> anyhow::Result<()> {
    let mut out = output::Stream::new();
    let schema = serde_json::to_string(SOCKETS_SCHEMA)?;
    let time = clock::wall().seconds();
    out.text(&format!("{{\"schema\":{schema},\"time\":{time},\"seconds\":null,\"sockets\":["));
    let mut matched = 0;
    plan.each(places, &mut |row| {
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

fn watch(places: &[Place], plan: &Plan<'_>, interval: Duration) -> anyhow::Result<()> {
    let monotonic = clock::Monotonic::start();
    let mut before: Option<Reading> = None;
    let mut frames = Frames::new(plan.args.count);
    frames.each(interval, || {
        let began = monotonic.elapsed();
        let (rows, reading) = plan.read(places, began, before.as_ref())?;
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
