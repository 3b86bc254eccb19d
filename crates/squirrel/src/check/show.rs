//! What a person or a program sees of a check.

use std::fmt::Write as _;

use squirrel_api::check::{CheckPhase, CheckSample, CheckTarget};
use squirrel_check::{Finding, Modules};
use squirrel_model::{NAME_LABEL, Untrusted};
use squirrel_sys::clock;

use super::Plan;
use crate::ping::show::ms;
use crate::table::{Column, lines as table};

/// Cells of the bar of the longest phase.
const BAR: f64 = 30.0;

/// The modules that there are, and what each looks at.
pub(super) fn listed(modules: &Modules) -> Vec<String> {
    let columns = [Column::left("MODULE", 0), Column::left("LOOKS AT", 0)];
    let rows: Vec<Vec<String>> = modules
        .iter()
        .map(|(name, module)| {
            let what = module.map_or("nothing: it cannot be carried out here", |module| module.prober.word());
            vec![name.to_owned(), what.to_owned()]
        })
        .collect();
    table(&columns, &rows, None, true)
}

/// Why it failed: the last line of what happened.
fn reason(finding: &Finding) -> Option<&str> {
    finding.log.last().filter(|_| !finding.success).map(String::as_str)
}

/// Phases that took time, in their order.
fn phases(finding: &Finding) -> Vec<(&str, f64)> {
    let phase = |row: &'_ squirrel_model::Row| row.metric.name.ends_with("_duration_seconds") && row.value > 0.0;
    let rows = finding.batch.rows.iter().filter(|row| phase(row));
    rows.filter_map(|row| Some((row.labels.get("phase")?, row.value))).collect()
}

/// A finding as a document.
pub(super) fn document(plan: &Plan, index: usize, finding: &Finding) -> CheckTarget {
    let samples = finding.batch.rows.iter().map(|row| {
        let mut series = row.labels.to_builder();
        series.set(NAME_LABEL, row.metric.name.to_string());
        CheckSample { series: series.build().unwrap_or_default().to_string(), value: row.value }
    });
    CheckTarget {
        target: plan.targets.get(index).map(|(named, _)| named.clone()).unwrap_or_default(),
        kind: plan.kind.clone(),
        module: plan.name.clone(),
        success: finding.success,
        seconds: finding.duration.as_secs_f64(),
        reason: reason(finding).map(str::to_owned),
        phases: phases(finding)
            .into_iter()
            .map(|(phase, seconds)| CheckPhase { phase: phase.to_owned(), seconds })
            .collect(),
        samples: samples.collect(),
        log: finding.log.clone(),
    }
}

/// A finding for people: the verdict, the phases as bars, and what is worth knowing of the answer.
pub(super) fn lines(plan: &Plan, index: usize, finding: &Finding, verbose: bool) -> Vec<String> {
    let named = plan.targets.get(index).map_or("", |(named, _)| named.as_str());
    let took = ms(finding.duration);
    let mut out = vec![match reason(finding) {
        None => format!("{}: good after {took} ms", Untrusted(named)),
        Some(reason) => format!("{}: FAILED after {took} ms: {reason}", Untrusted(named)),
    }];
    if verbose {
        out.extend(finding.log.iter().map(|line| format!("  {line}")));
    }
    let phases = phases(finding);
    let longest = phases.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
    for (phase, seconds) in &phases {
        let bar = "█".repeat((seconds / longest * BAR).round().max(1.0) as usize);
        let took = ms(std::time::Duration::from_secs_f64(*seconds));
        out.push(format!("  {:<10} {took:>9} ms  {bar}", Untrusted(phase).to_string()));
    }
    let facts = facts(finding);
    if !facts.is_empty() {
        out.push(format!("  {}", facts.join(", ")));
    }
    out
}

/// What is worth knowing, in a few words each.
fn facts(finding: &Finding) -> Vec<String> {
    let rows = &finding.batch.rows;
    let value = |name: &str| rows.iter().find(|row| row.metric.name == name).map(|row| row.value);
    let label = |name: &str, label: &str| {
        let row = rows.iter().find(|row| row.metric.name == name)?;
        Some(Untrusted(row.labels.get(label)?).to_string())
    };
    let mut out = Vec::new();
    if let Some(status) = value("probe_http_status_code").filter(|status| *status > 0.0) {
        let version = value("probe_http_version").unwrap_or(0.0);
        let octets = value("probe_http_uncompressed_body_length").unwrap_or(0.0);
        out.push(format!("status {status} by HTTP/{version}, {octets} octets"));
    }
    if let Some(redirects) = value("probe_http_redirects").filter(|redirects| *redirects > 0.0) {
        out.push(format!("{redirects} redirects"));
    }
    out.extend(label("probe_tls_version_info", "version"));
    if let Some(expiry) = value("probe_ssl_earliest_cert_expiry") {
        let days = (expiry - clock::wall().seconds()) / 86_400.0;
        let subject = label("probe_ssl_last_chain_info", "subject").unwrap_or_default();
        out.push(format!("certificate {subject} for {days:.1} days"));
    }
    if let Some(limit) = value("probe_icmp_reply_hop_limit") {
        out.push(format!("answered with ttl {limit}"));
    }
    if value("probe_dns_query_succeeded") == Some(1.0) {
        let count = |section: &str| value(&format!("probe_dns_{section}_rrs")).unwrap_or(0.0);
        let counts = [count("answer"), count("authority"), count("additional")];
        out.push(format!("{} records in the answer, {} of authority, {} additional", counts[0], counts[1], counts[2]));
    }
    if let Some(offset) = value("probe_ntp_offset_seconds") {
        let stratum = value("probe_ntp_stratum").unwrap_or(0.0);
        out.push(format!("clock {offset:+.6} s from this one, stratum {stratum}"));
    }
    for row in rows.iter().filter(|row| row.metric.name == "probe_plugin_value") {
        let mut text = Untrusted(row.labels.get("label").unwrap_or_default()).to_string();
        let _ = write!(text, " {}{}", row.value, Untrusted(row.labels.get("unit").unwrap_or_default()));
        out.push(text);
    }
    if let Some(row) = rows.iter().find(|row| row.metric.name == "probe_expect_info") {
        out.extend(row.labels.iter().map(|(name, value)| format!("{name} {}", Untrusted(value))));
    }
    out
}
