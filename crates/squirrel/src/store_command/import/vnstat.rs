//! vnStat's JSON (`vnstat --json`, its version 2): what each interface received and sent in each hour, and in each
//! day before these. Source: vnStat 2's `dbjson.c` and vnstat(1).
//!
//! It becomes two counters a device that begin at zero, `squirrel_imported_receive_bytes_total` and
//! `…_transmit_…` with `device` and `source="vnstat"`, so that `increase(…[1d])` says what vnStat said. An hour's
//! bytes stand at its end; those of a day whose hours vnStat has forgotten at the end of the day.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use squirrel_model::{Labels, Timestamp};

use super::Sample;

/// vnStat keeps some hundred entries an interface; more than this is something else.
const MAX_BYTES: u64 = 64 << 20;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[derive(Debug, Deserialize)]
struct Document {
    jsonversion: String,
    interfaces: Vec<Interface>,
}

#[derive(Debug, Deserialize)]
struct Interface {
    name: String,
    traffic: Traffic,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Traffic {
    hour: Vec<Entry>,
    day: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Entry {
    date: Date,
    #[serde(default)]
    time: Time,
    /// Seconds since 1970; vnStat has it since 2.7.
    timestamp: Option<i64>,
    rx: u64,
    tx: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Time {
    hour: i64,
    minute: i64,
}

impl Date {
    /// Days since 1970 of the Gregorian calendar; none for what is no date.
    fn days(self) -> Option<i64> {
        let sound =
            (1970..=9999).contains(&self.year) && (1..=12).contains(&self.month) && (1..=31).contains(&self.day);
        // March is the first month, so that the leap day is the last of its year.
        let (year, month) = if self.month > 2 { (self.year, self.month - 3) } else { (self.year - 1, self.month + 9) };
        let leaps = year / 4 - year / 100 + year / 400;
        sound.then_some(year * 365 + leaps + (month * 153 + 2) / 5 + self.day - 1 - 719_468)
    }
}

impl Entry {
    /// When it begins. Without a timestamp vnStat says the local time only, which is taken for UTC.
    fn start_ms(&self) -> Option<i64> {
        if let Some(seconds) = self.timestamp {
            return seconds.checked_mul(1000).filter(|ms| *ms >= 0);
        }
        let sound = (0..24).contains(&self.time.hour) && (0..60).contains(&self.time.minute);
        let minutes = self.time.hour * 60 + self.time.minute;
        self.date.days().filter(|_| sound).map(|days| days * DAY_MS + minutes * 60_000)
    }
}

pub(super) fn each(
    mut reader: impl BufRead,
    take: &mut dyn FnMut(Sample) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut text = String::new();
    reader.by_ref().take(MAX_BYTES + 1).read_to_string(&mut text).context("it cannot be read")?;
    ensure!(text.len() as u64 <= MAX_BYTES, "it is too large for vnStat's");
    let document: Document = serde_json::from_str(&text).context("it is not what `vnstat --json` prints")?;
    ensure!(
        document.jsonversion == "2",
        "it has vnStat's JSON version {:?}, which counts in KiB; only 2 is read (vnStat 2)",
        document.jsonversion
    );
    for interface in &document.interfaces {
        let name = &interface.name;
        let steps = steps(&interface.traffic).with_context(|| format!("interface {name:?}"))?;
        for (direction, of) in [("receive", (|step| step.rx) as fn(&Step) -> u64), ("transmit", |step| step.tx)] {
            let metric = format!("squirrel_imported_{direction}_bytes_total");
            let labels = Labels::new([("__name__", metric.as_str()), ("device", name), ("source", "vnstat")])
                .with_context(|| format!("interface {name:?}"))?;
            let mut total = 0u64;
            let begin = steps.first().map(|step| Sample::from((labels.clone(), Timestamp(step.start_ms), 0.0)));
            begin.map_or(Ok(()), &mut *take)?;
            for step in &steps {
                total = total.saturating_add(of(step));
                take((labels.clone(), Timestamp(step.end_ms), total as f64))?;
            }
        }
    }
    Ok(0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    start_ms: i64,
    end_ms: i64,
    rx: u64,
    tx: u64,
}

/// Days whose hours are not there, and hours. What a day has beyond its hours comes before the first of these.
fn steps(traffic: &Traffic) -> anyhow::Result<Vec<Step>> {
    let start = |entry: &Entry| entry.start_ms().with_context(|| format!("no date: {:?}", entry.date));
    let mut hours: BTreeMap<Date, Vec<(i64, &Entry)>> = BTreeMap::new();
    for entry in &traffic.hour {
        hours.entry(entry.date).or_default().push((start(entry)?, entry));
    }
    let mut steps = Vec::new();
    for day in &traffic.day {
        let (begin, own) = (start(day)?, hours.get(&day.date));
        let sum = |of: fn(&Entry) -> u64| own.into_iter().flatten().map(|(_, e)| of(e)).fold(0, u64::saturating_add);
        let (rx, tx) = (day.rx.saturating_sub(sum(|e| e.rx)), day.tx.saturating_sub(sum(|e| e.tx)));
        let end_ms = own.and_then(|own| own.iter().map(|(at, _)| *at).min()).unwrap_or(begin + DAY_MS);
        if end_ms > begin && (own.is_none() || rx + tx > 0) {
            steps.push(Step { start_ms: begin, end_ms, rx, tx });
        }
    }
    for (start_ms, entry) in hours.into_values().flatten() {
        steps.push(Step { start_ms, end_ms: start_ms + HOUR_MS, rx: entry.rx, tx: entry.tx });
    }
    steps.sort_by_key(|step| step.end_ms);
    // An hour that summer time repeats has the same name twice.
    let mut sound: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        match sound.last_mut().filter(|last| last.end_ms == step.end_ms) {
            Some(last) => {
                last.rx = last.rx.saturating_add(step.rx);
                last.tx = last.tx.saturating_add(step.tx);
            }
            None => sound.push(step),
        }
    }
    Ok(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(text: &str) -> anyhow::Result<Vec<(String, i64, f64)>> {
        let mut all = Vec::new();
        each(text.as_bytes(), &mut |(labels, at, value)| {
            all.push((labels.metric_name().to_owned(), at.millis(), value));
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn days_come_before_the_hours_and_their_sum_is_what_vnstat_said() {
        let text = r#"{"vnstatversion":"2.6","jsonversion":"2","interfaces":[{"name":"eth0","alias":"",
            "traffic":{"total":{"rx":1,"tx":2},
            "hour":[{"id":1,"date":{"year":2024,"month":3,"day":1},"time":{"hour":10,"minute":0},"rx":5,"tx":50},
                    {"id":2,"date":{"year":2024,"month":3,"day":1},"time":{"hour":12,"minute":0},"rx":6,"tx":60}],
            "day":[{"id":1,"date":{"year":2024,"month":2,"day":29},"rx":100,"tx":1000},
                   {"id":2,"date":{"year":2024,"month":3,"day":1},"rx":18,"tx":110}],"month":[],"year":[],"top":[]}}]}"#;
        let received: Vec<(i64, f64)> = samples(text)
            .unwrap()
            .into_iter()
            .filter(|(name, _, _)| name == "squirrel_imported_receive_bytes_total")
            .map(|(_, at, value)| (at, value))
            .collect();
        // 2024-02-29T00:00:00Z and 2024-03-01T00:00:00Z.
        let (leap, march) = (1_709_164_800_000, 1_709_251_200_000);
        let hour = |n: i64| march + n * HOUR_MS;
        assert_eq!(received, [(leap, 0.0), (march, 100.0), (hour(10), 107.0), (hour(11), 112.0), (hour(13), 118.0)]);
    }

    #[test]
    fn a_timestamp_is_believed_before_the_local_time() {
        let text = r#"{"jsonversion":"2","interfaces":[{"name":"e","traffic":{"hour":[
            {"date":{"year":2024,"month":3,"day":1},"time":{"hour":1,"minute":0},"timestamp":3600,"rx":1,"tx":1}]}}]}"#;
        assert_eq!(samples(text).unwrap()[1].1, 7_200_000);
    }

    #[test]
    fn what_is_not_vnstats_second_version_is_refused_with_a_reason() {
        for (text, word) in [
            ("{}", "vnstat --json"),
            (r#"{"jsonversion":"1","interfaces":[]}"#, "KiB"),
            (
                r#"{"jsonversion":"2","interfaces":[{"name":"e","traffic":{"day":[{"date":{"year":1,"month":13,"day":1},"rx":1,"tx":1}]}}]}"#,
                "no date",
            ),
            (
                r#"{"jsonversion":"2","interfaces":[{"name":"e","traffic":{"day":[{"date":{"year":2020,"month":1,"day":1},"rx":-1,"tx":1}]}}]}"#,
                "vnstat --json",
            ),
        ] {
            let said = format!("{:#}", samples(text).unwrap_err());
            assert!(said.contains(word), "{text}: {said}");
        }
    }
}
