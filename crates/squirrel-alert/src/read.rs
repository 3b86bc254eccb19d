//! Values out of a tree of YAML, one problem for each that does not fit.

use squirrel_model::{DurationError, parse_duration_ms};

use crate::yaml::{Kind, Node, Problem};

/// Fields whose text counts as it is written, as Prometheus reads them: `null` is a metric there.
const AS_WRITTEN: [&str; 3] = ["record", "alert", "expr"];

/// Collects what is wrong, so that a file is mended in one go and not mistake by mistake.
#[derive(Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, node: &Node, message: impl Into<String>) {
        self.0.push(Problem::new(node.place, message));
    }

    /// The values of a mapping by the names in `known`; any other key is a problem.
    pub(crate) fn fields<'n, const N: usize>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: [&str; N],
    ) -> [Option<&'n Node>; N] {
        let mut found = [None; N];
        let Kind::Map(pairs) = &node.kind else {
            if !node.is_null() {
                self.add(node, format!("{what} is a mapping with {}, not {}", known.join(", "), node.word()));
            }
            return found;
        };
        for (key, value) in pairs {
            let name = key.text().unwrap_or_default();
            match known.iter().position(|known| *known == name) {
                Some(i) => found[i] = Some(value).filter(|value| !value.is_null() || AS_WRITTEN.contains(&name)),
                None => self.add(key, format!("{name:?} is no field of {what}: it may have {}", known.join(", "))),
            }
        }
        found
    }

    /// The items of a list, without those that are nothing; nothing is an empty list.
    pub(crate) fn items<'n>(&mut self, node: Option<&'n Node>, what: &str) -> Vec<&'n Node> {
        match node {
            Some(Node { kind: Kind::List(items), .. }) => items.iter().filter(|item| !item.is_null()).collect(),
            Some(node) if !node.is_null() => {
                self.add(node, format!("{what} is a list (lines that begin with -), not {}", node.word()));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// A text; whatever stands there is taken as it is written.
    pub(crate) fn text(&mut self, node: Option<&Node>, what: &str) -> Option<String> {
        let node = node?;
        if node.text().is_none() {
            self.add(node, format!("{what} is a text, not {}", node.word()));
        }
        node.text().map(str::to_owned)
    }

    /// A span of time in milliseconds.
    pub(crate) fn duration(&mut self, node: Option<&Node>, what: &str) -> Option<i64> {
        let node = node?;
        let text = node.text().unwrap_or_default();
        // Prometheus takes a zero without its unit, but no other number.
        let read = if text == "0" { Ok(0) } else { parse_duration_ms(text) };
        match read {
            Ok(ms) => Some(ms),
            Err(DurationError::TooLong) => {
                self.add(node, format!("{what} is longer than 292 years"));
                None
            }
            Err(e) => {
                self.add(node, format!("{what}: {text:?} is {e}"));
                None
            }
        }
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, node: Option<&Node>, what: &str) -> Option<i64> {
        let node = node?;
        let number = match &node.kind {
            Kind::Scalar { text, plain: true } => whole_number(&text.replace('_', "")),
            _ => None,
        };
        if number.is_none() {
            self.add(node, format!("{what} is a whole number, such as 100"));
        }
        number
    }

    /// A number, with YAML's words for infinity and for no number.
    pub(crate) fn number(&mut self, node: Option<&Node>, what: &str) -> Option<f64> {
        let node = node?;
        let number = match node.text().unwrap_or_default() {
            ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
            ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
            text if text.contains(['n', 'N', 'i', 'I']) => None,
            text => text.replace('_', "").parse().ok(),
        };
        if number.is_none() {
            self.add(node, format!("{what} is a number, such as 0.5"));
        }
        number
    }

    /// Names and texts, each with the place of its value.
    pub(crate) fn texts<'n>(&mut self, node: Option<&'n Node>, what: &str) -> Vec<(&'n Node, &'n Node, String)> {
        let mut out = Vec::new();
        match node.map(|node| (node, &node.kind)) {
            None => {}
            Some((_, Kind::Map(pairs))) => {
                for (key, value) in pairs {
                    match value.text() {
                        Some(_) if value.is_null() => out.push((key, value, String::new())),
                        Some(text) => out.push((key, value, text.to_owned())),
                        None => self.add(
                            value,
                            format!("{what} {:?} is a text, not {}", key.text().unwrap_or_default(), value.word()),
                        ),
                    }
                }
            }
            Some((node, _)) if node.is_null() => {}
            Some((node, _)) => self.add(node, format!("{what}s are a mapping of names to texts, not {}", node.word())),
        }
        out
    }
}

/// `100`, `0x64`, and `100.0`, which some tools write.
fn whole_number(text: &str) -> Option<i64> {
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return i64::from_str_radix(hexadecimal, 16).ok();
    }
    let float = || text.parse().ok().filter(|n: &f64| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64);
    text.parse().ok().or_else(float)
}
