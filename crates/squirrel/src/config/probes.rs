//! `[[probe]]`: what is probed on a schedule.

mod targets;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use squirrel_check::Modules;
use squirrel_model::{MatchOp, Matcher};
use squirrel_notify::{Dependency, Matchers, Span};
use squirrel_watch::{MOST_PATHS, MOST_TARGETS, Target, Work};

pub(super) use written::Probe;

/// Tables `[[probe]]` at most.
const MOST_PROBES: usize = 1_000;
/// Octets of a pattern of instances in a condition: the notifier takes 2,000 with the label's name.
const LONGEST_PATTERN: usize = 1_800;
/// Names of alerts that say that what lies behind a target cannot be reached.
const SAYS_DOWN: &str = ".*([Dd]own|[Ff]ailing|[Ff]ailed|[Uu]nreachable).*";
/// How long what lies behind a parent may take to come back after it.
const SETTLE: Span = Span(2 * 60_000);

/// The tables as they are written, and the modules that they may name.
#[derive(Clone, Debug)]
pub(crate) struct Probes {
    tables: Vec<Probe>,
    modules: Arc<Modules>,
}

/// A table `[[probe]]` in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    /// `kind` or `module`, and which.
    pub(crate) kind: [&'a str; 2],
    /// The version of IP that it asks by, where it says one.
    pub(crate) ip: Option<u8>,
    pub(crate) targets: usize,
}

impl Probes {
    pub(super) fn new(tables: Vec<Probe>, modules: Arc<Modules>) -> Self {
        Self { tables, modules }
    }

    /// All targets, in the order of the file.
    ///
    /// # Errors
    /// The first mistake, with its table and key, and what to write.
    pub(crate) fn targets(&self) -> anyhow::Result<Vec<Arc<Target>>> {
        let count = self.tables.len();
        ensure!(count <= MOST_PROBES, "{count} tables [[probe]] are too many: at most {MOST_PROBES}");
        let (mut names, mut all) = (BTreeSet::new(), Vec::new());
        for probe in &self.tables {
            let place = || format!("[[probe]] {:?}", probe.name);
            ensure!(names.insert(&probe.name), "{}: two tables have this name", place());
            all.extend(targets::of(probe, &self.modules).with_context(place)?);
            ensure!(
                all.len() <= MOST_TARGETS,
                "{}: with its targets there are more than {MOST_TARGETS}; probe fewer, or by another Squirrel",
                place()
            );
        }
        let paths = all.iter().filter(|target| matches!(target.work, Work::Path { .. })).count();
        ensure!(
            paths <= MOST_PATHS,
            "[[probe]]: the paths to {paths} targets are more than the {MOST_PATHS} that can be traced"
        );
        check_parents(&all)?;
        Ok(all.into_iter().map(Arc::new).collect())
    }

    /// What lies behind something that is down is not told singly.
    ///
    /// # Errors
    /// A configuration that was not checked.
    pub(crate) fn dependencies(&self) -> anyhow::Result<Vec<Dependency>> {
        let mut children: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for probe in &self.tables {
            for parent in &probe.parents {
                children.entry(parent).or_default().extend(probe.targets.iter().map(String::as_str));
            }
        }
        let mut all = Vec::new();
        for (parent, children) in children {
            for pattern in patterns(children.into_iter().filter(|child| *child != parent)) {
                let of = |conditions: Vec<(&str, MatchOp, &str)>| -> anyhow::Result<Matchers> {
                    let made = conditions.into_iter().map(|(label, op, value)| Matcher::new(label, op, value));
                    Ok(Matchers::new(made.collect::<Result<_, _>>()?)?)
                };
                let says = of(vec![("alertname", MatchOp::Regex, SAYS_DOWN), ("instance", MatchOp::Equal, parent)])?;
                let child = of(vec![("instance", MatchOp::Regex, &pattern)])?;
                all.push(Dependency { parent: says, child, equal: Vec::new(), settle: SETTLE });
            }
        }
        Ok(all)
    }

    /// Whether somebody is to be pinged.
    pub(crate) fn pings(&self) -> bool {
        self.tables.iter().any(|probe| probe.module.is_none() && probe.kind() == written::Kind::Ping)
    }

    /// Each table's name, kind or module, version of IP, and number of targets, for people.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.tables.iter().map(|probe| Line {
            name: &probe.name,
            kind: [if probe.module.is_some() { "module" } else { "kind" }, probe.word()],
            ip: probe.ip.map(|ip| ip.0.number()),
            targets: probe.targets.len(),
        })
    }
}

/// Every parent is a target, and nothing lies behind itself.
fn check_parents(all: &[Target]) -> anyhow::Result<()> {
    let mut parents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for target in all {
        let own = target.parents.iter().map(String::as_str).filter(|parent| *parent != target.instance);
        parents.entry(&target.instance).or_default().extend(own);
    }
    for target in all {
        for parent in &target.parents {
            ensure!(
                parents.contains_key(parent.as_str()),
                "[[probe]] {:?}: parents names {parent:?}, which no [[probe]] has among its targets: add it to one",
                target.job
            );
        }
    }
    // Whoever has no parents left is settled; what never is lies in a circle, or behind one.
    let mut open = parents;
    loop {
        let settled: BTreeSet<&str> =
            open.iter().filter(|(_, parents)| parents.is_empty()).map(|(instance, _)| *instance).collect();
        if settled.is_empty() {
            break;
        }
        open.retain(|instance, _| !settled.contains(instance));
        for parents in open.values_mut() {
            parents.retain(|parent| !settled.contains(parent));
        }
    }
    let circle: Vec<&str> = open.keys().take(3).copied().collect();
    ensure!(circle.is_empty(), "[[probe]]: parents lead in a circle: see {}", circle.join(", "));
    Ok(())
}

/// Patterns that match these texts, each short enough for one condition.
fn patterns<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in texts.map(regex_text) {
        match all.last_mut() {
            Some(last) if last.len() + text.len() < LONGEST_PATTERN => {
                last.push('|');
                last.push_str(&text);
            }
            _ => all.push(text),
        }
    }
    all
}

/// A pattern that matches this text alone.
fn regex_text(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

#[cfg(test)]
mod tests;
