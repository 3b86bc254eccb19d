//! The figures behind the bar in a plugin's first line.
//!
//! Source: Monitoring Plugins Development Guidelines, "Performance data":
//! `'label'=value[UOM];[warn];[crit];[min];[max]`.

/// Figures of one run at most, and characters of their labels.
const MOST: usize = 100;
const LONGEST_LABEL: usize = 100;

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Performance {
    /// What it is of.
    pub label: String,
    /// The value; `None` where the plugin wrote `U`, for unknown.
    pub value: Option<f64>,
    /// Its unit as it was written: `s`, `ms`, `%`, `B`, `c` for a counter, or nothing.
    pub unit: String,
    /// The range that is no warning, as it was written.
    pub warning: Option<String>,
    /// The range that is not critical, as it was written.
    pub critical: Option<String>,
    /// The smallest value there can be.
    pub minimum: Option<f64>,
    /// The largest value there can be.
    pub maximum: Option<f64>,
}

/// Reads figures, and says how many pieces are none. Those after the first hundred count as such.
pub fn parse_performance(text: &str) -> (Vec<Performance>, usize) {
    let (mut found, mut strange) = (Vec::new(), 0);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (label, after) = label(rest);
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (figure, next) = after.split_at(end);
        match label.and_then(|label| performance(label, figure)) {
            Some(one) if found.len() < MOST => found.push(one),
            _ => strange += 1,
        }
        rest = next.trim_start();
    }
    (found, strange)
}

/// The label, and what follows its equals sign. A quoted one may hold spaces and equals signs; a quote in it is doubled.
fn label(text: &str) -> (Option<String>, &str) {
    let Some(mut rest) = text.strip_prefix('\'') else {
        let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
        let (label, after) = text.split_at(end);
        return match after.strip_prefix('=') {
            Some(after) => (Some(label.to_owned()), after),
            None => (None, after),
        };
    };
    let mut label = String::new();
    while let Some((part, after)) = rest.split_once('\'') {
        label.push_str(part);
        if let Some(after) = after.strip_prefix('\'') {
            label.push('\'');
            rest = after;
            continue;
        }
        return match after.strip_prefix('=') {
            Some(after) => (Some(label), after),
            None => (None, after),
        };
    }
    (None, "")
}

fn performance(label: String, figure: &str) -> Option<Performance> {
    if label.is_empty() || label.chars().count() > LONGEST_LABEL {
        return None;
    }
    let mut parts = figure.split(';');
    let value = parts.next()?;
    let end = value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+'))).unwrap_or(value.len());
    // An exponent, which some plugins write, is part of the number.
    let end = exponent_end(value, end);
    let (digits, unit) = value.split_at(end);
    let (value, unit) = if value == "U" { (None, "") } else { (Some(number(digits)?), unit) };
    let is_unit = unit.chars().count() <= 8 && unit.chars().all(|c| c.is_alphabetic() || matches!(c, '%' | '/' | '°'));
    let mut text = || parts.next().filter(|text| !text.is_empty() && text.len() <= 64);
    let (warning, critical) = (text().map(str::to_owned), text().map(str::to_owned));
    let (minimum, maximum) = (text().and_then(number), text().and_then(number));
    is_unit.then(|| Performance { label, value, unit: unit.to_owned(), warning, critical, minimum, maximum })
}

fn exponent_end(value: &str, end: usize) -> usize {
    let rest = value.get(end..).unwrap_or_default();
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return end };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 { end } else { end + rest.len() - unsigned.len() + digits }
}

/// A number; some languages write a comma for the point.
pub(crate) fn number(text: &str) -> Option<f64> {
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | ','));
    text.replacen(',', ".", 1).parse::<f64>().ok().filter(|value| starts && value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        let (found, strange) = parse_performance(
            "time=0.002s;;;0.000;10.000 'C:\\ free'=12,5GB;@10:20;~:5 '100% o''clock'=1e-3;1;2 /=U count=17c x=-1;-2;-3;-4;-5",
        );
        assert_eq!(strange, 0);
        let one = |index: usize| {
            let one: &Performance = &found[index];
            (one.label.as_str(), one.value, one.unit.as_str(), one.warning.as_deref(), one.critical.as_deref())
        };
        assert_eq!(one(0), ("time", Some(0.002), "s", None, None));
        assert_eq!((found[0].minimum, found[0].maximum), (Some(0.0), Some(10.0)));
        assert_eq!(one(1), ("C:\\ free", Some(12.5), "GB", Some("@10:20"), Some("~:5")));
        assert_eq!(one(2), ("100% o'clock", Some(0.001), "", Some("1"), Some("2")));
        assert_eq!(one(3), ("/", None, "", None, None));
        assert_eq!(one(4), ("count", Some(17.0), "c", None, None));
        assert_eq!((one(5).1, found[5].minimum, found[5].maximum), (Some(-1.0), Some(-4.0), Some(-5.0)));
    }

    #[test]
    fn what_is_no_figure_is_counted() {
        for (text, good, strange) in [
            ("", 0, 0),
            ("time", 0, 1),
            ("=1", 0, 1),
            ("a= b=1", 1, 1),
            ("a=x", 0, 1),
            ("a=inf b=nan c=infinity", 0, 3),
            ("a=1;2;3;4;5;6", 1, 0),
            ("'a=1 b=2", 0, 1),
            ("'a'1 b=2", 1, 1),
            ("a=1\u{1b}[2J", 0, 1),
        ] {
            let (found, counted) = parse_performance(text);
            assert_eq!((found.len(), counted), (good, strange), "{text:?}");
        }
        let (found, strange) = parse_performance(&"a=1 ".repeat(150));
        assert_eq!((found.len(), strange), (100, 50));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in "[a-z'=;0-9.,eU \\t%-]{0,60}|\\PC{0,40}") {
            let (found, _) = parse_performance(&text);
            for one in found {
                proptest::prop_assert!(one.value.is_none_or(f64::is_finite));
            }
        }
    }
}
