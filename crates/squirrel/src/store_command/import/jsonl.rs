//! JSON lines, as `squirrel store export --format jsonl` writes them.

use std::collections::BTreeMap;
use std::io::BufRead;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use squirrel_model::{Labels, Timestamp, stale_marker};

use super::{Sample, line};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    metric: BTreeMap<String, String>,
    values: Vec<Option<Value>>,
    timestamps: Vec<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Word(Word),
}

#[derive(Debug, Deserialize)]
enum Word {
    NaN,
    #[serde(rename = "+Inf", alias = "Infinity")]
    Infinity,
    #[serde(rename = "-Inf", alias = "-Infinity")]
    MinusInfinity,
}

impl Value {
    fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Word(Word::NaN) => f64::NAN,
            Self::Word(Word::Infinity) => f64::INFINITY,
            Self::Word(Word::MinusInfinity) => f64::NEG_INFINITY,
        }
    }
}

pub(super) fn each(
    mut reader: impl BufRead,
    take: &mut dyn FnMut(Sample) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let (mut buffer, mut number, mut refused) = (Vec::new(), 0, 0);
    while let Some(text) = line(&mut reader, &mut buffer, number + 1)? {
        number += 1;
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(text).with_context(|| format!("line {number}"))?;
        ensure!(
            line.values.len() == line.timestamps.len(),
            "line {number}: {} values have {} timestamps",
            line.values.len(),
            line.timestamps.len()
        );
        let Some(labels) = Labels::new(line.metric).ok().filter(|labels| !labels.is_empty()) else {
            refused += line.values.len() as u64;
            continue;
        };
        for (value, time) in line.values.iter().zip(&line.timestamps) {
            let value = value.as_ref().map_or_else(stale_marker, Value::number);
            take((labels.clone(), Timestamp(*time), value))?;
        }
    }
    Ok(refused)
}
