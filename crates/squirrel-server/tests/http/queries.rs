//! The query API's exact texts.

use super::support::{NOW, Running, labels, start, traffic};
use squirrel_testkit::MemorySelect;

/// Asks with GET and with POST, in the URL and in the body, and expects one answer.
async fn both(server: &Running, path: &str, parameters: &str) -> (u16, String) {
    let get = server.get(&format!("{path}?{parameters}")).await;
    let post = server.post(path, parameters).await;
    assert_eq!((get.status, get.text()), (post.status, post.text()), "GET and POST of {path}?{parameters}");
    assert_eq!(get.header("content-type"), Some("application/json"));
    (get.status, get.text().to_owned())
}

#[tokio::test]
async fn each_type_of_result_has_prometheus_text() {
    let server = start(traffic()).await;
    let cases = [
        ("query=1%2B1&time=4", r#"{"resultType":"scalar","result":[4,"2"]}"#),
        ("query=%22a%5C%22b%22&time=1.5", r#"{"resultType":"string","result":[1.5,"a\"b"]}"#),
        ("query=vector(1)&time=4", r#"{"resultType":"vector","result":[{"metric":{},"value":[4,"1"]}]}"#),
        ("query=vector(0%2F0)&time=4", r#"{"resultType":"vector","result":[{"metric":{},"value":[4,"NaN"]}]}"#),
        ("query=vector(-1%2F0)&time=4", r#"{"resultType":"vector","result":[{"metric":{},"value":[4,"-Inf"]}]}"#),
        ("query=no_such_metric", r#"{"resultType":"vector","result":[]}"#),
        ("query=no_such_metric%5B5m%5D", r#"{"resultType":"matrix","result":[]}"#),
        (
            "query=rate(node_network_receive_bytes_total%5B1m%5D)",
            r#"{"resultType":"vector","result":[{"metric":{"device":"eth0","job":"squirrel"},"value":[1700000000,"1000"]},{"metric":{"device":"lo","job":"squirrel"},"value":[1700000000,"0"]}]}"#,
        ),
        (
            "query=node_network_receive_bytes_total%7Bdevice%3D%22eth0%22%7D%5B2s%5D&time=2023-11-14T22:13:20Z",
            r#"{"resultType":"matrix","result":[{"metric":{"__name__":"node_network_receive_bytes_total","device":"eth0","job":"squirrel"},"values":[[1699999999,"599000"],[1700000000,"600000"]]}]}"#,
        ),
    ];
    for (parameters, data) in cases {
        let expected = format!(r#"{{"status":"success","data":{data}}}"#);
        assert_eq!(both(&server, "/api/v1/query", parameters).await, (200, expected), "{parameters}");
    }
}

#[tokio::test]
async fn a_range_has_one_point_a_step_with_both_ends() {
    let server = start(traffic()).await;
    let (status, text) = both(
        &server,
        "/api/v1/query_range",
        "query=sum(node_network_receive_bytes_total)&start=1699999999.5&end=1700000000&step=0.25",
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(
        text,
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1699999999.5,"599000"],[1699999999.75,"599000"],[1700000000,"600000"]]}]}}"#
    );
    let (status, text) = both(&server, "/api/v1/query_range", "query=1&start=10&end=10&step=1m").await;
    assert_eq!(
        (status, text.as_str()),
        (200, r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[10,"1"]]}]}}"#)
    );
}

const RANGE: &str = "/api/v1/query_range";

/// Path, parameters, and the status, kind and words of the answer.
const ERRORS: &[(&str, &str, u16, &str, &str)] = &[
    (
        "/api/v1/query",
        "query=1&time=foo",
        400,
        "bad_data",
        "invalid parameter \"time\": invalid time value for 'time': cannot parse \"foo\" to a valid timestamp",
    ),
    (
        "/api/v1/query",
        "query=1&timeout=foo",
        400,
        "bad_data",
        "invalid parameter \"timeout\": cannot parse \"foo\" to a valid duration",
    ),
    ("/api/v1/query", "query=1&limit=-1", 400, "bad_data", "invalid parameter \"limit\": limit must be non-negative"),
    (
        "/api/v1/query",
        "query=1&lookback_delta=x",
        400,
        "bad_data",
        "error parsing lookback delta duration: cannot parse \"x\" to a valid duration",
    ),
    ("/api/v1/query", "query=1&timeout=0", 503, "timeout", "query timed out in expression evaluation"),
    (
        RANGE,
        "query=1&end=2&step=1",
        400,
        "bad_data",
        "invalid parameter \"start\": cannot parse \"\" to a valid timestamp",
    ),
    (
        RANGE,
        "query=1&start=1&end=x&step=1",
        400,
        "bad_data",
        "invalid parameter \"end\": cannot parse \"x\" to a valid timestamp",
    ),
    (
        RANGE,
        "query=1&start=2&end=1&step=1",
        400,
        "bad_data",
        "invalid parameter \"end\": end timestamp must not be before start time",
    ),
    (
        RANGE,
        "query=1&start=1&end=2",
        400,
        "bad_data",
        "invalid parameter \"step\": cannot parse \"\" to a valid duration",
    ),
    (
        RANGE,
        "query=1&start=1&end=2&step=0",
        400,
        "bad_data",
        "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer",
    ),
    (
        RANGE,
        "query=1&start=1&end=2&step=0.000001",
        400,
        "bad_data",
        "invalid parameter \"step\": samples have times of whole milliseconds: the smallest step is 0.001 (1ms)",
    ),
    (
        RANGE,
        "query=1&start=1&end=2&step=-1",
        400,
        "bad_data",
        "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer",
    ),
    (
        RANGE,
        "query=1&start=0&end=11001&step=1",
        400,
        "bad_data",
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    ),
    ("/api/v1/series", "start=1", 400, "bad_data", "no match[] parameter provided"),
    (
        "/api/v1/labels",
        "start=x",
        400,
        "bad_data",
        "invalid parameter \"start\": invalid time value for 'start': cannot parse \"x\" to a valid timestamp",
    ),
];

#[tokio::test]
async fn errors_have_prometheus_codes_and_words() {
    let server = start(traffic()).await;
    let error = |kind: &str, words: &str| {
        let mut out = format!(r#"{{"status":"error","errorType":"{kind}","error":"#);
        squirrel_api::json::write_string(&mut out, words);
        out + "}"
    };
    for (path, parameters, status, kind, words) in ERRORS.iter().copied() {
        assert_eq!(both(&server, path, parameters).await, (status, error(kind, words)), "{path}?{parameters}");
    }
    // What the parser and the evaluator say is theirs; the frame and the code are ours.
    let (status, text) = both(&server, "/api/v1/series", "match[]=%7Ba%3D~%22.*%22%7D").await;
    assert!(status == 400 && text.contains("invalid parameter \\\"match[]\\\": "), "a selector of everything: {text}");
    for (parameters, status, begins) in [
        (
            "query=",
            400,
            "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"query\\\": ",
        ),
        (
            "query=sum(",
            400,
            "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"query\\\": 1:",
        ),
        (
            "query=node_network_receive_bytes_total%20%2B%20on(job)%20node_network_receive_bytes_total",
            422,
            "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"",
        ),
    ] {
        let (got, text) = both(&server, "/api/v1/query", parameters).await;
        assert!(got == status && text.starts_with(begins), "{parameters}: {got} {text}");
    }
    let (status, _) = both(&server, RANGE, "query=1&start=0&end=11000&step=1").await;
    assert_eq!(status, 200, "11,001 points are allowed, as in Prometheus");
}

#[tokio::test]
async fn parameters_of_body_and_url_are_merged_and_the_body_comes_first() {
    let server = start(traffic()).await;
    let answer = server.post("/api/v1/query?time=4&query=2", "query=1").await;
    assert_eq!(answer.text(), r#"{"status":"success","data":{"resultType":"scalar","result":[4,"1"]}}"#);
    let answer = server
        .raw("POST /api/v1/query HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        .await;
    assert_eq!(answer.status, 415);
    let answer = server.post("/api/v1/query", "query=%zz").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_limit_cuts_and_says_so() {
    let server = start(traffic()).await;
    let (_, text) = both(&server, "/api/v1/query", "query=node_network_receive_bytes_total&limit=1").await;
    assert_eq!(text.matches("\"metric\"").count(), 1);
    assert!(text.ends_with(r#","warnings":["results truncated due to limit"]}"#), "{text}");
    let (_, text) = both(&server, "/api/v1/query", "query=node_network_receive_bytes_total&limit=2").await;
    assert!(!text.contains("warnings"), "{text}");
    let (_, text) = both(&server, "/api/v1/labels", "limit=1").await;
    assert_eq!(text, r#"{"status":"success","data":["__name__"],"warnings":["results truncated due to limit"]}"#);
}

#[tokio::test]
async fn labels_values_and_series_are_plain_arrays() {
    let server = start(traffic()).await;
    let (_, text) = both(&server, "/api/v1/labels", "").await;
    assert_eq!(text, r#"{"status":"success","data":["__name__","device","job"]}"#);
    let (_, text) = both(&server, "/api/v1/labels", "match[]=nothing").await;
    assert_eq!(text, r#"{"status":"success","data":[]}"#);
    let (_, text) = both(&server, "/api/v1/labels", "start=1&end=2").await;
    assert_eq!(text, r#"{"status":"success","data":[]}"#, "outside the samples' time");
    for (path, data) in [
        ("/api/v1/label/device/values", r#"["eth0","lo"]"#),
        ("/api/v1/label/U__device/values", r#"["eth0","lo"]"#),
        ("/api/v1/label/U______name____/values", r#"["node_network_receive_bytes_total"]"#),
        ("/api/v1/label/device/values?match[]=%7Bdevice!%3D%22lo%22,job%3D%22squirrel%22%7D", r#"["eth0"]"#),
        ("/api/v1/label/none/values", "[]"),
        ("/api/v1/label/http.status/values", "[]"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.text(), format!(r#"{{"status":"success","data":{data}}}"#), "{path}");
    }
    let answer = server.post("/api/v1/label/device/values", "").await;
    assert_eq!(answer.status, 405);
    let twice = "match[]=%7Bdevice%3D%22eth0%22%7D&match[]=%7B__name__%3D~%22node_.*%22,device%3D%22eth0%22%7D";
    let (_, text) = both(&server, "/api/v1/series", twice).await;
    assert_eq!(
        text,
        r#"{"status":"success","data":[{"__name__":"node_network_receive_bytes_total","device":"eth0","job":"squirrel"}]}"#
    );
    // Grafana's probe for what there is, and its question about the year 50,000.
    let (status, _) = both(&server, "/api/v1/series", "match[]=%7B__name__!%3D%22%22%7D&limit=1").await;
    assert_eq!(status, 200);
    let (status, _) = both(&server, "/api/v1/labels", "start=1700000000000&end=1700000360000").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn hostile_names_stay_text() {
    let mut store = MemorySelect::default();
    store.put(&labels(&[("__name__", "up"), ("device", "</script>\"\\\n\u{202e}\u{1b}[2J")]), NOW.millis(), 1.0);
    let server = start(store).await;
    let (_, text) = both(&server, "/api/v1/query", "query=up").await;
    assert_eq!(
        text,
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"device\":\"</script>\\\"\\\\\\n\u{202e}\\u001b[2J\"},\"value\":[1700000000,\"1\"]}]}}"
    );
    let answer = server.get("/api/v1/query?query=up").await;
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}
