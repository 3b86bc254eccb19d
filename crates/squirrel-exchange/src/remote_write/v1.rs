//! `prometheus.WriteRequest`.

use std::collections::BTreeMap;

use squirrel_model::Timestamp;

use super::{FamilyMetadata, Reading, family_name};
use crate::protobuf::{Reader, Writer};
use crate::{DecodeError, Kind, Metadata, Sample, Series};

pub(super) fn encode(series: &[Series]) -> Vec<u8> {
    let mut request = Writer::default();
    let mut families: BTreeMap<&str, &Metadata> = BTreeMap::new();
    for one in series {
        if !one.metadata.is_empty() {
            families.insert(family_name(one.labels.metric_name(), one.metadata.kind), &one.metadata);
        }
        request.message(1, |out| {
            for (name, value) in one.labels.iter() {
                out.message(1, |label| {
                    label.text(1, name);
                    label.text(2, value);
                });
            }
            for sample in &one.samples {
                out.message(2, |out| {
                    out.double(1, sample.value);
                    out.varint(2, sample.at.millis() as u64);
                });
            }
        });
    }
    for (name, metadata) in families {
        request.message(3, |out| {
            out.varint(1, metadata.kind.number());
            out.text(2, name);
            out.text(4, &metadata.help);
            out.text(5, &metadata.unit);
        });
    }
    request.0
}

pub(super) fn decode(mut request: Reader<'_>, reading: &mut Reading<'_>) -> Result<(), DecodeError> {
    while let Some((number, content)) = request.field()? {
        match number {
            1 => series(content.message()?, reading)?,
            3 => metadata(content.message()?, reading)?,
            _ => {}
        }
    }
    Ok(())
}

fn series(mut message: Reader<'_>, reading: &mut Reading<'_>) -> Result<(), DecodeError> {
    reading.count_series()?;
    let (mut pairs, mut samples) = (Vec::new(), Vec::new());
    while let Some((number, content)) = message.field()? {
        match number {
            // One more than allowed is kept, so that the excess is seen.
            1 if pairs.len() <= reading.limits.max_labels => pairs.push(label(content.message()?)?),
            2 => {
                reading.count_sample()?;
                samples.push(sample(content.message()?)?);
            }
            3 => reading.out.exemplars += 1,
            4 => reading.out.histograms += 1,
            _ => {}
        }
    }
    let labels = reading.labels(&pairs);
    reading.put(labels, Metadata::default(), samples);
    Ok(())
}

fn label(mut message: Reader<'_>) -> Result<(&str, &str), DecodeError> {
    let (mut name, mut value) = ("", "");
    while let Some((number, content)) = message.field()? {
        match number {
            // Lengths are judged with the series, which is then left out alone.
            1 => name = content.text(usize::MAX)?,
            2 => value = content.text(usize::MAX)?,
            _ => {}
        }
    }
    Ok((name, value))
}

fn sample(mut message: Reader<'_>) -> Result<Sample, DecodeError> {
    let mut sample = Sample { at: Timestamp(0), value: 0.0, start: None };
    while let Some((number, content)) = message.field()? {
        match number {
            1 => sample.value = content.double()?,
            2 => sample.at = Timestamp(content.number()? as i64),
            _ => {}
        }
    }
    Ok(sample)
}

fn metadata(mut message: Reader<'_>, reading: &mut Reading<'_>) -> Result<(), DecodeError> {
    let limits = reading.limits;
    if reading.out.metadata.len() >= limits.max_series {
        return Err(DecodeError::TooLarge { what: "metadata", limit: limits.max_series });
    }
    let (mut kind, mut name, mut help, mut unit) = (Kind::Unknown, "", "", "");
    while let Some((number, content)) = message.field()? {
        match number {
            1 => kind = Kind::of_number(content.number()?),
            2 => name = content.text(limits.max_name)?,
            4 => help = content.text(limits.max_value)?,
            5 => unit = content.text(limits.max_value)?,
            _ => {}
        }
    }
    if squirrel_model::is_metric_name(name) {
        let metadata = Metadata::new(kind, unit, help);
        reading.out.metadata.push(FamilyMetadata { name: name.to_owned(), metadata });
    }
    Ok(())
}
