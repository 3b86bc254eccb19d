//! The crate as its callers use it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use squirrel_model::{Labels, Timestamp};
use squirrel_promql::{
    Answer, EvalError, EvalOptions, ParseOptions, Value, evaluate_instant, evaluate_range, parse, parse_selector,
    selectors,
};
use squirrel_testkit::MemorySelect;

/// Two interfaces' counters for an hour: one rises by 100, one by 300 a second.
fn traffic() -> MemorySelect {
    let mut store = MemorySelect::default();
    for (device, step) in [("eth0", 100.0), ("eth1", 300.0)] {
        let labels = Labels::new([("__name__", "bytes_total"), ("device", device)]).unwrap();
        for second in 0..3600 {
            store.put(&labels, second * 1000, step * second as f64);
        }
    }
    store
}

fn instant(text: &str, options: &EvalOptions) -> Result<Answer, EvalError> {
    let expr = parse(text, &ParseOptions::default()).unwrap();
    evaluate_instant(&expr, &traffic(), Timestamp(1_800_000), options, &|| false)
}

fn range(text: &str, step_ms: i64) -> Result<Answer, EvalError> {
    let expr = parse(text, &ParseOptions::default()).unwrap();
    let (start, end) = (Timestamp(600_000), Timestamp(1_200_000));
    evaluate_range(&expr, &traffic(), start, end, step_ms, &EvalOptions::default(), &|| false)
}

#[test]
fn the_usual_dashboard_query_gives_one_series_of_rates() {
    let answer = range("sum(rate(bytes_total[1m]))", 15_000).unwrap();
    let Value::Matrix(rows) = answer.value else { panic!("a range query gives a matrix") };
    let [(labels, samples)] = rows.as_slice() else { panic!("one series: {rows:?}") };
    assert_eq!((labels.to_string().as_str(), samples.len()), ("{}", 41));
    assert!(samples.values.iter().all(|v| (v - 400.0).abs() < 1e-9), "{samples:?}");
    assert_eq!((samples.times[0], samples.times[40]), (600_000, 1_200_000));
    assert!(answer.warnings.is_empty() && answer.infos.is_empty());
}

#[test]
fn an_instant_query_gives_samples_at_its_time() {
    let answer = instant("topk(1, bytes_total)", &EvalOptions::default()).unwrap();
    let Value::Vector(samples) = answer.value else { panic!("a vector") };
    assert_eq!(samples.len(), 1);
    assert_eq!(samples[0].labels.to_string(), r#"bytes_total{device="eth1"}"#);
    assert_eq!((samples[0].time, samples[0].value), (Timestamp(1_800_000), 540_000.0));
    let scalar = instant("1 + 1", &EvalOptions::default()).unwrap().value;
    assert_eq!(scalar, Value::Scalar(Timestamp(1_800_000), 2.0));
    assert_eq!(instant("'hi'", &EvalOptions::default()).unwrap().value, Value::String("hi".into()));
    let Value::Matrix(rows) = instant("bytes_total[5s]", &EvalOptions::default()).unwrap().value else { panic!() };
    assert_eq!(rows[0].1.times, [1_796_000, 1_797_000, 1_798_000, 1_799_000, 1_800_000]);
}

#[test]
fn a_counter_named_otherwise_is_remarked_upon_with_its_place() {
    let mut store = MemorySelect::default();
    let labels = Labels::new([("__name__", "odd")]).unwrap();
    (0..10).for_each(|i| store.put(&labels, i * 1000, i as f64));
    let expr = parse("1 +\n rate(odd[10s])", &ParseOptions::default()).unwrap();
    let answer = evaluate_instant(&expr, &store, Timestamp(9_000), &EvalOptions::default(), &|| false).unwrap();
    assert_eq!(answer.infos.len(), 1);
    assert!(answer.infos[0].contains("\"odd\"") && answer.infos[0].ends_with("(2:7)"), "{:?}", answer.infos);
}

#[test]
fn limits_end_a_query_with_a_sentence_that_says_what_to_do() {
    let few = EvalOptions { max_samples: 100, ..EvalOptions::default() };
    let error = instant("rate(bytes_total[5m])", &few).unwrap_err();
    assert_eq!(error, EvalError::TooManySamples { limit: 100 });
    assert!(error.to_string().contains("shorter range"), "{error}");
    let huge = instant("sum_over_time(vector(1)[290y:1ms])", &EvalOptions::default()).unwrap_err();
    assert!(matches!(huge, EvalError::TooManySamples { .. }), "{huge}");
    let error = range("bytes_total", 1).unwrap_err();
    assert!(matches!(&error, EvalError::BadData(text) if text.contains("11000")), "{error}");
    assert!(matches!(range("bytes_total", 0), Err(EvalError::BadData(_))));
    assert!(matches!(range("bytes_total[5m]", 1000), Err(EvalError::BadData(_))));
    assert!(matches!(range("'text'", 1000), Err(EvalError::BadData(_))));
}

#[test]
fn memory_ends_a_query_with_a_sentence_of_its_own_and_what_is_done_is_given_back() {
    let small = |max_memory_bytes| EvalOptions { max_memory_bytes, ..EvalOptions::default() };
    for text in ["bytes_total", "rate(bytes_total[5m])", "bytes_total[1h]", "max_over_time(vector(1)[50m:1s])"] {
        let error = instant(text, &small(50)).unwrap_err();
        assert_eq!(error, EvalError::TooMuchMemory { limit: 50 }, "{text}");
        assert!(error.to_string().contains("fewer series"), "{error}");
    }
    // Each value is a series of its own, as long as the whole range.
    let many = parse("count_values('v', bytes_total)", &ParseOptions::default()).unwrap();
    let (start, end) = (Timestamp(0), Timestamp(3_599_000));
    let over_range = |expr| evaluate_range(expr, &traffic(), start, end, 1000, &small(1 << 20), &|| false);
    assert_eq!(over_range(&many).unwrap_err(), EvalError::TooMuchMemory { limit: 1 << 20 });
    // A sum of many terms needs no more at once than a few of them.
    let chain = format!("bytes_total{}", " + bytes_total".repeat(100));
    let chain = parse(&chain, &ParseOptions::default()).unwrap();
    assert!(over_range(&chain).is_ok());
}

#[test]
fn a_regular_expression_too_large_is_refused_with_its_place_and_the_limit() {
    let options = ParseOptions { max_regex_bytes: 10_000, ..ParseOptions::default() };
    assert!(parse("x{a=~'b{1,10}'}", &options).is_ok());
    let error = parse("x{a=~'(b{100}){100}'}", &options).unwrap_err().to_string();
    assert!(error.starts_with("1:3: parse error") && error.contains("10000 bytes"), "{error}");
    let error = parse("x{a=~'('}", &options).unwrap_err().to_string();
    assert!(error.contains("unclosed group"), "{error}");
    let few = EvalOptions { max_regex_bytes: 10_000, ..EvalOptions::default() };
    let error = instant("label_replace(bytes_total, 'a', '$1', 'device', '(b{100}){100}')", &few).unwrap_err();
    assert!(matches!(&error, EvalError::Execution(text) if text.contains("10000 bytes")), "{error}");
}

#[test]
fn a_query_stops_when_told_to() {
    let expr = parse("sum_over_time(bytes_total[1h])", &ParseOptions::default()).unwrap();
    let asked = std::cell::Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        true
    };
    let result = evaluate_instant(&expr, &traffic(), Timestamp(3_599_000), &EvalOptions::default(), &stop);
    assert_eq!((result, asked.get()), (Err(EvalError::Stopped), 1));
}

#[test]
fn long_windows_over_one_series_are_stopped_within_it() {
    let expr = parse("avg_over_time(bytes_total{device='eth0'}[1h])", &ParseOptions::default()).unwrap();
    let asked = std::cell::Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        true
    };
    let (start, end) = (Timestamp(1_800_000), Timestamp(3_599_000));
    let result = evaluate_range(&expr, &traffic(), start, end, 1000, &EvalOptions::default(), &stop);
    assert_eq!((result, asked.get()), (Err(EvalError::Stopped), 1));
}

#[test]
fn selectors_are_listed_and_parsed_alone() {
    let expr = parse("a{x='1'} / on(x) rate(b[5m])", &ParseOptions::default()).unwrap();
    let names: Vec<_> = selectors(&expr).into_iter().map(|m| m[0].value().to_owned()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(parse_selector("up{job=~'a|b'}").unwrap().len(), 2);
    for bad in ["up[5m]", "up offset 5m", "sum(up)", "{}", "1", "up{", ""] {
        assert!(parse_selector(bad).is_err(), "{bad}");
    }
}
