//! What evaluating rules costs: this evaluator over this store, and Debian's `prometheus`, the same rules over the same
//! series at the same moments, with the same results. `cargo xtask bench alerts` runs it in release.
//!
//! `rule_figures [HOSTS SECONDS ROUNDS]`: one rule and ten series for each host, evaluated each so many seconds. The
//! figure is the line `NAME OURS PROMETHEUS - UNIT`: seconds of processor time for one evaluation of all rules, results
//! stored. Both sides have all samples before the measurement begins, so that taking them is in neither figure; from
//! Prometheus' is taken what its process needs without rules. Processor time and not the clock is compared, so that a
//! busy machine does not spoil it.
//!
//! Prometheus goes first, since it evaluates by the clock; then the same groups are evaluated here at the moments that
//! its samples have. `rule_figures HOSTS SECONDS 0` leaves Prometheus out, for a profile.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

mod load;
mod own;
mod prometheus;

use std::collections::BTreeSet;
use std::time::Duration;

use squirrel_model::Timestamp;
use squirrel_sys::clock;

use load::{group_of, rules, series};
use own::Own;
use prometheus::{Prometheus, Yielded, moments};

/// Intervals of samples before the first evaluation, and behind the last.
const BEFORE: usize = 5;
const BEHIND: usize = 2;
/// Time of Prometheus without rules that is measured.
const IDLE: Duration = Duration::from_secs(5);
/// Results are the same when they differ by less than this, relatively: sums are added in another order.
const CLOSE: f64 = 1e-9;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What Prometheus gave.
struct Theirs {
    /// Processor time of one evaluation of all rules.
    seconds: f64,
    rounds: f64,
    yielded: Yielded,
}

/// Lets Prometheus evaluate by the clock: one round to settle, and then those that are measured.
fn theirs(hosts: usize, seconds: u64, rounds: usize, ticks: &[(usize, Timestamp)]) -> Outcome<Theirs> {
    let (text, all, other) = (rules(hosts, seconds), series(hosts), Prometheus::start()?);
    for (tick, at) in ticks {
        other.write(&all, *tick, *at)?;
    }
    let before = other.cpu_seconds();
    other.wait(IDLE);
    let idle = (other.cpu_seconds() - before) / IDLE.as_secs_f64();
    let since = clock::wall();
    other.evaluate(&text)?;
    other.wait(Duration::from_secs(seconds + 1));
    let (count, spent) = (other.counted("prometheus_rule_evaluations_total")?, other.cpu_seconds());
    let span = Duration::from_secs(seconds * rounds as u64);
    other.wait(span);
    let spent = other.cpu_seconds() - spent - idle * span.as_secs_f64();
    let rounds = (other.counted("prometheus_rule_evaluations_total")? - count) / hosts as f64;
    if other.counted("prometheus_rule_evaluation_failures_total")? > 0.0 {
        return Err("Prometheus could not evaluate all rules".into());
    }
    Ok(Theirs { seconds: spent / rounds, rounds, yielded: other.yielded(since, clock::wall())? })
}

/// Evaluates the groups here at these moments; the processor time of a round. The first of each group does not count.
fn ours(own: &mut Own, hosts: usize, ticks: &[(usize, Timestamp)], at: &BTreeSet<(Timestamp, String)>) -> Outcome<f64> {
    let all = series(hosts);
    let mut ticks = ticks.iter().peekable();
    let (mut met, mut sum, mut count) = (BTreeSet::new(), 0.0, 0_usize);
    for (moment, group) in at {
        while let Some((tick, at)) = ticks.next_if(|(_, at)| at <= moment) {
            own.write(&all, *tick, *at)?;
        }
        let took = own.evaluate(group, *moment)?;
        if !met.insert(group) {
            (sum, count) = (sum + took, count + 1);
        }
    }
    Ok(sum * met.len() as f64 / count.max(1) as f64)
}

/// How many samples both yielded; or one that they did not.
fn same(ours: &Yielded, theirs: &Yielded) -> Outcome<usize> {
    let close = |a: f64, b: f64| (a - b).abs() <= CLOSE * a.abs().max(b.abs());
    for (key, theirs) in theirs {
        let own = ours.get(key);
        if !own.is_some_and(|own| close(*own, *theirs)) {
            return Err(format!("{} at {:?} is {theirs} for Prometheus and {own:?} here", key.0, key.1).into());
        }
    }
    match ours.keys().find(|key| !theirs.contains_key(key)) {
        Some(key) => Err(format!("{} at {:?} is here and not with Prometheus", key.0, key.1).into()),
        None => Ok(theirs.len()),
    }
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    let (hosts, seconds) = (arguments.next().unwrap_or(10_000), arguments.next().unwrap_or(15) as u64);
    let rounds = arguments.next().unwrap_or(3);
    let interval = seconds as i64 * 1000;
    let first = clock::wall().plus_ms(-(BEFORE as i64) * interval);
    // Filling takes longer with more hosts: a quarter of a minute for 10,000 on a slow machine.
    let spare = 60_000 / interval as usize;
    let ticks: Vec<_> = (0..BEFORE + 1 + rounds.max(3) + BEHIND + spare)
        .map(|tick| (tick, first.plus_ms(tick as i64 * interval)))
        .collect();
    let mut own = Own::open(&rules(hosts, seconds), first)?;
    if rounds == 0 {
        let groups: BTreeSet<String> = (0..hosts).map(group_of).collect();
        let each =
            |n: usize| groups.iter().cloned().map(move |group| (first.plus_ms((BEFORE + n) as i64 * interval), group));
        let at = (0..4).flat_map(each).collect();
        println!("rules_cpu {:.3} - - s", ours(&mut own, hosts, &ticks, &at)?);
        return Ok(());
    }
    let theirs = theirs(hosts, seconds, rounds, &ticks)?;
    let ours = ours(&mut own, hosts, &ticks, &moments(&theirs.yielded))?;
    let compared = same(&own.yielded, &theirs.yielded)?;
    println!(
        "{hosts} rules over {} series, {:.2} rounds of Prometheus, {compared} samples of results, all the same",
        series(hosts).len(),
        theirs.rounds
    );
    println!("rules_cpu {ours:.3} {:.3} - s", theirs.seconds);
    Ok(())
}
