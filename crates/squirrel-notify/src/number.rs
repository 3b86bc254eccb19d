//! Numbers in JSON that may be anything: JSON has no NaN and no infinity, which alerts' values can be. What is
//! not finite is a text, as Prometheus writes it.

use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl From<f64> for Written {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Self::Number(value)
        } else if value.is_nan() {
            Self::Text("NaN".to_owned())
        } else {
            Self::Text(if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned())
        }
    }
}

impl TryFrom<Written> for f64 {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Number(value) => Ok(value),
            Written::Text(text) => match text.as_str() {
                "NaN" => Ok(Self::NAN),
                "+Inf" => Ok(Self::INFINITY),
                "-Inf" => Ok(Self::NEG_INFINITY),
                _ => Err("a number, or one of the texts NaN, +Inf, -Inf"),
            },
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    Written::from(*value).serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    f64::try_from(Written::deserialize(from)?).map_err(de::Error::custom)
}

/// The same for a number that may be missing.
pub(crate) mod option {
    use super::{Deserializer, Serializer, Written, de};
    use serde::{Deserialize as _, Serialize as _};

    #[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        value.map(Written::from).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        let written = Option::<Written>::deserialize(from)?;
        written.map(f64::try_from).transpose().map_err(de::Error::custom)
    }
}

/// The same for the lines of a chart.
pub(crate) mod lines {
    use super::{Deserializer, Serializer, Written, de};
    use serde::{Deserialize as _, Serialize as _};

    type Lines<T> = Vec<(String, Vec<(i64, T)>)>;

    pub(crate) fn serialize<S: Serializer>(lines: &Lines<f64>, to: S) -> Result<S::Ok, S::Error> {
        let line = |points: &Vec<(i64, f64)>| points.iter().map(|(at, value)| (*at, Written::from(*value))).collect();
        let lines: Lines<Written> = lines.iter().map(|(name, points)| (name.clone(), line(points))).collect();
        lines.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Lines<f64>, D::Error> {
        let line = |points: Vec<(i64, Written)>| -> Result<Vec<(i64, f64)>, &'static str> {
            points.into_iter().map(|(at, value)| Ok((at, f64::try_from(value)?))).collect()
        };
        let lines = Lines::<Written>::deserialize(from)?.into_iter();
        lines.map(|(name, points)| Ok((name, line(points)?))).collect::<Result<_, &str>>().map_err(de::Error::custom)
    }
}
