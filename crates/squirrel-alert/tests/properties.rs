//! Whatever is given, templates and rule files end, and within their limits.

use proptest::prelude::*;
use squirrel_alert::{MAX_TEMPLATE_OUTPUT, RuleFile, Template, TemplateData};
use squirrel_model::{Labels, Timestamp};

/// Words of templates, put together at random.
fn template_text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "if ",
        "else",
        "end",
        "range ",
        "with ",
        "$x",
        ":=",
        "=",
        ",",
        "|",
        "(",
        ")",
        ".",
        ".Labels",
        ".Value",
        "$labels",
        ".a",
        "$value",
        "query ",
        "\"up\"",
        "first",
        "value",
        "printf ",
        "\"%5.2f%d\"",
        "1",
        "2.5",
        "eq ",
        "and ",
        "index ",
        "slice ",
        "humanize",
        "humanizeTimestamp",
        "break",
        "continue",
        "/*",
        "*/",
        "é",
        "'x'",
        "`r`",
        "args ",
        "len ",
        "nil",
        "true",
        "title ",
        "\\",
        "label ",
        "match ",
        "sortByLabel ",
        "\n",
        "stripDomain ",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

/// Templates that are read, most of them: blocks closed, functions known, with any values in any place.
fn whole_template() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "$value",
        "$labels",
        "$labels.a",
        ".",
        "$",
        "$x",
        "1",
        "2.5",
        "\"up\"",
        "\"%5.2f|%d|%s\"",
        "`(.*)`",
        "nil",
        "true",
        "(query \"up\")",
        "(query \"up\" | first)",
        "\"\"",
        "\"1h\"",
        "'c'",
    ]);
    let function = prop::sample::select(vec![
        "and",
        "or",
        "not",
        "eq",
        "ne",
        "lt",
        "ge",
        "len",
        "index",
        "slice",
        "print",
        "println",
        "printf",
        "urlquery",
        "query",
        "first",
        "value",
        "label",
        "strvalue",
        "sortByLabel",
        "args",
        "reReplaceAll",
        "match",
        "title",
        "toUpper",
        "stripPort",
        "stripDomain",
        "humanize",
        "humanize1024",
        "humanizeDuration",
        "humanizePercentage",
        "humanizeTimestamp",
        "parseDuration",
        "graphLink",
        "now",
    ]);
    let call = (function, prop::collection::vec(leaf.clone(), 0..4), leaf)
        .prop_map(|(name, args, last)| format!("{last} | {name} {}", args.join(" ")));
    let action = (call.clone(), 0..3).prop_map(|(call, kind)| match kind {
        0 => format!("{{{{ {call} }}}}"),
        1 => format!("{{{{- $x = {call} -}}}}"),
        _ => format!("{{{{ with {call} }}}}{{{{ . }}}}{{{{ end }}}}"),
    });
    let nested = action.prop_recursive(4, 24, 4, move |inner| {
        let block = prop::sample::select(vec!["if", "with", "range", "range $i, $x :=", "with $x :="]);
        (block, call.clone(), prop::collection::vec(inner, 1..4)).prop_map(|(block, call, inner)| {
            format!("{{{{ {block} {call} }}}}{}{{{{ else }}}}-{{{{ end }}}}", inner.concat())
        })
    });
    nested.prop_map(|text| format!("{{{{ $x := 1 }}}}{text}"))
}

fn expand(template: &Template, value: f64) -> String {
    let labels = Labels::new([("__name__", "up"), ("a", "b\u{202e}{{ end }}")]).expect("labels of a test");
    let data = TemplateData {
        labels: &labels,
        value,
        external_labels: &labels,
        external_url: "",
        now: Timestamp(0),
        query: &|_| Ok(vec![(labels.clone(), value), (Labels::empty(), f64::NAN)]),
    };
    template.expand_or_show(&data)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_template_ends_within_its_limit(text in template_text(), value in any::<f64>()) {
        if let Ok(template) = Template::parse(&text) {
            prop_assert!(expand(&template, value).len() <= MAX_TEMPLATE_OUTPUT + 1_000);
        }
    }

    #[test]
    fn any_functions_on_any_values_end_within_their_limit(text in whole_template(), value in any::<f64>()) {
        let template = Template::parse(&text);
        prop_assert!(template.is_ok() || text.contains("nil |"), "{text}: {template:?}");
        if let Ok(template) = template {
            prop_assert!(expand(&template, value).len() <= MAX_TEMPLATE_OUTPUT + 1_000);
        }
    }

    #[test]
    fn any_action_ends_within_its_limit(text in template_text(), value in any::<f64>()) {
        if let Ok(template) = Template::parse(&format!("{{{{ {} }}}}", text.replace("{{", "").replace("}}", ""))) {
            prop_assert!(expand(&template, value).len() <= MAX_TEMPLATE_OUTPUT + 1_000);
        }
    }

    #[test]
    fn a_refusal_names_a_place_within_the_text(text in template_text()) {
        if let Err(e) = Template::parse(&text) {
            prop_assert!(e.line as usize <= text.matches('\n').count() + 1);
            prop_assert!(e.column as usize <= text.chars().count() + 1);
        }
    }

    #[test]
    fn text_without_braces_is_its_own_expansion(text in "[^{]{0,80}", value in any::<f64>()) {
        prop_assert_eq!(expand(&Template::parse(&text).unwrap(), value), text);
    }

    #[test]
    fn a_rule_file_cut_anywhere_is_survived(cut in 0usize..400) {
        let text = "groups:\n- name: ä\n  limit: 5\n  rules:\n  - alert: A\n    expr: |\n      up{a=\"ü\"}\n        == 0\n    \
                    labels: &l {a: \"{{ $value }}\"}\n    annotations: {b: '{{ if gt $value 1.0 }}x{{ end }}'}\n  \
                    - {record: b, expr: up, labels: *l}\n";
        let cut = text.char_indices().map(|(i, _)| i).nth(cut).unwrap_or(text.len());
        let _ = RuleFile::parse("f", &text[..cut]);
    }
}
