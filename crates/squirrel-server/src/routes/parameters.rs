//! Parameters that several routes read, in Prometheus' words.

use squirrel_api::ApiError;
use squirrel_api::params::parse_time;
use squirrel_model::{Matcher, TimeRange, Timestamp};

use crate::engine;
use crate::form::Params;

/// A moment; `default` when it is not given.
pub(super) fn time(params: &Params, name: &str, default: Timestamp) -> Result<Timestamp, ApiError> {
    let Some(text) = params.get(name) else { return Ok(default) };
    parse_time(text).map_err(|e| ApiError::invalid_parameter(name, format!("invalid time value for '{name}': {e}")))
}

/// A moment that must be given.
pub(super) fn required_time(params: &Params, name: &str) -> Result<Timestamp, ApiError> {
    parse_time(params.get(name).unwrap_or_default()).map_err(|e| ApiError::invalid_parameter(name, e))
}

/// From `start` to `end`, all of time when they are not given.
pub(super) fn range(params: &Params) -> Result<TimeRange, ApiError> {
    let start = time(params, "start", Timestamp::MIN)?;
    Ok(TimeRange::new(start, time(params, "end", Timestamp::MAX)?))
}

/// How many results at most; none and zero mean all.
pub(super) fn limit(params: &Params) -> Result<Option<usize>, ApiError> {
    let Some(text) = params.get("limit") else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(n) if n < 0 => Err(ApiError::invalid_parameter("limit", "limit must be non-negative")),
        Ok(n) => Ok(usize::try_from(n).ok().filter(|n| *n > 0)),
        Err(_) => Err(ApiError::invalid_parameter("limit", format!("cannot parse {text:?} to a valid number"))),
    }
}

/// The selectors of all `match[]`. The parser refuses one that every series fulfils: it is a slip more
/// often than a wish.
pub(super) fn matchers(params: &Params, query_bytes: usize) -> Result<Vec<Vec<Matcher>>, ApiError> {
    let invalid = |why: String| ApiError::invalid_parameter("match[]", why);
    let mut sets = Vec::new();
    for text in params.all("match[]") {
        if text.len() > query_bytes {
            return Err(invalid(format!("a selector has at most {query_bytes} bytes and this one has {}", text.len())));
        }
        sets.push(engine::selector(text).map_err(|e| invalid(e.message))?);
    }
    Ok(sets)
}

/// Undoes the escaping of names that are not in the old alphabet: `U__` before, `__` for an
/// underscore, `_hex_` for another character. A text that is not so escaped stays as it is.
pub(super) fn unescape(name: &str) -> String {
    name.strip_prefix("U__").and_then(unescape_rest).unwrap_or_else(|| name.to_owned())
}

fn unescape_rest(mut rest: &str) -> Option<String> {
    let mut out = String::new();
    while let Some((plain, after)) = rest.split_once('_') {
        out.push_str(plain);
        let (hex, after) = after.split_once('_')?;
        if hex.is_empty() {
            out.push('_');
        } else {
            // Not more than six digits: the largest character is U+10FFFF.
            let code =
                if hex.len() <= 6 && !hex.starts_with('+') { u32::from_str_radix(hex, 16).ok()? } else { return None };
            out.push(char::from_u32(code)?);
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_are_read_and_others_are_left_alone() {
        let cases = [
            ("device", "device"),
            ("U__http_2e_status", "http.status"),
            ("U__a__b", "a_b"),
            ("U___e9_", "é"),
            ("U__plain", "plain"),
            ("U__", ""),
            ("U__broken_zz_", "U__broken_zz_"),
            ("U__open_2e", "U__open_2e"),
            ("U__big_110000_", "U__big_110000_"),
            ("U___+2e_", "U___+2e_"),
        ];
        for (name, expected) in cases {
            assert_eq!(unescape(name), expected, "{name}");
        }
    }

    #[test]
    fn a_limit_is_a_number_and_zero_is_none() {
        let asked = |text: &str| limit(&Params::of(&[("limit", text)]));
        assert_eq!((asked("40000"), asked("0"), asked("")), (Ok(Some(40_000)), Ok(None), Ok(None)));
        assert_eq!(asked("-1").unwrap_err().message, "invalid parameter \"limit\": limit must be non-negative");
        assert!(asked("many").is_err() && asked("1.5").is_err());
    }

    #[test]
    fn a_wrong_time_names_its_parameter() {
        let params = Params::of(&[("time", "foo")]);
        assert_eq!(
            time(&params, "time", Timestamp(0)).unwrap_err().message,
            "invalid parameter \"time\": invalid time value for 'time': cannot parse \"foo\" to a valid timestamp"
        );
        assert_eq!(
            required_time(&params, "start").unwrap_err().message,
            "invalid parameter \"start\": cannot parse \"\" to a valid timestamp"
        );
    }
}
