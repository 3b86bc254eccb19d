//! What is written and read, with promtool as witness.

use super::*;
use crate::{DecodeError, Family, Histogram, Kind, Limits, Point, Value};
use proptest::prelude::*;
use squirrel_model::Timestamp;

fn read(text: &str, format: Format) -> Result<Parsed, DecodeError> {
    parse(text, format, Timestamp(9_000), &Limits::default())
}

fn shown(text: &str, format: Format) -> Vec<String> {
    let line = |s: &crate::Series| {
        format!("{} {} {} {:?}", s.labels, s.samples[0].value, s.samples[0].at.millis(), s.metadata.kind)
    };
    read(text, format).unwrap().series.iter().map(line).collect()
}

fn families() -> Vec<Family> {
    let histogram = Histogram { bounds: vec![0.1], counts: vec![1, 2], sum: Some(0.75), ..Histogram::default() };
    let mut io = Family::new("process.network.io", Kind::Counter, "By", "Bytes moved.\nBoth ways \\ \"all\".");
    io.points.push(Point::new(&[("network.io.direction", "a\"\\\nb")], Value::Number(5.0)));
    let mut duration = Family::new("op.duration", Kind::Histogram, "s", "How long.");
    duration.points.push(Point::new(&[], Value::Histogram(histogram)));
    vec![io, duration]
}

#[test]
fn both_formats_are_written() {
    let mut text = String::new();
    assert!(write(&mut text, Format::Prometheus, &families()).is_none());
    let expected = r#"# HELP op_duration_seconds How long.
# TYPE op_duration_seconds histogram
op_duration_seconds_bucket{le="0.1"} 1
op_duration_seconds_bucket{le="+Inf"} 3
op_duration_seconds_sum 0.75
op_duration_seconds_count 3
# HELP process_network_io_bytes_total Bytes moved.\nBoth ways \\ "all".
# TYPE process_network_io_bytes_total counter
process_network_io_bytes_total{network_io_direction="a\"\\\nb"} 5
"#;
    assert_eq!(text, expected);
    let mut text = String::new();
    write(&mut text, Format::OpenMetrics, &families());
    assert!(
        text.contains("# TYPE process_network_io_bytes counter\n# UNIT process_network_io_bytes bytes\n"),
        "{text}"
    );
    assert!(text.contains("\nprocess_network_io_bytes_total{") && text.ends_with("\n# EOF\n"), "{text}");
}

#[test]
fn what_is_written_is_read_again() {
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let mut text = String::new();
        write(&mut text, format, &families());
        let parsed = read(&text, format).unwrap();
        assert_eq!((parsed.series.len(), parsed.refused.is_none()), (5, true));
        assert_eq!(parsed.series[0].metadata.kind, Kind::Histogram);
        let io = &parsed.series[4];
        assert_eq!((io.labels.get("network_io_direction"), io.metadata.kind), (Some("a\"\\\nb"), Kind::Counter));
        assert_eq!(&*io.metadata.help, "Bytes moved.\nBoth ways \\ \"all\".", "{format:?}");
    }
}

#[test]
fn a_name_with_two_kinds_is_counted() {
    let mut one = Family::new("a.b", Kind::Gauge, "", "");
    one.points.push(Point::new(&[], Value::Number(1.0)));
    let mut other = Family { name: "a_b".to_owned(), kind: Kind::Unknown, ..one.clone() };
    other.points.push(Point::new(&[("x", "y")], Value::Number(1.0)));
    assert_eq!(write(&mut String::new(), Format::Prometheus, &[one, other]).series, 2);
}

#[test]
fn the_examples_of_the_formats_are_read() {
    let text = "# A comment.\n# TYPE http_requests_total counter\nhttp_requests_total{method=\"post\",code=\"200\",} 1027 1395066363000\n\n\
        msdos{path=\"C:\\\\DIR\\\\F.TXT\",error=\"no\\n\\\"F\\\"\"} 1.458255915e9\nno_labels 12.47\n\
        weird{problem=\"division by zero\"} +Inf -3982045\nspaced { a = \"b\" , c=\"}\" }\tNaN";
    let expected = [
        r#"http_requests_total{code="200",method="post"} 1027 1395066363000 Counter"#,
        r#"msdos{error="no\n\"F\"",path="C:\\DIR\\F.TXT"} 1458255915 9000 Unknown"#,
        "no_labels 12.47 9000 Unknown",
        r#"weird{problem="division by zero"} inf -3982045 Unknown"#,
        r#"spaced{a="b",c="}"} NaN 9000 Unknown"#,
    ];
    assert_eq!(shown(text, Format::Prometheus), expected);

    let text = "# TYPE foo histogram\nfoo_bucket{le=\"1.0\"} 8 # {trace_id=\"a b\"} 0.67\nfoo_count 17 1.5\nfoo_created 1.0\n# TYPE a info\na_info{b=\"c\"} 1\n# EOF\n";
    let expected =
        [r#"foo_bucket{le="1.0"} 8 9000 Histogram"#, "foo_count 17 1500 Histogram", r#"a_info{b="c"} 1 9000 Info"#];
    assert_eq!(shown(text, Format::OpenMetrics), expected);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let cases = [
        "a",
        "{} 1",
        "a{b=\"c\"",
        "a{b=\"c} 1",
        "a{b=c} 1",
        "a{b=\"c\" d=\"e\"} 1",
        "a b",
        "a 1 x",
        "a 1 2 3",
        "a 0x1",
        "a 1_0",
        "9a 1",
        "a infinity",
        "# TYPE a whatever",
        "a{\"b} 1",
    ];
    for case in cases {
        let found = read(&format!("good 1\n{case}\n"), Format::Prometheus);
        assert!(matches!(found, Err(DecodeError::Line { line: 2, .. })), "{case}: {found:?}");
    }
    assert!(read("a 1\n", Format::OpenMetrics).is_err(), "it was cut");
    assert!(read("# EOF\na 1\n", Format::OpenMetrics).is_err());
}

#[test]
fn series_that_cannot_be_are_left_out_alone() {
    let text = "{\"utf.8\",a=\"b\"} 1\na{\"b.c\"=\"d\"} 2\na{b=\"1\",b=\"2\"} 3\ngood 4\n";
    let parsed = read(text, Format::Prometheus).unwrap();
    assert_eq!((parsed.series.len(), parsed.refused.series, parsed.refused.reason), (1, 3, "a name in quotes"));
    let limits = Limits { max_series: 3, max_value: 4, max_labels: 1, ..Limits::default() };
    let limited = |text: &str| parse(text, Format::Prometheus, Timestamp(0), &limits);
    assert!(matches!(limited("a 1\nb 1\nc 1\nd 1\n"), Err(DecodeError::TooLarge { what: "series", .. })));
    assert!(matches!(limited("a{b=\"ccccc\"} 1"), Err(DecodeError::TooLarge { .. })));
    assert_eq!(limited("a{b=\"c\",d=\"e\"} 1").unwrap().refused.series, 1);
}

#[test]
fn the_format_is_as_asked_for() {
    let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    for (accept, format) in [
        (prometheus_3, Format::OpenMetrics),
        ("application/openmetrics-text;q=0,text/plain", Format::Prometheus),
        ("application/openmetrics-text;version=2.0.0", Format::Prometheus),
        ("*/*", Format::Prometheus),
        ("", Format::Prometheus),
    ] {
        assert_eq!(Format::of_accept(accept), format, "{accept}");
    }
    for format in [Format::Prometheus, Format::OpenMetrics] {
        assert_eq!(Format::of_content_type(format.content_type()), Some(format));
    }
    assert_eq!(Format::of_content_type("text/html"), None);
}

proptest! {
    #[test]
    fn any_label_comes_back(value in ".{0,40}", number in any::<f64>()) {
        let mut family = Family::new("a", Kind::Gauge, "", "");
        family.points.push(Point::new(&[("b", &value)], Value::Number(number)));
        let mut text = String::new();
        write(&mut text, Format::OpenMetrics, &[family]);
        let parsed = read(&text, Format::OpenMetrics).unwrap();
        prop_assert_eq!(parsed.series[0].labels.get("b").unwrap_or_default(), value);
        let back = parsed.series[0].samples[0].value;
        prop_assert!(back == number || (back.is_nan() && number.is_nan()));
    }

    #[test]
    fn any_text_never_panics(text in "(\\PC|[\n{}\"\\\\=,# ]){0,80}") {
        for format in [Format::Prometheus, Format::OpenMetrics] {
            let _ = read(&text, format);
        }
    }
}
