//! Answers of the query API, read back.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

/// The frame of an answer below `/api/v1/`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Reply<T> {
    /// `success` or `error`.
    pub status: String,
    /// The answer; absent in an error.
    pub data: Option<T>,
    /// Kind of an error, such as `bad_data`.
    #[serde(rename = "errorType", default)]
    pub error_type: String,
    /// An error in words.
    #[serde(default)]
    pub error: String,
    /// The answer may not be what was asked for.
    #[serde(default = "Vec::new")]
    pub warnings: Vec<String>,
    /// Remarks about the question.
    #[serde(default = "Vec::new")]
    pub infos: Vec<String>,
}

/// One sample: seconds since the epoch, and the value that stood there as a string.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Point(pub f64, #[serde(deserialize_with = "number_in_string")] pub f64);

/// A series of an instant vector.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct VectorSeries {
    /// Its labels.
    pub metric: BTreeMap<String, String>,
    /// Its sample.
    pub value: Point,
}

/// A series of a range vector.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct MatrixSeries {
    /// Its labels.
    pub metric: BTreeMap<String, String>,
    /// Its samples in the order of time.
    pub values: Vec<Point>,
}

/// The value of a query.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub enum QueryData {
    /// Series with one sample each.
    Vector(Vec<VectorSeries>),
    /// Series with many samples each.
    Matrix(Vec<MatrixSeries>),
    /// A number.
    Scalar(Point),
    /// A text.
    String((f64, String)),
}

fn number_in_string<'de, D: Deserializer<'de>>(input: D) -> Result<f64, D::Error> {
    let text = String::deserialize(input)?;
    // Rust reads `NaN`, `+Inf`, `-Inf` and `1e+21` as Prometheus writes them.
    text.parse().map_err(|_| de::Error::custom(format!("{text:?} is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{Notes, write_success};
    use crate::result::{write_matrix, write_scalar, write_text, write_vector};
    use squirrel_model::{Labels, Timestamp};

    fn read(write: impl FnOnce(&mut String)) -> QueryData {
        let mut out = String::new();
        write_success(&mut out, &Notes::default(), write);
        serde_json::from_str::<Reply<QueryData>>(&out).unwrap().data.unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let labels = Labels::new([("a", "b")]).unwrap();
        let metric = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        assert_eq!(
            read(|out| write_vector(out, [(&labels, Timestamp(1_500), f64::NEG_INFINITY)])),
            QueryData::Vector(vec![VectorSeries { metric: metric.clone(), value: Point(1.5, f64::NEG_INFINITY) }])
        );
        assert_eq!(
            read(|out| write_matrix(out, [(&labels, [(Timestamp(0), 1e21)])])),
            QueryData::Matrix(vec![MatrixSeries { metric, values: vec![Point(0.0, 1e21)] }])
        );
        assert_eq!(read(|out| write_scalar(out, Timestamp(4_000), 2.0)), QueryData::Scalar(Point(4.0, 2.0)));
        assert_eq!(read(|out| write_text(out, Timestamp(1), "x")), QueryData::String((0.001, "x".into())));
        let QueryData::Scalar(Point(_, nan)) = read(|out| write_scalar(out, Timestamp(0), f64::NAN)) else {
            panic!("a scalar")
        };
        assert!(nan.is_nan());
    }

    #[test]
    fn hostile_answers_are_errors() {
        for text in [
            "",
            "null",
            "[]",
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}"#,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,1]}]}}"#,
            r#"{"status":"success","data":{"resultType":"cube","result":[]}}"#,
        ] {
            assert!(serde_json::from_str::<Reply<QueryData>>(text).is_err(), "{text}");
        }
    }
}
