//! What the list of targets costs: how many samples the store hands over for the history of many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use squirrel_api::probes::{Probe, ProbeRan, ProbeRun, ProbedPath};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::{
    Batch, Figure, Found, Kind, Labels, Matcher, Metric, Samples, Select, SelectError, Tier, TimeRange, Timestamp, Unit,
};
use squirrel_server::{ApplicationLimits, Probes, Reply};
use squirrel_store::dir::MemoryDir;
use squirrel_store::{Store, StoreOptions, SyncPolicy};

use super::support::{NOW, Running, labels, patient, start_parts};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// From one probe to the next: often enough that no copy is as large as full resolution.
const STEP: i64 = 10_000;
/// Targets: more than a question names by themselves.
const TARGETS: usize = 120;

static SUCCESS: Metric = Metric::new("probe_success", Kind::Gauge, Unit::None, "Whether it was answered.");

/// What the program would know of its probes.
struct Many;

fn name(number: usize) -> String {
    format!("t{number}.example")
}

impl Probes for Many {
    fn all(&self) -> Vec<Probe> {
        let probe = |number| Probe {
            job: "edge".into(),
            instance: name(number),
            kind: "ping".into(),
            interval: STEP as f64 / 1000.0,
            objective: Some(0.999),
            ..Probe::default()
        };
        (0..TARGETS).map(probe).collect()
    }

    fn path(&self, _: &str, _: &str) -> Option<ProbedPath> {
        None
    }

    fn run(&self, _: ProbeRun) -> Reply<'_, ProbeRan> {
        Box::pin(async { Err(ApiError::new(ErrorType::NotFound, "nothing is run here")) })
    }
}

/// Counts what is read.
struct Counting {
    inner: Arc<dyn Select>,
    /// Samples in full resolution.
    full: AtomicUsize,
    /// Figures of coarse copies.
    figures: AtomicUsize,
}

impl Select for Counting {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        self.inner.find(matchers, range)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        self.inner.read(series, range, out)?;
        self.full.fetch_add(out.len(), Ordering::Relaxed);
        Ok(())
    }

    fn full_from(&self) -> Option<Timestamp> {
        self.inner.full_from()
    }

    fn tiers(&self) -> Vec<Tier> {
        self.inner.tiers()
    }

    fn read_tier(
        &self,
        tier: usize,
        figure: Figure,
        series: &Found,
        range: TimeRange,
        out: &mut Samples,
    ) -> Result<(), SelectError> {
        self.inner.read_tier(tier, figure, series, range, out)?;
        self.figures.fetch_add(out.len(), Ordering::Relaxed);
        Ok(())
    }
}

/// A store of so many days up to [`NOW`], of which it keeps three in full. Each target misses one probe in a hundred.
fn store(days: i64) -> Arc<dyn Select> {
    let mut options = StoreOptions::new(Labels::empty());
    (options.step_ms, options.sync) = (STEP, SyncPolicy::Never);
    (options.retention_ms, options.reserve_bytes) = (3 * DAY, 0);
    let first = NOW.plus_ms(-days * DAY).floor_to(STEP);
    let (store, _) = Store::open(Arc::new(MemoryDir::new()), options, first).expect("a store");
    let series: Vec<Labels> = (0..TARGETS).map(|n| labels(&[("job", "edge"), ("instance", &name(n))])).collect();
    let mut batch = Batch::default();
    let mut at = first;
    while at <= NOW {
        batch.clear();
        for (number, series) in (0..).zip(&series) {
            let missed = (at.millis() / STEP + number) % 100 == 0;
            batch.put(&SUCCESS, series, f64::from(u8::from(!missed)));
        }
        store.append(at, &batch).expect("taken");
        if at.millis() % HOUR == 0 {
            let report = store.maintain(at);
            assert_eq!(report.problems, Vec::<String>::new());
        }
        at = at.plus_ms(STEP);
    }
    store.reader().snapshot()
}

async fn asked(server: &Running, limit: usize) -> Value {
    let answer = server.get(&format!("/api/probes?history=7d&limit={limit}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

#[tokio::test]
async fn a_week_of_many_targets_is_read_from_coarse_copies_however_young_the_store_is() {
    for days in [2, 4] {
        let counting =
            Arc::new(Counting { inner: store(days), full: AtomicUsize::new(0), figures: AtomicUsize::new(0) });
        let select: Arc<dyn Select> = counting.clone();
        let server = start_parts(select, patient(), &[], ApplicationLimits::default(), None, |parts| {
            parts.probes = Some(Arc::new(Many));
        })
        .await;
        // A page of the dashboard, and all of them at once.
        for rows in [50, TARGETS] {
            let page = asked(&server, rows).await;
            assert_eq!((page["probes"].as_array().map(Vec::len), &page["notes"]), (Some(rows), &json!([])));
            for row in page["probes"].as_array().expect("rows") {
                let beats: Vec<f64> =
                    row["heartbeat"].as_array().expect("beats").iter().filter_map(Value::as_f64).collect();
                assert!(beats.len() as i64 >= days * 8 && beats.len() as i64 <= days * 8 + 2, "{beats:?}");
                for share in [&row["availability"]["week"], &row["availability"]["month"], &row["budget"]["available"]]
                {
                    let share = share.as_f64().expect("known");
                    assert!((share - 0.99).abs() < 0.001, "{share}");
                }
            }
            let (full, figures) =
                (counting.full.swap(0, Ordering::Relaxed), counting.figures.swap(0, Ordering::Relaxed));
            // Sums and counts: of each minute for the heartbeats and the last hours, of each hour for days.
            let most = 2 * rows as i64 * (days * DAY / MINUTE + 7 * 60 + 3 * (days + 1) * 24 + 10);
            assert_eq!(full, 0, "{rows} rows of {days} days read samples in full resolution");
            assert!(figures as i64 <= most, "{rows} rows of {days} days read {figures} figures, and not {most}");
        }
    }
}
