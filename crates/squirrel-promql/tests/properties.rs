//! What must hold for any text and any expression.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use proptest::prelude::*;
use squirrel_model::{Labels, Samples, Timestamp, stale_marker};
use squirrel_promql::ast::Type;
use squirrel_promql::{
    EvalError, EvalOptions, Expr, ParseError, ParseOptions, Value, evaluate_instant, evaluate_range, parse,
    parse_selector,
};
use squirrel_testkit::MemorySelect;

fn all() -> ParseOptions {
    ParseOptions { experimental: true, ..ParseOptions::default() }
}

/// A refusal names a place within the text.
fn assert_place(result: Result<(), ParseError>, text: &str) {
    if let Err(e) = result {
        let (start, end) = (e.span.start as usize, e.span.end as usize);
        assert!(start <= end && end <= text.len() && !e.message.is_empty(), "{e:?} of {text:?}");
        assert!(e.span.line >= 1 && e.span.column >= 1, "{e:?} of {text:?}");
    }
}

/// An expression without its places, for comparison: places are what differs between a text and
/// the text printed of it.
fn shape(expr: &Expr) -> String {
    let text = format!("{expr:?}");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("Span {") {
        out.push_str(before);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out + rest
}

/// Numbers, durations and texts.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u32..5000).prop_map(|n| n.to_string()),
        (0u32..100).prop_map(|n| format!("{n}.{n}e-2")),
        Just("NaN".to_owned()),
        Just("Inf".to_owned()),
        (1u32..600).prop_map(|n| format!("{n}s")),
        Just("0x1f".to_owned()),
    ]
}

fn shift() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => Just(String::new()),
        1 => (-90i32..90).prop_map(|n| format!(" offset {n}s")),
        1 => (0u32..600).prop_map(|n| format!(" @ {n}.5")),
        1 => Just(" @ end()".to_owned()),
        1 => Just(" @ start() offset 10s".to_owned()),
    ]
}

fn selector() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("a"),
        Just("b"),
        Just("gappy"),
        Just("{n=~\"1|2\", __name__=~\"a|b\"}"),
        Just("a{n=\"1\"}"),
        Just("b{n!=\"2\",}"),
        Just("nothing"),
        Just("{'a'}"),
    ];
    name.prop_map(str::to_owned)
}

fn range() -> impl Strategy<Value = String> {
    (selector(), 1u32..200, shift()).prop_map(|(selector, range, shift)| format!("{selector}[{range}s]{shift}"))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![literal(), Just("time()".to_owned()), Just("scalar(a{n=\"1\"})".to_owned()), Just("pi()".to_owned())]
}

/// Instant vectors, nested a few levels.
fn vector() -> impl Strategy<Value = String> {
    const OVER_TIME: [&str; 16] = [
        "rate",
        "increase",
        "delta",
        "irate",
        "idelta",
        "resets",
        "changes",
        "deriv",
        "sum_over_time",
        "avg_over_time",
        "min_over_time",
        "max_over_time",
        "count_over_time",
        "stddev_over_time",
        "last_over_time",
        "absent_over_time",
    ];
    const SIMPLE: [&str; 9] = ["abs", "ceil", "sgn", "-", "+", "timestamp", "absent", "hour", "round"];
    const AGGREGATES: [&str; 10] =
        ["sum", "avg", "count", "min", "max", "group", "stddev", "topk(2, ", "limitk(2, ", "quantile(0.3, "];
    const OPERATORS: [&str; 12] = ["+", "-", "*", "/", "%", "^", "atan2", ">", "== bool", "and", "or", "unless"];
    let leaf = prop_oneof![
        (selector(), shift()).prop_map(|(selector, shift)| selector + &shift),
        (prop::sample::select(&OVER_TIME[..]), range()).prop_map(|(f, range)| format!("{f}({range})")),
        scalar().prop_map(|s| format!("vector({s})")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let grouping =
            prop_oneof![Just(""), Just("by (n)"), Just("without (n)"), Just("by (__name__)"), Just("by ()"),];
        let matching = prop_oneof![
            4 => Just(""), 1 => Just("on (n)"), 1 => Just("ignoring (n)"), 1 => Just("on (n) group_left ()"),
            1 => Just("ignoring () group_right (m)"),
            1 => Just("ignoring (m) fill (2)"),
            1 => Just("on (n) group_left fill_right (-1)"),
        ];
        prop_oneof![
            (prop::sample::select(&SIMPLE[..]), inner.clone()).prop_map(|(f, e)| format!("{f}({e})")),
            (prop::sample::select(&AGGREGATES[..]), grouping, inner.clone()).prop_map(|(op, grouping, e)| {
                let (word, args) = op.split_once('(').map_or((op, String::new()), |(w, a)| (w, a.to_owned()));
                format!("{word} {grouping} ({args}{e})")
            }),
            (inner.clone(), prop::sample::select(&OPERATORS[..]), matching, inner.clone())
                .prop_map(|(a, op, matching, b)| format!("{a} {op} {matching} {b}")),
            (inner.clone(), prop::sample::select(&OPERATORS[..9]), scalar())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            (prop::sample::select(&OVER_TIME[..]), inner.clone(), 20u32..200, 5u32..60, shift())
                .prop_map(|(f, e, range, step, shift)| format!("{f}(({e})[{range}s:{step}s]{shift})")),
            inner.clone().prop_map(|e| format!("({e})")),
            inner.clone().prop_map(|e| format!("clamp({e}, 1, 100)")),
            inner.prop_map(|e| format!("label_replace({e}, \"m\", \"x$1\", \"n\", \"(.*)\")")),
        ]
    })
}

/// Counters with restarts, holes, stale markers and odd values.
fn store() -> MemorySelect {
    let mut store = MemorySelect::default();
    for (name, n, step) in [("a", "1", 5), ("a", "2", 7), ("b", "1", 10), ("b", "2", 3), ("b", "3", 10)] {
        let labels = Labels::new([("__name__", name), ("n", n)]).unwrap();
        let mut samples = Samples::default();
        for i in 0..(700 / step) {
            let value = ((i * step * 13) % 91) as f64;
            samples.push(i * step * 1000 + 250, value);
        }
        store.put_series(&labels, samples);
    }
    let gappy = Labels::new([("__name__", "gappy"), ("n", "1")]).unwrap();
    let odd = [1.0, f64::NAN, f64::INFINITY, stale_marker(), 4.0, -0.0, stale_marker(), 1e300];
    for (i, value) in odd.into_iter().cycle().take(30).enumerate() {
        store.put(&gappy, i as i64 * 21_000, value);
    }
    store
}

/// An instant answer in the form of a range answer's column: labels and bits of the value.
fn column(value: &Value, at: i64) -> Vec<(String, u64)> {
    let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    let mut out: Vec<(String, u64)> = match value {
        Value::Scalar(_, value) => vec![("{}".to_owned(), bits(*value))],
        Value::String(_) => Vec::new(),
        Value::Vector(samples) => samples.iter().map(|s| (s.labels.to_string(), bits(s.value))).collect(),
        Value::Matrix(rows) => {
            let at = |samples: &Samples| samples.times.binary_search(&at).ok().map(|i| samples.values[i]);
            rows.iter().filter_map(|(labels, s)| Some((labels.to_string(), bits(at(s)?)))).collect()
        }
    };
    out.sort();
    out
}

/// Whether the query names its own ends, which differ between an instant and a range query.
fn names_ends(text: &str) -> bool {
    text.contains("start()") || text.contains("end()")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,80}") {
        assert_place(parse(&text, &all()).map(|_| ()), &text);
        assert_place(parse_selector(&text).map(|_| ()), &text);
    }

    #[test]
    fn no_mixture_of_words_makes_the_parser_panic(words in prop::collection::vec(
        prop::sample::select(vec![
            "sum", "by", "(", ")", "{", "}", "[", "]", "5m", ":", "1", "-", "+", "^", "rate", "a", "b:c", "\"s\"", "=",
            "=~", "!", ",", "offset", "@", "start", "end", "on", "ignoring", "group_left", "bool", "and", "topk",
            "or", "unless", "==", "<", "0x", "'", "`", "#", "\n", "atan2", "Inf", "e", ".", "_", "\u{e9}", "\\", " ",
        ]), 0..24))
    {
        let text = words.concat();
        if let Ok(expr) = parse(&text, &all()) {
            // Whatever is accepted can be printed and read again.
            prop_assert_eq!(shape(&parse(&expr.to_string(), &all()).unwrap()), shape(&expr), "{}", text);
        }
        let spaced = words.join(" ");
        assert_place(parse(&spaced, &all()).map(|_| ()), &spaced);
    }

    #[test]
    fn a_printed_expression_reads_back(text in vector()) {
        if let Ok(expr) = parse(&text, &all()) {
            let printed = expr.to_string();
            let again = parse(&printed, &all()).map_err(|e| TestCaseError::fail(format!("{printed}: {e}")))?;
            prop_assert_eq!(shape(&again), shape(&expr), "{} printed as {}", text, printed);
            prop_assert_eq!(again.to_string(), printed);
        }
    }

    #[test]
    fn a_text_cut_anywhere_is_refused_or_read_without_panic(text in vector(), cut in 0usize..200) {
        if let Some(part) = text.get(..cut) {
            assert_place(parse(part, &all()).map(|_| ()), part);
        }
    }
}

/// Expressions that are valid and have the same meaning at each moment.
fn comparable() -> impl Strategy<Value = String> {
    let fits =
        |text: &String| !names_ends(text) && parse(text, &all()).is_ok_and(|expr| expr.result_type() == Type::Vector);
    vector().prop_filter("a vector that does not name the query's ends", fits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// The columns of a range query hold, at each step, what an instant query answers there. A range
    /// query fails exactly if one of its steps does (names removed at the end may meet only in time).
    #[test]
    fn a_range_query_is_its_instant_queries(text in comparable(), start in 0i64..400_000, step in 1i64..50_000) {
        let expr = parse(&text, &all()).unwrap();
        let (store, options, count) = (store(), EvalOptions::default(), 12);
        let end = start + step * (count - 1);
        let range = evaluate_range(&expr, &store, Timestamp(start), Timestamp(end), step, &options, &|| false);
        let times = (0..count).map(|i| start + i * step);
        let instants: Vec<_> = times
            .map(|t| (t, evaluate_instant(&expr, &store, Timestamp(t), &options, &|| false)))
            .collect();
        match range {
            Ok(range) => {
                for (time, instant) in instants {
                    let instant = instant.map_err(|e| TestCaseError::fail(format!("{text} at {time}: {e}")))?;
                    prop_assert_eq!(column(&range.value, time), column(&instant.value, time), "{} at {}", text, time);
                }
            }
            Err(EvalError::Execution(_)) => {
                let any = instants.iter().any(|(_, instant)| instant.is_err());
                prop_assert!(any, "{} fails as a range only", text);
            }
            Err(e) => prop_assert!(false, "{text}: {e}"),
        }
    }
}

#[test]
fn depth_length_and_chains_are_held() {
    let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&deep(60), &all()).is_ok());
    assert!(parse(&deep(70), &all()).unwrap_err().message.contains("deeper than 64"));
    assert!(parse(&"-".repeat(8000), &all()).is_err());
    assert!(parse(&format!("1{}", "+1".repeat(500)), &all()).is_ok());
    let long = parse(&format!("1{}", "+1".repeat(5000)), &all()).unwrap_err();
    assert!(long.message.contains("operators"), "{long}");
    assert!(parse(&"a".repeat(16 * 1024 + 1), &all()).unwrap_err().message.contains("bytes"));
    assert!(parse(&format!("1{}", "^1".repeat(100)), &all()).is_err(), "right-leaning chains nest");
}

#[test]
fn errors_point_at_their_place() {
    let cases = [
        ("sum(rate(x[5m]", "1:15: parse error: unexpected end of input in call, expected \")\""),
        ("foo bar", "1:5: parse error: unexpected identifier \"bar\""),
        ("\n  1 +\n  * 2", "3:3: parse error: unexpected \"*\", expected an expression"),
        ("nope(1)", "1:1: parse error: unknown function with name \"nope\""),
        ("rate(x)", "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"),
        ("x{a=~\"[\"}", "1:3: parse error"),
        ("1 + {}", "1:5: parse error: the selector would match every series"),
        ("x @ y", "1:5: parse error: unexpected identifier \"y\" in @, expected a timestamp, start() or end()"),
        ("", "1:1: parse error: no expression found in input"),
        ("'abc", "1:1: parse error: the string is not closed: ' is missing"),
    ];
    for (text, want) in cases {
        let got = parse(text, &ParseOptions::default()).unwrap_err().to_string();
        assert!(got.starts_with(want), "{text:?}: {got}");
    }
}

#[test]
fn an_infinite_base_is_printed_without_a_sign() {
    let expr = parse("Inf ^ 0", &all()).unwrap();
    assert_eq!(expr.to_string(), "Inf ^ 0");
    assert_eq!(shape(&parse(&expr.to_string(), &all()).unwrap()), shape(&expr));
}

#[test]
fn experimental_functions_are_asked_for() {
    let error = parse("mad_over_time(x[5m])", &ParseOptions::default()).unwrap_err();
    assert!(error.message.contains("experimental"), "{error}");
    assert!(parse("mad_over_time(x[5m])", &all()).is_ok());
}

#[test]
fn extreme_moments_do_not_overflow() {
    let (store, options) = (store(), EvalOptions::default());
    let texts =
        ["a", "rate(a[290y])", "a @ 9e15", "a offset -290y", "sum_over_time(a[1y:1y] offset 290y)", "timestamp(a)"];
    for text in texts {
        let expr = parse(text, &all()).unwrap();
        for at in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
            let _ = evaluate_instant(&expr, &store, Timestamp(at), &options, &|| false);
        }
        let (start, end) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        let _ = evaluate_range(&expr, &store, start, end, i64::MAX, &options, &|| false);
        assert!(evaluate_range(&expr, &store, start, end, 1, &options, &|| false).is_err());
    }
}
