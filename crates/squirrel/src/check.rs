//! `squirrel check`: looks once at web, mail, name, time and other servers, and says what is wrong.

mod show;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use squirrel_api::check::CheckDocument;
use squirrel_api::live::schema;
use squirrel_api::params::parse_duration_ms;
use squirrel_check::{
    Asked, CheckKind, Checker, Finding, IpVersion, LONGEST_TIMEOUT, Module, Modules, Over, PluginCheck, Prober, Wanted,
};
use squirrel_sys::clock::{self, Monotonic};
use tokio::task::JoinSet;

use crate::failure::{Class, classed, interrupted, judged_bad};
use crate::interrupts::{Interrupts, runtime};
use crate::{cli, config, output};

/// Most targets of one run.
const MOST_TARGETS: usize = 1000;
/// The time for a target when nobody says another.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Targets that are looked at at one time.
const AT_ONCE: usize = 16;

/// What is looked at, and where.
struct Plan {
    kind: Cow<'static, str>,
    /// The module's name, where one was named.
    name: Option<String>,
    module: Arc<Module>,
    /// Less than the module's time.
    limit: Option<Duration>,
    /// As they were named, and as they are asked.
    targets: Vec<(String, String)>,
}

/// Looks at all targets, and prints what was found.
pub(crate) fn run(args: &cli::Check) -> anyhow::Result<()> {
    if args.schema {
        return Ok(output::print(&(serde_json::to_string_pretty(&schema::<CheckDocument>("squirrel check"))? + "\n"))?);
    }
    let usage = |error: anyhow::Error| classed(Class::Usage, &error);
    let modules = modules(args).map_err(usage)?;
    if args.list {
        return Ok(output::print_lines(&show::listed(&modules))?);
    }
    let plan = Arc::new(plan(args, &modules).map_err(usage)?);
    let (began, steady) = (clock::wall(), Monotonic::start());
    let (found, was_interrupted) = runtime()?.block_on(all(&plan))?;
    if args.json {
        let targets = found.iter().map(|(index, finding)| show::document(&plan, *index, finding));
        output::print_json(&CheckDocument {
            schema: Cow::Borrowed("squirrel.check/1"),
            time: began.seconds(),
            seconds: steady.elapsed().0.as_secs_f64(),
            interrupted: was_interrupted,
            targets: targets.collect(),
        })?;
    } else {
        let lines = found.iter().flat_map(|(index, finding)| show::lines(&plan, *index, finding, args.verbose));
        output::print_lines(&lines.collect::<Vec<_>>())?;
    }
    if was_interrupted {
        return Err(interrupted());
    }
    if found.iter().all(|(_, finding)| finding.success) { Ok(()) } else { Err(judged_bad()) }
}

fn modules(args: &cli::Check) -> anyhow::Result<Modules> {
    let Some(path) = &args.modules else { return Ok(Modules::built_in()) };
    let own = config::modules(path)?;
    for warning in &own.warnings {
        output::complain(&format!("squirrel: {}:{}: {}", path.display(), warning.place, warning.message));
    }
    Ok(Modules::built_in().and(own))
}

fn plan(args: &cli::Check, modules: &Modules) -> anyhow::Result<Plan> {
    let limit = args.timeout.as_deref().map(|text| span(text, "--timeout")).transpose()?;
    if let Some(name) = &args.module {
        let module = modules.get(name).map_err(|error| anyhow!("{error}"))?;
        let targets = args.words.iter().map(|target| (target.clone(), target.clone())).collect();
        return Plan { kind: Cow::Borrowed(module.prober.word()), name: Some(name.clone()), module, limit, targets }
            .checked();
    }
    let kinds = || CheckKind::ALL.map(CheckKind::word).join(", ");
    let Some((word, targets)) = args.words.split_first() else {
        bail!(
            "name what is looked at ({} or plugin) and the targets, such as: squirrel check http example.org",
            kinds()
        );
    };
    let timeout = limit.unwrap_or(USUAL_TIMEOUT);
    if word == "plugin" {
        let Some((program, arguments)) = targets.split_first() else {
            bail!("name the plugin behind --, such as: squirrel check plugin -- /usr/lib/nagios/plugins/check_load -r");
        };
        let check = PluginCheck { program: PathBuf::from(program), arguments: arguments.to_vec() };
        let module = Arc::new(Module { timeout, prober: Prober::Plugin(check) });
        let targets = vec![(targets.join(" "), String::new())];
        return Plan { kind: Cow::Borrowed("plugin"), name: None, module, limit, targets }.checked();
    }
    let Some(kind) = CheckKind::named(word) else {
        bail!("{word:?} is nothing that can be looked at: it is {} or plugin, or name a module by --module", kinds());
    };
    let over = args.over.as_deref().map(|word| match word {
        "tcp" => Over::Tcp,
        "tls" => Over::Tls,
        _ => Over::Udp,
    });
    let version = if args.ipv6 { Some(IpVersion::V6) } else { args.ipv4.then_some(IpVersion::V4) };
    let wanted = Wanted {
        expect: args.expect.clone(),
        statuses: args.status.clone(),
        name: args.name.clone(),
        record_type: args.record.clone(),
        over,
        most_offset: args.max_offset.as_deref().map(|text| span(text, "--max-offset")).transpose()?,
        version,
        insecure: args.insecure,
        ..Wanted::of(kind, timeout)
    };
    let module = Arc::new(wanted.module().map_err(|why| anyhow!(why))?);
    let targets = targets.iter().map(|target| (target.clone(), kind.with_usual_port(target))).collect();
    Plan { kind: Cow::Borrowed(kind.word()), name: None, module, limit, targets }.checked()
}

impl Plan {
    fn checked(self) -> anyhow::Result<Self> {
        match self.targets.len() {
            0 => bail!("name at least one target for {}", self.kind),
            1..=MOST_TARGETS => Ok(self),
            count => bail!("{count} targets are too many for one run: at most {MOST_TARGETS} are looked at"),
        }
    }
}

/// A span as all commands take it; a bare number is seconds.
fn span(text: &str, option: &str) -> anyhow::Result<Duration> {
    let ms = parse_duration_ms(text).map_err(|error| anyhow!("{error}")).with_context(|| option.to_owned())?;
    let span = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    if span.is_zero() || span > LONGEST_TIMEOUT {
        bail!("{option} is above zero and at most {} s", LONGEST_TIMEOUT.as_secs());
    }
    Ok(span)
}

/// Looks at all targets, some at one time; what was found, in their order, and whether an interrupt came before all was.
async fn all(plan: &Arc<Plan>) -> anyhow::Result<(Vec<(usize, Finding)>, bool)> {
    let mut interrupts = Interrupts::listen().context("cannot listen for interrupts")?;
    let checker = Arc::new(Checker::new());
    let (mut running, mut found) = (JoinSet::new(), Vec::new());
    let mut waiting = 0..plan.targets.len();
    loop {
        while running.len() < AT_ONCE
            && let Some(index) = waiting.next()
        {
            let (plan, checker) = (Arc::clone(plan), Arc::clone(&checker));
            running.spawn(async move {
                let target = plan.targets.get(index).map_or("", |(_, asked)| asked.as_str());
                let asked = Asked { target, hostname: None, limit: plan.limit };
                (index, checker.ask(&plan.module, &asked).await)
            });
        }
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            () = interrupts.wait() => {
                found.sort_by_key(|(index, _)| *index);
                return Ok((found, true));
            }
        };
        match ended {
            Some(ended) => found.push(ended.context("a check ended unexpectedly")?),
            None => break,
        }
    }
    found.sort_by_key(|(index, _)| *index);
    Ok((found, false))
}
