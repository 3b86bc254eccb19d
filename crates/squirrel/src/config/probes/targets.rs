//! From a table `[[probe]]` to its targets.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use squirrel_check::{DnsCheck, IpVersion, LONGEST_TIMEOUT, Module, Modules, NtpCheck, PluginCheck, Prober};
use squirrel_model::{Labels, Untrusted};
use squirrel_watch::{Target, Work};
use squirrel_wire::dns::RecordType;

use super::super::values::show_span;
use super::written::{Kind, Probe};

/// Shortest time from one probe to the next.
const SHORTEST: Duration = Duration::from_secs(1);
/// Longest: PromQL looks five minutes back, and a longer one would show as a gap.
const LONGEST: Duration = Duration::from_mins(4);
/// From one echo to the next if nobody says otherwise: polite to hosts of others, and six answers make a minute's
/// percentiles. Whoever wants to see seconds writes "1s".
const USUAL_PING: Duration = Duration::from_secs(10);
/// The same of checks and paths, which are work for others.
const USUAL: Duration = Duration::from_mins(1);
/// How long an echo is waited for.
const USUAL_PATIENCE: Duration = Duration::from_secs(2);
/// How long a check may take.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Questions to each place of a path in one trace: one that is lost is 10 %.
const USUAL_PACKETS: u32 = 10;
const MOST_PACKETS: u32 = 100;
/// How long an objective is judged over.
const USUAL_WINDOW: Duration = Duration::from_hours(30 * 24);
/// The type of record that a name server is asked for: an address of IPv4.
const ADDRESS: RecordType = RecordType(1);
/// Octets of a target.
const LONGEST_TARGET: usize = 500;
/// Words of a plugin's command.
const MOST_WORDS: usize = 100;
const MOST_LABELS: usize = 20;
const MOST_PARENTS: usize = 20;

/// The targets of a table.
///
/// # Errors
/// The first mistake: the key, and what to write.
pub(super) fn of(probe: &Probe, modules: &Modules) -> anyhow::Result<Vec<Target>> {
    let is_name = (1..=64).contains(&probe.name.len())
        && probe.name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet));
    ensure!(is_name, "name is 1 to 64 letters, digits, - _ and .");
    ensure!(
        !["squirrel", "application"].contains(&probe.name.as_str()),
        "name: the series of Squirrel itself have this label job; choose another"
    );
    ensure!(!probe.targets.is_empty(), "targets is missing: name at least one, such as targets = [\"192.0.2.1\"]");
    let module = probe.module.as_ref().map(|name| module(probe, name, modules)).transpose()?;
    let times = Times::of(probe)?;
    let labels = labels(probe)?;
    check_rest(probe)?;
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    for written in &probe.targets {
        let named = || format!("targets: \"{}\"", Untrusted(written));
        ensure!(known.insert(written), "{}: it is there twice", named());
        ensure!(
            !written.is_empty() && written.len() <= LONGEST_TARGET && !written.chars().any(char::is_control),
            "{}: a target has 1 to {LONGEST_TARGET} characters, none of them a control character",
            named()
        );
        let work = match &module {
            Some(module) => Work::Check(Arc::clone(module)),
            None => work(probe, written, &times).with_context(named)?,
        };
        let ip = probe.ip.map(|ip| ip.0);
        if let Some(ip) = ip {
            check_ip(ip, &work, written).with_context(named)?;
        }
        all.push(Target {
            job: probe.name.clone(),
            instance: written.clone(),
            work,
            ip,
            interval: times.interval,
            module: probe.module.clone(),
            group: probe.group.clone(),
            parents: probe.parents.iter().filter(|parent| *parent != written).cloned().collect(),
            objective: probe.objective,
            window: probe.window.map_or(USUAL_WINDOW, Into::into),
            labels: labels.clone(),
        });
    }
    Ok(all)
}

/// The module that a table names instead of a kind.
fn module(probe: &Probe, name: &str, modules: &Modules) -> anyhow::Result<Arc<Module>> {
    ensure!(probe.kind.is_none(), "either kind or module: a module says its kind by itself");
    ensure!(probe.timeout.is_none(), "timeout: that of the module holds; set it there");
    ensure!(probe.command.is_none() && probe.query.is_none(), "module: command and query are of other kinds");
    modules.get(name).context("module")
}

/// When and how long.
struct Times {
    interval: Duration,
    timeout: Duration,
    packets: u32,
}

impl Times {
    fn of(probe: &Probe) -> anyhow::Result<Self> {
        let (usual, patience) = match probe.kind() {
            _ if probe.module.is_some() => (USUAL, USUAL_TIMEOUT),
            Kind::Ping => (USUAL_PING, USUAL_PATIENCE),
            Kind::Path => (USUAL, USUAL_PATIENCE),
            _ => (USUAL, USUAL_TIMEOUT),
        };
        let interval = probe.interval.map_or(usual, |span| span.0);
        ensure!(
            (SHORTEST..=LONGEST).contains(&interval),
            "interval is {} to {}, not {}: PromQL looks five minutes back, so that a longer one would show as gaps",
            show_span(SHORTEST),
            show_span(LONGEST),
            show_span(interval)
        );
        let timeout = probe.timeout.map_or(patience.min(interval), |span| span.0);
        ensure!(
            timeout <= interval && timeout <= LONGEST_TIMEOUT,
            "timeout is at most the interval ({}) and {}, not {}",
            show_span(interval),
            show_span(LONGEST_TIMEOUT),
            show_span(timeout)
        );
        let packets = probe.packets.unwrap_or(USUAL_PACKETS);
        if probe.module.is_none() && probe.kind() == Kind::Path {
            ensure!((1..=MOST_PACKETS).contains(&packets), "packets is 1 to {MOST_PACKETS}, not {packets}");
            let takes = SHORTEST * packets + timeout * 2;
            ensure!(
                takes <= interval,
                "interval is {}, and a trace of {packets} packets, one a second, takes up to {}: lower packets or \
                 lengthen interval",
                show_span(interval),
                show_span(takes)
            );
        } else {
            ensure!(probe.packets.is_none(), "packets is for kind = \"path\": a {} has none", probe.word());
        }
        Ok(Self { interval, timeout, packets })
    }
}

fn labels(probe: &Probe) -> anyhow::Result<Labels> {
    ensure!(probe.labels.len() <= MOST_LABELS, "labels: at most {MOST_LABELS} are taken");
    for name in probe.labels.keys() {
        ensure!(
            !["job", "instance"].contains(&name.as_str()) && !name.starts_with("__"),
            "labels: {name:?} cannot be set: job is the name of the probe, instance the target, and what begins with __ \
             is PromQL's own"
        );
    }
    ensure!(probe.labels.values().all(|value| value.len() <= LONGEST_TARGET), "labels: a value has at most 500 octets");
    Labels::new(probe.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))).context("labels")
}

/// What single keys cannot say.
fn check_rest(probe: &Probe) -> anyhow::Result<()> {
    if let Some(objective) = probe.objective {
        ensure!(
            objective > 0.0 && objective < 1.0,
            "objective is the share of time that a target should be up, between 0 and 1 such as 0.999, not {objective}"
        );
    }
    ensure!(
        probe.window.is_none() || probe.objective.is_some(),
        "window is the span that an objective is judged over: write objective too"
    );
    ensure!(probe.parents.len() <= MOST_PARENTS, "parents: at most {MOST_PARENTS} are taken");
    if let Some(group) = &probe.group {
        let is_word = (1..=100).contains(&group.chars().count()) && !group.chars().any(char::is_control);
        ensure!(is_word, "group is 1 to 100 characters, none of them a control character");
    }
    ensure!(
        (probe.kind() == Kind::Plugin) == probe.command.is_some(),
        "{}",
        if probe.command.is_some() {
            "command is for kind = \"plugin\""
        } else {
            "a plugin needs its command, such as command = [\"/usr/lib/nagios/plugins/check_ssh\", \"{target}\"]"
        }
    );
    ensure!(
        probe.query.is_none() || probe.kind() == Kind::Dns,
        "query is for kind = \"dns\": the name that the server is asked for"
    );
    Ok(())
}

fn work(probe: &Probe, target: &str, times: &Times) -> anyhow::Result<Work> {
    let prober = match probe.kind() {
        Kind::Ping => {
            check_host(target)?;
            return Ok(Work::Ping { timeout: times.timeout });
        }
        Kind::Path => {
            check_host(target)?;
            return Ok(Work::Path { packets: times.packets, timeout: times.timeout });
        }
        Kind::Http => {
            let (scheme, rest) = target.split_once("://").unwrap_or_default();
            ensure!(
                ["http", "https"].contains(&scheme) && !rest.is_empty() && !rest.starts_with('/'),
                "write a whole URL, such as \"https://example.net/\""
            );
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            ensure!(!authority.contains('@'), "a URL with a password in it would be a label that everybody reads");
            Prober::Http(Box::default())
        }
        Kind::Tcp => {
            let (host, port) = target.rsplit_once(':').unwrap_or_default();
            let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
            ensure!(is_port && !host.is_empty(), "write host:port, such as \"example.net:22\" or \"[2001:db8::1]:22\"");
            Prober::Tcp(Box::default())
        }
        Kind::Dns => {
            let query = probe.query.as_deref();
            let query =
                query.context("query is missing: the name that the server is asked for, such as \"example.net\"")?;
            Prober::Dns(Box::new(DnsCheck::of(query, ADDRESS)))
        }
        Kind::Ntp => Prober::Ntp(NtpCheck::default()),
        Kind::Plugin => {
            let (program, arguments) = probe.command_for(target).context("command is empty")?;
            ensure!(
                program.is_absolute(),
                "command: name the program from the root on, such as \"/usr/lib/nagios/plugins/check_ssh\""
            );
            ensure!(arguments.len() < MOST_WORDS, "command: at most {MOST_WORDS} words are taken");
            Prober::Plugin(PluginCheck { program, arguments })
        }
    };
    Ok(Work::Check(Arc::new(Module { timeout: times.timeout, prober })))
}

/// Whether a target can be asked by this version of IP, as far as that is seen without asking for its name.
fn check_ip(ip: IpVersion, work: &Work, target: &str) -> anyhow::Result<()> {
    let literal = match work {
        Work::Ping { .. } | Work::Path { .. } => target.parse().ok(),
        Work::Check(module) => {
            ensure!(
                !matches!(module.prober, Prober::Plugin(_)),
                "ip is not for plugins: say it in the plugin's command, such as check_ssh's -4 and -6"
            );
            module.prober.literal(target)
        }
    };
    let other = literal.map(IpVersion::of).filter(|version| *version != ip);
    if let Some(other) = other {
        bail!("ip = {} asks by {ip}, and this is an address of {other}: give it a [[probe]] of its own", ip.number());
    }
    Ok(())
}

/// An address, or what could be a host's name: a resolver gets nothing else.
fn check_host(target: &str) -> anyhow::Result<()> {
    let is_name = target.len() <= 253
        && !target.starts_with(['-', '.'])
        && target.chars().all(|letter| letter.is_alphanumeric() || "-._".contains(letter));
    if target.parse::<IpAddr>().is_ok() || is_name {
        return Ok(());
    }
    bail!("write an address or the name of a host, such as \"192.0.2.1\" or \"gateway.example.net\"")
}
