//! Text to series.

use std::collections::HashMap;

use squirrel_model::{Labels, NAME_LABEL, Timestamp, is_metric_name};

use super::Format;
use crate::{DecodeError, Kind, Limits, Metadata, Refused, Sample, Series};

/// A text that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The series in the order of the text, each with one sample.
    pub series: Vec<Series>,
    /// Lines that were left out because they break the data model, such as names in quotes that only
    /// UTF-8 names are written in.
    pub refused: Refused,
}

/// Reads what an application answers to a scrape. Samples without a time get `now`. Exemplars and
/// OpenMetrics' `_created` lines are passed over.
///
/// # Errors
/// A line that is not of the format, a text without `# EOF` where OpenMetrics wants it (it was cut), or one
/// that is larger than the limits.
pub fn parse(text: &str, format: Format, now: Timestamp, limits: &Limits) -> Result<Parsed, DecodeError> {
    if text.len() > limits.max_bytes {
        return Err(DecodeError::TooLarge { what: "bytes of a text", limit: limits.max_bytes });
    }
    let mut parser = Parser { format, now, limits, metadata: HashMap::new(), out: Parsed::default(), ended: false };
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match parser.line(line) {
            Ok(()) => {}
            Err(Wrong::Line(reason)) => return Err(DecodeError::Line { line: index + 1, reason }),
            Err(Wrong::Limit(error)) => return Err(error),
            Err(Wrong::Series(reason)) => parser.out.refused.add(1, reason),
        }
    }
    if format == Format::OpenMetrics && !parser.ended {
        let reason = "it does not end in # EOF: it was cut";
        return Err(DecodeError::Malformed { format: "OpenMetrics", reason });
    }
    Ok(parser.out)
}

enum Wrong {
    /// The line is not of the format.
    Line(&'static str),
    /// The line is, and its series cannot be kept.
    Series(&'static str),
    Limit(DecodeError),
}

struct Parser<'a> {
    format: Format,
    now: Timestamp,
    limits: &'a Limits,
    /// By the family's name.
    metadata: HashMap<String, Metadata>,
    out: Parsed,
    ended: bool,
}

impl Parser<'_> {
    fn line(&mut self, line: &str) -> Result<(), Wrong> {
        let line = line.trim_start_matches([' ', '\t']);
        if line.is_empty() {
            return Ok(());
        }
        if self.ended {
            return Err(Wrong::Line("something follows # EOF"));
        }
        match line.strip_prefix('#') {
            Some(comment) => self.comment(comment),
            None => self.sample(line),
        }
    }

    fn comment(&mut self, comment: &str) -> Result<(), Wrong> {
        let comment = comment.trim_start_matches([' ', '\t']);
        if self.format == Format::OpenMetrics && comment == "EOF" {
            self.ended = true;
            return Ok(());
        }
        let mut words = comment.splitn(3, [' ', '\t']);
        let (Some(what), Some(name)) = (words.next(), words.next()) else { return Ok(()) };
        let rest = words.next().unwrap_or_default();
        if !matches!(what, "HELP" | "TYPE" | "UNIT") || !is_metric_name(name) || name.len() > self.limits.max_name {
            // Other comments are for people; names that are none come back with their samples.
            return Ok(());
        }
        if self.metadata.len() >= self.limits.max_series {
            return Err(Wrong::Limit(DecodeError::TooLarge { what: "metadata", limit: self.limits.max_series }));
        }
        let known = self.metadata.entry(name.to_owned()).or_default();
        match what {
            "TYPE" => known.kind = kind(rest.trim()).ok_or(Wrong::Line("a type that is not known"))?,
            "UNIT" if rest.len() <= self.limits.max_value => known.unit = rest.trim().into(),
            _ if rest.len() <= self.limits.max_value => known.help = unescaped(rest).into(),
            _ => {}
        }
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), Wrong> {
        if self.out.series.len() + self.out.refused.series >= self.limits.max_series {
            return Err(Wrong::Limit(DecodeError::TooLarge { what: "series", limit: self.limits.max_series }));
        }
        let end = line.find(['{', ' ', '\t']).ok_or(Wrong::Line("a name without a value"))?;
        let (name, mut rest) = line.split_at(end);
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut quoted_name = None;
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(inside) = rest.strip_prefix('{') {
            rest = labels(inside, &mut pairs, &mut quoted_name, self.limits)?;
        }
        let (value, at) = numbers(rest, self.format)?;
        if name.is_empty() || quoted_name.is_some() {
            return match quoted_name {
                Some(()) => Err(Wrong::Series("a name in quotes")),
                None => Err(Wrong::Line("a value without a name")),
            };
        }
        if !is_metric_name(name) {
            return Err(Wrong::Line("a name that is not one"));
        }
        let (family, ending) = self.family(name);
        if self.format == Format::OpenMetrics && ending == "_created" {
            return Ok(());
        }
        let metadata = self.metadata.get(family).cloned().unwrap_or_default();
        if name.len() > self.limits.max_name || pairs.iter().any(|(name, _)| name.len() > self.limits.max_name) {
            return Err(Wrong::Series("a name is too long"));
        }
        if pairs.len() > self.limits.max_labels {
            return Err(Wrong::Series("a series has too many labels"));
        }
        pairs.push((NAME_LABEL.to_owned(), name.to_owned()));
        let labels = Labels::new(pairs).map_err(|_| Wrong::Series("a label is given twice, or its name is not one"))?;
        let sample = Sample { at: at.unwrap_or(self.now), value, start: None };
        self.out.series.push(Series { labels, metadata, samples: vec![sample] });
        Ok(())
    }

    /// The family that a sample belongs to, and what its name has beyond that.
    fn family<'n>(&self, name: &'n str) -> (&'n str, &'n str) {
        const ENDINGS: &[&str] = &["_total", "_created", "_bucket", "_sum", "_count", "_info", "_gsum", "_gcount"];
        if self.metadata.contains_key(name) {
            return (name, "");
        }
        let mut parts = ENDINGS.iter().filter_map(|ending| {
            let family = name.strip_suffix(ending)?;
            name.get(family.len()..).map(|ending| (family, ending))
        });
        parts.find(|(family, _)| self.metadata.contains_key(*family)).unwrap_or((name, ""))
    }
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        "gaugehistogram" => Kind::GaugeHistogram,
        "summary" => Kind::Summary,
        "info" => Kind::Info,
        "stateset" => Kind::StateSet,
        "untyped" | "unknown" => Kind::Unknown,
        _ => return None,
    })
}

/// Reads labels up to the closing brace and gives what follows it.
fn labels<'a>(
    mut rest: &'a str,
    pairs: &mut Vec<(String, String)>,
    quoted_name: &mut Option<()>,
    limits: &Limits,
) -> Result<&'a str, Wrong> {
    let blank = |rest: &'a str| rest.trim_start_matches([' ', '\t']);
    loop {
        rest = blank(rest);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok(after);
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            // A UTF-8 name: of the metric, or of a label.
            rest = blank(text(quoted)?.1);
            *quoted_name = Some(());
            if let Some(after) = rest.strip_prefix('=') {
                rest = text(blank(after).strip_prefix('"').ok_or(NO_LABEL)?)?.1;
            }
        } else {
            let (name, after) = rest.split_once('=').ok_or(NO_LABEL)?;
            let name = name.trim_end_matches([' ', '\t']);
            if !squirrel_model::is_label_name(name) {
                return Err(NO_LABEL);
            }
            let (value, after) = text(blank(after).strip_prefix('"').ok_or(NO_LABEL)?)?;
            if value.len() > limits.max_value {
                let what = "octets of a label";
                return Err(Wrong::Limit(DecodeError::TooLarge { what, limit: limits.max_value }));
            }
            // One more than allowed, so that the excess is seen.
            if pairs.len() <= limits.max_labels {
                pairs.push((name.to_owned(), value));
            }
            rest = after;
        }
        rest = blank(rest);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return Err(NO_LABEL),
        }
    }
}

const NO_LABEL: Wrong = Wrong::Line("labels that are not name=\"value\"");

/// Reads a text after its opening quote: what it says, and what follows its closing quote.
fn text(quoted: &str) -> Result<(String, &str), Wrong> {
    let mut escaped = false;
    for (at, octet) in quoted.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                // Quote and backslash are ASCII, so `at` is a character's boundary.
                let (inside, after) = quoted.split_at(at);
                return Ok((unescaped(inside), after.strip_prefix('"').unwrap_or_default()));
            }
            _ => {}
        }
    }
    Err(Wrong::Line("a text without its closing quote"))
}

fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some(next @ ('\\' | '"'))) => out.push(next),
            // Any other stroke stands for itself.
            _ => {
                out.push(c);
                continue;
            }
        }
        chars.next();
    }
    out
}

/// Value, and time where there is one. What follows `#` is an exemplar.
fn numbers(rest: &str, format: Format) -> Result<(f64, Option<Timestamp>), Wrong> {
    let rest = if format == Format::OpenMetrics { rest.split('#').next().unwrap_or_default() } else { rest };
    let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
    let value = words.next().and_then(number).ok_or(Wrong::Line("no value, or one that is no number"))?;
    let at = match words.next() {
        None => None,
        Some(word) => Some(time(word, format).ok_or(Wrong::Line("a time that is none"))?),
    };
    match words.next() {
        None => Ok((value, at)),
        Some(_) => Err(Wrong::Line("something follows the time")),
    }
}

fn number(word: &str) -> Option<f64> {
    match word {
        "NaN" | "+Inf" | "-Inf" | "Inf" => word.parse().ok(),
        // Rust also reads words such as `infinity`, and Go underscores: neither is of the format.
        _ if word.bytes().all(|octet| octet.is_ascii_digit() || b"+-.eE".contains(&octet)) => word.parse().ok(),
        _ => None,
    }
}

/// Milliseconds in Prometheus' format, seconds with a fraction in OpenMetrics.
fn time(word: &str, format: Format) -> Option<Timestamp> {
    match format {
        Format::Prometheus => word.parse().ok().map(Timestamp),
        Format::OpenMetrics => {
            let seconds = number(word).filter(|seconds| seconds.abs() < 1e12)?;
            Some(Timestamp((seconds * 1_000.0).round() as i64))
        }
    }
}
