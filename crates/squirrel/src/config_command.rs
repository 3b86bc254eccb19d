//! `squirrel config init|check|show`.

mod told;

use std::fmt::Write as _;
use std::path::Path;

use squirrel_model::Untrusted;

use crate::cli::ConfigSource;
use crate::config::{self, Config, Environment, Flags, Sourced};
use crate::failure::{Class, classed};
use crate::output;

/// Prints the commented sample.
pub(crate) fn init() -> anyhow::Result<()> {
    Ok(output::print(&config::sample())?)
}

/// Judges a file.
pub(crate) fn check(file: Option<&Path>, environment: &Environment) -> anyhow::Result<()> {
    let config = config::check_file(file, environment).map_err(|error| classed(Class::Usage, &error))?;
    // The secrets of channels are read too: one that is missing would stop the daemon.
    config.notify.channels().map_err(|error| classed(Class::Usage, &error))?;
    let name =
        config.path.as_deref().map_or_else(|| "no file: all defaults".to_owned(), |path| path.display().to_string());
    Ok(output::print(&format!("{}: good\n", Untrusted(&name)))?)
}

/// Prints what is in force and where it comes from.
pub(crate) fn show(source: &ConfigSource, environment: &Environment) -> anyhow::Result<()> {
    let flags = Flags { config: source.config.clone(), ..Flags::default() };
    let config = Config::load(&flags, environment).map_err(|error| classed(Class::Usage, &error))?;
    Ok(output::print(&shown(&config))?)
}

fn shown(config: &Config) -> String {
    let mut text = match &config.path {
        Some(path) => format!("# read from {}\n", Untrusted(&path.display().to_string())),
        None => "# no configuration file\n".to_owned(),
    };
    section(&mut text, "server");
    line(&mut text, "listen", &config.listen, |list| words(list.iter().map(ToString::to_string)));
    line(&mut text, "hosts", &config.hosts, |list| words(list.iter().cloned()));
    line(&mut text, "allow_remote", &config.allow_remote, ToString::to_string);
    section(&mut text, "store");
    line(&mut text, "directory", &config.directory, |path| word(&path.display().to_string()));
    line(&mut text, "retention", &config.retention, |span| word(&config::show_span(*span)));
    for (key, span) in ["retention_minutes", "retention_hours"].into_iter().zip(&config.retention_coarse) {
        line(&mut text, key, span, |span| word(&config::show_span(*span)));
    }
    for (key, size) in ["max_size", "max_size_minutes", "max_size_hours"].into_iter().zip(&config.max_size) {
        line(&mut text, key, size, |size| word(&size.to_string()));
    }
    line(&mut text, "sync", &config.sync, |sync| word(&sync.to_string()));
    line(&mut text, "engine", &config.engine.kind, |kind| word(kind.word()));
    line(&mut text, "url", &config.engine.url, |url| word(url));
    section(&mut text, "collect");
    line(&mut text, "interval", &config.interval, |span| word(&config::show_span(*span)));
    line(&mut text, "disabled", &config.disabled, |names| words(names.iter().cloned()));
    let applications = &config.applications;
    section(&mut text, "applications");
    line(&mut text, "enabled", &applications.enabled, ToString::to_string);
    line(&mut text, "max_instances", &applications.max_instances, ToString::to_string);
    line(&mut text, "max_series", &applications.max_series, ToString::to_string);
    line(&mut text, "max_series_total", &applications.max_series_total, ToString::to_string);
    line(&mut text, "token_file", &applications.token_file, |path| {
        word(&path.as_deref().map_or_else(String::new, |path| path.display().to_string()))
    });
    section(&mut text, "accounting");
    line(&mut text, "level", &config.accounting, |level| word(&level.to_string()));
    line(&mut text, "connections", &config.connections, ToString::to_string);
    line(&mut text, "memory", &config.memory, |size| word(&size.to_string()));
    alerts(&mut text, &config.alerts);
    told::add(&mut text, &config.notify);
    let checks = &config.checks;
    section(&mut text, "checks");
    line(&mut text, "modules_file", &checks.modules_file, |path| word(&path.display().to_string()));
    line(&mut text, "allow", &checks.allow, |networks| words(networks.iter().cloned()));
    line(&mut text, "at_once", &checks.at_once, ToString::to_string);
    section(&mut text, "log");
    line(&mut text, "level", &config.log, |level| word(level));
    let query = &config.query;
    section(&mut text, "query");
    line(&mut text, "timeout", &query.timeout, |span| word(&config::show_span(*span)));
    line(&mut text, "max_samples", &query.max_samples, ToString::to_string);
    line(&mut text, "max_memory", &query.max_memory, |size| word(&size.to_string()));
    line(&mut text, "max_points", &query.max_points, ToString::to_string);
    line(&mut text, "max_answer_samples", &query.max_answer_samples, ToString::to_string);
    line(&mut text, "max_concurrency", &query.max_concurrency, ToString::to_string);
    line(&mut text, "max_waiting", &query.max_waiting, ToString::to_string);
    for (table, name, to) in config.remote.lines() {
        let _ = writeln!(text, "\n[[{table}]]\nname = {}", word(&name));
        if !to.is_empty() {
            // Without the path, which may be a secret.
            let _ = writeln!(text, "# to {}", Untrusted(&to));
        }
    }
    for probe in config.probes.lines() {
        let [key, kind] = probe.kind;
        let _ = writeln!(text, "\n[[probe]]\nname = {}\n{key} = {}", word(probe.name), word(kind));
        if let Some(ip) = probe.ip {
            let _ = writeln!(text, "ip = {ip}");
        }
        let _ = writeln!(text, "# {} target{}", probe.targets, if probe.targets == 1 { "" } else { "s" });
    }
    text
}

fn alerts(text: &mut String, alerts: &config::Alerts) {
    section(text, "alerts");
    line(text, "rule_files", &alerts.rule_files, |paths| words(paths.iter().map(|path| path.display().to_string())));
    line(text, "interval", &alerts.interval, |span| word(&config::show_span(*span)));
    line(text, "built_in", &alerts.built_in, ToString::to_string);
    line(text, "external_url", &alerts.external_url, |url| word(url));
    if !alerts.external_labels.is_empty() {
        section(text, "alerts.external_labels");
        for (name, value) in alerts.external_labels.iter() {
            let _ = writeln!(text, "{name} = {}  # file", word(value));
        }
    }
    if alerts.thresholds.set_ones().next().is_some() {
        section(text, "alerts.thresholds");
        for (name, value) in alerts.thresholds.set_ones() {
            let _ = writeln!(text, "{name} = {value}  # file");
        }
    }
}

fn section(text: &mut String, name: &str) {
    let _ = writeln!(text, "\n[{name}]");
}

fn line<T>(text: &mut String, key: &str, setting: &Sourced<T>, show: impl Fn(&T) -> String) {
    let _ = writeln!(text, "{key} = {}  # {}", show(&setting.value), setting.origin.word());
}

/// A TOML string; anything hostile in it is shown, not obeyed.
fn word(text: &str) -> String {
    toml::Value::String(Untrusted(text).to_string()).to_string()
}

fn words(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.map(|item| word(&item)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_of_queries_is_shown_with_its_origin() {
        let text = shown(&Config::of_text("[query]\nmax_samples = 50000000\nmax_memory = \"1GiB\""));
        for line in [
            "timeout = \"15s\"  # default",
            "max_samples = 50000000  # file",
            "max_memory = \"1GiB\"  # file",
            "max_points = 11000  # default",
            "max_answer_samples = 2000000  # default",
            "max_waiting = 64  # default",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn every_setting_of_the_store_is_shown_with_its_origin() {
        let text = shown(&Config::of_text("[store]\nmax_size = \"20GiB\"\nretention_hours = \"2y\""));
        for line in [
            "retention = \"2w\"  # default",
            "retention_minutes = \"90d\"  # default",
            "retention_hours = \"2y\"  # file",
            "max_size = \"20GiB\"  # file",
            "max_size_minutes = \"none\"  # default",
            "max_size_hours = \"none\"  # default",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
        }
    }
}
