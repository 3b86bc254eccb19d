//! What is to be said of a path and its hosts, in words.

use std::time::Duration;

use squirrel_probe::path::mtu::HopMtu;
use squirrel_probe::path::verdict::{Judgement, Outcome, Verdict};
use squirrel_probe::path::{Address, Report};

use crate::cli;
use crate::ping::class::dscp_name;
use crate::ping::show::ms;

/// What is to be said of an address, for people.
pub(super) fn note(one: &Address, verdict: Option<Verdict>, sent_tos: u8) -> String {
    let mut notes = Vec::new();
    match verdict {
        _ if !one.current => notes.push("passed no more".to_owned()),
        Some(Verdict::Good) | None => {}
        Some(verdict) => notes.push(verdict.to_string()),
    }
    notes.extend(one.refused.keys().map(|kind| format!("says: {}", kind.words().1)));
    if one.alternates {
        notes.push("one of several, by packet".to_owned());
    }
    notes.extend(one.tos.and_then(|tos| arrives(tos, sent_tos)));
    notes.extend(one.mtu.map(|mtu| format!("next link takes {mtu} octets")));
    if !one.labels.is_empty() {
        let labels: Vec<String> = one.labels.iter().map(|label| label.label.to_string()).collect();
        notes.push(format!("MPLS {}", labels.join(" ")));
    }
    let counted = [(one.duplicates, "twice"), (one.late, "late")];
    notes.extend(counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    notes.join(", ")
}

/// The word, the place and the sentence of a judgement.
pub(super) fn sentence(judgement: &Judgement, flows: usize) -> (&'static str, Option<u8>, String) {
    let percent = |loss: f64| format!("{:.1} %", loss * 100.0);
    let some = if flows > 1 && usize::from(judgement.flows) < flows {
        format!(" ({} of {flows} flows)", judgement.flows)
    } else {
        String::new()
    };
    let rise = judgement.rise.map_or_else(String::new, |(ttl, by, whole)| {
        let (by, whole): (Duration, Duration) = (by, whole);
        format!(" Of {} ms {} ms arise at hop {ttl}.", ms(whole), ms(by))
    });
    match &judgement.outcome {
        Outcome::Good => ("good", None, format!("The target answers, and nothing is lost on the way.{rise}")),
        Outcome::Nobody => ("nobody", None, "Nobody answers, not even the first hop.".to_owned()),
        Outcome::Unclear { loss } => {
            ("unclear", None, format!("{} is lost, too little to tell where: ask longer.{rise}", percent(*loss)))
        }
        Outcome::Loss { loss, ttl, by, at_target: false } => (
            "loss",
            Some(*ttl),
            format!("The loss of {} is real and begins at hop {ttl}, {by}{some}.{rise}", percent(*loss)),
        ),
        Outcome::Loss { loss, ttl, by, at_target: true } => (
            "loss",
            Some(*ttl),
            format!(
                "The loss of {} is at the target, {by}, alone{some}: on its link, in it, or it limits its answers.{rise}",
                percent(*loss)
            ),
        ),
        Outcome::TargetSilent { ttl, by } => (
            "target_silent",
            Some(*ttl),
            format!("The target does not answer; hop {ttl}, {by}, is the last that does{some}."),
        ),
        Outcome::Refused { ttl, by, kind } => {
            ("refused", Some(*ttl), format!("Hop {ttl}, {by}, passes nothing on{some}: {}.", kind.words().1))
        }
        Outcome::Loop { ttl, by } => {
            ("loop", Some(*ttl), format!("Packets go round from hop {ttl}, {by}, on until their time is over{some}."))
        }
    }
}

/// With which class questions arrive somewhere, if it is another than that with which they were sent.
fn arrives(tos: u8, sent_tos: u8) -> Option<String> {
    let class = (tos >> 2 != sent_tos >> 2).then(|| format!("class {}", dscp_name(tos >> 2)));
    let ecn = match (sent_tos & 3, tos & 3) {
        (sent, now) if sent == now => None,
        (_, 0) => Some("no ECN any more"),
        (_, 3) => Some("a mark of congestion"),
        _ => Some("other bits of ECN"),
    };
    let parts: Vec<String> = class.into_iter().chain(ecn.map(str::to_owned)).collect();
    (!parts.is_empty()).then(|| format!("arrives with {}", parts.join(" and ")))
}

/// Who changes the class, in a sentence; empty when nobody does and nobody asked.
pub(super) fn of_class(report: &Report, judgement: &Judgement, args: &cli::Path) -> String {
    let sent = report.sent_tos;
    let hosts = || report.hops.iter().flat_map(|hop| hop.addresses.iter().map(move |one| (hop.ttl, one)));
    let remarks =
        hosts().find(|(ttl, one)| judgement.verdicts.get(&(*ttl, one.address)) == Some(&Verdict::RemarksDscp));
    let bleaches = || hosts().find(|(_, one)| one.tos.is_some_and(|tos| matches!((sent & 3, tos & 3), (1..=3, 0))));
    match (remarks, bleaches()) {
        (Some((ttl, one)), _) => format!(
            "The class {} arrives at hop {ttl} as {}: that hop or the one before changes it.",
            dscp_name(sent >> 2),
            dscp_name(one.tos.unwrap_or(0) >> 2)
        ),
        (None, Some((ttl, _))) => format!("ECN is taken away on the way to hop {ttl}."),
        (None, None) if (args.dscp.is_some() || args.ecn) && hosts().all(|(_, one)| one.tos.is_none()) => {
            "What becomes of the class is told to raw sockets of ICMP only, which need CAP_NET_RAW.".to_owned()
        }
        (None, None) => String::new(),
    }
}

/// How large packets may be, in a sentence; empty when that was not searched.
pub(super) fn of_sizes(sizes: &[HopMtu]) -> String {
    let known = || sizes.iter().filter_map(|size| Some((size.ttl, size.octets?)));
    let Some((_, octets)) = known().next_back() else { return String::new() };
    if let Some(hole) = sizes.iter().find(|size| size.silent) {
        return format!(
            "Packets of more than {octets} octets vanish without a word on the way to hop {}, which stalls connections that do not probe (net.ipv4.tcp_mtu_probing).",
            hole.ttl
        );
    }
    let narrow = known().find(|(_, size)| *size == octets).map(|(ttl, _)| ttl);
    let first = known().next().map(|(ttl, _)| ttl);
    match narrow.filter(|narrow| Some(*narrow) != first) {
        Some(ttl) => format!("Packets of up to {octets} octets pass whole; the narrowest link leads to hop {ttl}."),
        None => format!("Packets of up to {octets} octets pass whole."),
    }
}
