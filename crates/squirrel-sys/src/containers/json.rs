//! The few fields that are wanted of a JSON document (RFC 8259), in one pass: with each key how deep it stands, and its
//! text, or the first text of its list. What is no JSON ends the pass.

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// How many objects and lists it is inside of.
    pub(super) depth: usize,
    pub(super) key: String,
    /// Its value when that is a text, or a list that begins with one.
    pub(super) text: Option<String>,
}

/// The fields of a document, in their order.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn of(document: &'a [u8]) -> Self {
        Self { rest: document, depth: 0 }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn take(&mut self, octet: u8) -> bool {
        self.skip_space();
        let taken = self.rest.strip_prefix(&[octet]);
        self.rest = taken.unwrap_or(self.rest);
        taken.is_some()
    }

    /// What stands after an opening quotation mark, up to the closing one. Escapes but those of one character are left
    /// as they are: a name has none.
    fn text(&mut self) -> Option<String> {
        let mut text = Vec::new();
        loop {
            let (octet, rest) = self.rest.split_first()?;
            self.rest = rest;
            match octet {
                b'"' => return Some(String::from_utf8_lossy(&text).into_owned()),
                b'\\' => {
                    let (escaped, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    if !matches!(escaped, b'"' | b'\\' | b'/') {
                        text.push(b'\\');
                    }
                    text.push(*escaped);
                }
                other => text.push(*other),
            }
        }
    }
}

impl Iterator for Fields<'_> {
    type Item = Field;

    fn next(&mut self) -> Option<Field> {
        loop {
            let (octet, rest) = self.rest.split_first()?;
            self.rest = rest;
            match octet {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.checked_sub(1)?,
                b'"' => {
                    let key = self.text()?;
                    if !self.take(b':') {
                        continue;
                    }
                    let depth = self.depth;
                    let listed = self.take(b'[');
                    self.depth += usize::from(listed);
                    let text = if self.take(b'"') { Some(self.text()?) } else { None };
                    return Some(Field { depth, key, text });
                }
                _ => {}
            }
        }
    }
}
