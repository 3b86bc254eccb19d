//! The two ways to read octets: a reader that only shrinks, and fields at fixed offsets.

/// A message that ends too early or contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{layer} message is malformed at octet {offset}")]
pub struct Malformed {
    /// Which message, such as `link` or `netlink attribute`.
    pub layer: &'static str,
    /// Where reading stopped, counted from the start of that message.
    pub offset: usize,
}

/// A cursor that only moves forward. Every reading checks the length first, so no index can be wrong.
///
/// Netlink speaks the byte order of the machine; addresses and ports inside are in network order and
/// have methods of their own (`be_…`).
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    whole_len: usize,
    layer: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `octets`; `layer` names the message in errors.
    pub fn new(layer: &'static str, octets: &'a [u8]) -> Self {
        Self { rest: octets, whole_len: octets.len(), layer }
    }

    /// An error at the current position.
    pub fn malformed(&self) -> Malformed {
        Malformed { layer: self.layer, offset: self.whole_len.saturating_sub(self.rest.len()) }
    }

    /// The next `n` octets.
    ///
    /// # Errors
    /// When fewer are left; nothing is consumed then.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or_else(|| self.malformed())?;
        self.rest = tail;
        Ok(head)
    }

    /// The next `N` octets as an array.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.malformed())?;
        self.rest = tail;
        Ok(*head)
    }

    /// A reader of the next `n` octets alone.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn sub(&mut self, layer: &'static str, n: usize) -> Result<Self, Malformed> {
        Ok(Self::new(layer, self.take(n)?))
    }

    /// Steps over `n` octets.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn skip(&mut self, n: usize) -> Result<(), Malformed> {
        self.take(n).map(|_| ())
    }

    /// One octet.
    ///
    /// # Errors
    /// When none is left.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_ne_bytes)
    }

    /// Two octets in the machine's order.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_ne_bytes)
    }

    /// Four octets in the machine's order.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_ne_bytes)
    }

    /// Eight octets in the machine's order.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_ne_bytes)
    }

    /// Two octets in network order.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn be_u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    /// Everything that is left, without consuming it.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// A structure that kernels extend at its end: each field lies at a fixed offset and exists only if the
/// kernel that answered knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields<'a>(pub &'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(self, offset: usize) -> Option<[u8; N]> {
        self.0.get(offset..)?.first_chunk::<N>().copied()
    }

    /// The octet at `offset`.
    pub fn u8(self, offset: usize) -> Option<u8> {
        self.array(offset).map(u8::from_ne_bytes)
    }

    /// Two octets at `offset`, in the machine's order.
    pub fn u16(self, offset: usize) -> Option<u16> {
        self.array(offset).map(u16::from_ne_bytes)
    }

    /// Four octets at `offset`, in the machine's order.
    pub fn u32(self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_ne_bytes)
    }

    /// Eight octets at `offset`, in the machine's order.
    pub fn u64(self, offset: usize) -> Option<u64> {
        self.array(offset).map(u64::from_ne_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_read_consumes_nothing_and_says_where() {
        let mut reader = Reader::new("test", &[1, 2, 3]);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u32(), Err(Malformed { layer: "test", offset: 1 }));
        assert_eq!(reader.rest(), [2, 3]);
        assert_eq!(reader.be_u16(), Ok(0x0203));
        assert!(reader.is_empty());
    }

    #[test]
    fn a_sub_reader_cannot_leave_its_part() {
        let mut reader = Reader::new("outer", &[1, 2, 3, 4]);
        let mut inner = reader.sub("inner", 2).unwrap();
        assert_eq!(inner.skip(3), Err(Malformed { layer: "inner", offset: 0 }));
        assert_eq!(reader.take(2), Ok([3, 4].as_slice()));
        assert_eq!(reader.sub("inner", 1).unwrap_err().layer, "outer");
    }

    #[test]
    fn a_field_beyond_the_end_does_not_exist() {
        let fields = Fields(&[1, 0, 0, 0, 2]);
        assert_eq!(fields.u32(0), Some(u32::from_ne_bytes([1, 0, 0, 0])));
        assert_eq!(fields.u8(4), Some(2));
        assert_eq!((fields.u32(2), fields.u64(0), fields.u8(usize::MAX)), (None, None, None));
    }
}
