//! The frame around every answer below `/api/v1/`.

use squirrel_model::{Kind, Labels, Metric};

use crate::json::{write_array, write_string};
use crate::{ApiError, json};

/// What a query has to say beside its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The answer may not be what was asked for.
    pub warnings: Vec<String>,
    /// Remarks about the question.
    pub infos: Vec<String>,
}

/// The warning that Prometheus gives when `limit` cut an answer.
pub const TRUNCATED: &str = "results truncated due to limit";

/// Writes a successful answer around what `data` writes. `warnings` and `infos` are left out when
/// there are none.
pub fn write_success(out: &mut String, notes: &Notes, data: impl FnOnce(&mut String)) {
    out.push_str("{\"status\":\"success\",\"data\":");
    data(out);
    for (name, texts) in [("warnings", &notes.warnings), ("infos", &notes.infos)] {
        if !texts.is_empty() {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":");
            write_array(out, texts, |out, text| write_string(out, text));
        }
    }
    out.push('}');
}

/// Writes an error's answer.
pub fn write_error(out: &mut String, error: &ApiError) {
    out.push_str("{\"status\":\"error\",\"errorType\":");
    write_string(out, error.kind.word());
    out.push_str(",\"error\":");
    write_string(out, &error.message);
    out.push('}');
}

/// Writes the data of `labels` and `label/<name>/values`: an array of texts.
pub fn write_names<'a>(out: &mut String, names: impl IntoIterator<Item = &'a String>) {
    write_array(out, names, |out, name| write_string(out, name));
}

/// Writes the data of `series`: an array of label sets.
pub fn write_series<'a>(out: &mut String, series: impl IntoIterator<Item = &'a Labels>) {
    write_array(out, series, json::write_labels);
}

/// Writes the data of `metadata`: for each name one declaration in an array, as more than one
/// target could declare it.
pub fn write_metadata<'a>(out: &mut String, metrics: impl IntoIterator<Item = (&'a str, &'a Metric)>) {
    out.push('{');
    for (i, (name, metric)) in metrics.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push_str(":[{\"type\":");
        write_string(out, metadata_word(metric.kind));
        out.push_str(",\"help\":");
        write_string(out, &metric.help);
        out.push_str(",\"unit\":");
        write_string(out, metric.unit.word());
        out.push_str("}]");
    }
    out.push('}');
}

/// The metadata API says `unknown` where the exposition format says `untyped`.
fn metadata_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Untyped => "unknown",
        Kind::Counter | Kind::Gauge | Kind::Info | Kind::Histogram => kind.exposition_word(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorType;
    use squirrel_model::Unit;

    #[test]
    fn notes_stand_after_the_data_and_only_when_there_are_some() {
        let mut out = String::new();
        write_success(&mut out, &Notes::default(), |out| write_names(out, []));
        assert_eq!(out, r#"{"status":"success","data":[]}"#);
        out.clear();
        let notes = Notes { warnings: vec![TRUNCATED.into()], infos: vec!["a \"b\"".into()] };
        write_success(&mut out, &notes, |out| write_names(out, [&"x".to_owned(), &"y".to_owned()]));
        assert_eq!(
            out,
            r#"{"status":"success","data":["x","y"],"warnings":["results truncated due to limit"],"infos":["a \"b\""]}"#
        );
    }

    #[test]
    fn an_error_has_its_kind_and_its_words() {
        let mut out = String::new();
        write_error(&mut out, &ApiError::new(ErrorType::Execution, "many-to-many"));
        assert_eq!(out, r#"{"status":"error","errorType":"execution","error":"many-to-many"}"#);
    }

    #[test]
    fn metadata_has_the_shape_that_grafana_reads() {
        static UP: Metric = Metric::new("up", Kind::Untyped, Unit::Bytes, "Is \"up\".");
        let mut out = String::new();
        write_metadata(&mut out, [("up", &UP)]);
        assert_eq!(out, r#"{"up":[{"type":"unknown","help":"Is \"up\".","unit":"bytes"}]}"#);
    }
}
