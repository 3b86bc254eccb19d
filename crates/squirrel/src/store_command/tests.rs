//! What is exported comes back when it is imported.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use squirrel_model::{Labels, Samples, Select, TimeRange, Timestamp, is_stale, stale_marker};
use squirrel_store::dir::MemoryDir;
use squirrel_store::{Store, StoreOptions};

use super::args::{InFormat, OutFormat};
use super::import::Counted;
use super::{export, of_store};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn store() -> Store {
    let options = StoreOptions { reserve_bytes: 0, ..StoreOptions::new(Labels::empty()) };
    Store::open(Arc::new(MemoryDir::new()), options, NOW).unwrap().0
}

type Content = BTreeMap<String, Vec<(i64, u64)>>;

fn content(select: &dyn Select, with_ends: bool) -> Content {
    let mut all = Content::new();
    let mut samples = Samples::default();
    for found in select.find(&[], TimeRange::ALL).unwrap() {
        select.read(&found, TimeRange::ALL, &mut samples).unwrap();
        let kept = samples.times.iter().zip(&samples.values).filter(|(_, value)| with_ends || !is_stale(**value));
        let kept: Vec<(i64, u64)> = kept.map(|(time, value)| (*time, value.to_bits())).collect();
        if !kept.is_empty() {
            all.insert(found.labels.to_string(), kept);
        }
    }
    all
}

/// Imports a text into an empty store.
fn imported(text: &[u8], format: InFormat) -> anyhow::Result<(Store, Counted)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("samples");
    std::fs::write(&file, text)?;
    let counted = Counted::of(&file, format)?;
    let store = store();
    assert_eq!(counted.store(&store, &file, format, NOW)?, Vec::<String>::new());
    Ok((store, counted))
}

fn exported(store: &Store, format: OutFormat) -> Vec<u8> {
    let mut out = Vec::new();
    export::write(&mut out, store.reader().snapshot().as_ref(), &[], TimeRange::ALL, format).unwrap();
    out
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => any::<f64>().prop_filter("one NaN is written like another", |value| !value.is_nan()),
        3 => (-100_000i64..100_000).prop_map(|n| n as f64 / 8.0),
        1 => Just(f64::NAN),
        1 => Just(stale_marker()),
        1 => Just(-0.0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn what_is_exported_comes_back(
        series in prop::collection::btree_map(
            ("[a-z_][a-z0-9_]{0,6}(_total|_created|_bucket)?", "[a-zA-Zäß\"\\\\\n#{}, ]{0,6}"),
            prop::collection::btree_map(0i64..40_000_000, value(), 1..30), 1..8),
    ) {
        let origin = store();
        for ((name, label), samples) in &series {
            let labels = Labels::new([("__name__", name), ("A", label)]).unwrap();
            let samples: Vec<_> = samples.iter().map(|(at, value)| (labels.clone(), NOW.plus_ms(*at), *value)).collect();
            origin.import(NOW, &samples).unwrap();
        }
        let snapshot = origin.reader().snapshot();
        for (out, back, ends) in
            [
                (OutFormat::Openmetrics, InFormat::Openmetrics, false),
                (OutFormat::Jsonl, InFormat::Jsonl, true),
                (OutFormat::RemoteWrite, InFormat::RemoteWrite, true),
            ]
        {
            let (copy, counted) = imported(&exported(&origin, out), back).unwrap();
            let wanted = content(snapshot.as_ref(), ends);
            prop_assert_eq!(counted.imported.samples, wanted.values().map(Vec::len).sum::<usize>() as u64);
            prop_assert_eq!(counted.imported.refused, 0);
            prop_assert_eq!(content(copy.reader().snapshot().as_ref(), ends), wanted);
        }
    }

    #[test]
    fn any_text_is_survived(text in "(\\PC|\n|[a-z]+ [0-9]+ [0-9]+\n|\\{\"metric\":\\{|# EOF\n){0,20}") {
        for format in [InFormat::Openmetrics, InFormat::Jsonl, InFormat::RemoteWrite, InFormat::Vnstat] {
            let _ = imported(text.as_bytes(), format);
        }
    }
}

#[test]
fn mistakes_are_named_by_their_line_and_nothing_is_stored() {
    for (format, text, words) in [
        (InFormat::Openmetrics, "a 1 1\nb oops 1\n# EOF\n", &["line 2", "value"][..]),
        (InFormat::Openmetrics, "a 1 1\n", &["# EOF", "cut"]),
        (InFormat::Openmetrics, "a 1 1\n# EOF\nb 1 1\n", &["line 3", "# EOF"]),
        (InFormat::Openmetrics, "a{b=\"c\"} 1\n# EOF\n", &["no time", "b=\"c\""]),
        (InFormat::Openmetrics, "a 1 -5\n# EOF\n", &["1970"]),
        (
            InFormat::Jsonl,
            "{\"metric\":{\"__name__\":\"a\"},\"values\":[1],\"timestamps\":[]}",
            &["line 1", "timestamps"],
        ),
        (InFormat::Jsonl, "\n{\"metric\":1}", &["line 2"]),
        (InFormat::RemoteWrite, "a 1 1\n", &["body 1", "octet 0", "remote write"]),
    ] {
        let said = format!("{:#}", imported(text.as_bytes(), format).map(|_| ()).unwrap_err());
        for word in words {
            assert!(said.contains(word), "{text:?} must mention {word:?}, but says: {said}");
        }
    }
}

#[test]
fn one_body_alone_is_taken_and_a_cut_file_is_not() {
    let origin = store();
    let labels = Labels::new([("__name__", "a")]).unwrap();
    let samples: Vec<_> = (0..25_000).map(|at| (labels.clone(), NOW.plus_ms(at * 1_000), at as f64)).collect();
    origin.import(NOW, &samples).unwrap();
    let file = exported(&origin, OutFormat::RemoteWrite);
    assert_eq!(imported(&file, InFormat::RemoteWrite).unwrap().1.imported.samples, 25_000);
    let mut bodies = squirrel_remote::frames::Frames::new(file.as_slice());
    let first = bodies.body().unwrap().unwrap();
    assert_eq!(imported(&first, InFormat::RemoteWrite).unwrap().1.imported.samples, 10_000);
    let said = format!("{:#}", imported(&file[..file.len() - 1], InFormat::RemoteWrite).map(|_| ()).unwrap_err());
    assert!(said.contains("body 3, at octet ") && said.contains("ends within it"), "{said}");
}

#[test]
fn lines_are_counted_across_pieces() {
    let mut text = "# TYPE x counter\n".to_owned();
    (0..120_000).for_each(|n| text += &format!("x_total {n} {n}\n"));
    let good = text.clone() + "# EOF\n";
    assert_eq!(imported(good.as_bytes(), InFormat::Openmetrics).unwrap().1.imported.samples, 120_000);
    text += "x_total\n# EOF\n";
    let said = format!("{:#}", imported(text.as_bytes(), InFormat::Openmetrics).map(|_| ()).unwrap_err());
    assert!(said.contains("line 120002:"), "{said}");
}

#[test]
fn a_folder_that_is_not_there_is_a_mistake_of_usage() {
    let error = squirrel_store::dir::RealDir::existing(Path::new("/nonexistent/squirrel")).unwrap_err();
    let error = of_store(error);
    assert_eq!(crate::failure::report(&error), std::process::ExitCode::from(2));
}
