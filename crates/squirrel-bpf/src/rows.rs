//! Reading rows of one length from what an iterator program writes.

use std::io;

/// A buffer, and the rows that are cut out of it.
#[derive(Debug)]
pub(crate) struct Rows<const LENGTH: usize> {
    buffer: Box<[u8]>,
    /// The start of a row whose end the next reading brings.
    cut: Vec<u8>,
}

/// What the kernel hands over at most in one reading, `PAGE_SIZE << 3` in `kernel/bpf/bpf_iter.c`.
const BUFFER_LEN: usize = 32 << 10;

impl<const LENGTH: usize> Default for Rows<LENGTH> {
    fn default() -> Self {
        Self { buffer: vec![0; BUFFER_LEN].into_boxed_slice(), cut: Vec::with_capacity(LENGTH) }
    }
}

impl<const LENGTH: usize> Rows<LENGTH> {
    /// Hands over each row up to the end of the pass. An iterator that worked for long without a word says "again".
    pub(crate) fn read(&mut self, pass: &mut impl io::Read, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        self.cut.clear();
        loop {
            let mut octets = match pass.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => &self.buffer[..length],
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !self.cut.is_empty() {
                let (head, tail) = octets.split_at(octets.len().min(LENGTH - self.cut.len()));
                self.cut.extend_from_slice(head);
                octets = tail;
                if self.cut.len() < LENGTH {
                    continue;
                }
                each(&self.cut);
                self.cut.clear();
            }
            let (rows, rest) = octets.as_chunks::<LENGTH>();
            for row in rows {
                each(row);
            }
            self.cut.extend_from_slice(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Hands over a text in given pieces.
    struct Pieces(VecDeque<Result<Vec<u8>, io::ErrorKind>>);

    impl io::Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.pop_front() else { return Ok(0) };
            let piece = piece?;
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    fn rows(pieces: &[&str]) -> (Vec<String>, io::Result<()>) {
        let pieces = pieces.iter().map(|piece| match *piece {
            "again" => Err(io::ErrorKind::WouldBlock),
            "broken" => Err(io::ErrorKind::Other),
            text => Ok(text.as_bytes().to_vec()),
        });
        let mut seen = Vec::new();
        let outcome = Rows::<4>::default()
            .read(&mut Pieces(pieces.collect()), |row| seen.push(String::from_utf8_lossy(row).into_owned()));
        (seen, outcome)
    }

    #[test]
    fn rows_are_whole_however_they_are_cut() {
        let cases: [(&str, &[&str]); 5] = [
            ("at once", &["aaaabbbbcccc"]),
            ("row by row", &["aaaa", "bbbb", "cccc"]),
            ("in the middle", &["aa", "aabbb", "bcccc"]),
            ("octet by octet", &["a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c", "c"]),
            ("with pauses, and a row without its end", &["aaaabb", "again", "bb", "again", "ccccdd"]),
        ];
        for (case, pieces) in cases {
            let (seen, outcome) = rows(pieces);
            assert!(outcome.is_ok(), "{case}");
            assert_eq!(seen, ["aaaa", "bbbb", "cccc"], "{case}");
        }
    }

    #[test]
    fn a_pass_that_breaks_off_is_an_error() {
        let (seen, outcome) = rows(&["aaaab", "broken"]);
        assert_eq!((seen.len(), outcome.is_err()), (1, true));
    }
}
