//! A tree of YAML to modules, with all that is wrong in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_yaml::{Kind, Node, Problem, Problems, document};

use super::{Found, Modules, ReadFile};
use crate::checker::LONGEST_TIMEOUT;
use crate::{Module, Prober};

/// Reads a tree: values, what is wrong, what is only worth a warning.
pub(super) struct Reader<'f> {
    pub(super) problems: Problems,
    pub(super) files: ReadFile<'f>,
    warnings: Vec<Problem>,
    /// Why the module at hand cannot be carried out.
    unable: Option<String>,
}

pub(super) fn file(text: &str, files: ReadFile<'_>) -> Result<Modules, Vec<Problem>> {
    let document = document(text).map_err(|problem| vec![problem])?;
    let mut reader = Reader { problems: Problems::default(), files, warnings: document.warnings, unable: None };
    let mut by_name = BTreeMap::new();
    let empty = || Problem::new(squirrel_yaml::Place { line: 1, column: 1 }, "the file is empty: write modules:");
    let root = document.root.ok_or_else(|| vec![empty()])?;
    let [modules] = reader.problems.fields(&root, "a modules file", ["modules"]);
    if let Some(node) = modules {
        match &node.kind {
            Kind::Map(pairs) => {
                for (name, node) in pairs {
                    let found = reader.module(name.text().unwrap_or_default(), node);
                    by_name.insert(name.text().unwrap_or_default().to_owned(), found);
                }
            }
            _ => reader.problems.add(node, format!("modules is a mapping of names to modules, not {}", node.word())),
        }
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems.into_list());
    }
    Ok(Modules { by_name, warnings: reader.warnings })
}

impl Reader<'_> {
    fn module(&mut self, name: &str, node: &Node) -> Found {
        self.unable = None;
        let known = ["prober", "timeout", "http", "tcp", "icmp", "dns", "grpc", "ntp"];
        let [prober, timeout, http, tcp, icmp, dns, grpc, ntp] = self.problems.fields(node, "a module", known);
        let timeout = self.duration(timeout, "timeout").unwrap_or(LONGEST_TIMEOUT);
        let word = self.problems.text(prober, "prober").unwrap_or_default();
        // A section of another prober is looked at too, since it may be meant for it, but takes this module nothing.
        let mut chosen = None;
        for (section, node) in
            [("http", http), ("tcp", tcp), ("icmp", icmp), ("dns", dns), ("grpc", grpc), ("ntp", ntp)]
        {
            if section != word && node.is_none() {
                continue;
            }
            let before = self.unable.take();
            let read = match section {
                "http" => Some(Prober::Http(Box::new(self.http(node)))),
                "tcp" => Some(Prober::Tcp(Box::new(self.tcp(node)))),
                "icmp" => Some(Prober::Icmp(self.icmp(node))),
                "dns" => self.dns(node, prober.filter(|_| word == section)).map(|check| Prober::Dns(Box::new(check))),
                "ntp" => Some(Prober::Ntp(self.ntp(node))),
                _ => {
                    self.grpc(node, prober.filter(|_| word == section));
                    None
                }
            };
            if section == word {
                chosen = read;
            } else {
                self.unable = before;
            }
        }
        if !["http", "tcp", "icmp", "dns", "grpc", "ntp"].contains(&word.as_str()) {
            let what =
                if word.is_empty() { "the module has no prober".to_owned() } else { format!("{word:?} is no prober") };
            self.problems.add(prober.unwrap_or(node), format!("{what}: write prober: http, tcp, icmp, dns or ntp"));
        }
        match (self.unable.take(), chosen) {
            (Some(reason), _) => {
                let message = format!("the module {name} cannot be carried out: {reason}");
                self.warnings.push(Problem::new(node.place, message));
                Err(reason.into())
            }
            (None, Some(prober)) => Ok(Arc::new(Module { timeout, prober })),
            (None, None) => Err("it is not whole".into()),
        }
    }

    /// The module at hand wants something that there is not; the first such thing is told.
    pub(super) fn cannot(&mut self, reason: impl Into<String>) {
        self.unable.get_or_insert_with(|| reason.into());
    }
}
