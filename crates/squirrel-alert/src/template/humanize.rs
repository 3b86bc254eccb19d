//! Numbers for people: the functions `humanize…` of Prometheus.

use jiff::tz::TimeZone;

use super::format::float_text;

fn four(value: f64) -> String {
    float_text(value, 'g', Some(4))
}

/// With the prefixes of thousands: `1.235k`, `12m`.
pub(super) fn thousands(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four(value);
    }
    if value.abs() >= 1.0 { larger(value, 1000.0, &["k", "M", "G", "T", "P", "E", "Z", "Y"]) } else { smaller(value) }
}

/// With the prefixes of 1024: `1.206ki`.
pub(super) fn binary(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four(value);
    }
    larger(value, 1024.0, &["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"])
}

fn larger(mut value: f64, base: f64, prefixes: &[&str]) -> String {
    let mut taken = "";
    for prefix in prefixes {
        if value.abs() < base {
            break;
        }
        taken = prefix;
        value /= base;
    }
    format!("{}{taken}", four(value))
}

fn smaller(mut value: f64) -> String {
    let mut taken = "";
    for prefix in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        taken = prefix;
        value *= 1000.0;
    }
    format!("{}{taken}", four(value))
}

/// Seconds as days, hours, minutes and seconds: `1h 2m 3s`.
pub(super) fn duration(value: f64) -> String {
    if !value.is_finite() {
        return four(value);
    }
    if value == 0.0 {
        return format!("{}s", four(value));
    }
    if value.abs() < 1.0 {
        return format!("{}s", smaller(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = value.abs() as u64;
    let (seconds, minutes, hours, days) = (whole % 60, whole / 60 % 60, whole / 3600 % 24, whole / 86400);
    if days != 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours != 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes != 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{sign}{}s", four(value.abs()))
    }
}

/// A share of one in percent: `12.5%`.
pub(super) fn percentage(value: f64) -> String {
    format!("{}%", four(value * 100.0))
}

/// Seconds since 1970 as a date: `2015-03-15 19:36:52.5 +0000 UTC`.
pub(super) fn timestamp(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Ok(four(value));
    }
    let far = || format!("{} seconds since 1970 are no moment that a calendar has", four(value));
    // To whole milliseconds, in which Prometheus counts.
    let at = jiff::Timestamp::from_millisecond((value * 1000.0) as i64).map_err(|_| far())?;
    let shown = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.f").to_string();
    Ok(format!("{shown} +0000 UTC"))
}
