//! Functions of one number, where the standard library has none of the same meaning.

pub(crate) fn degrees(value: f64) -> f64 {
    value * 180.0 / std::f64::consts::PI
}

pub(crate) fn radians(value: f64) -> f64 {
    value * std::f64::consts::PI / 180.0
}

/// -1, 0 or 1; NaN stays.
pub(crate) fn sign(value: f64) -> f64 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        value
    }
}
