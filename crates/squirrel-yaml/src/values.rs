//! Values out of a tree of YAML, one problem for each that does not fit.

use squirrel_model::{DurationError, parse_duration_ms};

use crate::tree::{Kind, Node, Problem};

/// The values of a mapping by their names.
#[derive(Debug, Default)]
pub struct Fields<'n>(Vec<(&'static str, &'n Node)>);

impl<'n> Fields<'n> {
    /// The value of this name, if it is written down.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, node)| *node)
    }
}

/// Collects what is wrong, so that a file is mended in one go and not mistake by mistake.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    as_written: &'static [&'static str],
}

impl Problems {
    /// For files in which the text of these fields counts as it is written: `null` is a word there, and not nothing.
    pub fn with_fields_as_written(as_written: &'static [&'static str]) -> Self {
        Self { list: Vec::new(), as_written }
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All that is wrong, in the order in which it was found.
    pub fn into_list(self) -> Vec<Problem> {
        self.list
    }

    /// Something wrong at a place that is not the beginning of a value.
    pub fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Something wrong with a value.
    pub fn add(&mut self, node: &Node, message: impl Into<String>) {
        self.list.push(Problem::new(node.place, message));
    }

    /// The values of a mapping by the names in `known`; any other key is a problem.
    pub fn fields<'n, const N: usize>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: [&'static str; N],
    ) -> [Option<&'n Node>; N] {
        let found = self.named(node, what, &known);
        known.map(|name| found.get(name))
    }

    /// As [`Self::fields`], for mappings with so many names that they are better asked for one by one.
    pub fn named<'n>(&mut self, node: &'n Node, what: &str, known: &[&'static str]) -> Fields<'n> {
        let mut found = Fields::default();
        let Kind::Map(pairs) = &node.kind else {
            if !node.is_null() {
                self.add(node, format!("{what} is a mapping with {}, not {}", known.join(", "), node.word()));
            }
            return found;
        };
        for (key, value) in pairs {
            let name = key.text().unwrap_or_default();
            match known.iter().find(|known| **known == name) {
                Some(known) if !value.is_null() || self.as_written.contains(known) => found.0.push((*known, value)),
                Some(_) => {}
                None => self.add(key, format!("{name:?} is no field of {what}: it may have {}", known.join(", "))),
            }
        }
        found
    }

    /// The items of a list, without those that are nothing; nothing is an empty list.
    pub fn items<'n>(&mut self, node: Option<&'n Node>, what: &str) -> Vec<&'n Node> {
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
    pub fn text(&mut self, node: Option<&Node>, what: &str) -> Option<String> {
        let node = node?;
        if node.text().is_none() {
            self.add(node, format!("{what} is a text, not {}", node.word()));
        }
        node.text().map(str::to_owned)
    }

    /// A span of time in milliseconds.
    pub fn duration(&mut self, node: Option<&Node>, what: &str) -> Option<i64> {
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

    /// Yes or no, in the words that go-yaml takes where one of both has to stand.
    pub fn boolean(&mut self, node: Option<&Node>, what: &str) -> Option<bool> {
        let node = node?;
        let is_plain = matches!(node.kind, Kind::Scalar { plain: true, .. });
        let read = match node.text().unwrap_or_default() {
            "true" | "True" | "TRUE" if is_plain => Some(true),
            "false" | "False" | "FALSE" if is_plain => Some(false),
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        };
        if read.is_none() {
            self.add(node, format!("{what} is true or false, without quotes"));
        }
        read
    }

    /// A whole number.
    pub fn integer(&mut self, node: Option<&Node>, what: &str) -> Option<i64> {
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
    pub fn number(&mut self, node: Option<&Node>, what: &str) -> Option<f64> {
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
    pub fn texts<'n>(&mut self, node: Option<&'n Node>, what: &str) -> Vec<(&'n Node, &'n Node, String)> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    #[test]
    fn all_mistakes_of_a_file_are_told_at_once_with_their_places() {
        let text = "a: yes\nb: 'true'\nc: 1.5\nd: [x]\ne: 5 parsecs\nf: null\nz: 1\n";
        let root = document(text).unwrap().root.unwrap();
        let mut problems = Problems::default();
        let found = problems.named(&root, "the file", &["a", "b", "c", "d", "e", "f"]);
        assert_eq!(problems.boolean(found.get("a"), "a"), Some(true));
        assert_eq!(problems.boolean(found.get("b"), "b"), None);
        let fraction = found.get("c");
        assert_eq!((problems.integer(fraction, "c"), problems.number(fraction, "c")), (None, Some(1.5)));
        assert_eq!(problems.text(found.get("d"), "d"), None);
        assert_eq!(problems.duration(found.get("e"), "e"), None);
        assert!(found.get("f").is_none());
        let places: Vec<String> = problems.into_list().iter().map(|problem| problem.place.to_string()).collect();
        assert_eq!(places, ["7:1", "2:4", "3:4", "4:4", "5:4"]);
    }

    #[test]
    fn nothing_is_a_word_where_the_file_says_so() {
        let root = document("expr: null\nname: null\n").unwrap().root.unwrap();
        let mut problems = Problems::with_fields_as_written(&["expr"]);
        let [expr, name] = problems.fields(&root, "a rule", ["expr", "name"]);
        assert_eq!((problems.text(expr, "expr").as_deref(), name.is_none()), (Some("null"), true));
    }
}
