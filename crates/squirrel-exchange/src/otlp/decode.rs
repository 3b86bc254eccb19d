//! Octets to families.

use squirrel_model::{Timestamp, exposition};

use super::{Received, Resource};
use crate::protobuf::{Content, Reader};
use crate::{
    Buckets, DecodeError, ExponentialHistogram, Family, Histogram, Kind, Limits, Point, Summary, Temporality, Value,
};

/// The shapes of a metric, by the field that its values stand in.
const GAUGE: u32 = 5;
const SUM: u32 = 7;
const HISTOGRAM: u32 = 9;
const EXPONENTIAL: u32 = 10;
const SUMMARY: u32 = 11;

/// Reads a request. Points that break the data model are left out and counted.
///
/// # Errors
/// When it is not protobuf, or larger than the limits.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Received, DecodeError> {
    if body.len() > limits.max_bytes {
        return Err(DecodeError::TooLarge { what: "bytes of a request", limit: limits.max_bytes });
    }
    let mut reading = Reading { limits, out: Received::default(), parts: 0, pieces: 0 };
    let mut request = Reader(body);
    while let Some((number, content)) = request.field()? {
        if number == 1 {
            let resource = reading.resource(content.message()?)?;
            reading.out.resources.push(resource);
        }
    }
    Ok(reading.out)
}

struct Reading<'a> {
    limits: &'a Limits,
    out: Received,
    /// Resources, metrics and points so far: all of them take memory, also those without content.
    parts: usize,
    /// Attributes, buckets and quantiles so far: an octet or a few each as they come, and up to eighty kept.
    pieces: usize,
}

impl Reading<'_> {
    fn count(&mut self) -> Result<(), DecodeError> {
        self.parts += 1;
        if self.parts > self.limits.max_series {
            return Err(DecodeError::TooLarge { what: "points", limit: self.limits.max_series });
        }
        Ok(())
    }

    fn count_pieces(&mut self, more: usize) -> Result<(), DecodeError> {
        self.pieces += more;
        if self.pieces > self.limits.max_samples {
            return Err(DecodeError::TooLarge { what: "attributes and buckets", limit: self.limits.max_samples });
        }
        Ok(())
    }

    fn resource(&mut self, mut message: Reader<'_>) -> Result<Resource, DecodeError> {
        self.count()?;
        let mut resource = Resource::default();
        while let Some((number, content)) = message.field()? {
            match number {
                1 => {
                    let mut fields = content.message()?;
                    while let Some((number, content)) = fields.field()? {
                        if number == 1 {
                            self.attribute(content, &mut resource.attributes)?;
                        }
                    }
                }
                2 => self.scope(content.message()?, &mut resource.families)?,
                _ => {}
            }
        }
        resource.attributes.truncate(self.limits.max_labels);
        Ok(resource)
    }

    fn scope(&mut self, mut message: Reader<'_>, families: &mut Vec<Family>) -> Result<(), DecodeError> {
        while let Some((number, content)) = message.field()? {
            if number == 2 {
                self.count()?;
                families.extend(self.metric(content.message()?)?);
            }
        }
        Ok(())
    }

    fn metric(&mut self, mut message: Reader<'_>) -> Result<Option<Family>, DecodeError> {
        let limits = self.limits;
        let (mut family, mut values) = (Family::default(), None);
        while let Some((number, content)) = message.field()? {
            match number {
                1 => content.text(limits.max_name)?.clone_into(&mut family.name),
                2 => content.text(limits.max_value)?.clone_into(&mut family.help),
                3 => content.text(limits.max_name)?.clone_into(&mut family.unit),
                // Of several shapes the last holds, as in any protobuf.
                GAUGE | SUM | HISTOGRAM | EXPONENTIAL | SUMMARY => values = Some((number, content.message()?)),
                _ => {}
            }
        }
        let Some((shape, mut values)) = values else { return Ok(None) };
        let mut monotonic = false;
        let mut whole = values;
        while let Some((number, content)) = whole.field()? {
            match number {
                2 if content.number()? == 1 => family.temporality = Temporality::Delta,
                2 => family.temporality = Temporality::Cumulative,
                3 => monotonic = content.number()? != 0,
                _ => {}
            }
        }
        family.kind = match shape {
            SUM if monotonic => Kind::Counter,
            HISTOGRAM | EXPONENTIAL => Kind::Histogram,
            SUMMARY => Kind::Summary,
            _ => Kind::Gauge,
        };
        while let Some((number, content)) = values.field()? {
            if number == 1 {
                self.count()?;
                self.point(shape, content.message()?, &mut family.points)?;
            }
        }
        if family.name.is_empty() {
            family.points.iter().for_each(|_| self.out.refused.add(1, "a metric has no name"));
            return Ok(None);
        }
        Ok(Some(family))
    }

    fn point(&mut self, shape: u32, message: Reader<'_>, out: &mut Vec<Point>) -> Result<(), DecodeError> {
        let (attributes_field, flags_field) = match shape {
            HISTOGRAM => (9, 10),
            EXPONENTIAL => (1, 10),
            _ => (7, 8),
        };
        let mut point = Point { attributes: Vec::new(), start: None, at: None, value: Value::Number(0.0) };
        let (mut fields, mut flags) = (message, 0);
        while let Some((number, content)) = fields.field()? {
            match number {
                2 => point.start = milliseconds(content.fixed()?),
                3 => point.at = milliseconds(content.fixed()?),
                number if number == attributes_field => self.attribute(content, &mut point.attributes)?,
                number if number == flags_field => flags = content.number()?,
                _ => {}
            }
        }
        let value = match shape {
            HISTOGRAM => self.histogram(message)?,
            EXPONENTIAL => self.exponential(message)?,
            SUMMARY => self.summary(message)?,
            _ => number(message)?,
        };
        if flags & 1 == 1 {
            self.out.empty += 1;
        } else if point.attributes.len() > self.limits.max_labels {
            self.out.refused.add(1, "a point has too many attributes");
        } else if let Some(value) = value {
            out.push(Point { value, ..point });
        } else {
            self.out.refused.add(1, "a point has no value, or buckets that cannot be");
        }
        Ok(())
    }

    /// One more than allowed is kept, so that the excess is seen.
    fn attribute(&mut self, content: Content<'_>, out: &mut Vec<(String, String)>) -> Result<(), DecodeError> {
        let (mut name, mut value, mut fields) = ("", None, content.message()?);
        while let Some((number, content)) = fields.field()? {
            match number {
                1 => name = content.text(self.limits.max_name)?,
                2 => value = attribute_value(content.message()?, self.limits.max_value)?,
                _ => {}
            }
        }
        if let Some(value) = value.filter(|_| !name.is_empty() && out.len() <= self.limits.max_labels) {
            self.count_pieces(1)?;
            out.push((name.to_owned(), value));
        }
        Ok(())
    }

    fn histogram(&mut self, mut message: Reader<'_>) -> Result<Option<Value>, DecodeError> {
        let limit = self.limits.max_buckets;
        let (mut histogram, mut bounds, mut count) = (Histogram::default(), Vec::new(), 0);
        while let Some((number, content)) = message.field()? {
            match number {
                4 => count = content.fixed()?,
                5 => histogram.sum = Some(content.double()?),
                6 => content.fixeds(&mut histogram.counts, limit)?,
                7 => content.fixeds(&mut bounds, limit)?,
                11 => histogram.min = Some(content.double()?),
                12 => histogram.max = Some(content.double()?),
                _ => {}
            }
        }
        self.count_pieces(histogram.counts.len() + bounds.len())?;
        histogram.bounds = bounds.into_iter().map(f64::from_bits).collect();
        // Without bounds a source may give the count alone.
        if histogram.counts.is_empty() && histogram.bounds.is_empty() {
            histogram.counts.push(count);
        }
        Ok(histogram.is_sound().then_some(Value::Histogram(histogram)))
    }

    fn exponential(&mut self, mut message: Reader<'_>) -> Result<Option<Value>, DecodeError> {
        let mut histogram = ExponentialHistogram::default();
        while let Some((number, content)) = message.field()? {
            match number {
                5 => histogram.sum = Some(content.double()?),
                6 => histogram.scale = content.zigzag()?,
                7 => histogram.zero_count = content.fixed()?,
                8 => histogram.positive = self.buckets(content.message()?)?,
                9 => histogram.negative = self.buckets(content.message()?)?,
                12 => histogram.min = Some(content.double()?),
                13 => histogram.max = Some(content.double()?),
                14 => histogram.zero_threshold = content.double()?,
                _ => {}
            }
        }
        let sound = ExponentialHistogram::SCALES.contains(&histogram.scale)
            && histogram.zero_threshold >= 0.0
            && histogram.zero_threshold.is_finite();
        Ok(sound.then_some(Value::Exponential(histogram)))
    }

    fn buckets(&mut self, mut message: Reader<'_>) -> Result<Buckets, DecodeError> {
        let mut buckets = Buckets::default();
        while let Some((number, content)) = message.field()? {
            match number {
                1 => buckets.offset = content.zigzag()?,
                2 => content.varints(&mut buckets.counts, self.limits.max_buckets)?,
                _ => {}
            }
        }
        self.count_pieces(buckets.counts.len())?;
        Ok(buckets)
    }

    fn summary(&mut self, mut message: Reader<'_>) -> Result<Option<Value>, DecodeError> {
        let mut summary = Summary::default();
        while let Some((number, content)) = message.field()? {
            match number {
                4 => summary.count = content.fixed()?,
                5 => summary.sum = content.double()?,
                6 => {
                    if summary.quantiles.len() >= self.limits.max_buckets {
                        return Err(DecodeError::TooLarge { what: "quantiles", limit: self.limits.max_buckets });
                    }
                    let (mut quantile, mut value, mut fields) = (0.0, 0.0, content.message()?);
                    while let Some((number, content)) = fields.field()? {
                        match number {
                            1 => quantile = content.double()?,
                            2 => value = content.double()?,
                            _ => {}
                        }
                    }
                    self.count_pieces(1)?;
                    summary.quantiles.push((quantile, value));
                }
                _ => {}
            }
        }
        Ok(Some(Value::Summary(summary)))
    }
}

fn number(mut message: Reader<'_>) -> Result<Option<Value>, DecodeError> {
    let mut value = None;
    while let Some((number, content)) = message.field()? {
        match number {
            4 => value = Some(content.double()?),
            6 => value = Some(content.fixed()? as i64 as f64),
            _ => {}
        }
    }
    Ok(value.map(Value::Number))
}

/// Zero is "not known".
fn milliseconds(nanoseconds: u64) -> Option<Timestamp> {
    (nanoseconds != 0).then_some(Timestamp((nanoseconds / 1_000_000) as i64))
}

/// A value as text; `None` for lists, maps and octets, which are nothing that a label could be.
fn attribute_value(mut message: Reader<'_>, limit: usize) -> Result<Option<String>, DecodeError> {
    let mut value = None;
    while let Some((number, content)) = message.field()? {
        value = match number {
            1 => Some(content.text(limit)?.to_owned()),
            2 => Some((content.number()? != 0).to_string()),
            3 => Some((content.number()? as i64).to_string()),
            4 => {
                let mut text = String::new();
                exposition::write_value(&mut text, content.double()?);
                Some(text)
            }
            _ => None,
        };
    }
    Ok(value)
}
