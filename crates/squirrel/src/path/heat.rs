//! A path as hop by time: a row of marks for each hop, the higher the slower, and a cross for what was lost.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use squirrel_api::probe::{PathDocument, PathEvent};
use squirrel_model::Untrusted;
use squirrel_probe::path::Event;

use crate::marks::{LOST, Scale};
use crate::table::cut;

/// Rounds that are kept; of a longer run the last ones are shown.
const MOST_ROUNDS: usize = 4096;
/// Hops that are kept.
const MOST_HOPS: u8 = 64;
/// Columns of the host beside a row.
const HOST: usize = 24;
/// Columns of marks where no terminal says how many fit.
const USUAL_MARKS: usize = 60;

/// What became of the questions of one round at one place: of several flows the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Took(Duration),
    Lost,
}

/// The cells of the last rounds.
#[derive(Debug, Default)]
pub(super) struct Heat {
    /// The number of the first round, and the rounds from it on, each with its cells by place.
    first: u32,
    rounds: VecDeque<BTreeMap<u8, Cell>>,
}

impl Heat {
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Answer { probe, time, .. } => self.note(probe.round, probe.ttl, Cell::Took(*time)),
            Event::Lost(probe) => self.note(probe.round, probe.ttl, Cell::Lost),
            _ => {}
        }
    }

    /// The same of a recording.
    pub(super) fn recorded(&mut self, event: &PathEvent) {
        let Some(round) = event.round else { return };
        match (&*event.event, event.rtt_us) {
            ("answer", Some(us)) if us.is_finite() && us >= 0.0 => {
                let time = Duration::try_from_secs_f64(us / 1e6).unwrap_or(Duration::MAX);
                self.note(round, event.ttl, Cell::Took(time));
            }
            ("lost", _) => self.note(round, event.ttl, Cell::Lost),
            _ => {}
        }
    }

    fn note(&mut self, round: u32, ttl: u8, cell: Cell) {
        let newest = self.first.saturating_add(u32::try_from(self.rounds.len()).unwrap_or(u32::MAX));
        // A recording that somebody made up may skip rounds: what is kept has an end all the same.
        if round.saturating_sub(newest) as usize >= MOST_ROUNDS {
            (self.first, self.rounds) = (round, VecDeque::new());
        }
        let Some(index) = round.checked_sub(self.first) else { return };
        while self.rounds.len() <= index as usize {
            self.rounds.push_back(BTreeMap::new());
        }
        if let Some(cells) = self.rounds.get_mut(index as usize).filter(|_| ttl <= MOST_HOPS) {
            let kept = cells.entry(ttl).or_insert(cell);
            *kept = (*kept).max(cell);
        }
        while self.rounds.len() > MOST_ROUNDS {
            self.rounds.pop_front();
            self.first += 1;
        }
    }

    /// The map for the hops of a document. With `whole` all that is kept, several rounds a column where there are more
    /// than fit, the worst of them shown; else the last rounds, one a column.
    pub(super) fn lines(&self, document: &PathDocument, width: Option<usize>, whole: bool) -> Vec<String> {
        let marks = width.map_or(USUAL_MARKS, |width| width.saturating_sub(HOST + 15).max(10));
        let each = if whole { self.rounds.len().div_ceil(marks).max(1) } else { 1 };
        let skipped = if whole { 0 } else { self.rounds.len().saturating_sub(marks) };
        let rounds: Vec<_> = self.rounds.iter().skip(skipped).collect();
        let columns: Vec<_> = rounds.chunks(each).collect();
        let worst =
            |ttl: u8, rounds: &[&BTreeMap<u8, Cell>]| rounds.iter().filter_map(|one| one.get(&ttl).copied()).max();
        let shown = |ttl: u8| columns.iter().filter_map(move |rounds| worst(ttl, rounds));
        let times = document.hops.iter().flat_map(|hop| shown(hop.ttl));
        let times = times.filter_map(|cell| if let Cell::Took(time) = cell { Some(time) } else { None });
        let Some(scale) = Scale::of(times) else { return Vec::new() };
        let mut lines = Vec::new();
        for hop in &document.hops {
            let silent = hop.addresses.iter().all(|one| one.received == 0);
            let mark = |rounds: &&[&BTreeMap<u8, Cell>]| match worst(hop.ttl, rounds) {
                Some(Cell::Took(time)) => scale.mark(time),
                // Who never answers has lost nothing.
                Some(Cell::Lost) if silent => '·',
                Some(Cell::Lost) => LOST,
                None => ' ',
            };
            let row: String = columns.iter().map(mark).collect();
            let first = hop.addresses.first();
            let host =
                first.and_then(|one| one.name.clone().or_else(|| one.address.map(|address| address.to_string())));
            let host = cut(&Untrusted(&host.unwrap_or_else(|| "-".to_owned())).to_string(), HOST);
            let loss = first.and_then(|one| one.loss_ratio).filter(|_| !silent);
            let loss = loss.map_or_else(|| "-".to_owned(), |loss| format!("{:.1}%", loss * 100.0));
            let blanks = " ".repeat(HOST.saturating_sub(host.chars().count()));
            lines.push(format!("{:>3}  {host}{blanks}  {loss:>6}  {row}", hop.ttl).trim_end().to_owned());
        }
        let columns = if each == 1 {
            "a column is a round".to_owned()
        } else {
            format!("a column is {each} rounds, the worst of them shown")
        };
        lines.push(format!("     {columns}; {scale}, {LOST} lost"));
        lines
    }
}

#[cfg(test)]
mod tests {
    use squirrel_api::probe::{PathAddress, PathHop};

    use super::*;

    fn document(hops: u8) -> PathDocument {
        let hop = |ttl| PathHop {
            ttl,
            addresses: vec![PathAddress {
                address: Some([192, 0, 2, ttl].into()),
                received: u64::from(ttl < 3),
                loss_ratio: Some(0.25),
                ..PathAddress::default()
            }],
            ..PathHop::default()
        };
        PathDocument { hops: (1..=hops).map(hop).collect(), ..PathDocument::default() }
    }

    fn event(round: u32, ttl: u8, ms: Option<f64>) -> PathEvent {
        let event = if ms.is_some() { "answer" } else { "lost" };
        PathEvent {
            event: event.into(),
            round: Some(round),
            ttl,
            rtt_us: ms.map(|ms| ms * 1e3),
            ..PathEvent::default()
        }
    }

    #[test]
    fn slow_rounds_stand_out_and_losses_are_crosses() {
        let mut heat = Heat::default();
        for round in 0..4 {
            heat.recorded(&event(round, 1, Some(1.0)));
            heat.recorded(&event(round, 2, (round != 2).then_some(if round == 3 { 80.0 } else { 1.0 })));
            heat.recorded(&event(round, 3, None));
        }
        let lines = heat.lines(&document(3), None, true);
        assert_eq!(
            lines,
            [
                "  1  192.0.2.1                  25.0%  ▁▁▁▁",
                "  2  192.0.2.2                  25.0%  ▁▁×█",
                "  3  192.0.2.3                      -  ····",
                "     a column is a round; ▁ 1.000 ms to █ 80.0 ms, × lost",
            ]
        );
    }

    #[test]
    fn a_long_run_shows_the_worst_of_each_column_and_a_live_one_the_last_rounds() {
        let mut heat = Heat::default();
        for round in 0..120 {
            heat.recorded(&event(round, 1, (round != 60).then_some(1.0)));
        }
        let [whole, legend] = &heat.lines(&document(1), None, true)[..] else { panic!("two lines") };
        assert!(whole.ends_with(&format!("{}×{}", "▁".repeat(30), "▁".repeat(29))), "{whole}");
        assert!(legend.contains("2 rounds, the worst"), "{legend}");
        let live = &heat.lines(&document(1), Some(49), false)[0];
        assert_eq!(live.matches('▁').count(), 10, "{live}");
    }

    #[test]
    fn a_recording_that_somebody_made_up_takes_little_memory() {
        let mut heat = Heat::default();
        for round in [0, u32::MAX, 7, 1 << 20, 3_000_000] {
            heat.recorded(&event(round, 200, Some(f64::NAN)));
            heat.recorded(&event(round, 200, Some(1e300)));
        }
        assert!(heat.rounds.len() <= MOST_ROUNDS);
        assert_eq!(heat.lines(&document(2), None, true), Vec::<String>::new());
    }
}
