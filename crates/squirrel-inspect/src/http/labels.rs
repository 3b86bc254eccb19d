//! Types of HTTP messages: a method, and a class of status. Closed, so that nobody fills a table with
//! methods that he made up.

macro_rules! methods {
    ($($name:literal,)*) => {
        /// For each method, its name and its labels by class of status, the last for no class.
        const METHODS: &[(&str, [&str; 6])] = &[$((
            $name,
            [
                concat!($name, " 1xx"),
                concat!($name, " 2xx"),
                concat!($name, " 3xx"),
                concat!($name, " 4xx"),
                concat!($name, " 5xx"),
                concat!($name, " other"),
            ],
        ),)*];
    };
}

methods! { "other", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", }

/// A method of RFC 9110 or RFC 5789, or none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Method(u8);

impl Method {
    pub(super) fn of(token: &[u8]) -> Self {
        let place = METHODS.iter().skip(1).position(|(name, _)| name.as_bytes() == token);
        Self(place.map_or(0, |place| place as u8 + 1))
    }

    fn row(self) -> (&'static str, [&'static str; 6]) {
        METHODS.get(usize::from(self.0)).copied().unwrap_or(("other", ["other"; 6]))
    }

    pub(super) fn name(self) -> &'static str {
        self.row().0
    }

    /// The type of an answer.
    pub(super) fn answered(self, status: u16) -> &'static str {
        let class = usize::from(status / 100);
        let labels = self.row().1;
        labels.get(class.wrapping_sub(1)).or(labels.last()).copied().unwrap_or("other")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_from_a_closed_list() {
        let cases = [
            ("GET", 200, "GET 2xx"),
            ("PATCH", 599, "PATCH 5xx"),
            ("get", 404, "other 4xx"),
            ("POST", 0, "POST other"),
            ("POST", 999, "POST other"),
        ];
        for (method, status, label) in cases {
            assert_eq!(Method::of(method.as_bytes()).answered(status), label);
        }
        assert_eq!(Method::of(b"BREW").name(), "other");
    }
}
