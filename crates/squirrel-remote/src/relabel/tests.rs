//! Rules as Prometheus' documentation describes them, and mistakes in them.

use super::*;

type Fields<'a> = &'a [(&'a str, &'a str)];

fn rule(fields: Fields<'_>) -> RuleText {
    let field = |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    RuleText {
        action: field("action"),
        source_labels: field("source").map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        separator: field("separator"),
        regex: field("regex"),
        target_label: field("target"),
        replacement: field("replacement"),
        modulus: field("modulus").map(|modulus| modulus.parse().unwrap()),
    }
}

fn applied(rules: &[Fields<'_>]) -> Option<String> {
    let labels = [("__name__", "up"), ("job", "squirrel"), ("instance", "oak:7775"), ("tmp_a", "1")];
    let rules = rules.iter().map(|fields| Rule::new(&rule(fields)).unwrap()).collect();
    let relabelling = Relabelling { external: vec![("site".to_owned(), "wood".to_owned())], rules };
    relabelling.apply(&Labels::new(labels).unwrap()).map(|labels| labels.to_string())
}

#[test]
fn rules_do_as_prometheus_does() {
    let plain = r#"up{instance="oak:7775",job="squirrel",site="wood",tmp_a="1"}"#;
    let cases: [(&[Fields<'_>], Option<&str>); 15] = [
        (&[], Some(plain)),
        (&[&[("action", "keep"), ("source", "__name__"), ("regex", "up|node_.*")]], Some(plain)),
        (&[&[("action", "keep"), ("source", "__name__"), ("regex", "u")]], None),
        (&[&[("action", "drop"), ("source", "__name__,job"), ("regex", "up;squirrel")]], None),
        (&[&[("action", "drop"), ("source", "__name__,job"), ("regex", "up;")]], Some(plain)),
        (
            &[&[("source", "instance"), ("regex", "([^:]+):.*"), ("target", "host"), ("replacement", "${1}!")]],
            Some(r#"up{host="oak!",instance="oak:7775",job="squirrel",site="wood",tmp_a="1"}"#),
        ),
        (&[&[("source", "job"), ("regex", "nothing"), ("target", "job"), ("replacement", "x")]], Some(plain)),
        (&[&[("target", "tmp_a"), ("replacement", "")]], Some(r#"up{instance="oak:7775",job="squirrel",site="wood"}"#)),
        (&[&[("action", "labeldrop"), ("regex", "tmp_.*|site")]], Some(r#"up{instance="oak:7775",job="squirrel"}"#)),
        (&[&[("action", "labelkeep"), ("regex", "__name__|job")]], Some(r#"up{job="squirrel"}"#)),
        (&[&[("action", "labeldrop"), ("regex", "__name__")]], None),
        (
            &[&[("action", "labelmap"), ("regex", "tmp_(.+)")], &[("action", "labelkeep"), ("regex", "__name__|a")]],
            Some(r#"up{a="1"}"#),
        ),
        (
            &[
                &[("action", "uppercase"), ("source", "job"), ("target", "job")],
                &[("action", "labelkeep"), ("regex", "__name__|job")],
            ],
            Some(r#"up{job="SQUIRREL"}"#),
        ),
        (&[&[("action", "dropequal"), ("source", "job"), ("target", "job")]], None),
        (
            &[
                &[("action", "hashmod"), ("source", "__name__,job"), ("target", "shard"), ("modulus", "1000")],
                &[("action", "labelkeep"), ("regex", "__name__|shard")],
            ],
            // The last eight octets of the MD5 of "up;squirrel", which is what Prometheus takes.
            Some(r#"up{shard="486"}"#),
        ),
    ];
    for (rules, expected) in cases {
        assert_eq!(applied(rules).as_deref(), expected, "{rules:?}");
    }
}

#[test]
fn rules_that_cannot_be_meant_are_refused() {
    for (fields, expected) in [
        (&[("action", "hash"), ("target", "x")][..], "action \"hash\" is none"),
        (&[("action", "hashmod"), ("target", "x")], "hashmod needs modulus"),
        (&[("action", "hashmod"), ("target", "x"), ("modulus", "0")], "hashmod needs modulus"),
        (&[("action", "keep"), ("modulus", "2")], "modulus means nothing with this action"),
        (&[("action", "keep"), ("regex", "(")], "regex \"(\" cannot be read: unclosed group"),
        (&[("source", "job")], "target_label is missing: replace sets a label"),
        (&[("target", "a b")], "\"a b\" is not the name of a label"),
        (&[("action", "keep"), ("source", "a-b")], "\"a-b\" is not the name of a label"),
        (&[("action", "labeldrop"), ("source", "job")], "source_labels means nothing with this action"),
        (&[("action", "keep"), ("target", "job")], "target_label means nothing with this action"),
    ] {
        let error = Rule::new(&rule(fields)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{fields:?}: {error}");
    }
}
