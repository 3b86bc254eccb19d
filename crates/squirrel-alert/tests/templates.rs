//! Templates: what they yield here, and in `promtool test rules`.

#[path = "support/promtool.rs"]
mod promtool;

use std::fmt::Write as _;

use promtool::promtool;
use squirrel_alert::{QueryAnswer, Template, TemplateData};
use squirrel_model::{Labels, Timestamp};
use squirrel_promql::{EvalOptions, ParseOptions, Value, evaluate_instant, parse};
use squirrel_testkit::MemorySelect;

/// A template about `m{device="eth0",instance="host.example.org:9100",path="/var"}`, its value, and what
/// it yields.
const TABLE: &[(&str, f64, &str)] = &[
    ("plain", 1.0, "plain"),
    ("{{ $labels.device }} {{ .Labels.device }} {{ $labels.nothing }}|", 1.0, "eth0 eth0 |"),
    ("{{ $value }}", 0.125, "0.125"),
    ("{{ $value }} {{ .Value }}", 1_234_567.0, "1.234567e+06 1.234567e+06"),
    ("{{ $value }}", 100_000.0, "100000"),
    ("{{ $value }}", 1_000_000.0, "1e+06"),
    ("{{ $value }}", 0.00001, "1e-05"),
    ("{{ $externalLabels.site }} {{ .ExternalLabels.site }}", 1.0, "ams ams"),
    ("{{ printf \"%.2f\" $value }}", 2.0 / 3.0, "0.67"),
    ("{{ printf \"%f|%e|%g|%v\" $value $value $value $value }}", 1234.5, "1234.500000|1.234500e+03|1234.5|1234.5"),
    ("{{ printf \"%d\" 42 }} {{ printf \"%d\" $value }}", 3.0, "42 %!d(float64=3)"),
    ("{{ printf \"%s is %q %%\" $labels.device $labels.path }}", 1.0, "eth0 is \"/var\" %"),
    ("{{ printf \"%5.1f|%-8s|%08.3f|%+d|%x\" $value \"a\" $value 5 255 }}", 3.375, "  3.4|a       |0003.375|+5|ff"),
    ("{{ printf \"%s %d\" \"a\" }}", 1.0, "a %!d(MISSING)"),
    ("{{ printf \"%s\" \"a\" 5 }}", 1.0, "a%!(EXTRA int=5)"),
    ("{{ printf \"%s\" $value }}", 1.5, "%!s(float64=1.5)"),
    ("{{ printf \"%t\" true }}", 1.5, "true"),
    ("{{ $value | printf \"%.3g\" }}", 12345.0, "1.23e+04"),
    ("{{ humanize 0.0 }} {{ humanize $value }} {{ humanize \"0.00005\" }}", 123_456.0, "0 123.5k 50u"),
    ("{{ humanize1024 $value }} {{ humanize1024 0.5 }}", 1_048_576.0, "1Mi 0.5"),
    ("{{ $value | humanizeDuration }}", 0.012, "12ms"),
    ("{{ $value | humanizeDuration }}", 59.25, "59.25s"),
    ("{{ $value | humanizeDuration }}", 3723.9, "1h 2m 3s"),
    ("{{ $value | humanizeDuration }}", -90061.0, "-1d 1h 1m 1s"),
    ("{{ $value | humanizePercentage }}", 0.123_456, "12.35%"),
    ("{{ $value | humanizeTimestamp }}", 1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
    ("{{ $value | humanizeTimestamp }}", 1_435_065_584.0, "2015-06-23 13:19:44 +0000 UTC"),
    (
        "{{ title \"aa bB cc-d e_f\" }} {{ toUpper $labels.device }} {{ \"ABC\" | toLower }}",
        1.0,
        "Aa BB Cc-D E_f ETH0 abc",
    ),
    ("{{ match \"e.h\" $labels.device }} {{ match \"^x\" \"y\" }}", 1.0, "true false"),
    ("{{ reReplaceAll \"(.*):\\\\d+\" \"$1!\" $labels.instance }}", 1.0, "host.example.org!"),
    ("{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }}", 1.0, "host.example.org host:9100"),
    (
        "{{ stripPort \"[::1]:80\" }} {{ stripDomain \"10.1.2.3:80\" }} {{ stripDomain \"a.b\" }} {{ stripPort \"::1\" }}",
        1.0,
        "::1 10.1.2.3:80 a ::1",
    ),
    ("{{ parseDuration \"1h30m\" }} {{ parseDuration \"250ms\" }}", 1.0, "5400 0.25"),
    ("{{ if gt $value 5.0 }}big{{ else }}small{{ end }}", 6.0, "big"),
    ("{{ if gt $value 100.0 }}a{{ else if gt $value 5.0 }}b{{ else }}c{{ end }}", 6.0, "b"),
    ("{{ if and (ge $value 1.0) (le $value 2.0) }}in{{ end }}{{ if or false (not true) }}x{{ end }}", 1.5, "in"),
    ("{{ if eq $labels.device \"lo\" \"eth0\" }}yes{{ end }} {{ ne 1 2 }} {{ lt \"a\" \"b\" }}", 1.0, "yes true true"),
    ("{{ and 1 0 2 }} {{ or 0 \"\" 3 }} {{ not 0 }}", 1.0, "0 3 true"),
    ("{{ range query \"up\" | sortByLabel \"job\" }}{{ .Labels.job }}={{ .Value }};{{ end }}", 1.0, "a=1;b=0;"),
    (
        "{{ range $i, $s := query \"up\" | sortByLabel \"job\" }}{{ $i }}:{{ $s | label \"job\" }} {{ end }}",
        1.0,
        "0:a 1:b ",
    ),
    ("{{ range query \"none\" }}x{{ else }}nobody{{ end }}", 1.0, "nobody"),
    ("{{ with query \"up{job='a'}\" }}{{ . | first | value | humanize }}{{ end }}", 1.0, "1"),
    ("{{ with query \"none\" }}x{{ else }}none{{ end }}", 1.0, "none"),
    ("{{ query \"sum(up)\" | first | value }} {{ (query \"up{job='b'}\" | first).Labels.job }}", 1.0, "1 b"),
    ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}", 1.0, "2"),
    (
        "{{ range $k, $v := $labels }}{{ if ne $k \"__name__\" }}{{ $k }}={{ $v }} {{ end }}{{ end }}",
        1.0,
        "device=eth0 instance=host.example.org:9100 path=/var ",
    ),
    (
        "{{ index $labels \"device\" }} {{ len $labels.device }} {{ index (query \"up{job='a'}\") 0 | value }}",
        1.0,
        "eth0 4 1",
    ),
    ("a {{- /* gone */ -}} b {{- $labels.device -}} c", 1.0, "abeth0c"),
    ("a{{/* gone */}} b", 1.0, "a b"),
    ("{{ \"a\\tb\" | printf \"%q\" }} {{ `raw\\n` }} {{ print 1 2 \"x\" 3 }}", 1.0, "\"a\\tb\" raw\\n 1 2x3"),
    ("{{ true }} {{ 0x1F }} {{ 1e3 }} {{ -5 }} {{ 'a' }}", 1.0, "true 31 1000 -5 97"),
    ("{{ $labels.device | urlquery }} {{ urlquery \"a b&c\" }}", 1.0, "eth0 a+b%26c"),
    ("{{ graphLink \"up > 1\" }}", 1.0, "/graph?g0.expr=up+%3E+1&g0.tab=0"),
    (
        "{{ range query \"up\" | sortByLabel \"job\" }}{{ if eq .Labels.job \"b\" }}{{ break }}{{ end }}{{ .Labels.job }}{{ end }}",
        1.0,
        "a",
    ),
    ("{{ with $x := 5 }}{{ $x }}{{ end }}{{ with \"\" }}a{{ else }}b{{ end }}", 1.0, "5b"),
    ("{{ args 1 \"x\" }} {{ (args 1 \"x\").arg1 }} {{ slice \"abcdef\" 1 3 }}", 1.0, "map[arg0:1 arg1:x] x bc"),
    ("}} { { {{ \"}}\" }}", 1.0, "}} { { }}"),
];

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::new(pairs.iter().copied()).expect("labels of a test")
}

fn store() -> MemorySelect {
    MemorySelect::at(
        0,
        [(labels(&[("__name__", "up"), ("job", "b")]), 0.0), (labels(&[("__name__", "up"), ("job", "a")]), 1.0)],
    )
}

fn query(text: &str) -> QueryAnswer {
    let expr = parse(text, &ParseOptions::default()).map_err(|e| e.to_string())?;
    let answer = evaluate_instant(&expr, &store(), Timestamp(0), &EvalOptions::default(), &|| false);
    match answer.map_err(|e| e.to_string())?.value {
        Value::Vector(samples) => Ok(samples.into_iter().map(|one| (one.labels, one.value)).collect()),
        _ => Err("no vector".to_owned()),
    }
}

fn expand(text: &str, value: f64) -> String {
    let subject =
        labels(&[("__name__", "m"), ("device", "eth0"), ("instance", "host.example.org:9100"), ("path", "/var")]);
    let external = labels(&[("site", "ams")]);
    let data = TemplateData {
        labels: &subject,
        value,
        external_labels: &external,
        external_url: "http://squirrel.example/net?x",
        now: Timestamp(0),
        query: &query,
    };
    match Template::parse(text) {
        Ok(template) => template.expand_or_show(&data),
        Err(e) => format!("<refused: {e}>"),
    }
}

#[test]
fn each_template_yields_its_text() {
    for (template, value, wanted) in TABLE {
        assert_eq!(expand(template, *value), *wanted, "{template}");
    }
    assert_eq!(expand("{{ externalURL }} {{ pathPrefix }} {{ now }}", 1.0), "http://squirrel.example/net?x /net 0");
}

/// A text between single quotes, as YAML takes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[test]
fn promtool_yields_the_same_texts() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut rules = String::from("groups:\n- name: g\n  rules:\n");
    let mut tests = String::from(
        "rule_files: [rules.yml]\ntests:\n- interval: 1m\n  external_labels: {site: ams}\n  input_series:\n  \
         - {series: 'up{job=\"b\"}', values: '0'}\n  - {series: 'up{job=\"a\"}', values: '1'}\n",
    );
    let mut cases = String::from("  alert_rule_test:\n");
    for (i, (template, value, wanted)) in TABLE.iter().enumerate() {
        // A metric for each, named by its case, whose name the templates do not show.
        let subject = "device=\"eth0\",instance=\"host.example.org:9100\",path=\"/var\"";
        let _ = writeln!(tests, "  - {{series: 'm{i}{{{subject}}}', values: '{value}'}}");
        let _ = writeln!(rules, "  - alert: T{i}\n    expr: m{i}\n    annotations: {{text: {}}}", quoted(template));
        let _ = writeln!(
            cases,
            "  - eval_time: 0m\n    alertname: T{i}\n    exp_alerts:\n    - exp_labels: {{device: eth0, instance: \
             'host.example.org:9100', path: /var}}\n      exp_annotations: {{text: {}}}",
            quoted(wanted)
        );
    }
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    std::fs::write(folder.path().join("tests.yml"), tests + &cases).unwrap();
    match promtool(folder.path(), &["test", "rules", "tests.yml"]) {
        Some(verdict) => assert!(verdict.content, "{}", verdict.words),
        None => squirrel_testkit::skip("promtool_yields_the_same_texts", "promtool is not installed"),
    }
}

#[test]
fn a_failure_is_shown_where_the_text_would_stand() {
    let cases = [
        ("a {{ query \"none\" | first }}", "1:21: first: first() called on vector with no elements"),
        ("{{ query \"up ==\" }}", "1:4: query: "),
        ("{{ gt $value 5 }}", "1:4: gt: incompatible types for comparison, float64 and int: write the whole number"),
        ("{{ toUpper $value }}", "1:4: toUpper: wrong type for value; expected string; got float64"),
        ("{{ .Nothing }}", "1:4: can't evaluate field Nothing"),
        ("{{ $value.x }}", "1:4: can't evaluate field x in type float64"),
        ("x\n{{ match \"(\" \"a\" }}", "2:4: match: "),
        ("{{ humanize \"a\" }}", "1:4: humanize: \"a\" is no number"),
        ("{{ parseDuration \"soon\" }}", "1:4: parseDuration: "),
        ("{{ index (query \"up\") 7 }}", "1:4: index: index out of range: 7"),
        ("{{ printf }}", "1:4: wrong number of args for printf"),
    ];
    for (template, wanted) in cases {
        let shown = expand(template, 1.0);
        assert!(shown.starts_with(&format!("<error expanding template: {wanted}")), "{template}: {shown}");
    }
}

#[test]
fn what_grows_without_end_is_stopped() {
    let ten = "{{ range query \"up\" }}".repeat(12) + &"{{ end }}".repeat(12);
    let nested = ten.replacen("{{ end }}", "0123456789012345678901234567890123456789{{ end }}", 1);
    assert!(expand(&nested, 1.0).contains("more than"), "{}", expand(&nested, 1.0).len());
    let doubled = "{{ $x := \"ab\" }}".to_owned() + &"{{ $x = printf \"%s%s\" $x $x }}".repeat(40);
    assert!(expand(&doubled, 1.0).contains("grow too long"));
    assert!(expand(&"{{ if true }}".repeat(100), 1.0).contains("blocks within each other"));
    assert!(expand(&format!("{{{{ {}1{} }}}}", "(".repeat(100), ")".repeat(100)), 1.0).contains("parentheses"));
    assert!(expand(&"x".repeat(100_000), 1.0).contains("are refused"));
    assert!(expand("{{ range query \"up\" }}{{ args (args 1) }}{{ end }}", 1.0).contains("without parts"));
}
