//! Where rules come from: Squirrel's own, and files. A file that is broken never replaces what it was before.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use squirrel_alert::{RuleFile, built_in_rules};
use squirrel_model::Untrusted;

use super::Part;
use crate::config::Alerts;
use crate::rule_files::{self, Stamp};

/// A file, as it was read last.
#[derive(Debug, Default)]
struct Source {
    stamp: Option<Stamp>,
    /// The last version that was good.
    good: Option<Arc<RuleFile>>,
    /// What is wrong with the version on disk.
    problem: Option<String>,
    /// A version without rules where there were some: whoever writes a file in place empties it first.
    emptied: Option<Stamp>,
}

impl Source {
    /// Whether the version that was read now is taken only if the next look finds it still there.
    fn waits_for_rules(&self, read: &RuleFile) -> bool {
        let had_rules = self.good.as_ref().is_some_and(|good| good.rules() > 0);
        read.rules() == 0 && had_rules && self.emptied != self.stamp
    }
}

/// All rules, and what is wrong with those that could not be read.
#[derive(Debug, Default)]
pub(super) struct Sources {
    built_in: Option<Arc<RuleFile>>,
    /// The expressions of Squirrel's own rules.
    expressions: HashSet<String>,
    files: BTreeMap<PathBuf, Source>,
    problem: Option<String>,
}

impl Sources {
    /// Makes Squirrel's own rules anew, for a configuration that was read again.
    pub(super) fn configure(&mut self, config: &Alerts) {
        // A table that makes no rule file cannot be: the tests read it.
        self.built_in = built_in_rules(&config.thresholds).ok().filter(|_| config.built_in.value).map(Arc::new);
        let groups = self.built_in.iter().flat_map(|file| &file.groups);
        self.expressions = groups.flat_map(|group| &group.rules).map(|rule| rule.expr.to_string()).collect();
    }

    /// Whether one of Squirrel's own rules has this expression.
    pub(super) fn is_own(&self, expr: &str) -> bool {
        self.expressions.contains(expr)
    }

    /// Looks at the files, reads those that are new or were written again, and forgets those that the patterns name
    /// no longer. The answer is whether anything is other than before.
    pub(super) fn refresh(&mut self, config: &Alerts) -> bool {
        let named = match rule_files::named(&config.rule_files.value) {
            Ok(named) => named,
            Err(error) => {
                let problem = Some(format!("{error:#}; the rules stay as they are"));
                let changed = self.problem != problem;
                self.problem = problem;
                return changed;
            }
        };
        let mut changed = self.problem.take().is_some();
        let before = self.files.len();
        self.files.retain(|path, _| named.binary_search(path).is_ok());
        changed |= self.files.len() != before;
        for path in named {
            let stamp = Stamp::of(&path);
            let known = self.files.contains_key(&path);
            let source = self.files.entry(path.clone()).or_default();
            if known && source.stamp == stamp {
                continue;
            }
            changed = true;
            source.stamp = stamp;
            match rule_files::read(&path) {
                Ok(file) if source.waits_for_rules(&file) => {
                    source.emptied = std::mem::take(&mut source.stamp);
                }
                Ok(file) => {
                    for warning in &file.warnings {
                        tracing::warn!("{}:{}: {}", path.display(), warning.place, Untrusted(&warning.message));
                    }
                    tracing::info!("{}: {}", path.display(), rule_files::counted(file.rules(), file.groups.len()));
                    (source.good, source.problem) = (Some(Arc::new(file)), None);
                }
                Err(error) => {
                    let problem = format!("{error:#}");
                    let rest = if source.good.is_some() {
                        "the rules that were read before stay in force"
                    } else {
                        "none of its rules is in force"
                    };
                    for line in problem.lines() {
                        tracing::error!("{}", Untrusted(line));
                    }
                    tracing::error!("{}: {rest}", path.display());
                    source.problem = Some(format!("{problem}\n{rest}"));
                }
            }
        }
        changed
    }

    /// What is good of Squirrel's own rules, or of the files, by path.
    pub(super) fn good(&self, part: Part) -> impl Iterator<Item = &Arc<RuleFile>> {
        let own = self.built_in.iter().filter(move |_| part == Part::Own);
        let files = self.files.values().filter_map(|source| source.good.as_ref());
        own.chain(files.filter(move |_| part == Part::Files))
    }

    /// What is wrong, one text for each file.
    pub(super) fn problems(&self) -> Vec<String> {
        let files = self.files.values().filter_map(|source| source.problem.clone());
        self.problem.clone().into_iter().chain(files).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const GOOD: &str = "groups: [{name: g, rules: [{record: r, expr: up}]}]\n";

    #[test]
    fn a_broken_file_never_replaces_a_good_one_and_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yml");
        let text = format!("[alerts]\nbuilt_in = false\nrule_files = [{:?}]", folder.path().join("*.yml"));
        let config = Config::of_text(&text).alerts;
        let mut sources = Sources::default();
        sources.configure(&config);
        assert!(!sources.refresh(&config), "no file yet, nothing changed");
        std::fs::write(&path, GOOD).unwrap();
        assert!(sources.refresh(&config) && !sources.refresh(&config), "a new file is read, once");
        assert_eq!((sources.good(Part::Files).count(), sources.problems().len()), (1, 0));
        std::fs::write(&path, "groups: [{name: g, rules: [{record: r, expr: up}, {record: s, expr: 'up =='}]}]\n")
            .unwrap();
        assert!(sources.refresh(&config));
        assert_eq!(sources.good(Part::Files).map(|file| file.rules()).sum::<usize>(), 1, "the old version stays");
        let problem = sources.problems().remove(0);
        assert!(problem.contains("a.yml:1:75: expr is no PromQL") && problem.contains("stay in force"), "{problem}");
        std::fs::write(&path, format!("{GOOD}# mended\n")).unwrap();
        assert!(sources.refresh(&config));
        assert_eq!(sources.problems(), Vec::<String>::new());
        std::fs::remove_file(&path).unwrap();
        assert!(sources.refresh(&config));
        assert_eq!(sources.good(Part::Files).count(), 0);
    }

    #[test]
    fn a_file_that_is_being_written_in_place_keeps_its_rules() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yml");
        std::fs::write(&path, GOOD).unwrap();
        let config = Config::of_text(&format!("[alerts]\nrule_files = [{path:?}]")).alerts;
        let mut sources = Sources::default();
        sources.configure(&config);
        let rules = |sources: &Sources| sources.good(Part::Files).map(|file| file.rules()).sum::<usize>();
        sources.refresh(&config);
        std::fs::write(&path, "").unwrap();
        sources.refresh(&config);
        assert_eq!(rules(&sources), 1, "it may be filled in a moment");
        std::fs::write(&path, format!("{GOOD}# written\n")).unwrap();
        sources.refresh(&config);
        assert_eq!(rules(&sources), 1);
        std::fs::write(&path, "").unwrap();
        sources.refresh(&config);
        sources.refresh(&config);
        assert_eq!(rules(&sources), 0, "who leaves it empty means that");
    }

    #[test]
    fn a_file_that_is_named_and_not_there_is_told() {
        let config = Config::of_text("[alerts]\nrule_files = [\"/nowhere/rules.yml\"]").alerts;
        let mut sources = Sources::default();
        sources.configure(&config);
        assert!(sources.refresh(&config) && !sources.refresh(&config));
        assert_eq!(
            (sources.good(Part::Own).count(), sources.good(Part::Files).count()),
            (1, 0),
            "Squirrel's own are there"
        );
        assert!(sources.problems()[0].contains("cannot read /nowhere/rules.yml"), "{:?}", sources.problems());
    }
}
