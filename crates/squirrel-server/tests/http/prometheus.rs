//! Debian's Prometheus on the same samples: the same JSON, but for what is known to differ.

use std::time::Duration;

use serde_json::Value;
use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::{Samples, Select as _, TimeRange, Timestamp};
use squirrel_outbound::{Client, Destination, Request};
use squirrel_testkit::{MemorySelect, Peer, skip};

use super::support::{NOW, Running, start, traffic};

/// The samples of a store as a remote write of version 1.
fn body(store: &MemorySelect) -> Vec<u8> {
    let found = store.find(&[], TimeRange::ALL).expect("found");
    let series = found.iter().map(|one| {
        let mut samples = Samples::default();
        store.read(one, TimeRange::ALL, &mut samples).expect("read");
        let samples = samples.times.iter().zip(&samples.values);
        let samples = samples.map(|(at, value)| Sample { at: Timestamp(*at), value: *value, start: None });
        Series { labels: one.labels.clone(), metadata: Metadata::default(), samples: samples.collect() }
    });
    encode(Version::V1, &series.collect::<Vec<_>>()).expect("encodes")
}

/// A Prometheus with the samples of [`traffic`].
async fn prometheus() -> Result<(Peer, Destination), String> {
    let peer = tokio::task::spawn_blocking(Peer::prometheus).await.expect("no panic")?;
    let to = Destination::parse(&format!("http://127.0.0.1:{}", peer.port())).expect("a URL");
    let request = Request::post("application/x-protobuf", body(&traffic()))
        .at("/api/v1/write")
        .with_header("Content-Encoding", "snappy")
        .with_header("X-Prometheus-Remote-Write-Version", "0.1.0");
    // It listens before its storage is ready.
    let taken = async { while !Client::new().send(&to, request.clone()).await.is_ok_and(|a| a.is_success()) {} };
    tokio::time::timeout(Duration::from_mins(1), taken).await.expect("it takes samples");
    Ok((peer, to))
}

/// What both answer to a path: status, and the answer without what each may say in its own words.
async fn both(ours: &Running, theirs: &Destination, path: &str) -> [(u16, Value); 2] {
    let answer = ours.get(path).await;
    let their = Client::new().send(theirs, Request::get().at(path)).await.expect("an answer");
    let plain = |status: u16, body: &[u8]| {
        let mut value: Value = serde_json::from_slice(body).unwrap_or_else(|e| panic!("{path}: {e}"));
        if let Some(error) = value.get_mut("error") {
            *error = Value::Null;
        }
        sort(&mut value);
        (status, value)
    };
    [plain(answer.status, &answer.body), plain(their.status, &their.body)]
}

/// Series of a vector or of `series` come in any order.
fn sort(value: &mut Value) {
    for pointer in ["/data", "/data/result"] {
        if let Some(Value::Array(items)) = value.pointer_mut(pointer)
            && items.iter().all(Value::is_object)
        {
            items.sort_by_key(Value::to_string);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_questions_have_the_same_json() {
    let (_peer, theirs) = match prometheus().await {
        Ok(ready) => ready,
        Err(reason) => return skip("the_same_questions_have_the_same_json", &reason),
    };
    let ours = start(traffic()).await;
    let name = "node_network_receive_bytes_total";
    let at = NOW.millis() / 1_000;
    let (from, half) = (at - 60, at - 300);
    // Steps off the grid of samples: ranges were closed on both sides in the Prometheus of Debian.
    let off = format!("{}.5", at - 1);
    for path in [
        format!("/api/v1/query?query={name}&time={at}"),
        format!("/api/v1/query?query=rate({name}[1m])&time={off}"),
        format!("/api/v1/query?query=sum(rate({name}[1m]))%20by%20(job)&time={off}"),
        format!("/api/v1/query?query={name}[3s]&time={off}"),
        format!("/api/v1/query?query=nothing&time={at}"),
        format!("/api/v1/query?query=%22text%22&time={at}"),
        "/api/v1/query?query=1%2B1&time=4".to_owned(),
        "/api/v1/query?query=1%2F0&time=4.25".to_owned(),
        "/api/v1/query?query=-1%2F0&time=1970-01-01T00:00:01Z".to_owned(),
        "/api/v1/query?query=vector(1e-7)&time=4".to_owned(),
        "/api/v1/query?query=vector(1e21)&time=4".to_owned(),
        format!("/api/v1/query?query=vector(0%2F0)&time={at}"),
        format!("/api/v1/query_range?query={name}&start={from}&end={at}&step=15"),
        format!("/api/v1/query_range?query=rate({name}[30s])&start={from}.5&end={off}&step=0.25"),
        format!("/api/v1/query_range?query=vector(1)&start={from}&end={at}&step=1m"),
        format!("/api/v1/query_range?query=1&start={from}&end={at}&step=20"),
        format!("/api/v1/query_range?query=nothing&start={from}&end={at}&step=20"),
        format!("/api/v1/labels?start={half}&end={at}"),
        format!("/api/v1/labels?match[]={name}&start={half}&end={at}"),
        format!("/api/v1/label/device/values?start={half}&end={at}"),
        format!("/api/v1/label/device/values?match[]={name}%7Bdevice=%22lo%22%7D&start={half}&end={at}"),
        format!("/api/v1/label/none/values?start={half}&end={at}"),
        format!("/api/v1/series?match[]={name}&start={half}&end={at}"),
        format!("/api/v1/series?match[]=none&match[]={name}%7Bdevice=%22lo%22%7D&start={half}&end={at}"),
        format!("/api/v1/query_exemplars?query=test&start={half}&end={at}"),
        "/api/v1/format_query?query=sum(a)by(b)%2B%201".to_owned(),
        "/api/v1/rules".to_owned(),
        "/api/v1/alerts".to_owned(),
        "/api/v1/alertmanagers".to_owned(),
        "/api/v1/targets/metadata".to_owned(),
        // Refusals: status, kind and shape.
        "/api/v1/query?query=sum(".to_owned(),
        "/api/v1/query?query=up&time=x".to_owned(),
        "/api/v1/query?query=up&timeout=x".to_owned(),
        "/api/v1/query".to_owned(),
        format!("/api/v1/query?query={name}%20%2B%20on()%20{name}&time={at}"),
        format!("/api/v1/query_range?query=up&start={at}&end={from}&step=15"),
        format!("/api/v1/query_range?query=up&start={from}&end={at}&step=0"),
        format!("/api/v1/query_range?query=up&start={from}&end={at}&step=0.001"),
        format!("/api/v1/query_range?query=up&start={from}&end={at}"),
        format!("/api/v1/query_range?query=%22text%22&start={from}&end={at}&step=15"),
        "/api/v1/series".to_owned(),
        "/api/v1/series?match[]=%7B%7D".to_owned(),
        "/api/v1/format_query?query=sum(".to_owned(),
    ] {
        let [mine, other] = both(&ours, &theirs, &path).await;
        assert_eq!(mine, other, "{path}: ours, and Prometheus'");
    }
}

#[tokio::test]
async fn a_tree_has_prometheus_shape() {
    let server = start(MemorySelect::default()).await;
    let query = "sum%20without(a)(rate(b%7Bc!~%22d%22%7D%5B5m%5D%20offset%201m))%20%3E%20bool%20on(e)%20group_left(f)%20g%20%40%20end()";
    let answer = server.get(&format!("/api/v1/parse_query?query={query}")).await;
    let value: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let at = |pointer: &str| value.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {value}")).clone();
    for (pointer, expected) in [
        ("/data/type", Value::from("binaryExpr")),
        ("/data/op", Value::from(">")),
        ("/data/bool", Value::from(true)),
        ("/data/matching/card", Value::from("many-to-one")),
        ("/data/matching/on", Value::from(true)),
        ("/data/matching/labels/0", Value::from("e")),
        ("/data/matching/include/0", Value::from("f")),
        ("/data/rhs/startOrEnd", Value::from("end")),
        ("/data/rhs/timestamp", Value::Null),
        ("/data/lhs/op", Value::from("sum")),
        ("/data/lhs/without", Value::from(true)),
        ("/data/lhs/param", Value::Null),
        ("/data/lhs/expr/func/name", Value::from("rate")),
        ("/data/lhs/expr/func/argTypes/0", Value::from("matrix")),
        ("/data/lhs/expr/args/0/range", Value::from(300_000)),
        ("/data/lhs/expr/args/0/offset", Value::from(60_000)),
        ("/data/lhs/expr/args/0/matchers/1/type", Value::from("!~")),
    ] {
        assert_eq!(at(pointer), expected, "{pointer}");
    }
}

#[tokio::test]
async fn what_clients_ask_of_the_program_is_answered() {
    let server = start(traffic()).await;
    let get = async |path: &str| {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        serde_json::from_slice::<Value>(&answer.body).expect("JSON")["data"].clone()
    };
    assert_eq!(get("/api/v1/status/flags").await["query.lookback-delta"], "5m");
    assert_eq!(get("/api/v1/status/runtimeinfo").await["serverTime"], "2023-11-14T22:13:20Z");
    let tsdb = get("/api/v1/status/tsdb?limit=1").await;
    assert_eq!(tsdb["headStats"]["numSeries"], 2);
    assert_eq!(tsdb["seriesCountByMetricName"][0]["name"], "node_network_receive_bytes_total");
    assert_eq!(tsdb["seriesCountByLabelValuePair"].as_array().map(Vec::len), Some(1));
    for (path, member) in [
        ("/api/v1/targets", "activeTargets"),
        ("/api/v1/scrape_pools", "scrapePools"),
        ("/api/v1/status/config", "yaml"),
        ("/api/v1/status/walreplay", "state"),
    ] {
        assert!(get(path).await.get(member).is_some(), "{path}");
    }
    let stats = get("/api/v1/query?query=count(node_network_receive_bytes_total)&stats=all").await["stats"].clone();
    assert!(stats["samples"]["totalQueryableSamples"].as_u64() > Some(0), "{stats}");
    assert!(stats["timings"]["execTotalTime"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{stats}");
}
