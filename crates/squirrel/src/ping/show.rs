//! What a person or a program sees of a ping.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use squirrel_api::live::Shape as _;
use squirrel_api::probe::{PingDocument, PingEvent, PingRefusal, PingTarget, PingTimes, PingWindow};
use squirrel_model::Untrusted;
use squirrel_probe::ping::{Clock, Event, Question, Report};
use squirrel_probe::{Ping, Spread};
use squirrel_sys::terminal;
use squirrel_wire::icmp::ErrorKind;

use super::live::Live;
use super::{Outcome, Run};
use crate::output;
use crate::table::{Column, lines};

const COLUMNS: [Column; 11] = [
    Column::left("TARGET", 12),
    Column::left("ADDRESS", 12),
    Column::right("SENT"),
    Column::right("LOSS%"),
    Column::right("MIN"),
    Column::right("P50"),
    Column::right("P95"),
    Column::right("P99"),
    Column::right("MAX"),
    Column::right("JITTER"),
    Column::left("NOTE", 12),
];

/// Prints while it goes, and at the end.
pub(super) struct Shown<'a> {
    run: &'a Run<'a>,
    /// Whether each answer to a person's single target gets a line.
    each: bool,
    /// What a person watches of many targets.
    live: Option<Live>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(run: &'a Run<'a>) -> Self {
        let for_people = !run.args.json && !run.args.json_lines && !run.args.quiet;
        let single = run.asked.len() == 1;
        Self {
            run,
            each: for_people && single,
            live: (for_people && !single && terminal::size().is_some()).then(Live::new),
        }
    }

    /// Tells of one round.
    pub(super) fn events(&mut self, ping: &Ping, events: &[Event]) -> anyhow::Result<()> {
        if self.run.args.json_lines {
            let mut text = Vec::new();
            for event in events {
                self.document(event).write_json(&mut text);
                text.push(b'\n');
            }
            return Ok(output::print(&output::escaped(String::from_utf8_lossy(&text).into_owned()))?);
        }
        if self.each {
            let lines: Vec<String> = events.iter().map(|event| self.line(event)).collect();
            return Ok(output::print_lines(&lines)?);
        }
        if let Some(live) = &mut self.live {
            live.show(self.run, ping)?;
        }
        Ok(())
    }

    /// The figures at the end.
    pub(super) fn finish(&mut self, outcome: &Outcome) -> anyhow::Result<()> {
        if let Some(live) = &mut self.live {
            live.clear()?;
        }
        let document = self.whole(outcome);
        if self.run.args.json || self.run.args.json_lines {
            return output::print_json(&document);
        }
        let rows: Vec<Vec<String>> = document.targets.iter().map(row).collect();
        if self.each {
            output::print("\n")?;
        }
        output::print_lines(&lines(&COLUMNS, &rows, terminal::size().map(|(_, columns)| columns), true))?;
        let user = document.targets.iter().filter(|one| one.received > 0 && one.clock == "user").count();
        if user > 0 {
            let whose = if user == document.targets.len() { String::new() } else { format!(" of {user} targets") };
            output::print(&format!(
                "Times{whose} are this program's: the kernel did not stamp, so they include its delays.\n"
            ))?;
        }
        if document.strange > 0 {
            output::print(&format!(
                "{} answers were to nobody's question here; they are not counted.\n",
                document.strange
            ))?;
        }
        Ok(())
    }

    fn target(&self, question: Question) -> (&str, Option<IpAddr>) {
        let target = self.run.asked.get(question.target as usize).and_then(|index| self.run.targets.get(*index));
        target.map_or(("", None), |target| (target.name.as_str(), target.address.as_ref().ok().copied()))
    }

    fn line(&self, event: &Event) -> String {
        let number = question(event).number;
        let (name, address) = self.target(question(event));
        let address = address.map_or_else(|| Untrusted(name).to_string(), |address| address.to_string());
        match event {
            Event::Answer { time, clock, arrival, .. } => {
                let ttl = arrival.ttl.map_or_else(String::new, |ttl| format!(" ttl={ttl}"));
                let own = if *clock == Clock::User { " (this program's clock)" } else { "" };
                format!("{} octets from {address}: number={number}{ttl} time={} ms{own}", arrival.len, ms(*time))
            }
            Event::Duplicate(_) => format!("{address}: number={number} answered once more"),
            Event::Late(_, after) => format!("{address}: number={number} answered after {} ms, too late", ms(*after)),
            Event::Lost(_) => format!("{address}: number={number} no answer"),
            Event::Refused { by, kind, mtu, .. } => {
                let by = by.map_or_else(|| "a host on the way".to_owned(), |by| by.to_string());
                let mtu = mtu.map_or_else(String::new, |mtu| format!(", at most {mtu} octets"));
                format!("{address}: number={number} {by} says: {}{mtu}", kind.words().1)
            }
            Event::NotSent(_, why) => format!("{address}: number={number} not sent: {why}"),
        }
    }

    fn document(&self, event: &Event) -> PingEvent {
        let (name, address) = self.target(question(event));
        let mut document = PingEvent {
            schema: Cow::Borrowed("squirrel.ping.event/1"),
            seconds: self.run.steady.elapsed().0.as_secs_f64(),
            target: name.to_owned(),
            address,
            question: question(event).number,
            ..PingEvent::default()
        };
        document.event = Cow::Borrowed(match event {
            Event::Answer { time, clock, arrival, .. } => {
                document.rtt_us = Some(us(*time));
                document.ttl = arrival.ttl;
                document.clock = Some(Cow::Borrowed(clock_word(*clock)));
                "answer"
            }
            Event::Duplicate(_) => "duplicate",
            Event::Late(_, after) => {
                document.rtt_us = Some(us(*after));
                "late"
            }
            Event::Lost(_) => "lost",
            Event::Refused { by, kind, .. } => {
                document.by = *by;
                document.reason = Some(kind.words().0.to_owned());
                "refused"
            }
            Event::NotSent(_, why) => {
                document.reason = Some(why.clone());
                "not_sent"
            }
        });
        document
    }

    fn whole(&self, outcome: &Outcome) -> PingDocument {
        let mut numbers = 0..;
        let targets = self.run.targets.iter().map(|target| match &target.address {
            Ok(address) => {
                let report = numbers.next().map(|number| outcome.ping.report(number)).unwrap_or_default();
                of_target(&target.name, *address, &report)
            }
            Err(reason) => PingTarget {
                target: target.name.clone(),
                error: Some(reason.clone()),
                clock: Cow::Borrowed("user"),
                ..PingTarget::default()
            },
        });
        PingDocument {
            schema: Cow::Borrowed("squirrel.ping/1"),
            time: self.run.began.seconds(),
            seconds: self.run.steady.elapsed().0.as_secs_f64(),
            interrupted: outcome.interrupted,
            strange: outcome.strange,
            targets: targets.collect(),
        }
    }
}

fn question(event: &Event) -> Question {
    match event {
        Event::Answer { question, .. } | Event::Refused { question, .. } => *question,
        Event::Duplicate(question) | Event::Late(question, _) | Event::Lost(question) | Event::NotSent(question, _) => {
            *question
        }
    }
}

fn of_target(name: &str, address: IpAddr, report: &Report) -> PingTarget {
    let refusal =
        |(kind, count): (&ErrorKind, &u64)| PingRefusal { reason: Cow::Borrowed(kind.words().0), count: *count };
    PingTarget {
        target: name.to_owned(),
        address: Some(address),
        error: None,
        sent: report.sent,
        received: report.received,
        loss_ratio: report.loss_ratio(),
        duplicates: report.duplicates,
        late: report.late,
        reordered: report.reordered,
        not_sent: report.not_sent,
        refused: report.refused.iter().map(refusal).collect(),
        rtt_us: times(&report.times),
        jitter_us: report.times.jitter().map(us),
        delay_variation_us: report.times.variation().map(us),
        local_delay_us: report.local_delay.percentile(0.5).map(us),
        clock: Cow::Borrowed(clock_word(report.clock())),
        ttl: report.ttl,
        window: PingWindow {
            questions: report.window.questions,
            loss_ratio: report.window.loss_ratio(),
            rtt_us: times(&report.window.times),
            jitter_us: report.window.times.jitter().map(us),
            delay_variation_us: report.window.times.variation().map(us),
            duplicates: report.window.duplicates,
            reordered: report.window.reordered,
        },
    }
}

pub(crate) fn times(spread: &Spread) -> Option<PingTimes> {
    let at = |share| spread.percentile(share).map(us);
    Some(PingTimes {
        min: us(spread.min()?),
        p50: at(0.5)?,
        p95: at(0.95)?,
        p99: at(0.99)?,
        max: us(spread.max()?),
        mean: us(spread.mean()?),
        stddev: us(spread.deviation()?),
    })
}

fn row(target: &PingTarget) -> Vec<String> {
    let of_times = |one: fn(&PingTimes) -> f64| {
        target.rtt_us.as_ref().map_or_else(|| "-".to_owned(), |times| ms(Duration::from_secs_f64(one(times) / 1e6)))
    };
    let mut notes: Vec<String> = target.error.iter().cloned().collect();
    let counted = [
        (target.duplicates, "twice"),
        (target.late, "late"),
        (target.reordered, "out of order"),
        (target.not_sent, "not sent"),
    ];
    notes.extend(counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    notes.extend(target.refused.iter().map(|one| format!("{} {}", one.count, one.reason.replace('_', " "))));
    vec![
        target.target.clone(),
        target.address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
        target.sent.to_string(),
        target.loss_ratio.map_or_else(|| "-".to_owned(), |loss| format!("{:.1}", loss * 100.0)),
        of_times(|times| times.min),
        of_times(|times| times.p50),
        of_times(|times| times.p95),
        of_times(|times| times.p99),
        of_times(|times| times.max),
        target.jitter_us.map_or_else(|| "-".to_owned(), |jitter| ms(Duration::from_secs_f64(jitter / 1e6))),
        notes.join(", "),
    ]
}

/// Microseconds, to a nanosecond.
pub(crate) fn us(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

/// Milliseconds with as many digits as mean something.
pub(crate) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.3}") } else { format!("{ms:.1}") }
}

pub(crate) fn clock_word(clock: Clock) -> &'static str {
    match clock {
        Clock::Kernel => "kernel",
        Clock::User => "user",
    }
}
