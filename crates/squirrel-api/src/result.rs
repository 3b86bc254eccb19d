//! A query's value. `resultType` always stands before `result`: Grafana reads the answer as a
//! stream and would have to keep all of it otherwise.

use squirrel_model::{Labels, Timestamp};

use crate::json::{write_array, write_labels, write_sample, write_string, write_time};

/// Writes an instant vector.
pub fn write_vector<'a>(out: &mut String, samples: impl IntoIterator<Item = (&'a Labels, Timestamp, f64)>) {
    out.push_str("{\"resultType\":\"vector\",\"result\":");
    write_array(out, samples, |out, (labels, at, value)| {
        out.push_str("{\"metric\":");
        write_labels(out, labels);
        out.push_str(",\"value\":");
        write_sample(out, at, value);
        out.push('}');
    });
    out.push('}');
}

/// Writes a range vector: for each series its label set and its points in the order of time.
pub fn write_matrix<'a, P>(out: &mut String, series: impl IntoIterator<Item = (&'a Labels, P)>)
where
    P: IntoIterator<Item = (Timestamp, f64)>,
{
    out.push_str("{\"resultType\":\"matrix\",\"result\":");
    write_array(out, series, |out, (labels, points)| {
        out.push_str("{\"metric\":");
        write_labels(out, labels);
        out.push_str(",\"values\":");
        write_array(out, points, |out, (at, value)| write_sample(out, at, value));
        out.push('}');
    });
    out.push('}');
}

/// Writes a scalar.
pub fn write_scalar(out: &mut String, at: Timestamp, value: f64) {
    out.push_str("{\"resultType\":\"scalar\",\"result\":");
    write_sample(out, at, value);
    out.push('}');
}

/// Writes a string.
pub fn write_text(out: &mut String, at: Timestamp, text: &str) {
    out.push_str("{\"resultType\":\"string\",\"result\":[");
    write_time(out, at);
    out.push(',');
    write_string(out, text);
    out.push_str("]}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eth0() -> Labels {
        Labels::new([("__name__", "up"), ("device", "eth\"0")]).unwrap()
    }

    fn written(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn each_type_has_prometheus_shape() {
        assert_eq!(
            written(|out| write_vector(
                out,
                [(&eth0(), Timestamp(1_500), 1.0), (&Labels::empty(), Timestamp(2_000), 0.1)]
            )),
            r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","device":"eth\"0"},"value":[1.5,"1"]},{"metric":{},"value":[2,"0.1"]}]}"#
        );
        assert_eq!(
            written(|out| write_matrix(out, [(&eth0(), [(Timestamp(0), 1.0), (Timestamp(1_001), f64::NAN)])])),
            r#"{"resultType":"matrix","result":[{"metric":{"__name__":"up","device":"eth\"0"},"values":[[0,"1"],[1.001,"NaN"]]}]}"#
        );
        assert_eq!(
            written(|out| write_scalar(out, Timestamp(4_000), 2.0)),
            r#"{"resultType":"scalar","result":[4,"2"]}"#
        );
        assert_eq!(
            written(|out| write_text(out, Timestamp(4_000), "a\nb")),
            r#"{"resultType":"string","result":[4,"a\nb"]}"#
        );
    }

    #[test]
    fn nothing_is_an_empty_array_and_never_null() {
        assert_eq!(written(|out| write_vector(out, [])), r#"{"resultType":"vector","result":[]}"#);
        assert_eq!(
            written(|out| write_matrix(out, std::iter::empty::<(&Labels, Vec<(Timestamp, f64)>)>())),
            r#"{"resultType":"matrix","result":[]}"#
        );
    }
}
