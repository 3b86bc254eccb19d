//! A file of cases as a list of commands.

use super::points::{SeriesLine, duration_ms, number, series_line};

/// One block of a file.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Forget all series.
    Clear,
    /// Put series into the store.
    Load { step_ms: i64, series: Vec<SeriesLine>, with_native: bool },
    /// Evaluate and compare.
    Eval(Case),
}

/// An expression and what it should give.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Line of the `eval`, from 1.
    pub(crate) line: usize,
    pub(crate) query: String,
    pub(crate) when: When,
    pub(crate) expect: Expect,
    /// What could not be read of the expectation (native histograms): the case is not for us.
    pub(crate) foreign: Option<String>,
}

/// The moments to evaluate at, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Instant(i64),
    Range { start: i64, end: i64, step: i64 },
}

/// What is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expect {
    pub(crate) fails: bool,
    pub(crate) ordered: bool,
    pub(crate) text: Option<String>,
    pub(crate) scalar: Option<f64>,
    pub(crate) series: Vec<SeriesLine>,
    /// Start and step of a matrix that an instant query should give.
    pub(crate) matrix: Option<(i64, i64)>,
    pub(crate) warns: Option<bool>,
    pub(crate) informs: Option<bool>,
}

/// Reads a file. Lines are trimmed; `#` begins a comment line; an empty line ends a block.
pub(crate) fn commands(text: &str) -> Result<Vec<Command>, String> {
    let lines: Vec<&str> = text.lines().map(|line| clean(line.trim())).collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let number = at + 1;
        at += 1;
        let context = |e: String| format!("line {number}: {e}");
        if line.is_empty() {
            continue;
        }
        let block = lines.get(at..).unwrap_or_default();
        let block: Vec<&str> = block.iter().copied().take_while(|line| !line.is_empty()).collect();
        if *line == "clear" {
            out.push(Command::Clear);
            continue;
        }
        at += block.len();
        out.push(if line.starts_with("load") {
            load(line, &block).map_err(context)?
        } else if line.starts_with("eval") {
            Command::Eval(eval(number, line, &block).map_err(context)?)
        } else {
            return Err(context(format!("unknown command {line:?}")));
        });
    }
    Ok(out)
}

fn clean(line: &str) -> &str {
    if line.starts_with('#') { "" } else { line }
}

fn load(line: &str, block: &[&str]) -> Result<Command, String> {
    let mut words = line.split_whitespace();
    let with_native = words.next() == Some("load_with_nhcb");
    let step_ms = duration_ms(words.next().ok_or("load needs a step")?)?;
    let series = block.iter().map(|line| series_line(line)).collect::<Result<_, _>>()?;
    Ok(Command::Load { step_ms, series, with_native })
}

/// Takes the next word off the front.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    *rest = after.trim_start();
    word
}

fn eval(line: usize, text: &str, block: &[&str]) -> Result<Case, String> {
    let mut rest = text;
    let mut expect = Expect::default();
    match word(&mut rest) {
        "eval" => {}
        "eval_fail" => expect.fails = true,
        "eval_warn" => expect.warns = Some(true),
        "eval_info" => expect.informs = Some(true),
        "eval_ordered" => expect.ordered = true,
        other => return Err(format!("unknown command {other:?}")),
    }
    let kind = word(&mut rest);
    let mut moment = |name: &str| {
        let given = word(&mut rest);
        if given != name {
            return Err(format!("expected {name:?}, got {given:?}"));
        }
        duration_ms(word(&mut rest))
    };
    let when = match kind {
        "instant" => When::Instant(moment("at")?),
        "range" => When::Range { start: moment("from")?, end: moment("to")?, step: moment("step")? },
        other => return Err(format!("eval is instant or range, not {other:?}")),
    };
    let mut case = Case { line, query: rest.to_owned(), when, expect, foreign: None };
    for line in block {
        wanted(line, &mut case)?;
    }
    Ok(case)
}

fn wanted(line: &str, case: &mut Case) -> Result<(), String> {
    let expect = &mut case.expect;
    if let Some(what) = line.strip_prefix("expect ") {
        let mut rest = what;
        match word(&mut rest) {
            "fail" => expect.fails = true,
            "warn" => expect.warns = Some(true),
            "no_warn" => expect.warns = Some(false),
            "info" => expect.informs = Some(true),
            "no_info" => expect.informs = Some(false),
            "ordered" => expect.ordered = true,
            "string" => expect.text = Some(unquoted(rest)?),
            "range" => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                let ["vector", "from", start, "to", _, "step", step] = words[..] else {
                    return Err(format!("cannot read {line:?}"));
                };
                expect.matrix = Some((duration_ms(start)?, duration_ms(step)?));
            }
            other => return Err(format!("cannot expect {other:?}")),
        }
        return Ok(());
    }
    if line.contains("{{") {
        case.foreign = Some("a native histogram is wanted".to_owned());
        return Ok(());
    }
    if let (Some(value), true) = (number(line), block_is_scalar(expect)) {
        expect.scalar = Some(value);
        return Ok(());
    }
    match series_line(line) {
        Ok(series) => expect.series.push(series),
        Err(e) if e.contains("is not valid") => case.foreign = Some(e),
        Err(e) => return Err(e),
    }
    Ok(())
}

fn block_is_scalar(expect: &Expect) -> bool {
    expect.series.is_empty() && expect.scalar.is_none()
}

fn unquoted(text: &str) -> Result<String, String> {
    use squirrel_promql::{ParseOptions, ast::ExprKind, parse};
    match parse(text, &ParseOptions::default()).map(|expr| expr.kind) {
        Ok(ExprKind::String(text)) => Ok(text),
        _ => Err(format!("{text:?} is no string")),
    }
}
