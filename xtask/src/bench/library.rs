//! What the library costs: a recording, beside the libraries that do the same, and the wrappers of an
//! echo server.

use anyhow::{Context as _, Result};

use super::Figure;
use crate::process;
use crate::steps::Steps;

/// As `bench/` prints ours.
const OURS: &str = "squirrel-monitor";

/// A task of `bench/`: its name there, its name here, and the most nanoseconds that a call may take.
const TASKS: [(&str, &str, f64); 3] = [
    ("handle", "library: a recording by a kept handle", 5.0),
    ("label", "library: a recording by label", 15.0),
    ("histogram", "library: a recording into a histogram", 6.0),
];

/// Two medians of the same thing differ by this much on a busy machine.
const NOISE: f64 = 1.1;

/// Of what an echo server takes without wrappers, the share that it takes with them: throughput of 0.99.
const WRAPPED: f64 = 1.0 / 0.99;

/// Runs the comparison, which is a workspace of its own, and the example of the echo server.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    let folder = steps.root.join("bench");
    let build = ["build", "--release", "--locked"];
    steps.run("release build of the peers", process::cargo(&folder).args(build))?;
    let text = process::output(process::cargo(&folder).args(["run", "--quiet", "--release", "--locked"]))?;
    let mut figures = recordings(&text).with_context(|| format!("no figures in:\n{text}"))?;

    let package = ["--release", "--locked", "--package", OURS, "--features", "tokio-net"];
    let example = [&package[..], &["--example", "echo_throughput"]].concat();
    steps.cargo("release build of the echo server", &[&["build"], &example[..]].concat())?;
    let text = process::output(process::cargo(steps.root).args(["run", "--quiet"]).args(&example))?;
    figures.extend(echoes(&text).with_context(|| format!("no figures in:\n{text}"))?);
    Ok(figures)
}

/// A line `label  prometheus  25.05  25.35`: task, library, nanoseconds with one thread and with eight.
fn line(text: &str) -> Option<(&str, &str, [f64; 2])> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [task, library, one, eight] = words[..] else {
        return None;
    };
    Some((task, library, [one.parse().ok()?, eight.parse().ok()?]))
}

/// For each task: nanoseconds with one thread and with eight, and how ours compares with the fastest
/// peer and with itself.
fn recordings(text: &str) -> Option<Vec<Figure>> {
    let lines: Vec<_> = text.lines().filter_map(line).collect();
    let mut figures = Vec::new();
    for (task, name, limit) in TASKS {
        let of_task = || lines.iter().filter(|line| line.0 == task);
        let (_, _, ours) = of_task().find(|line| line.1 == OURS)?;
        let slowest = ours[0].max(ours[1]);
        figures.push(Figure {
            name,
            ours: format!("{:.2} ns; {:.2} ns with 8 threads", ours[0], ours[1]),
            theirs: "-".to_string(),
            value: slowest,
            limit,
            unit: "ns",
        });
        let mut worst: Option<Figure> = None;
        for (threads, count) in [(0, "1 thread"), (1, "8 threads")] {
            let peers = of_task().filter(|line| line.1 != OURS);
            let (_, peer, theirs) = peers.min_by(|a, b| a.2[threads].total_cmp(&b.2[threads]))?;
            let ratio = ours[threads] / theirs[threads];
            if worst.as_ref().is_none_or(|worst| worst.value < ratio) {
                worst = Some(Figure {
                    name: "- to the fastest peer at it",
                    ours: format!("{:.2} ns, {count}", ours[threads]),
                    theirs: format!("{peer}: {:.2} ns", theirs[threads]),
                    value: ratio,
                    limit: 1.0,
                    unit: "",
                });
            }
        }
        figures.extend(worst);
        figures.push(Figure {
            name: "- with 8 threads to 1",
            ours: format!("{:.2} ns", ours[1]),
            theirs: format!("{:.2} ns", ours[0]),
            value: ours[1] / ours[0],
            limit: NOISE,
            unit: "",
        });
    }
    Some(figures)
}

/// The lines of the example, whose last words are: ratio by the clock, milliseconds for a gigabyte without
/// and with wrappers, their ratio, its limit, the verdict.
fn echoes(text: &str) -> Option<Vec<Figure>> {
    let rows = text.lines().filter(|line| line.ends_with("kept") || line.ends_with("EXCEEDED"));
    let figures = rows.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[.., plain, wrapped, ratio, _, _] = &words[..] else {
            return None;
        };
        let ratio: f64 = ratio.parse().ok()?;
        let task = line.get(..26).map(str::trim)?;
        Some(Figure {
            name: "library: processor time of an echo server with wrappers",
            ours: format!("{task}: {wrapped} ms/GB"),
            theirs: format!("without: {plain} ms/GB"),
            value: 1.0 / ratio,
            limit: WRAPPED,
            unit: "",
        })
    });
    figures.collect::<Option<Vec<Figure>>>().filter(|figures| !figures.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparison_is_with_the_fastest_peer_at_the_worse_number_of_threads() {
        let text = "task library 1 8\nhandle squirrel-monitor 2.0 3.0\nhandle slow 9.0 9.0\nhandle fast 8.0 6.0\n\
                    label squirrel-monitor 5 5\nlabel fast 10 10\nhistogram squirrel-monitor 2 2\n\
                    histogram fast 1 1\nhandle 8 threads: fast 6.0, ratio 0.5\n";
        let rows: Vec<String> = recordings(text).expect("parses").iter().map(Figure::row).collect();
        assert_eq!(rows.len(), 9);
        assert!(rows[0].contains("| 3.00 ns | 5.00 ns | kept |"), "{}", rows[0]);
        assert!(rows[1].contains("| 3.00 ns, 8 threads | fast: 6.00 ns | 0.50 | 1.00 | kept |"), "{}", rows[1]);
        assert!(rows[2].contains("| 1.50 | 1.10 | **exceeded** |"), "{}", rows[2]);
        assert!(rows[7].contains("| 2.00 | 1.00 | **exceeded** |"), "{}", rows[7]);
        assert!(recordings("handle squirrel-monitor 2.0 3.0\n").is_none(), "a task is missing");
    }

    #[test]
    fn the_echo_servers_ratio_is_read() {
        let text = "medians  MB/s wrapped ratio CPU ms/GB wrapped ratio limit\n\
            64 KiB, streaming             2802.5    2819.1  1.0021       195.9       188.3  0.9977   0.99 kept\n\
            64 B, question and answer       16.9      16.8  0.9924     30174.1     31430.8  0.9800   0.99 EXCEEDED\n";
        let rows: Vec<String> = echoes(text).expect("parses").iter().map(Figure::row).collect();
        assert!(rows[0].contains("64 KiB, streaming: 188.3 ms/GB | without: 195.9 ms/GB | 1.00"), "{}", rows[0]);
        assert!(rows[1].ends_with("| 1.02 | 1.01 | **exceeded** |"), "{}", rows[1]);
        assert!(echoes("nothing\n").is_none());
    }
}
