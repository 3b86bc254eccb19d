//! An exporter before a collector that takes, refuses and is away.

use super::*;
use squirrel_model::Labels;
use squirrel_testkit::MemorySelect;
use tokio::io::AsyncWriteExt as _;

/// A collector that answers each request with the next of these.
async fn collector(answers: Vec<Vec<u8>>) -> (String, tokio::task::JoinHandle<Vec<Vec<u8>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/metrics", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut bodies = Vec::new();
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in answers {
            bodies.push(crate::testing::request(&mut stream).await.unwrap().1);
            stream.write_all(&answer).await.unwrap();
        }
        bodies
    });
    (url, serving)
}

fn exporter(url: &str) -> Exporter {
    let mut store = MemorySelect::default();
    for device in ["lo", "eth0", "eth1"] {
        store.put(&Labels::new([("__name__", "up"), ("device", device)]).unwrap(), 9_000, 1.0);
    }
    let store: Arc<dyn Select> = Arc::new(store);
    let destination = Destination::parse(url).unwrap();
    let target = Target { name: "c".to_owned(), destination, interval_ms: 10_000, attributes: Vec::new() };
    let describe: Describe = Arc::new(|_| Metadata::default());
    let snapshots = Arc::new(move || Arc::clone(&store));
    Exporter::new(target, snapshots, Arc::new(|| Timestamp(10_000)), describe, Arc::new(Client::new()))
}

fn figures(exporter: &Exporter) -> Vec<f64> {
    let mut out = Batch::default();
    exporter.handle().rows(&mut out);
    out.rows.iter().take(3).map(|row| row.value).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_tried_again_and_what_was_refused_is_counted() {
    let partly = otlp::encode_response(1, "too many");
    let mut taken = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", partly.len()).into_bytes();
    taken.extend(partly);
    let busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_vec();
    let (url, serving) = collector(vec![busy, taken]).await;
    let mut exporter = exporter(&url);
    exporter.export(Timestamp(10_000), Duration::from_mins(1)).await;
    let bodies = serving.await.unwrap();
    assert_eq!(bodies[0], bodies[1], "the same export");
    let received = otlp::decode(&bodies[1], &squirrel_exchange::Limits::default()).unwrap();
    assert_eq!(points(&received.resources[0]), 3);
    assert_eq!(figures(&exporter), [2.0, 1.0, 1.0], "taken, lost, tried again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_cannot_be_sent_in_its_time_is_lost_and_counted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut exporter = exporter(&format!("http://{}/", listener.local_addr().unwrap()));
    exporter.export(Timestamp(10_000), Duration::from_millis(100)).await;
    assert_eq!(figures(&exporter)[..2], [0.0, 3.0]);
}

#[test]
fn the_newest_values_stand_under_their_source() {
    let mut store = MemorySelect::default();
    let mut put = |labels: &[(&str, &str)], samples: &[(i64, f64)]| {
        for (at, value) in samples {
            store.put(&Labels::new(labels.iter().copied()).unwrap(), *at, *value);
        }
    };
    put(
        &[("__name__", "rx_total"), ("job", "squirrel"), ("instance", "oak:1"), ("device", "lo")],
        &[(1, 1.0), (5, 2.0)],
    );
    put(&[("__name__", "up"), ("job", "squirrel"), ("instance", "elm:1")], &[(5, 1.0)]);
    put(&[("__name__", "gone"), ("job", "squirrel"), ("instance", "elm:1")], &[(4, squirrel_model::stale_marker())]);
    let describe: Describe = Arc::new(|name| {
        let kind = if name.ends_with("_total") { Kind::Counter } else { Kind::Unknown };
        Metadata::new(kind, "", "")
    });
    let host = [("host.name".to_owned(), "oak".to_owned())];
    let (resources, unreadable) = resources(&store, TimeRange::new(Timestamp(0), Timestamp(9)), &describe, &host);
    assert_eq!((resources.len(), unreadable), (2, 0));
    let [elm, oak] = &resources[..] else { panic!("{resources:?}") };
    assert_eq!((elm.job().as_str(), elm.instance(), elm.attribute("host.name")), ("squirrel", "elm:1", "oak"));
    assert_eq!(elm.families.iter().map(|family| family.name.as_str()).collect::<Vec<_>>(), ["up"]);
    assert_eq!(oak.families[0].kind, Kind::Counter);
    let point = &oak.families[0].points[0];
    assert_eq!((point.at, &point.value), (Some(Timestamp(5)), &Value::Number(2.0)));
    assert_eq!(point.attributes, [("device".to_owned(), "lo".to_owned())]);
}
