//! By what targets can be filtered and sorted, as data: the same for API, command line and dashboard.

use squirrel_filter::{Field, Kind, Value, Values};

use super::{Probe, ProbeMinute};
use crate::live::fields::{number, text};

const fn field(name: &'static str, kind: Kind, help: &'static str, values: Values<Probe>) -> Field<Probe> {
    Field { name, aliases: &[], kind, help, searched: matches!(kind, Kind::Text | Kind::Address), values }
}

/// Durations are compared in microseconds.
fn micros(seconds: Option<f64>, each: &mut dyn FnMut(Value<'_>)) {
    number(seconds.map(|seconds| seconds * 1e6), each);
}

fn minute(row: &Probe, figure: impl Fn(&ProbeMinute) -> Option<f64>) -> Option<f64> {
    row.minute.as_ref().and_then(figure)
}

/// Fields of targets.
pub static PROBES: &[Field<Probe>] = &[
    field("instance", Kind::Text, "the target, as the configuration names it", |row, each| {
        each(Value::Text(&row.instance));
    }),
    field("job", Kind::Text, "the name of its table in the configuration", |row, each| each(Value::Text(&row.job))),
    field("group", Kind::Text, "its group", |row, each| text(row.group.as_ref(), each)),
    field("kind", Kind::Word, "what asks it: ping, path, http, tcp, dns, ntp or plugin", |row, each| {
        each(Value::Text(&row.kind));
    }),
    field("module", Kind::Text, "the module of the modules file", |row, each| text(row.module.as_ref(), each)),
    field("state", Kind::Word, "down, unreachable, unknown or up", |row, each| each(Value::Text(row.state.word()))),
    field("parent", Kind::Text, "what it lies behind", |row, each| {
        row.parents.iter().for_each(|parent| each(Value::Text(parent)));
    }),
    field("address", Kind::Address, "the address that was asked last", |row, each| {
        if let Some(address) = row.address {
            each(Value::Address(address));
        }
    }),
    field("why", Kind::Text, "why the last probe failed", |row, each| text(row.why.as_ref(), each)),
    field("since", Kind::Number, "since when it stands so, in seconds since 1970", |row, each| number(row.since, each)),
    field("took", Kind::Duration, "how long the last probe took; the round trip of a ping", |row, each| {
        micros(row.seconds, each);
    }),
    field("loss", Kind::Number, "share of lost questions in the last minute, 0 to 1", |row, each| {
        number(minute(row, |minute| Some(minute.loss)), each);
    }),
    field("tail", Kind::Duration, "95th percentile of the last minute's round trips", |row, each| {
        micros(minute(row, |minute| minute.percentile(95.0)), each);
    }),
    field("jitter", Kind::Duration, "jitter of the last minute", |row, each| {
        micros(minute(row, |minute| minute.jitter), each);
    }),
    field("mos", Kind::Number, "call quality of the last minute, 1 to 4.5", |row, each| {
        number(minute(row, |minute| minute.mos), each);
    }),
    field("interval", Kind::Duration, "from one probe to the next", |row, each| micros(Some(row.interval), each)),
];

impl ProbeMinute {
    /// The round trip of a percentile, in seconds.
    pub fn percentile(&self, percentile: f64) -> Option<f64> {
        self.round_trip.iter().find(|(name, _)| (name - percentile).abs() < 1e-9).map(|(_, seconds)| *seconds)
    }
}

#[cfg(test)]
mod tests {
    use squirrel_filter::{Filter, Order, Services, page};

    use super::*;
    use crate::probes::ProbeState;

    fn targets() -> Vec<Probe> {
        let target = |instance: &str, state, loss: f64| Probe {
            job: "edge".into(),
            instance: instance.into(),
            kind: "ping".into(),
            group: Some("Berlin".into()),
            state,
            address: "192.0.2.7".parse().ok(),
            minute: Some(ProbeMinute { sent: 60, loss, round_trip: vec![(95.0, 0.08)], ..ProbeMinute::default() }),
            ..Probe::default()
        };
        vec![
            target("gw", ProbeState::Up, 0.0),
            target("db", ProbeState::Down, 1.0),
            target("web", ProbeState::Up, 0.02),
        ]
    }

    #[test]
    fn targets_are_chosen_by_what_users_write() {
        let rows = targets();
        let chosen = |text: &str| {
            let filter = Filter::parse(text, PROBES, &Services::default()).expect(text);
            page(&rows, &filter, None, 0, 10).rows.iter().map(|row| row.instance.clone()).collect::<Vec<_>>()
        };
        assert_eq!(chosen("state:down"), ["db"]);
        assert_eq!(chosen("group:berlin -db"), ["gw", "web"]);
        assert_eq!(chosen("loss:>0.01 state:up"), ["web"]);
        for all in ["tail:>50ms", "address:192.0.2.0/24", "kind:ping"] {
            assert_eq!(chosen(all), ["gw", "db", "web"], "{all}");
        }
        assert!(Filter::parse("stat:down", PROBES, &Services::default()).is_err());
    }

    #[test]
    fn the_worst_are_first_where_numbers_order() {
        let rows = targets();
        let all = Filter::parse("", PROBES, &Services::default()).expect("empty");
        let order = Order::by(PROBES, "loss", None).expect("a field");
        assert_eq!(page(&rows, &all, Some(&order), 0, 1).rows[0].instance, "db");
    }
}
