//! The metrics of probes on a schedule beside those that checks have, and what the prober says of itself.

use squirrel_model::{Kind, Metric, Unit};

const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric::new(name, Kind::Gauge, unit, help)
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Counter, Unit::None, help)
}

macro_rules! metrics {
    ($($name:ident = $metric:expr, $why:literal, $check:literal;)*) => {
        $(pub(crate) static $name: Metric = $metric.why($why).check(&[$check]);)*

        /// All of them, for the catalogue.
        pub static METRICS: &[&Metric] = &[$(&$name),*];
    };
}

metrics! {
    ROUND_TRIP = gauge("squirrel_probe_round_trip_seconds", Unit::Seconds,
        "The round trip that this share of the last minute's answers did not exceed (0 the shortest, 100 the longest).")
        .labels(&["percentile"]),
        "The slowest twentieth is what users complain of; the mean hides it.",
        "Compare with the path hop by hop: where the delay begins and stays.";
    LOSS = gauge("squirrel_probe_loss_ratio", Unit::Ratio, "Share of the last minute's questions without an answer."),
        "Lost packets are what makes transfers crawl and voices break up.",
        "Look at the path hop by hop: loss that begins at a hop and goes on behind it is real.";
    JITTER = gauge("squirrel_probe_jitter_seconds", Unit::Seconds,
        "By how much the round trip changes from one answer to the next, smoothed as in RFC 3550."),
        "Calls need a buffer of about twice as much, which is delay.",
        "Look for a queue that fills and empties, or a radio link on the way.";
    MOS = gauge("squirrel_probe_mos_score", Unit::None,
        "What a call of G.711 would sound like, from 1 (impossible) to 4.5, by the E-model of ITU-T G.107."),
        "It puts delay, jitter and loss into the one number that telephony knows: below 3.6 many users complain.",
        "Look which of round trip, jitter and loss grew.";
    INFO = Metric::new("squirrel_probe_info", Kind::Info, Unit::None, "What kind of probe it is, and to which group it belongs.")
        .labels(&["group", "kind"]),
        "It joins groups to the other series of a target.",
        "Nothing needs checking by itself.";
    OBJECTIVE = gauge("squirrel_probe_objective_ratio", Unit::Ratio, "The share of time that the target should be up."),
        "What is left of its error budget is judged by it.",
        "Compare with the mean of probe_success over the objective's window.";
    HOPS = gauge("squirrel_path_hops", Unit::None,
        "How many hosts away the target is; how many answer, when it does not."),
        "A path that grew is a detour, and takes longer.",
        "Look at the changes of the path.";
    CHANGES = counter("squirrel_path_changes_total", "How often another host was found at a place of the path, or the target at another distance."),
        "A path that changes often is what flapping routes look like from outside.",
        "Look at the changes of the path: which place changes.";
    HOP_TIME = gauge("squirrel_path_hop_round_trip_seconds", Unit::Seconds,
        "The round trip to a place of the path that this share of the last trace's answers did not exceed.")
        .labels(&["hop", "percentile"]),
        "Delay that begins at a hop and stays behind it arises there.",
        "Compare with the hops behind: a host may only be slow to answer.";
    HOP_LOSS = gauge("squirrel_path_hop_loss_ratio", Unit::Ratio,
        "Share of the last trace's questions to a place of the path that were not answered, since its host is there.")
        .labels(&["hop"]),
        "Loss that begins at a hop and goes on behind it is real.",
        "Compare with the hops behind: most routers limit their answers.";
    TARGETS = gauge("squirrel_probe_targets", Unit::None, "Targets that are probed, by how it stands with them.").labels(&["state"]),
        "Many that are down at one time have one reason.",
        "Look at the page of probes, and what the others lie behind.";
    RUNS = counter("squirrel_probe_runs_total", "Probes that were carried out.").labels(&["kind"]),
        "Its rate is what the configuration asks for, as long as Squirrel keeps up.",
        "Compare with squirrel_probe_runs_skipped_total.";
    SKIPPED = counter("squirrel_probe_runs_skipped_total",
        "Probes that were not carried out: the one before had not ended, or the host was held up.").labels(&["kind"]),
        "Each is a gap in the history of a target.",
        "Lengthen interval or shorten timeout of the slowest probes, or probe fewer targets.";
    LOST = counter("squirrel_probe_samples_lost_total", "Results that could not be kept: the store refused them, or nobody took them in time."),
        "They are missing in the history.",
        "Read the log of squirrel, and look at squirrel_store_disk_free_ratio.";
    REFUSED = counter("squirrel_probe_series_refused_total", "Numbers of checks beyond the 1,000 that one may have."),
        "A plugin tells more than can be kept.",
        "Look at the plugin's performance data.";
    STRANGE = counter("squirrel_probe_answers_strange_total", "Echo replies that answer no question: late, cut, or made up."),
        "Somebody may be spoofing answers, or a device answers twice and late.",
        "Capture ICMP on this host and look who sends them.";
}
