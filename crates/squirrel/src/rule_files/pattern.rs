//! Patterns of paths, as Prometheus takes them for rule files: `*`, `?` and `[a-z]` in any part of a path.

use std::path::{Component, Path, PathBuf};

/// The paths that a pattern matches, sorted. One without wildcards matches itself, whether it is there or not.
pub(crate) fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    let mut parts = pattern.components().peekable();
    while let Some(part) = parts.next() {
        let wild = match part {
            Component::Normal(name) => name.to_str().filter(|name| name.contains(['*', '?', '['])),
            _ => None,
        };
        let Some(wild) = wild else {
            for path in &mut found {
                path.push(part);
            }
            continue;
        };
        let last = parts.peek().is_none();
        found = found.iter().flat_map(|folder| children(folder, wild, last)).collect();
    }
    found.sort();
    found
}

/// What in a folder fits; only folders when more of the path follows.
fn children(folder: &Path, pattern: &str, last: bool) -> Vec<PathBuf> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    let fitting = names.filter(|name| name.to_str().is_some_and(|name| fits(pattern, name)));
    let paths = fitting.map(|name| folder.join(name));
    paths.filter(|path| if last { path.is_file() } else { path.is_dir() }).collect()
}

/// Whether a name fits a pattern. A leading dot must be written out, as in a shell.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    if name.first() == Some(&'.') && pattern.first() != Some(&'.') {
        return false;
    }
    // Where to go on after the last star when what came after it does not fit: linear in what is tried.
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match one(&pattern[p..], name[n]) {
            Some(Step::Star) => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(Step::Taken(length)) => {
                p += length;
                n += 1;
            }
            None => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    (p, n) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

enum Step {
    /// Any number of characters.
    Star,
    /// This character, by so many of the pattern.
    Taken(usize),
}

/// What the beginning of a pattern says to a character.
fn one(pattern: &[char], c: char) -> Option<Step> {
    match pattern.first()? {
        '*' => Some(Step::Star),
        '?' => Some(Step::Taken(1)),
        '[' => match pattern.iter().position(|c| *c == ']') {
            Some(end) if end > 1 => within(&pattern[1..end], c).then_some(Step::Taken(end + 1)),
            // Never closed: the bracket itself.
            _ => (c == '[').then_some(Step::Taken(1)),
        },
        other => (*other == c).then_some(Step::Taken(1)),
    }
}

/// Whether a character is in `a-z` or `^a-z`.
fn within(class: &[char], c: char) -> bool {
    let (class, wanted) = match class {
        ['^' | '!', rest @ ..] if !rest.is_empty() => (rest, false),
        class => (class, true),
    };
    let mut rest = class;
    let mut hit = false;
    while let Some(first) = rest.first() {
        if let [_, '-', last, ..] = rest {
            hit |= (*first..=*last).contains(&c);
            rest = &rest[3..];
        } else {
            hit |= *first == c;
            rest = &rest[1..];
        }
    }
    hit == wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_fit_as_in_a_shell() {
        let cases = [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("*.yml", ".a.yml", false),
            (".*.yml", ".a.yml", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("?.yml", "ab.yml", false),
            ("[a-c]?.yml", "bx.yml", true),
            ("[^a-c].yml", "b.yml", false),
            ("[a-c].yml", "d.yml", false),
            ("[x", "[x", true),
            ("*", "", true),
            ("**", "ab", true),
        ];
        for (pattern, name, wanted) in cases {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_finds_files_in_folders_and_a_plain_path_is_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = |path: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        ["net/a.yml", "net/b.yml", "net/c.txt", "web/a.yml", "top.yml"].into_iter().for_each(file);
        let found = |pattern: &str| -> Vec<String> {
            let paths = matching(&folder.path().join(pattern));
            paths.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect()
        };
        assert_eq!(found("*/*.yml"), ["net/a.yml", "net/b.yml", "web/a.yml"]);
        assert_eq!(found("n*/[ab].yml"), ["net/a.yml", "net/b.yml"]);
        assert_eq!(found("*.yml"), ["top.yml"]);
        assert_eq!(found("none.yml"), ["none.yml"]);
        assert_eq!(found("none/*.yml"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn a_name_fits_itself_when_nothing_in_it_is_wild(name in "[a-z.]{1,12}", star in 0usize..12) {
            prop_assert!(fits(&name, &name));
            let (before, after) = name.split_at(star.min(name.len()));
            let pattern = format!("{before}*{after}");
            prop_assert!(before.is_empty() || fits(&pattern, &name));
        }

        #[test]
        fn any_pattern_is_survived(pattern in "[a*?\\[\\]^-]{0,12}", name in "[a\\[-]{0,12}") {
            let _ = fits(&pattern, &name);
        }
    }
}
