//! x
use squirrel_api::*;
use squirrel_model::*;
/// x
pub fn judge(_: &dyn Select, at: Option<Timestamp>, _: &[CollectorStatus], _: &dyn Fn() -> bool) -> Verdict {
    Verdict { time: at.map(Timestamp::seconds), level: Level::Ok, sentence: String::new(), findings: vec![], not_judged: vec![] }
}
