//! `squirrel store export`: one series after the other, so that the memory needed is that of one.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};

use anyhow::Context as _;
use squirrel_exchange::remote_write::{self, Version};
use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::{
    Labels, Matcher, NAME_LABEL, Samples, Select, TimeRange, Timestamp, exposition, is_metric_name, is_stale,
};
use squirrel_remote::frames;
use squirrel_store::offline;
use squirrel_sys::clock;

use super::args::{Export, OutFormat};
use super::{folder, matchers, of_store, range};
use crate::config::Environment;
use crate::output;

/// Most samples in one line of JSON: a day of seconds.
const LINE_SAMPLES: usize = 86_400;

/// What was written, and what could not be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Exported {
    pub(super) series: u64,
    pub(super) samples: u64,
    /// Ends of series, which OpenMetrics has no word for.
    pub(super) ends_left_out: u64,
    /// Series whose name OpenMetrics cannot write.
    pub(super) series_left_out: u64,
}

pub(super) fn run(args: &Export, environment: &Environment) -> anyhow::Result<()> {
    let (matchers, range) = (matchers(args.selector.as_deref())?, range(&args.span)?);
    let dir = folder(&args.place, environment)?;
    let (select, report) = offline::snapshot(&dir, clock::wall()).map_err(of_store)?;
    if report.lost_anything() {
        output::complain(
            "squirrel: a part of the store is damaged and is not exported; `squirrel store check` says which",
        );
    }
    if let Some(full) = select.full_from().filter(|full| range.start < *full) {
        output::complain(&format!("squirrel: before {full} there are minutes and hours only, which are not exported"));
    }
    let exported = match &args.output {
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            write(&mut out, select.as_ref(), &matchers, range, args.format)?
        }
        Some(path) => {
            let shown = path.display();
            let file = OpenOptions::new().write(true).create_new(true).open(path);
            let mut out = BufWriter::new(file.with_context(|| format!("cannot make {shown}"))?);
            let exported = write(&mut out, select.as_ref(), &matchers, range, args.format)
                .with_context(|| format!("{shown} is not complete"))?;
            out.get_ref().sync_all().with_context(|| format!("cannot write {shown}"))?;
            exported
        }
    };
    let Exported { series, samples, ends_left_out, series_left_out } = exported;
    let summary = if args.place.json {
        let document = serde_json::json!({
            "schema": 1, "series": series, "samples": samples,
            "ends_left_out": ends_left_out, "series_left_out": series_left_out,
        });
        document.to_string()
    } else {
        let mut text = format!("squirrel: exported {samples} samples of {series} series");
        if ends_left_out + series_left_out > 0 {
            text += &format!(
                "; left out {ends_left_out} ends of series and {series_left_out} series that OpenMetrics cannot write \
                 (--format jsonl can)"
            );
        }
        text
    };
    // The data may be on standard output: what is said of it never is.
    output::complain(&summary);
    Ok(())
}

/// Writes all series in the order of their names, as OpenMetrics demands.
pub(super) fn write(
    out: &mut dyn Write,
    select: &dyn Select,
    matchers: &[Matcher],
    range: TimeRange,
    format: OutFormat,
) -> anyhow::Result<Exported> {
    let mut found = select.find(matchers, range)?;
    found.sort_by(|a, b| a.labels.metric_name().cmp(b.labels.metric_name()).then_with(|| a.labels.cmp(&b.labels)));
    let mut exported = Exported::default();
    let (mut samples, mut text, mut bodies) = (Samples::default(), String::new(), Bodies::default());
    for series in &found {
        select.read(series, range, &mut samples)?;
        if samples.is_empty() {
            continue;
        }
        match format {
            OutFormat::Openmetrics if !is_metric_name(series.labels.metric_name()) => {
                exported.series_left_out += 1;
                continue;
            }
            OutFormat::Openmetrics => openmetrics(out, &series.labels, &samples, &mut text, &mut exported)?,
            OutFormat::Jsonl => jsonl(out, &series.labels, &samples, &mut text, &mut exported)?,
            OutFormat::RemoteWrite => {
                exported.samples += samples.len() as u64;
                bodies.put(out, &series.labels, &samples)?;
            }
        }
        exported.series += 1;
    }
    bodies.write(out)?;
    if format == OutFormat::Openmetrics {
        out.write_all(b"# EOF\n")?;
    }
    out.flush()?;
    Ok(exported)
}

/// Samples of one body.
const BODY_SAMPLES: usize = 10_000;

/// A body of remote write that is being filled.
#[derive(Default)]
struct Bodies {
    series: Vec<Series>,
    samples: usize,
}

impl Bodies {
    fn put(&mut self, out: &mut dyn Write, labels: &Labels, samples: &Samples) -> anyhow::Result<()> {
        for (times, values) in samples.times.chunks(BODY_SAMPLES).zip(samples.values.chunks(BODY_SAMPLES)) {
            if self.samples + times.len() > BODY_SAMPLES {
                self.write(out)?;
            }
            let pairs = times.iter().zip(values);
            let sample = |(at, value): (&i64, &f64)| Sample { at: Timestamp(*at), value: *value, start: None };
            let samples: Vec<Sample> = pairs.map(sample).collect();
            self.samples += samples.len();
            self.series.push(Series { labels: labels.clone(), metadata: Metadata::default(), samples });
        }
        Ok(())
    }

    fn write(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.samples > 0 {
            frames::write(out, &remote_write::encode(Version::V1, &self.series)?)?;
        }
        *self = Self::default();
        Ok(())
    }
}

fn openmetrics(
    out: &mut dyn Write,
    labels: &Labels,
    samples: &Samples,
    text: &mut String,
    exported: &mut Exported,
) -> io::Result<()> {
    let mut head = labels.metric_name().to_owned();
    for (at, (name, value)) in labels.iter().filter(|(name, _)| *name != NAME_LABEL).enumerate() {
        head.push(if at == 0 { '{' } else { ',' });
        head += &format!("{name}=\"{}\"", exposition::escape_value(value));
    }
    if head.contains('{') {
        head.push('}');
    }
    for (&time, &value) in samples.times.iter().zip(&samples.values) {
        if is_stale(value) {
            exported.ends_left_out += 1;
            continue;
        }
        text.clear();
        text.push_str(&head);
        text.push(' ');
        exposition::write_value(text, value);
        *text += &format!(" {}\n", Timestamp(time));
        out.write_all(text.as_bytes())?;
        exported.samples += 1;
    }
    Ok(())
}

fn jsonl(
    out: &mut dyn Write,
    labels: &Labels,
    samples: &Samples,
    text: &mut String,
    exported: &mut Exported,
) -> anyhow::Result<()> {
    let metric: serde_json::Map<String, serde_json::Value> =
        labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let metric = serde_json::to_string(&metric)?;
    for (times, values) in samples.times.chunks(LINE_SAMPLES).zip(samples.values.chunks(LINE_SAMPLES)) {
        text.clear();
        *text += &format!("{{\"metric\":{metric},\"values\":[");
        for (at, &value) in values.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            if is_stale(value) {
                text.push_str("null");
            } else if value.is_finite() {
                exposition::write_value(text, value);
            } else {
                text.push('"');
                exposition::write_value(text, value);
                text.push('"');
            }
        }
        text.push_str("],\"timestamps\":[");
        let times: Vec<String> = times.iter().map(ToString::to_string).collect();
        *text += &times.join(",");
        text.push_str("]}\n");
        out.write_all(text.as_bytes())?;
        exported.samples += values.len() as u64;
    }
    Ok(())
}
