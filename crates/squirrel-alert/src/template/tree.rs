//! The values that a template of a message walks through: what a rule has not, alerts within alerts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::value::Value;

/// A value that a message hands to its template.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateTree {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// Values in their order. Of a list whose items have a field `Status`, `.Firing` and `.Resolved` are those that
    /// have it.
    List(Vec<TemplateTree>),
    /// Named parts; asking for another name is a mistake, and the message says which there are.
    Fields(BTreeMap<String, TemplateTree>),
    /// Labels or annotations: a name that is not there has the empty value. `.SortedPairs`, `.Names` and `.Values` are
    /// lists.
    Texts(BTreeMap<String, String>),
}

impl TemplateTree {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.clone()),
            Self::Number(number) => Value::Float(*number),
            Self::Integer(number) => Value::Integer(*number),
            Self::List(items) => Value::List(Arc::new(items.iter().map(Self::value).collect())),
            Self::Fields(fields) => {
                Value::Fields(Arc::new(fields.iter().map(|(name, value)| (name.clone(), value.value())).collect()))
            }
            Self::Texts(texts) => Value::Texts(Arc::new(texts.clone())),
        }
    }
}

/// A label's value; of labels that have no such name, Alertmanager's lists.
pub(super) fn text_of(texts: &BTreeMap<String, String>, name: &str) -> Value {
    let text = |text: &String| Value::Text(text.clone());
    let list = |items: Vec<Value>| Value::List(Arc::new(items));
    match (texts.get(name), name) {
        (Some(value), _) => text(value),
        (None, "Names") => list(texts.keys().map(text).collect()),
        (None, "Values") => list(texts.values().map(text).collect()),
        (None, "SortedPairs") => {
            let pair = |(name, value): (&String, &String)| {
                let fields = [("Name".to_owned(), text(name)), ("Value".to_owned(), text(value))];
                Value::Fields(Arc::new(fields.into()))
            };
            list(texts.iter().map(pair).collect())
        }
        (None, _) => Value::Text(String::new()),
    }
}

/// The items whose field `Status` is `status`.
pub(super) fn of_status(items: &[Value], status: &str) -> Value {
    let has = |item: &&Value| match item {
        Value::Fields(fields) => matches!(fields.get("Status"), Some(Value::Text(text)) if text == status),
        _ => false,
    };
    Value::List(Arc::new(items.iter().filter(has).cloned().collect()))
}

#[cfg(test)]
mod tests {
    use squirrel_model::Timestamp;

    use super::*;
    use crate::Template;

    fn fill(template: &str) -> Result<String, String> {
        let text = |text: &str| TemplateTree::Text(text.to_owned());
        let fields = |pairs: Vec<(&str, TemplateTree)>| {
            TemplateTree::Fields(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        let texts = |pairs: &[(&str, &str)]| {
            TemplateTree::Texts(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
        };
        let alert = |status: &str, value: f64| {
            fields(vec![
                ("Status", text(status)),
                ("Labels", texts(&[("device", "eth0")])),
                ("Value", TemplateTree::Number(value)),
            ])
        };
        let root = fields(vec![
            ("Alerts", TemplateTree::List(vec![alert("firing", 0.25), alert("resolved", 2.0)])),
            ("CommonLabels", texts(&[("b", "2"), ("a", "1")])),
            ("More", TemplateTree::Integer(3)),
        ]);
        Template::parse(template)
            .and_then(|template| template.fill(&root, "https://s.example/x", Timestamp(0)))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn messages_are_walked_through_as_in_alertmanagers_templates() {
        for (template, expected) in [
            ("{{ .Alerts.Firing | len }} of {{ len .Alerts }}", "1 of 2"),
            (
                "{{ range .Alerts }}{{ .Labels.device }}={{ .Value | humanizePercentage }} {{ end }}",
                "eth0=25% eth0=200% ",
            ),
            ("{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}", "a=1;b=2;"),
            ("{{ range $k, $v := .CommonLabels }}{{ $k }}{{ $v }}{{ end }}", "a1b2"),
            ("{{ .CommonLabels.none }}|{{ $.More }}|{{ externalURL }}", "|3|https://s.example/x"),
            ("{{ index .CommonLabels \"a\" }}{{ len .CommonLabels }}", "12"),
            ("{{ .CommonLabels.Names }}{{ .CommonLabels.Values }}", "[a b][1 2]"),
            ("{{ if .CommonLabels }}yes{{ end }}{{ .CommonLabels }}", "yesmap[a:1 b:2]"),
        ] {
            assert_eq!(fill(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn what_is_not_there_is_said() {
        let error = fill("{{ .Alrets }}").unwrap_err();
        assert!(error.starts_with("1:4: can't evaluate field Alrets: there are Alerts, CommonLabels, More"), "{error}");
        assert!(fill("{{ query \"up\" }}").unwrap_err().contains("no queries"));
    }
}
