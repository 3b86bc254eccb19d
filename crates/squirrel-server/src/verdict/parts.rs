//! The checks of Squirrel itself: its record, its keeper, and what a daemon need not have.

use squirrel_alert::thresholds;

use super::check::Check;

pub(super) const RECORD: Check = Check {
    id: "record",
    about: "The record on disk",
    expr: "squirrel_store_degraded",
    needs: "squirrel_store_degraded",
    subject: None,
    warning: &thresholds::FLAG,
    bad: &thresholds::FLAG,
    sentence: "The record of {subject} does not reach the disk: what is seen now is lost when squirrel ends.",
    first: &[
        "The log of squirrel, which says what failed: `journalctl -u squirrel -p err`, or its terminal.",
        "Whether the data directory is there, may be written, and has room: `df` of it.",
    ],
};

pub(super) const KEEPER: Check = Check {
    id: "keeper",
    about: "The keeper",
    expr: "1 - squirrel_keeper_up",
    needs: "squirrel_keeper_up",
    subject: None,
    warning: &thresholds::FLAG,
    bad: &thresholds::NEVER,
    sentence: "The keeper on {subject}, which has the privileges of squirrel, does not answer: sockets of other users have no owner, and UDP is not counted.",
    first: KEEPER_FIRST,
};

pub(super) const KEEPER_RESTARTS: Check = Check {
    id: "keeper-restarts",
    about: "Restarts of the keeper",
    expr: "increase(squirrel_keeper_restarts_total[5m])",
    needs: "squirrel_keeper_restarts_total",
    subject: None,
    warning: &thresholds::FLAG,
    bad: &thresholds::NEVER,
    sentence: "The keeper on {subject} was started again {value} times in the last 5 minutes: in between UDP was not counted.",
    first: KEEPER_FIRST,
};

/// Of parts of Squirrel that a daemon need not have: where there are no samples of one, there is none, and it is not
/// missed.
pub(crate) static PARTS: &[Check] = &[
    Check {
        id: "starter",
        about: "The starter of the keeper",
        expr: "1 - squirrel_starter_up",
        needs: "squirrel_starter_up",
        subject: None,
        warning: &thresholds::FLAG,
        bad: &thresholds::NEVER,
        sentence: "The process on {subject} that starts the keeper of squirrel has ended: a keeper that dies is not replaced, and packets cannot be counted.",
        first: &[
            "Restart squirrel: without privileges it cannot start that process again by itself.",
            "The log of squirrel, which says how it ended: `journalctl -u squirrel -p err`, or its terminal.",
            "The kernel's log: whether memory ran out.",
        ],
    },
    Check {
        id: "engine",
        about: "The engine that answers PromQL",
        expr: "1 - squirrel_query_engine_up",
        needs: "squirrel_query_engine_up",
        subject: None,
        warning: &thresholds::NEVER,
        bad: &thresholds::FLAG,
        sentence: "The engine that {subject} asks PromQL of does not answer: queries, charts of the past and rules of files have no answer. What is read here is kept, and judged, all the same.",
        first: &[
            "`squirrel query 1`, or the log of squirrel: it says why.",
            "Whether that server runs, and is reached from here at the url under [store] in the configuration.",
            "If it is to stay away: engine = \"embedded\" under [store] answers out of the samples kept here.",
        ],
    },
];

const KEEPER_FIRST: &[&str] = &[
    "The log of squirrel, which says how it ended: `journalctl -u squirrel -p err`, or its terminal.",
    "The kernel's log: whether memory ran out.",
    "squirrel_keeper_down_seconds_total for how long it was away.",
];
