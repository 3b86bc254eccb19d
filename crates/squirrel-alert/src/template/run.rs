//! Filling a template in: the tree is walked within limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_model::Labels;

use super::ast::{Base, Branch, Command, Node, Pipeline, Term};
use super::functions::Function;
use super::parser::GIVEN;
use super::tree;
use super::value::Value;
use super::{Failure, MAX_TEMPLATE_OUTPUT, TemplateData};

/// Most nodes, commands and values that are looked at.
const MAX_STEPS: u32 = 100_000;
/// Most queries.
const MAX_QUERIES: u32 = 64;
/// Most octets of texts that functions may make on the way.
const MAX_MADE: usize = 4 << 20;

/// A template while it is filled in.
pub(super) struct Run<'a> {
    pub(super) data: &'a TemplateData<'a>,
    out: String,
    variables: Vec<(&'a str, Value)>,
    steps: u32,
    queries: u32,
    made: usize,
}

/// How a list of nodes ended.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// Walks through the nodes; `root` is the dot.
pub(super) fn run<'a>(nodes: &'a [Node], data: &'a TemplateData<'a>, root: &Value) -> Result<String, Failure> {
    let given = [
        root.clone(),
        Value::Labels(data.labels.clone()),
        Value::Labels(data.external_labels.clone()),
        Value::Text(data.external_url.to_owned()),
        Value::Float(data.value),
    ];
    let variables = GIVEN.into_iter().zip(given).collect();
    let mut run = Run { data, out: String::new(), variables, steps: 0, queries: 0, made: 0 };
    run.list(nodes, root)?;
    Ok(run.out)
}

impl<'a> Run<'a> {
    /// Answers `query`.
    pub(super) fn query(&mut self, expr: &str) -> Result<Value, String> {
        self.queries += 1;
        if self.queries > MAX_QUERIES {
            return Err(format!("more than {MAX_QUERIES} queries in one template"));
        }
        let found = (self.data.query)(expr)?;
        let items = found.into_iter().map(|(labels, value)| Value::Sample(Arc::new((labels, value))));
        Ok(Value::List(Arc::new(items.collect())))
    }

    fn step(&mut self, at: usize) -> Result<(), Failure> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(Failure::new(at, format!("this template takes more than {MAX_STEPS} steps")));
        }
        Ok(())
    }

    fn write(&mut self, at: usize, text: &str) -> Result<(), Failure> {
        if self.out.len() + text.len() > MAX_TEMPLATE_OUTPUT {
            return Err(Failure::new(at, format!("this template yields more than {MAX_TEMPLATE_OUTPUT} bytes")));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn list(&mut self, nodes: &'a [Node], dot: &Value) -> Result<Flow, Failure> {
        let scope = self.variables.len();
        let mut flow = Flow::On;
        for node in nodes {
            match node {
                Node::Text(text) => self.write(0, text)?,
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        self.write(pipeline.at, &value.show())?;
                    } else {
                        self.bind(pipeline, vec![value]);
                    }
                }
                Node::Branch { kind, pipeline, body, otherwise } => {
                    flow = self.branch(*kind, pipeline, body, otherwise, dot)?;
                }
                Node::Break => flow = Flow::Break,
                Node::Continue => flow = Flow::Continue,
            }
            if flow != Flow::On {
                break;
            }
        }
        // A variable ends with the block that made it.
        self.variables.truncate(scope);
        Ok(flow)
    }

    fn bind(&mut self, pipeline: &'a Pipeline, values: Vec<Value>) {
        for (name, value) in pipeline.variables.iter().zip(values) {
            let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
            match known {
                Some((_, slot)) if pipeline.assigns => *slot = value,
                _ => self.variables.push((name, value)),
            }
        }
    }

    fn branch(
        &mut self,
        kind: Branch,
        pipeline: &'a Pipeline,
        body: &'a [Node],
        otherwise: &'a [Node],
        dot: &Value,
    ) -> Result<Flow, Failure> {
        let value = self.pipeline(pipeline, dot)?;
        let scope = self.variables.len();
        let flow = if kind == Branch::Range {
            self.range(pipeline, body, otherwise, &value, dot)?
        } else {
            if !pipeline.variables.is_empty() {
                self.bind(pipeline, vec![value.clone()]);
            }
            let inner = if kind == Branch::With { &value } else { dot };
            if value.truth() { self.list(body, inner)? } else { self.list(otherwise, dot)? }
        };
        self.variables.truncate(scope);
        Ok(flow)
    }

    fn range(
        &mut self,
        pipeline: &'a Pipeline,
        body: &'a [Node],
        otherwise: &'a [Node],
        value: &Value,
        dot: &Value,
    ) -> Result<Flow, Failure> {
        let text = |text: &str| Value::Text(text.to_owned());
        let items: Vec<(Value, Value)> = match value {
            Value::List(items) => {
                items.iter().enumerate().map(|(i, v)| (Value::Integer(i as i64), v.clone())).collect()
            }
            Value::Labels(labels) => labels.iter().map(|(name, value)| (text(name), text(value))).collect(),
            Value::Map(map) => map.iter().map(|(name, value)| (text(name), value.clone())).collect(),
            Value::Texts(texts) => texts.iter().map(|(name, value)| (text(name), text(value))).collect(),
            Value::Nil => Vec::new(),
            other => return Err(Failure::new(pipeline.at, format!("range can't iterate over {}", other.word()))),
        };
        if items.is_empty() {
            return self.list(otherwise, dot);
        }
        for (key, item) in items {
            self.step(pipeline.at)?;
            let scope = self.variables.len();
            match pipeline.variables.len() {
                0 => {}
                1 => self.bind(pipeline, vec![item.clone()]),
                _ => self.bind(pipeline, vec![key, item.clone()]),
            }
            let flow = self.list(body, &item)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn pipeline(&mut self, pipeline: &'a Pipeline, dot: &Value) -> Result<Value, Failure> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, dot)?);
        }
        Ok(value.unwrap_or(Value::Nil))
    }

    fn command(&mut self, command: &'a Command, last: Option<Value>, dot: &Value) -> Result<Value, Failure> {
        let Some((first, others)) = command.terms.split_first() else { return Ok(Value::Nil) };
        let Base::Function(function) = &first.base else {
            if !others.is_empty() || last.is_some() {
                return Err(Failure::new(first.at, "this is no function and can be given nothing"));
            }
            return self.term(first, dot);
        };
        let mut args = Vec::with_capacity(others.len() + 1);
        for term in others {
            let value = self.term(term, dot)?;
            let ends = function.stops_early() && value.truth() == (function.name == "or");
            args.push(value);
            if ends {
                return self.call(function, first.at, &args);
            }
        }
        args.extend(last);
        self.call(function, first.at, &args)
    }

    fn call(&mut self, function: &'static Function, at: usize, args: &[Value]) -> Result<Value, Failure> {
        self.step(at)?;
        let value = function.call(self, args).map_err(|message| Failure::new(at, message))?;
        if let Value::Text(text) = &value {
            self.made += text.len();
            if text.len() > MAX_TEMPLATE_OUTPUT || self.made > MAX_MADE {
                return Err(Failure::new(at, "the texts of this template grow too long"));
            }
        }
        Ok(value)
    }

    fn term(&mut self, term: &'a Term, dot: &Value) -> Result<Value, Failure> {
        self.step(term.at)?;
        let mut value = match &term.base {
            Base::Dot => dot.clone(),
            Base::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                known.map_or(Value::Nil, |(_, value)| value.clone())
            }
            Base::Function(function) => self.call(function, term.at, &[])?,
            Base::Text(text) => Value::Text(text.clone()),
            Base::Integer(number) => Value::Integer(*number),
            Base::Float(number) => Value::Float(*number),
            Base::Bool(yes) => Value::Bool(*yes),
            Base::Nil => Value::Nil,
            Base::Group(inner) => self.pipeline(inner, dot)?,
        };
        for name in &term.fields {
            value = self.field(&value, name).map_err(|message| Failure::new(term.at, message))?;
        }
        Ok(value)
    }

    fn field(&self, value: &Value, name: &str) -> Result<Value, String> {
        let label = |labels: &Labels| Value::Text(labels.get(name).unwrap_or_default().to_owned());
        match (value, name) {
            (Value::Data, "Labels") => Ok(Value::Labels(self.data.labels.clone())),
            (Value::Data, "ExternalLabels") => Ok(Value::Labels(self.data.external_labels.clone())),
            (Value::Data, "ExternalURL") => Ok(Value::Text(self.data.external_url.to_owned())),
            (Value::Data, "Value") => Ok(Value::Float(self.data.value)),
            (Value::Sample(sample), "Labels") => Ok(Value::Labels(sample.0.clone())),
            (Value::Sample(sample), "Value") => Ok(Value::Float(sample.1)),
            (Value::Labels(labels), _) => Ok(label(labels)),
            (Value::Map(map), _) => Ok(map.get(name).cloned().unwrap_or(Value::Nil)),
            (Value::Fields(fields), _) => fields.get(name).cloned().ok_or_else(|| unknown(name, fields)),
            (Value::Texts(texts), _) => Ok(tree::text_of(texts, name)),
            (Value::List(items), "Firing" | "Resolved") => Ok(tree::of_status(items, &name.to_ascii_lowercase())),
            (Value::Data, _) => {
                Err(format!("can't evaluate field {name}: there are Labels, Value, ExternalLabels, ExternalURL"))
            }
            (other, _) => Err(format!("can't evaluate field {name} in type {}", other.word())),
        }
    }
}

/// What to write in place of a field that is not there.
fn unknown(name: &str, fields: &BTreeMap<String, Value>) -> String {
    let known: Vec<&str> = fields.keys().map(String::as_str).collect();
    format!("can't evaluate field {name}: there are {}", known.join(", "))
}
