//! The functions of templates: those of Go and those of Prometheus.

use std::net::IpAddr;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::compare::compare;
use super::run::Run;
use super::value::Value;
use super::{format, humanize};

/// A function: how many arguments it takes, and what it does with them.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    least: usize,
    most: usize,
    body: fn(&mut Run<'_>, &'static str, &[Value]) -> Result<Value, String>,
}

/// Largest compiled size of a regular expression, in bytes.
const REGEX_BYTES: usize = 1 << 20;

pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

impl Function {
    /// Whether it looks at its arguments one by one, and not further than it must.
    pub(super) fn stops_early(&self) -> bool {
        matches!(self.name, "and" | "or")
    }

    pub(super) fn call(&self, run: &mut Run<'_>, args: &[Value]) -> Result<Value, String> {
        if args.len() < self.least || args.len() > self.most {
            let wanted =
                if self.least == self.most { self.least.to_string() } else { format!("at least {}", self.least) };
            return Err(format!("wrong number of args for {}: want {wanted} got {}", self.name, args.len()));
        }
        (self.body)(run, self.name, args).map_err(|e| format!("{}: {e}", self.name))
    }
}

type Body = fn(&mut Run<'_>, &'static str, &[Value]) -> Result<Value, String>;

const fn function(name: &'static str, least: usize, most: usize, body: Body) -> Function {
    Function { name, least, most, body }
}

const MANY: usize = usize::MAX;

static FUNCTIONS: [Function; 43] = [
    function("and", 1, MANY, |_, _, args| Ok(args.last().cloned().unwrap_or(Value::Nil))),
    function("or", 1, MANY, |_, _, args| Ok(args.last().cloned().unwrap_or(Value::Nil))),
    function("not", 1, 1, |_, _, args| Ok(Value::Bool(!args[0].truth()))),
    function("eq", 1, MANY, |_, name, args| compare(name, args).map(Value::Bool)),
    function("ne", 2, 2, |_, name, args| compare(name, args).map(Value::Bool)),
    function("lt", 2, 2, |_, name, args| compare(name, args).map(Value::Bool)),
    function("le", 2, 2, |_, name, args| compare(name, args).map(Value::Bool)),
    function("gt", 2, 2, |_, name, args| compare(name, args).map(Value::Bool)),
    function("ge", 2, 2, |_, name, args| compare(name, args).map(Value::Bool)),
    function("len", 1, 1, |_, _, args| length(&args[0])),
    function("index", 1, MANY, |_, _, args| index(args)),
    function("slice", 1, 3, |_, _, args| slice(args)),
    function("print", 0, MANY, |_, _, args| Ok(Value::Text(print(args)))),
    function("println", 0, MANY, |_, _, args| Ok(Value::Text(println(args)))),
    function("printf", 1, MANY, |_, _, args| Ok(Value::Text(format::printf(text(&args[0])?, &args[1..])))),
    function("urlquery", 0, MANY, |_, _, args| Ok(Value::Text(url_escaped(&print(args))))),
    function("urlQueryEscape", 1, 1, |_, _, args| Ok(Value::Text(url_escaped(text(&args[0])?)))),
    function("query", 1, 1, |run, _, args| run.query(text(&args[0])?)),
    function("first", 1, 1, |_, _, args| match list(&args[0])?.first() {
        Some(first) => Ok(first.clone()),
        None => Err("first() called on vector with no elements".to_owned()),
    }),
    function("value", 1, 1, |_, _, args| sample(&args[0]).map(|sample| Value::Float(sample.1))),
    function("label", 2, 2, |_, _, args| {
        let name = text(&args[0])?;
        sample(&args[1]).map(|sample| Value::Text(sample.0.get(name).unwrap_or_default().to_owned()))
    }),
    function("strvalue", 1, 1, |_, _, args| {
        sample(&args[0]).map(|sample| Value::Text(sample.0.get("__value__").unwrap_or_default().to_owned()))
    }),
    function("sortByLabel", 2, 2, |_, _, args| sorted(text(&args[0])?, list(&args[1])?)),
    function("args", 0, MANY, |_, _, args| {
        // One within the other could grow without end, by so few steps as nobody counts.
        if let Some(inner) = args.iter().find(|value| matches!(value, Value::Map(_))) {
            return Err(wrong(inner, "a value without parts"));
        }
        let named = args.iter().enumerate().map(|(i, value)| (format!("arg{i}"), value.clone()));
        Ok(Value::Map(Arc::new(named.collect())))
    }),
    function("reReplaceAll", 3, 3, |_, _, args| {
        let regex = regex(text(&args[0])?)?;
        Ok(Value::Text(regex.replace_all(text(&args[2])?, text(&args[1])?).into_owned()))
    }),
    function("match", 2, 2, |_, _, args| Ok(Value::Bool(regex(text(&args[0])?)?.is_match(text(&args[1])?)))),
    function("safeHtml", 1, 1, |_, _, args| Ok(Value::Text(text(&args[0])?.to_owned()))),
    function("title", 1, 1, |_, _, args| Ok(Value::Text(title(text(&args[0])?)))),
    function("toUpper", 1, 1, |_, _, args| Ok(Value::Text(text(&args[0])?.to_uppercase()))),
    function("toLower", 1, 1, |_, _, args| Ok(Value::Text(text(&args[0])?.to_lowercase()))),
    function("stripPort", 1, 1, |_, _, args| {
        let whole = text(&args[0])?;
        Ok(Value::Text(host_and_port(whole).map_or(whole, |(host, _)| host).to_owned()))
    }),
    function("stripDomain", 1, 1, |_, _, args| Ok(Value::Text(without_domain(text(&args[0])?)))),
    function("humanize", 1, 1, |_, _, args| Ok(Value::Text(humanize::thousands(number(&args[0])?)))),
    function("humanize1024", 1, 1, |_, _, args| Ok(Value::Text(humanize::binary(number(&args[0])?)))),
    function("humanizeDuration", 1, 1, |_, _, args| Ok(Value::Text(humanize::duration(number(&args[0])?)))),
    function("humanizePercentage", 1, 1, |_, _, args| Ok(Value::Text(humanize::percentage(number(&args[0])?)))),
    function("humanizeTimestamp", 1, 1, |_, _, args| humanize::timestamp(number(&args[0])?).map(Value::Text)),
    function("parseDuration", 1, 1, |_, _, args| {
        let text = text(&args[0])?;
        let ms = if text == "0" { Ok(0) } else { squirrel_model::parse_duration_ms(text) };
        ms.map(|ms| Value::Float(ms as f64 / 1000.0)).map_err(|e| format!("{text:?} is {e}"))
    }),
    function("now", 0, 0, |run, _, _| Ok(Value::Float(run.data.now.seconds()))),
    function("pathPrefix", 0, 0, |run, _, _| Ok(Value::Text(path(run.data.external_url).to_owned()))),
    function("externalURL", 0, 0, |run, _, _| Ok(Value::Text(run.data.external_url.to_owned()))),
    function("graphLink", 1, 1, |_, _, args| Ok(Value::Text(page(text(&args[0])?, 0)))),
    function("tableLink", 1, 1, |_, _, args| Ok(Value::Text(page(text(&args[0])?, 1)))),
];

fn wrong(value: &Value, wanted: &str) -> String {
    format!("wrong type for value; expected {wanted}; got {}", value.word())
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(wrong(other, "string")),
    }
}

fn list(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(wrong(other, "the answer of a query")),
    }
}

fn sample(value: &Value) -> Result<&(squirrel_model::Labels, f64), String> {
    match value {
        Value::Sample(sample) => Ok(sample),
        other => Err(wrong(other, "a sample (use first)")),
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Integer(number) => Ok(*number as f64),
        Value::Text(text) => text.parse().map_err(|_| format!("{text:?} is no number")),
        other => Err(format!("can't convert {} to float", other.word())),
    }
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::Labels(labels) => labels.len(),
        Value::Map(map) => map.len(),
        Value::Texts(texts) => texts.len(),
        Value::List(items) => items.len(),
        other => return Err(format!("len of type {}", other.word())),
    };
    Ok(Value::Integer(length as i64))
}

fn index(args: &[Value]) -> Result<Value, String> {
    let [first, others @ ..] = args else { return Ok(Value::Nil) };
    let mut value = first.clone();
    for other in others {
        value = match (&value, other) {
            (Value::Labels(labels), Value::Text(name)) => Value::Text(labels.get(name).unwrap_or_default().to_owned()),
            (Value::Map(map), Value::Text(name)) => map.get(name).cloned().unwrap_or(Value::Nil),
            (Value::Texts(texts), Value::Text(name)) => Value::Text(texts.get(name).cloned().unwrap_or_default()),
            (Value::List(items), Value::Integer(i)) => {
                let found = usize::try_from(*i).ok().and_then(|i| items.get(i));
                found.cloned().ok_or_else(|| format!("index out of range: {i}"))?
            }
            (Value::Text(text), Value::Integer(i)) => {
                let found = usize::try_from(*i).ok().and_then(|i| text.as_bytes().get(i));
                Value::Integer(i64::from(*found.ok_or_else(|| format!("index out of range: {i}"))?))
            }
            (value, other) => return Err(format!("can't index item of type {} with {}", value.word(), other.word())),
        };
    }
    Ok(value)
}

fn slice(args: &[Value]) -> Result<Value, String> {
    let whole = text(&args[0])?;
    let place = |i: usize, default: usize| match args.get(i) {
        None => Ok(default),
        Some(Value::Integer(n)) => usize::try_from(*n).map_err(|_| format!("index out of range: {n}")),
        Some(other) => Err(format!("cannot index slice/array with type {}", other.word())),
    };
    let (start, end) = (place(1, 0)?, place(2, whole.len())?);
    let part = whole.get(start..end).ok_or_else(|| format!("index out of range: {start} to {end}"))?;
    Ok(Value::Text(part.to_owned()))
}

/// Go's `Sprint`: a space between two values of which neither is a text.
fn print(args: &[Value]) -> String {
    let mut out = String::new();
    for (i, value) in args.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| args.get(i));
        if before.is_some_and(|before| !matches!(before, Value::Text(_)) && !matches!(value, Value::Text(_))) {
            out.push(' ');
        }
        out.push_str(&shown(value));
    }
    out
}

fn println(args: &[Value]) -> String {
    let shown: Vec<String> = args.iter().map(shown).collect();
    shown.join(" ") + "\n"
}

fn shown(value: &Value) -> String {
    if matches!(value, Value::Nil) { "<nil>".to_owned() } else { value.show() }
}

fn sorted(label: &str, items: &[Value]) -> Result<Value, String> {
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        keyed.push((sample(item)?.0.get(label).unwrap_or_default().to_owned(), item.clone()));
    }
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Value::List(Arc::new(keyed.into_iter().map(|(_, item)| item).collect())))
}

fn regex(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES).build().map_err(|e| e.to_string())
}

/// The first letter of each word in upper case.
fn title(text: &str) -> String {
    let mut previous = ' ';
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let inside = previous.is_alphanumeric() || matches!(previous, '_' | '\'');
        if inside {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        previous = c;
    }
    out
}

/// `host:port` and `[address]:port`, as Go's `net.SplitHostPort` takes them apart.
fn host_and_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').map(|address| (address, port)),
        None => Some((host, port)).filter(|(host, port)| !host.contains([':', '[', ']']) && !port.contains([']', '['])),
    }
}

fn without_domain(text: &str) -> String {
    let (host, port) = host_and_port(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let first = host.split('.').next().unwrap_or_default();
    match port {
        "" => first.to_owned(),
        port if first.contains([':', '%']) => format!("[{first}]:{port}"),
        port => format!("{first}:{port}"),
    }
}

/// The path of an address.
fn path(url: &str) -> &str {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    let path = behind.find('/').map_or("", |slash| &behind[slash..]);
    path.split(['?', '#']).next().unwrap_or_default()
}

fn page(expr: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", url_escaped(expr))
}

/// For the part of an address behind `?`.
fn url_escaped(text: &str) -> String {
    let mut out = String::new();
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(octet)),
            b' ' => out.push('+'),
            octet => out.push_str(&format!("%{octet:02X}")),
        }
    }
    out
}
