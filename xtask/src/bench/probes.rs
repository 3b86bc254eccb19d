//! Probes against fping, mtr and ping, on hosts in a row that this run makes.
//!
//! Processor time is that of a whole run, in user and kernel mode. The truth of round trips is the kernel's own record
//! of the same packets on the same cable, as tcpdump writes it.

mod hosts;
mod truth;

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::Figure;
use crate::process;
use crate::steps::Steps;
use hosts::Hosts;

/// Questions to each of many targets, one a second.
const ROUNDS: u32 = 30;
const TARGETS: u32 = 1000;
/// How often each program is run by turns: what else the machine does meets both, and the middle one is told.
const TURNS: usize = 3;
/// Hops of a path, the target among them; the router at this place is silent.
const HOPS: usize = 8;
const SILENT: usize = 3;
/// The firewall drops one question in so many.
const ONE_IN: u32 = 7;

/// Measures all of it.
pub(super) fn measure(steps: &Steps<'_>) -> Result<Vec<Figure>> {
    for tool in ["bash", "fping", "mtr", "ping", "tcpdump", "nft", "unshare"] {
        if !process::exists(tool) {
            bail!("{tool} is not installed");
        }
    }
    steps.cargo("release build of the program", &["build", "--release", "--locked", "--package", "squirrel"])?;
    let program = steps.root.join("target/release/squirrel");
    let program = program.to_str().context("the path of the program is no text")?;
    let mut figures = path(program)?;
    let pair = Hosts::create(1)?;
    figures.extend(many_targets(program, &pair)?);
    figures.extend(truth::measure(program, &pair)?);
    figures.push(loss(program, &pair)?);
    Ok(figures)
}

/// Seconds of processor time of a command with all its children, and what it printed. The shell tells it in
/// milliseconds, `/proc` in hundredths of a second, which is too coarse for what is to be compared here.
fn cost(command: &Command) -> Result<(f64, String)> {
    let mut timed = Command::new("bash");
    timed.args(["-c", "TIMEFORMAT='%3U %3S'; time \"$@\"", "bash"]).arg(command.get_program());
    let output = timed.args(command.get_args()).stdin(std::process::Stdio::null()).output();
    let output = output.with_context(|| format!("`{}` cannot be started", process::shown(command)))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // fping and ping end with 1 where something was lost.
    ensure!(
        output.status.code().is_some_and(|code| code <= 1),
        "`{}` failed: {}",
        process::shown(command),
        said.trim_end()
    );
    let seconds = seconds(said.lines().last().unwrap_or_default()).context("the shell did not tell the time")?;
    Ok((seconds, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The sum of the two times of a line such as `0.092 0.598`.
fn seconds(line: &str) -> Option<f64> {
    let (user, system) = line.split_once(' ')?;
    Some(user.parse::<f64>().ok()? + system.parse::<f64>().ok()?)
}

fn many_targets(program: &str, pair: &Hosts) -> Result<Vec<Figure>> {
    let list = std::env::temp_dir().join(format!("squirrel-xtask-targets-{}", std::process::id()));
    let targets: Vec<String> = (0..TARGETS).map(|n| format!("10.81.{}.{}", n / 250, n % 250 + 1)).collect();
    std::fs::write(&list, targets.join("\n"))?;
    let file = list.to_str().context("the directory for temporary files is no text")?;
    pair.server().ip(["route", "add", "local", "10.81.0.0/16", "dev", "lo"])?;
    pair.client().ip(["route", "add", "10.81.0.0/16", "via", &pair.address()])?;
    let rounds = ROUNDS.to_string();
    let measured: Result<Vec<_>> = (0..TURNS)
        .map(|_| {
            let ours = ["ping", "--json", "-c", &rounds, "-i", "1s", "--file", file];
            let (ours, document) = cost(pair.client().command(program).args(ours))?;
            let theirs = ["-q", "-c", &rounds, "-p", "1000", "-i", "1", "-f", file];
            let (theirs, _) = cost(pair.client().command("fping").args(theirs))?;
            all_answered(&document)?;
            Ok((ours, theirs))
        })
        .collect();
    let _ = std::fs::remove_file(&list);
    let (ours, theirs): (Vec<_>, Vec<_>) = measured?.into_iter().unzip();
    let name = "processor time for 1,000 targets each second, 30 s, the middle of three turns";
    Ok(vec![against(name, middle(ours), "fping", middle(theirs))])
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Fails unless each target answered each question.
fn all_answered(document: &str) -> Result<()> {
    let document: Value = serde_json::from_str(document).context("`squirrel ping --json` printed something else")?;
    let received = |target: &Value| target["received"].as_u64().unwrap_or(0);
    let answers: u64 = document["targets"].as_array().context("no targets")?.iter().map(received).sum();
    ensure!(answers == u64::from(TARGETS * ROUNDS), "{answers} answers to {} questions", TARGETS * ROUNDS);
    Ok(())
}

fn path(program: &str) -> Result<Vec<Figure>> {
    let hosts = Hosts::create(HOPS)?;
    hosts.firewall(SILENT, "output", "icmp type time-exceeded drop")?;
    let (rounds, target) = (ROUNDS.to_string(), hosts.address());
    let ours = ["path", "--json", "--no-names", "-c", &rounds, "-i", "1s", &target];
    let (ours, document) = cost(hosts.client().command(program).args(ours))?;
    // Its packets are sent by a child that it does not wait for; the first process of a PID namespace does.
    let theirs = ["--pid", "--fork", "mtr", "-n", "--csv", "-c", &rounds, "-i", "1", &target];
    let (theirs, list) = cost(hosts.client().command("unshare").args(theirs))?;
    let document: Value = serde_json::from_str(&document).context("`squirrel path --json` printed something else")?;
    let (told, their_told) = (of_document(&document), of_list(&list));
    ensure!(told.len() == HOPS && their_told.len() == HOPS, "not all hops were seen: {told:?} {their_told:?}");
    let differ = told.iter().zip(&their_told).filter(|(ours, theirs)| ours != theirs).count();
    Ok(vec![
        against("processor time for 30 rounds over eight hops", ours, "mtr", theirs),
        Figure {
            name: "hops whose address or loss is another than mtr's",
            ours: format!("{} hops", told.len()),
            theirs: format!("mtr: {} hops", their_told.len()),
            value: differ as f64,
            limit: 0.0,
            unit: "hops",
        },
    ])
}

/// Address and percent of loss of each hop; of a silent one no address.
type Hop = (Option<String>, u64);

fn of_document(document: &Value) -> Vec<Hop> {
    let hops = document["hops"].as_array().map(Vec::as_slice).unwrap_or_default();
    let hop = |hop: &Value| {
        let host = &hop["addresses"][0];
        let loss = host["loss_ratio"].as_f64().unwrap_or(1.0);
        (host["address"].as_str().map(str::to_string), (loss * 100.0).round() as u64)
    };
    hops.iter().map(hop).collect()
}

/// Lines such as `MTR.0.95,1700000000,OK,10.77.7.2,1,10.77.0.2,0.00,30,…` after a heading.
fn of_list(list: &str) -> Vec<Hop> {
    let rows = list.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let hops = rows.filter_map(|cells| Some((*cells.get(5)?, cells.get(6)?.parse::<f64>().ok()?)));
    hops.map(|(host, loss)| (Some(host.to_string()).filter(|host| host != "???"), loss.round() as u64)).collect()
}

fn loss(program: &str, pair: &Hosts) -> Result<Figure> {
    let drop = format!("icmp type echo-request numgen inc mod {ONE_IN} == 0 drop");
    pair.firewall(1, "input", &drop)?;
    let (wanted, count) = (100, (100 * ONE_IN).to_string());
    let arguments = ["ping", "--json", "-c", &count, "-i", "2ms", "-W", "1s", &pair.address()];
    let (_, document) = cost(pair.client().command(program).args(arguments))?;
    let document: Value = serde_json::from_str(&document).context("`squirrel ping --json` printed something else")?;
    let target = &document["targets"][0];
    let number = |name: &str| target[name].as_u64().with_context(|| format!("{name} is missing in {target}"));
    let lost = number("sent")? - number("received")?;
    Ok(Figure {
        name: "losses behind a rule that drops one in seven, told wrong",
        ours: format!("{lost} of {count} lost"),
        theirs: format!("the rule: {wanted} of {count}"),
        value: lost.abs_diff(wanted) as f64,
        limit: 0.0,
        unit: "packets",
    })
}

fn against(name: &'static str, ours: f64, whose: &str, theirs: f64) -> Figure {
    Figure {
        name,
        ours: format!("{ours:.3} s"),
        theirs: format!("{whose}: {theirs:.3} s"),
        value: ours / theirs.max(0.001),
        limit: 1.0,
        unit: "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_shell_is_the_sum_of_both_modes() {
        assert_eq!(seconds("0.250 1.500"), Some(1.75));
        assert_eq!(seconds("real 0m1.0s"), None);
    }

    #[test]
    fn hops_of_both_are_read_alike() {
        let list = "Mtr_Version,Start_Time,Status,Host,Hop,Ip,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,\n\
                    MTR.0.95,1,OK,10.77.1.2,1,10.77.0.2,0.00,30,0,0.05,0.05,0.04,0.09,0.01\n\
                    MTR.0.95,1,OK,10.77.1.2,2,???,100.00,30,0,0,0,0,0,0\n";
        let document = serde_json::json!({ "hops": [
            { "addresses": [{ "address": "10.77.0.2", "loss_ratio": 0.0 }] },
            { "addresses": [{ "address": null, "loss_ratio": 1.0 }] },
        ] });
        assert_eq!(of_list(list), [(Some("10.77.0.2".to_string()), 0), (None, 100)]);
        assert_eq!(of_document(&document), of_list(list));
    }
}
