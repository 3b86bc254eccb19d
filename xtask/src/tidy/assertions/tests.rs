//! Tests that pass the rule, and tests that must not.

use super::*;
use crate::tidy::testing::texts;

fn found(source: &str) -> Vec<String> {
    texts(&check(&Repository::of(&[("crates/a/tests/t.rs", source)])))
}

#[test]
fn tests_that_assert_are_fine() {
    let cases = [
        ("macro", "#[test]\nfn t() { assert_eq!(1, f()); }"),
        ("snapshot", "#[test]\nfn t() { insta::assert_snapshot!(f()); }"),
        ("property", "proptest! { #[test]\nfn t(x in 0..3) { prop_assert!(f(x)); } }"),
        ("error", "#[test]\nfn t() { f().expect_err(\"must fail\"); }"),
        ("helper", "fn check_it(x: u8) { assert!(x > 1); }\n#[test]\nfn t() { check_it(f()); }"),
        (
            "helper of a helper",
            "fn check_b() { check_a() }\nfn check_a() { assert!(f()) }\n#[test]\nfn t() { check_b(); }",
        ),
        ("skip", "#[test]\nfn t() { if !root() { skip(\"t\", \"no root\"); return; } assert!(f()); }"),
        ("itself as a child", "#[test]\nfn t() { if c { assert!(child()); return; } assert!(f()); }"),
        ("virtual time", "#[tokio::test(start_paused = true)]\nasync fn t() { sleep(x).await; assert!(f()); }"),
        ("closure", "#[test]\nfn t() { assert!(v.iter().all(|x| { if *x { return true; } f(x) })); }"),
        ("survival", "proptest! { #[test]\nfn any_octets_are_survived(x in any::<u8>()) { let _ = parse(x); } }"),
        ("not a test", "fn t() { f(); return; }"),
        ("matches as a value", "fn t() -> bool { matches!(f(), None) }\n"),
    ];
    for (case, source) in cases {
        assert_eq!(found(source), [""; 0], "{case}");
    }
}

#[test]
fn tests_that_can_pass_by_doing_nothing_are_found() {
    let cases = [
        ("nothing", "#[test]\nfn t() { f(); }", "2: `t` asserts nothing"),
        ("commented", "#[test]\nfn t() { f(); /* assert!(x) */ }", "2: `t` asserts nothing"),
        ("quoted", "#[test]\nfn t() { f(\"assert!(x)\"); }", "2: `t` asserts nothing"),
        ("debug only", "#[test]\nfn t() { debug_assert!(f()); }", "2: `t` asserts nothing"),
        ("tokio", "#[tokio::test]\nasync fn t() { f().await; }", "2: `t` asserts nothing"),
        ("property", "proptest! { #[test]\nfn t(x in 0..3) { f(x); } }", "2: `t` asserts nothing"),
        ("mute helper", "fn check_it() { f(); }\n#[test]\nfn t() { check_it(); }", "3: `t` asserts nothing"),
        ("unknown helper", "#[test]\nfn t() { promql::check(x); }", "2: `t` asserts nothing"),
        (
            "survival of nothing",
            "proptest! { #[test]\nfn it_survives(x in any::<u8>()) {} }",
            "2: `it_survives` asserts nothing",
        ),
        (
            "survival of one input",
            "#[test]\nfn it_survives() { let _ = parse(1); }",
            "2: `it_survives` asserts nothing",
        ),
        ("ignored", "#[test]\n#[ignore]\nfn t() { assert!(f()); }", "3: `t` has `#[ignore]`"),
        (
            "panics",
            "#[test]\n#[should_panic(expected = \"x\")]\nfn t() { assert!(f()); }",
            "3: `t` has `#[should_panic]`",
        ),
        (
            "thrown away",
            "#[test]\nfn t() { assert!(f());\n matches!(f(), Some(_)); }",
            "3: the answer of `matches!` is thrown away",
        ),
        (
            "let thrown away",
            "fn t() {\n let _ = matches!(f(), Some(_));\n}",
            "2: the answer of `matches!` is thrown away",
        ),
        ("sleep", "#[test]\nfn t() {\n std::thread::sleep(d); assert!(f()); }", "3: a test sleeps"),
        ("early", "#[test]\nfn t() {\n if x { return; } assert!(f()); }", "3: `t` returns early"),
        ("early else", "#[test]\nfn t() {\n let Some(x) = f() else { return }; assert!(x); }", "3: `t` returns early"),
        ("early ok", "#[test]\nfn t() -> R {\n if x { return Ok(()); } assert!(f()); }", "3: `t` returns early"),
        (
            "other skip",
            "#[test]\nfn t() { if y { skip(a, b); return; }\n if x { return; } assert!(f()); }",
            "3: `t` returns early",
        ),
    ];
    for (case, source, expected) in cases {
        assert_eq!(found(source), [format!("crates/a/tests/t.rs:{expected}")], "{case}");
    }
}

#[test]
fn a_helper_counts_in_its_own_crate_and_from_the_testkit_only() {
    let helper = "pub fn check_all(x: u8) { assert!(x > 1); }";
    let test = "#[test]\nfn t() { check_all(f()); }";
    for (home, allowed) in
        [("crates/a/src/b.rs", true), ("crates/squirrel-testkit/src/lib.rs", true), ("crates/b/src/b.rs", false)]
    {
        let findings = check(&Repository::of(&[("crates/a/tests/t.rs", test), (home, helper)]));
        assert_eq!(findings.is_empty(), allowed, "{home}: {findings:?}");
    }
}

#[test]
fn sleeping_outside_tests_is_left_to_clippy() {
    let source = "async fn f() { sleep(d).await }\n#[cfg(test)]\nmod tests {\n fn g() { sleep(d); }\n}\n";
    let findings = check(&Repository::of(&[("crates/a/src/b.rs", source)]));
    assert_eq!(texts(&findings), ["crates/a/src/b.rs:4: a test sleeps"]);
}
