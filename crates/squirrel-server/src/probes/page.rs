//! The documents of targets: which rows a question chooses, and how they are filled.

use squirrel_alert::thresholds::Thresholds;
use squirrel_api::live;
use squirrel_api::probes::{
    GroupStates, PROBES_SCHEMA, Probe, ProbeDetail, ProbeRow, ProbeState, ProbeStates, ProbesPage, Span, fields::PROBES,
};
use squirrel_api::{ApiError, ErrorType};
use squirrel_filter::{Filter, Order, Services, page};
use squirrel_model::Timestamp;
use squirrel_promql::Engine;

use super::record::{Record, span};
use super::{Probes, judge};
use crate::gate::Stop;

/// Orders by how bad it is, and then as the configuration has it.
const BY_STATE: &str = "state";

/// Which targets are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Question {
    /// Filter, order and page, as of the live tables.
    pub(crate) table: live::Question,
    /// Those of this group alone.
    pub(crate) group: Option<String>,
    /// Those of this job alone.
    pub(crate) job: Option<String>,
    /// Those in this state alone.
    pub(crate) state: Option<ProbeState>,
    /// The span of the heartbeats, if there shall be some.
    pub(crate) history: Option<String>,
}

/// With what a question is answered.
pub(crate) struct Asked<'a> {
    pub(crate) probes: Option<&'a dyn Probes>,
    pub(crate) engine: &'a dyn Engine,
    pub(crate) thresholds: &'a Thresholds,
    pub(crate) now: Timestamp,
    pub(crate) stop: &'a Stop,
}

impl Question {
    fn chooses(&self, probe: &Probe) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found.unwrap_or_default() == wanted)
        };
        same(&self.group, probe.group.as_deref())
            && same(&self.job, Some(&probe.job))
            && self.state.is_none_or(|state| probe.state == state)
    }
}

impl Asked<'_> {
    /// The page that a question asks for.
    pub(crate) fn page(&self, question: &Question) -> Result<ProbesPage, ApiError> {
        let mut all = self.probes.map(Probes::all).unwrap_or_default();
        let (states, groups) = counted(&all);
        let (level, sentence) = judge::judge(&all, &states, self.thresholds);
        let filter = Filter::parse(&question.table.filter, PROBES, &Services::default())
            .map_err(|error| ApiError::invalid_parameter("filter", error.to_string()))?;
        let by = question.table.sort.as_deref().unwrap_or(BY_STATE);
        let order = Order::by(PROBES, by, question.table.descending)
            .map_err(|error| ApiError::invalid_parameter("sort", error.to_string()))?;
        let history = question.history.as_deref().map(|name| span(name, self.now)).transpose()?;
        let total = all.len();
        all.retain(|probe| question.chooses(probe));
        let (offset, limit) = (question.table.offset, question.table.limit);
        let (matched, rows) = if order.name() == BY_STATE {
            // Not by the states' names, but by how bad they are.
            let mut chosen: Vec<&Probe> = all.iter().filter(|probe| filter.matches(probe)).collect();
            chosen.sort_by_key(|probe| probe.state);
            if order.is_descending() {
                chosen.reverse();
            }
            (chosen.len(), chosen.into_iter().skip(offset).take(limit).cloned().collect())
        } else {
            let page = page(&all, &filter, Some(&order), offset, limit);
            (page.chosen.len(), page.rows.into_iter().cloned().collect())
        };
        let (probes, notes) = self.filled(rows, history.as_ref());
        Ok(ProbesPage {
            schema: PROBES_SCHEMA.into(),
            time: self.now.seconds(),
            level,
            sentence,
            states,
            groups,
            total,
            matched,
            offset,
            limit,
            sort: order.name().into(),
            order: if order.is_descending() { "desc" } else { "asc" }.into(),
            history,
            notes,
            probes,
        })
    }

    /// One target.
    pub(crate) fn one(&self, job: &str, instance: &str, history: Option<&str>) -> Result<ProbeDetail, ApiError> {
        let history = history.map(|name| span(name, self.now)).transpose()?;
        let found = self.probes.and_then(|probes| {
            let probe = probes.all().into_iter().find(|probe| probe.job == job && probe.instance == instance)?;
            Some((probes, probe))
        });
        let (probes, probe) = found.ok_or_else(|| {
            let message = format!("no target {instance:?} of {job:?} is probed; /api/probes lists all");
            ApiError::new(ErrorType::NotFound, message)
        })?;
        let (level, sentence) = judge::judge_one(&probe, self.thresholds);
        let (mut rows, notes) = self.filled(vec![probe], history.as_ref());
        Ok(ProbeDetail {
            schema: PROBES_SCHEMA.into(),
            time: self.now.seconds(),
            level,
            sentence,
            history,
            notes,
            probe: rows.pop().unwrap_or_default(),
            last_words: probes.last_words(job, instance),
            path: probes.path(job, instance),
        })
    }

    fn filled(&self, rows: Vec<Probe>, history: Option<&Span>) -> (Vec<ProbeRow>, Vec<String>) {
        let mut rows: Vec<ProbeRow> = rows.into_iter().map(|probe| ProbeRow { probe, ..ProbeRow::default() }).collect();
        let mut notes = Vec::new();
        Record { engine: self.engine, now: self.now, stop: self.stop }.fill(&mut rows, history, &mut notes);
        (rows, notes)
    }
}

fn counted(probes: &[Probe]) -> (ProbeStates, Vec<GroupStates>) {
    let mut states = ProbeStates::default();
    let mut groups: Vec<GroupStates> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for probe in probes {
        states.count(probe.state);
        let place = *places.entry(probe.group.as_deref()).or_insert_with(|| {
            groups.push(GroupStates { group: probe.group.clone(), ..GroupStates::default() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.states.count(probe.state);
        }
    }
    (states, groups)
}
