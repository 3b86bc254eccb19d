//! Whether a stream is UTF-8, when a character may be cut in two.

/// Checks octets as they come. Keeps at most three: those of a character that is not complete.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Utf8Check {
    begun: [u8; 4],
    length: usize,
    broken: bool,
}

impl Utf8Check {
    pub(crate) fn push(&mut self, octets: &[u8]) {
        let mut octets = octets;
        while self.length > 0 && !self.broken {
            let Some((first, rest)) = octets.split_first() else { return };
            octets = rest;
            self.complete_with(*first);
        }
        if self.broken {
            return;
        }
        if let Err(error) = std::str::from_utf8(octets) {
            let rest = octets.get(error.valid_up_to()..).unwrap_or_default();
            match (error.error_len(), self.begun.get_mut(..rest.len())) {
                (None, Some(room)) => {
                    room.copy_from_slice(rest);
                    self.length = rest.len();
                }
                _ => self.broken = true,
            }
        }
    }

    /// Whether all was UTF-8 and no character is incomplete.
    pub(crate) fn is_good(&self) -> bool {
        !self.broken && self.length == 0
    }

    fn complete_with(&mut self, octet: u8) {
        let Some(place) = self.begun.get_mut(self.length) else {
            self.broken = true;
            return;
        };
        *place = octet;
        self.length += 1;
        match std::str::from_utf8(self.begun.get(..self.length).unwrap_or_default()) {
            Ok(_) => self.length = 0,
            Err(error) => self.broken = error.error_len().is_some() || error.valid_up_to() > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_cut_gives_the_verdict_of_the_standard_library(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                &b"a"[..], "ä".as_bytes(), "€".as_bytes(), "🐿".as_bytes(), b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0",
            ]), 0..12),
            cuts in proptest::collection::vec(1_usize..5, 0..40),
        ) {
            let whole = pieces.concat();
            let mut check = Utf8Check::default();
            let mut rest = &whole[..];
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                check.push(piece);
                rest = more;
            }
            check.push(rest);
            prop_assert_eq!(check.is_good(), std::str::from_utf8(&whole).is_ok());
        }
    }
}
