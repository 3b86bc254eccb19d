//! x
use squirrel_api::ChartSpec;
/// x
pub static CHARTS: &[ChartSpec] = &[];
