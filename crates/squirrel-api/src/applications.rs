//! What the daemon says of the applications that tell it about themselves: `GET /api/applications` and
//! `GET /api/applications/{name}`. What they tell is in [`crate::application`].
//!
//! Names and sentences of an application are its own: hostile on every screen.

use serde::{Deserialize, Serialize};

use crate::Level;
use crate::application::{ApplicationAlert, ApplicationLosses};

/// Whether an application speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationState {
    /// Its last report is not older than three of its intervals.
    Live,
    /// It has stopped, or cannot reach the daemon.
    Silent,
}

/// All applications: `GET /api/applications`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationList {
    /// When this was true, in seconds since the epoch.
    pub time: f64,
    /// Whether reports are taken at all; the sentence says how to change it.
    pub enabled: bool,
    /// The worst level of the applications.
    pub level: Level,
    /// One sentence for a person.
    pub sentence: String,
    /// The worst first, then by name.
    pub applications: Vec<ApplicationStatus>,
    /// The last reports that were not taken, the newest first.
    pub refusals: Vec<ApplicationRefusal>,
}

/// One application and how it does: `GET /api/applications/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationStatus {
    /// Its name.
    pub application: String,
    /// How it does.
    pub level: Level,
    /// One sentence for a person.
    pub sentence: String,
    /// Live while one of its instances is.
    pub state: ApplicationState,
    /// Since when none of its instances speaks, in seconds since the epoch; null while one does.
    pub silent_since: Option<f64>,
    /// Its processes, the live ones first.
    pub instances: Vec<ApplicationInstance>,
}

/// One process of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationInstance {
    /// Its name, which its series have as label `instance`.
    pub instance: String,
    /// The process id that it claims.
    pub pid: u32,
    /// Whether it speaks.
    pub state: ApplicationState,
    /// When its monitor was made by its own clock, in seconds since the epoch.
    pub started: f64,
    /// When its last report came, in seconds since the epoch.
    pub last_report: f64,
    /// Since when it is silent, in seconds since the epoch; null while it speaks.
    pub silent_since: Option<f64>,
    /// How often it reports.
    pub interval_seconds: f64,
    /// The version of its protocol; empty when not told.
    pub protocol_version: String,
    /// Series that are kept of it.
    pub series: u64,
    /// Metrics of its last report that are not kept.
    pub refused: u64,
    /// Why they are not, in sentences.
    pub refused_sentences: Vec<String>,
    /// What it could not tell.
    pub lost: ApplicationLosses,
    /// Alerts that hold, the worst first.
    pub alerts: Vec<ApplicationAlert>,
    /// What it told lately, the newest first.
    pub told: Vec<ApplicationAlert>,
}

/// A report that was not taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationRefusal {
    /// When, in seconds since the epoch.
    pub at: f64,
    /// The application that it named; empty when it could not be read so far.
    pub application: String,
    /// Why, and what to do.
    pub sentence: String,
}
