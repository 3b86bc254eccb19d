//! The picture: its form, and that no numbers break it.

use proptest::prelude::*;

use super::*;
use crate::render::samples::chart;

/// Width, height, and the points, read back by the checks of the format itself.
fn decoded(png: &[u8]) -> (u32, u32, Vec<u8>) {
    use std::io::Read as _;
    assert_eq!(png[..8], [0x89, b'P', b'N', b'G', 13, 10, 26, 10]);
    let (mut rest, mut size, mut data) = (&png[8..], (0, 0), Vec::new());
    while !rest.is_empty() {
        let len = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (kind, body) = (&rest[4..8], &rest[8..8 + len]);
        let mut crc = flate2::Crc::new();
        crc.update(&rest[4..8 + len]);
        assert_eq!(crc.sum().to_be_bytes(), rest[8 + len..12 + len]);
        match kind {
            b"IHDR" => {
                let number = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().unwrap());
                size = (number(0), number(4));
            }
            b"IDAT" => {
                flate2::read::ZlibDecoder::new(body).read_to_end(&mut data).unwrap();
            }
            _ => {}
        }
        rest = &rest[12 + len..];
    }
    let rows = data.chunks_exact(size.0 as usize + 1).flat_map(|row| row[1..].to_vec());
    (size.0, size.1, rows.collect())
}

#[test]
fn the_picture_shows_lines_and_threshold() {
    let picture = png(&chart()).unwrap();
    if let Some(path) = std::env::var_os("SQUIRREL_CHART") {
        std::fs::write(path, &picture).unwrap();
    }
    let (width, height, points) = decoded(&picture);
    assert_eq!((width as usize, height as usize), (WIDTH, HEIGHT));
    let count = |colour: u8| points.split(|point| *point == colour).count() - 1;
    assert!(count(LINES[0]) > 500 && count(LINES[1]) > 500 && count(RED) > 300, "{}", count(RED));
    assert!(picture.len() < 16_000, "{}", picture.len());
}

#[test]
fn axes_have_round_numbers() {
    assert_eq!(value_ticks(0.0, 0.93), [0.0, 0.25, 0.5, 0.75, 1.0]);
    let texts = |values: &[f64]| values.iter().map(|value| value_text(*value)).collect::<Vec<_>>();
    assert_eq!(
        texts(&[0.0, 0.25, 2500.0, -1e6, 0.004, 1e-9, 3e20]),
        ["0", "0.25", "2.5k", "-1M", "4m", "1.0e-9", "3.0e20"]
    );
    assert!((3..=7).contains(&value_ticks(5.0, 5.0).len()), "a line without a range has one made for it");
}

#[test]
fn nothing_is_drawn_of_nothing() {
    let lines =
        |points: Vec<(i64, f64)>| Chart { title: String::new(), lines: vec![(String::new(), points)], threshold: None };
    assert!(png(&lines(Vec::new())).is_none());
    assert!(png(&lines(vec![(5, 1.0)])).is_none());
    assert!(png(&lines(vec![(5, f64::NAN), (6, f64::INFINITY)])).is_none());
    assert!(png(&lines(vec![(1, f64::MAX), (i64::MAX, 0.0), (9, -f64::MAX)])).is_some());
}

proptest! {
    #[test]
    fn any_numbers_are_survived(
        points in proptest::collection::vec((prop_oneof![any::<i64>(), 0..253_402_300_800_000_i64], any::<f64>()), 0..40),
        threshold in proptest::option::of(any::<f64>()),
    ) {
        let chart = Chart { title: String::new(), lines: vec![(String::new(), points)], threshold };
        if let Some(picture) = png(&chart) {
            prop_assert_eq!(decoded(&picture).0 as usize, WIDTH);
        }
    }
}
