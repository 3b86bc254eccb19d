//! The table of users.

use crate::SysError;

/// Source: `passwd(5)`. Users of a directory service are not in it.
const PATH: &str = "/etc/passwd";
/// What is longer is not a table that a person wrote.
const MAX_BYTES: u64 = 16 << 20;

/// Replaces `out` by `/etc/passwd`: the only file outside `/proc` and `/sys` that is read to name what is seen there.
///
/// # Errors
/// The open or read that failed.
pub fn user_table(out: &mut Vec<u8>) -> Result<(), SysError> {
    use std::io::Read as _;
    out.clear();
    let file = std::fs::File::open(PATH).map_err(|source| SysError::new("open", PATH, source))?;
    file.take(MAX_BYTES).read_to_end(out).map_err(|source| SysError::new("read", PATH, source))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_a_user() {
        let mut out = b"old".to_vec();
        user_table(&mut out).unwrap();
        assert!(String::from_utf8_lossy(&out).lines().any(|line| line.starts_with("root:")));
    }
}
