//! Classes of packets: differentiated services code points and their names (RFC 2474, 2597, 3246, 5865, 8622).

use anyhow::Context as _;

/// A differentiated services code point by number or by name.
pub(crate) fn dscp(text: &str) -> anyhow::Result<u8> {
    let lower = text.to_ascii_lowercase();
    let digits = |rest: &str| rest.bytes().map(|digit| digit.wrapping_sub(b'0')).collect::<Vec<_>>();
    let named = match lower.as_str() {
        "be" | "default" => Some(0),
        "le" => Some(1),
        "ef" => Some(46),
        "va" => Some(44),
        other => match (other.strip_prefix("cs").map(digits), other.strip_prefix("af").map(digits)) {
            (Some(class), _) => <[u8; 1]>::try_from(class).ok().filter(|[class]| *class <= 7).map(|[class]| class * 8),
            (_, Some(class)) => <[u8; 2]>::try_from(class)
                .ok()
                .filter(|[class, drop]| (1..=4).contains(class) && (1..=3).contains(drop))
                .map(|[class, drop]| class * 8 + drop * 2),
            _ => other.parse().ok().filter(|number| *number <= 63),
        },
    };
    named.with_context(|| format!("--dscp: {text:?} is no class: 0 to 63, be, le, cs0 to cs7, af11 to af43, va, ef"))
}

/// The name of a code point; its number, if it has none.
pub(crate) fn dscp_name(dscp: u8) -> String {
    match dscp {
        0 => "be".to_owned(),
        1 => "le".to_owned(),
        44 => "va".to_owned(),
        46 => "ef".to_owned(),
        class if class % 8 == 0 => format!("cs{}", class / 8),
        class if (1..=4).contains(&(class / 8)) && class % 2 == 0 => format!("af{}{}", class / 8, class % 8 / 2),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_the_numbers_of_the_rfcs() {
        for (name, number) in [("ef", 46), ("AF41", 34), ("af11", 10), ("cs1", 8), ("CS7", 56), ("63", 63), ("le", 1)] {
            assert_eq!(dscp(name).ok(), Some(number), "{name}");
        }
        for wrong in ["64", "af44", "af5", "cs8", "", "af", "x", "cs12"] {
            assert!(dscp(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_read_as_what_it_names() {
        for class in 0..=63 {
            assert_eq!(dscp(&dscp_name(class)).ok(), Some(class));
        }
    }
}
