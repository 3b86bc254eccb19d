//! What other engines answer. They are believed in nothing: labels that no series of ours could have, numbers that are
//! none and other shapes are errors, and no text of theirs reaches a screen unescaped.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use squirrel_model::{Labels, Samples, Timestamp, Untrusted};
use squirrel_promql::engine::Listed;
use squirrel_promql::{Answer, InstantSample, Value};

/// Most warnings and most infos that are kept.
const MOST_NOTES: usize = 20;

/// Most characters of one.
const NOTE_LENGTH: usize = 500;

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    #[serde(default = "Vec::new")]
    warnings: Vec<String>,
    #[serde(default = "Vec::new")]
    infos: Vec<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<One>),
    Matrix(Vec<Many>),
    Scalar((f64, String)),
    String((f64, String)),
}

#[derive(Deserialize)]
struct One {
    metric: BTreeMap<String, String>,
    value: Option<(f64, String)>,
    histogram: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Many {
    metric: BTreeMap<String, String>,
    #[serde(default = "Vec::new")]
    values: Vec<(f64, String)>,
    histograms: Option<IgnoredAny>,
}

/// The words of an error's answer.
pub(super) fn refusal(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Refusal>(body).ok().map(|refusal| refusal.error)
}

/// A query's value.
pub(super) fn value(body: &[u8]) -> Result<Answer, String> {
    let envelope: Envelope<Data> = read(body)?;
    let mut histograms = 0_usize;
    let value = match envelope.data.ok_or("it has no data")? {
        Data::Scalar((at, text)) => Value::Scalar(moment(at), number(&text)?),
        Data::String((_, text)) => Value::String(text),
        Data::Vector(rows) => {
            let mut samples = Vec::with_capacity(rows.len());
            for row in rows {
                histograms += usize::from(row.histogram.is_some());
                if let Some((at, text)) = row.value {
                    let (labels, value) = (labels(row.metric)?, number(&text)?);
                    samples.push(InstantSample { labels, time: moment(at), value });
                }
            }
            Value::Vector(samples)
        }
        Data::Matrix(rows) => {
            let mut series = Vec::with_capacity(rows.len());
            for row in rows {
                histograms += usize::from(row.histograms.is_some());
                let mut samples = Samples::default();
                for (at, text) in &row.values {
                    samples.push(moment(*at).millis(), number(text)?);
                }
                if !samples.times.is_sorted_by(|a, b| a < b) {
                    return Err("the samples of a series are not in the order of time".to_owned());
                }
                if !samples.is_empty() {
                    series.push((labels(row.metric)?, samples));
                }
            }
            series.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Matrix(series)
        }
    };
    let mut warnings = notes(envelope.warnings);
    if histograms > 0 {
        warnings.push(format!("native histograms of {histograms} series are left out: they cannot be shown yet"));
    }
    Ok(Answer { value, warnings, infos: notes(envelope.infos), samples: 0 })
}

/// Names, or values of a label.
pub(super) fn names(body: &[u8]) -> Result<Listed<String>, String> {
    let envelope: Envelope<Vec<String>> = read(body)?;
    let mut items = envelope.data.unwrap_or_default();
    items.sort_unstable();
    items.dedup();
    Ok(Listed { items, warnings: notes(envelope.warnings) })
}

/// Label sets.
pub(super) fn series(body: &[u8]) -> Result<Listed<Labels>, String> {
    let envelope: Envelope<Vec<BTreeMap<String, String>>> = read(body)?;
    let mut items = envelope.data.unwrap_or_default().into_iter().map(labels).collect::<Result<Vec<_>, _>>()?;
    items.sort_unstable();
    items.dedup();
    Ok(Listed { items, warnings: notes(envelope.warnings) })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        format!("it is not the JSON of Prometheus' API (line {}, column {})", error.line(), error.column())
    })
}

fn labels(metric: BTreeMap<String, String>) -> Result<Labels, String> {
    Labels::new(metric).map_err(|error| format!("a series has labels that none can have: {error}"))
}

/// Rust reads `NaN`, `+Inf`, `-Inf` and `1e+21` as they are written here.
fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("a value is no number: {}", Untrusted(text)))
}

/// Seconds with up to three decimals; a number beyond all time is its end.
fn moment(seconds: f64) -> Timestamp {
    Timestamp((seconds * 1000.0).round() as i64)
}

fn notes(texts: Vec<String>) -> Vec<String> {
    let short = |text: String| Untrusted(&text.chars().take(NOTE_LENGTH).collect::<String>()).to_string();
    texts.into_iter().take(MOST_NOTES).map(short).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(data: &str) -> Result<Answer, String> {
        value(format!(r#"{{"status":"success","data":{data},"warnings":["w\u0007"]}}"#).as_bytes())
    }

    #[test]
    fn every_type_is_read() {
        let answer = of(r#"{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"+Inf"]}]}"#).unwrap();
        let labels = Labels::new([("a", "b")]).unwrap();
        let time = Timestamp(1_500);
        assert_eq!(
            answer.value,
            Value::Vector(vec![InstantSample { labels: labels.clone(), time, value: f64::INFINITY }])
        );
        assert!(!answer.warnings[0].contains('\u{7}'), "{:?}", answer.warnings);
        let answer = of(r#"{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"],[2.001,"2"]]}]}"#);
        let samples = Samples { times: vec![1_000, 2_001], values: vec![1.0, 2.0] };
        assert_eq!(answer.unwrap().value, Value::Matrix(vec![(labels, samples)]));
        assert_eq!(
            of(r#"{"resultType":"scalar","result":[4,"2"]}"#).unwrap().value,
            Value::Scalar(Timestamp(4_000), 2.0)
        );
        assert_eq!(of(r#"{"resultType":"string","result":[4,"x"]}"#).unwrap().value, Value::String("x".to_owned()));
    }

    #[test]
    fn histograms_are_left_out_and_told() {
        let answer = of(r#"{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"1"}]}]}"#).unwrap();
        assert_eq!(answer.value, Value::Vector(Vec::new()));
        assert!(answer.warnings[1].contains("1 series"), "{:?}", answer.warnings);
    }

    #[test]
    fn what_is_not_the_api_s_is_refused() {
        for data in [
            r#"{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}"#,
            r#"{"resultType":"vector","result":[{"metric":{},"value":[1,1]}]}"#,
            r#"{"resultType":"vector","result":[{"metric":{"":"x"},"value":[1,"1"]}]}"#,
            r#"{"resultType":"matrix","result":[{"metric":{},"values":[[2,"1"],[1,"1"]]}]}"#,
            r#"{"resultType":"cube","result":[]}"#,
            "null",
        ] {
            assert!(of(data).is_err(), "{data}");
        }
        assert!(names(b"<html>").is_err() && series(br#"{"data":[{"a":1}]}"#).is_err());
        assert_eq!(names(br#"{"data":["b","a","b"]}"#).unwrap().items, ["a", "b"]);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(body in any::<Vec<u8>>()) {
            let _ = (value(&body), names(&body), series(&body), refusal(&body));
        }
    }
}
