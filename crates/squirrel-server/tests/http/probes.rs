//! Targets that are probed on a schedule: their page, one of them, and a probe by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use squirrel_api::probe::PathDocument;
use squirrel_api::probes::{PathChanged, Probe, ProbeMinute, ProbeRan, ProbeRun, ProbeState, ProbedPath};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::{Found, Matcher, Samples, Select, SelectError, TimeRange};
use squirrel_server::{ApplicationLimits, Probes, Reply};
use squirrel_testkit::MemorySelect;

use super::support::{CHANGE_TOKEN, NOW, Running, labels, patient, start, start_parts, traffic};

const HOUR_MS: i64 = 3_600_000;

/// What the program would know of its probes.
struct Twin(Vec<Probe>);

impl Probes for Twin {
    fn all(&self) -> Vec<Probe> {
        self.0.clone()
    }

    fn path(&self, job: &str, instance: &str) -> Option<ProbedPath> {
        let change = PathChanged { at: 1.0, from: vec![None], to: vec!["192.0.2.1".parse().ok()] };
        let document = PathDocument { target: instance.to_owned(), reached: true, ..PathDocument::default() };
        (job == "edge").then(|| ProbedPath { document: Some(document), changes: vec![change], forgotten: 0 })
    }

    fn last_words(&self, _: &str, instance: &str) -> Vec<String> {
        vec![format!("asked {instance}")]
    }

    fn run(&self, run: ProbeRun) -> Reply<'_, ProbeRan> {
        Box::pin(async move {
            if !self.0.iter().any(|probe| probe.job == run.job && probe.instance == run.instance) {
                return Err(ApiError::new(ErrorType::NotFound, "no such target"));
            }
            let samples = vec![("probe_success".to_owned(), 1.0)];
            Ok(ProbeRan { success: true, seconds: 0.02, log: vec!["it answers".into()], samples, path: None })
        })
    }
}

fn target(job: &str, instance: &str, state: ProbeState) -> Probe {
    Probe {
        job: job.into(),
        instance: instance.into(),
        kind: "ping".into(),
        group: Some(if job == "edge" { "Berlin".into() } else { "web".into() }),
        interval: 10.0,
        state,
        seconds: Some(0.02),
        minute: Some(ProbeMinute { sent: 60, loss: 0.0, round_trip: vec![(95.0, 0.03)], ..ProbeMinute::default() }),
        objective: (job == "edge").then_some(0.999),
        ..Probe::default()
    }
}

/// Two hours of probes each ten seconds up to [`NOW`]; the first target missed one a minute and a half ago.
fn record(targets: &[Probe]) -> MemorySelect {
    let mut store = MemorySelect::default();
    for (n, probe) in targets.iter().enumerate() {
        let series = labels(&[("__name__", "probe_success"), ("job", &probe.job), ("instance", &probe.instance)]);
        let times: Vec<i64> = (0..720).map(|i| NOW.millis() - 2 * HOUR_MS + 10_000 * (i + 1)).collect();
        let missed = |at: i64| n == 0 && at == NOW.millis() - 90_000;
        let values = times.iter().map(|at| if missed(*at) { 0.0 } else { 1.0 }).collect();
        store.put_series(&series, Samples { times, values });
    }
    store
}

async fn probing(store: Arc<dyn Select>, targets: Vec<Probe>) -> Running {
    start_parts(store, patient(), &[], ApplicationLimits::default(), None, |parts| {
        parts.probes = Some(Arc::new(Twin(targets)));
    })
    .await
}

fn targets() -> Vec<Probe> {
    vec![
        target("edge", "gw.example", ProbeState::Up),
        target("edge", "\"}or{<b>", ProbeState::Unknown),
        target("shop", "https://shop.example/", ProbeState::Down),
        target("shop", "https://pay.example/", ProbeState::Unreachable),
    ]
}

async fn some() -> Running {
    probing(Arc::new(record(&targets())), targets()).await
}

async fn asked(server: &Running, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn names(page: &Value) -> Vec<&str> {
    page["probes"].as_array().expect("rows").iter().map(|row| row["instance"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn the_page_begins_with_the_worst_and_counts_all() {
    let server = some().await;
    let page = asked(&server, "/api/probes").await;
    assert_eq!(names(&page), ["https://shop.example/", "https://pay.example/", "\"}or{<b>", "gw.example"]);
    assert_eq!(page["schema"], "squirrel.probes/1");
    assert_eq!(page["states"], json!({ "down": 1, "unreachable": 1, "unknown": 1, "up": 1 }));
    assert_eq!(
        page["groups"][1],
        json!({ "group": "web", "states": { "down": 1, "unreachable": 1, "unknown": 0, "up": 0 } })
    );
    assert_eq!((&page["level"], &page["total"], &page["matched"]), (&json!("bad"), &json!(4), &json!(4)));
    let sentence = "1 of 4 targets is down: https://shop.example/. 1 lies behind what is down, and cannot be judged.";
    assert_eq!(page["sentence"], sentence);
    assert_eq!(page["probes"][0]["heartbeat"], json!([]), "nobody asked for a history");
}

#[tokio::test]
async fn targets_are_filtered_sorted_and_cut_by_the_server() {
    let server = some().await;
    for (query, expected) in [
        ("group=web", vec!["https://shop.example/", "https://pay.example/"]),
        ("job=edge&state=up", vec!["gw.example"]),
        ("filter=state:down", vec!["https://shop.example/"]),
        ("filter=example+-pay&sort=instance&order=asc", vec!["gw.example", "https://shop.example/"]),
        ("sort=instance&order=asc&offset=1&limit=2", vec!["gw.example", "https://pay.example/"]),
        ("order=desc&limit=1", vec!["gw.example"]),
        ("group=none", vec![]),
    ] {
        let page = asked(&server, &format!("/api/probes?{query}")).await;
        assert_eq!(names(&page), expected, "{query}");
        assert_eq!(page["total"], 4, "{query}");
    }
    for (query, words) in [
        ("filter=stat:up", "stat"),
        ("state=dead", "There are: down, unreachable, unknown, up"),
        ("sort=colour", "no field"),
        ("history=2d", "There are: 1h, 1d, 7d, 30d"),
        ("limit=10001", "from 0 to 10000"),
        ("grup=web", "knows only filter, sort, order, offset, limit, group, job, state, history"),
    ] {
        let answer = server.get(&format!("/api/probes?{query}")).await;
        assert!(answer.status == 400 && answer.text().contains(words), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn history_availability_and_budget_come_from_the_record() {
    let server = some().await;
    let page = asked(&server, "/api/probes?history=1h&job=edge").await;
    let row = page["probes"].as_array().expect("rows").iter().find(|row| row["instance"] == "gw.example").expect("gw");
    let beats = row["heartbeat"].as_array().expect("beats");
    assert_eq!(beats.len(), 60);
    let failed: Vec<usize> = (0..60).filter(|i| beats[*i].as_f64().is_some_and(|share| share < 1.0)).collect();
    // The moment is 20 s into a minute: the part under way is the last, and the miss was a minute and a half ago.
    assert_eq!(failed.len(), 1, "{beats:?}");
    assert!((57..=58).contains(&failed[0]), "{failed:?}");
    let day = row["availability"]["day"].as_f64().expect("known");
    assert!(day < 1.0 && (day - 719.0 / 720.0).abs() < 1e-3, "{day}");
    let budget = &row["budget"];
    assert!((budget["left"].as_f64().expect("known") - (1.0 - (1.0 - day) / 0.001)).abs() < 0.02, "{budget}");
    assert!(budget["burn_hour"].as_f64().expect("known") > 2.5, "{budget}");
    let other =
        page["probes"].as_array().expect("rows").iter().find(|row| row["instance"] == "\"}or{<b>").expect("hostile");
    assert_eq!(other["availability"]["week"], 1.0, "a hostile name finds its own series");
    assert_eq!(page["notes"], json!([]));
    assert_eq!((&page["history"]["name"], &page["history"]["buckets"]), (&json!("1h"), &json!(60)));
}

#[tokio::test]
async fn one_target_has_its_path_and_last_words() {
    let server = some().await;
    let one = asked(&server, "/api/probes/one?job=edge&instance=gw.example&history=1d").await;
    assert_eq!(one["sentence"], "gw.example does what it should in 20.0 ms.");
    assert_eq!((&one["probe"]["instance"], &one["last_words"]), (&json!("gw.example"), &json!(["asked gw.example"])));
    assert_eq!((&one["path"]["document"]["reached"], &one["path"]["changes"][0]["at"]), (&json!(true), &json!(1.0)));
    assert_eq!(one["probe"]["heartbeat"].as_array().map(Vec::len), Some(48));
    assert_eq!(asked(&server, "/api/probes/one?job=shop&instance=https://pay.example/").await["path"], Value::Null);
    for (query, status, words) in [
        ("job=edge&instance=none", 404, "no target \\\"none\\\" of \\\"edge\\\""),
        ("job=edge", 400, "invalid parameter \\\"instance\\\""),
        ("", 400, "invalid parameter \\\"job\\\""),
        ("job=a&instance=b&sort=c", 400, "knows only job, instance, history"),
    ] {
        let answer = server.get(&format!("/api/probes/one?{query}")).await;
        assert!(answer.status == status && answer.text().contains(words), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_probe_by_hand_needs_the_token_and_no_foreign_page() {
    let server = some().await;
    let json = "Content-Type: application/json\r\n";
    let token = format!("Authorization: Bearer {CHANGE_TOKEN}\r\n");
    let body = r#"{"job":"edge","instance":"gw.example"}"#;
    let post = |headers: &str, body: &str| {
        let length = body.len();
        format!(
            "POST /api/probes/run HTTP/1.1\r\nHost: HOST\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    };
    for (headers, body, status) in [
        (json.to_owned(), body, 401),
        (format!("{json}{token}Origin: http://evil.example\r\n"), body, 403),
        (token.clone(), body, 415),
        (format!("{json}{token}"), r#"{"job":"edge"}"#, 400),
        (format!("{json}{token}"), r#"{"job":"edge","instance":"none"}"#, 404),
        (format!("{json}{token}Origin: http://HOST\r\nSec-Fetch-Site: same-origin\r\n"), body, 200),
    ] {
        let answer = server.raw(&post(&headers, body)).await;
        assert_eq!(answer.status, status, "{headers} {}", answer.text());
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
        if status == 200 {
            let ran: Value = serde_json::from_slice(&answer.body).expect("JSON");
            assert_eq!((&ran["success"], &ran["log"]), (&json!(true), &json!(["it answers"])));
        }
    }
    assert_eq!(server.get("/api/probes/run").await.status, 405);
}

#[tokio::test]
async fn without_probes_the_page_says_how_to_have_some() {
    let server = start(traffic()).await;
    let page = asked(&server, "/api/probes?history=30d").await;
    assert_eq!((&page["total"], &page["level"]), (&json!(0), &json!("unknown")));
    assert!(page["sentence"].as_str().expect("a sentence").contains("[[probe]]"));
    assert_eq!(server.get("/api/probes/one?job=a&instance=b").await.status, 404);
}

/// Counts how often series are looked for.
struct Counting {
    inner: MemorySelect,
    finds: AtomicUsize,
}

impl Select for Counting {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        self.finds.fetch_add(1, Ordering::Relaxed);
        self.inner.find(matchers, range)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        self.inner.read(series, range, out)
    }
}

#[tokio::test]
async fn a_thousand_targets_cost_as_many_questions_as_ten() {
    let mut finds = Vec::new();
    for count in [10, 1000] {
        let many: Vec<Probe> = (0..count).map(|n| target("edge", &format!("t{n}.example"), ProbeState::Up)).collect();
        let store = Arc::new(Counting { inner: record(&many), finds: AtomicUsize::new(0) });
        let server = probing(store.clone(), many).await;
        let page = asked(&server, "/api/probes?history=1h&limit=1000").await;
        assert_eq!(page["probes"].as_array().map(Vec::len), Some(count));
        assert_eq!(page["notes"], json!([]));
        assert!(page["probes"][count - 1]["availability"]["month"].is_number());
        finds.push(store.finds.load(Ordering::Relaxed));
    }
    assert_eq!(finds[0], finds[1]);
}
