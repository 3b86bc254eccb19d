//! What people write: rules, templates, filters, parameters.

use squirrel_alert::{MAX_TEMPLATE_OUTPUT, RuleFile, Template, TemplateData, UnitTests};
use squirrel_api::params::{parse_duration_ms, parse_time};
use squirrel_check::Modules;
use squirrel_filter::ss::{Names, SsFilter, Subject};
use squirrel_filter::{Field, Filter, Kind, Services, Value};
use squirrel_model::{Labels, Timestamp};
use squirrel_server::AllowedHost;

use crate::show;

type Row = (&'static str, u16);

static FIELDS: &[Field<Row>] = &[
    Field {
        name: "process",
        aliases: &[],
        kind: Kind::Text,
        help: "",
        searched: true,
        values: |row, each| each(Value::Text(row.0)),
    },
    Field {
        name: "port",
        aliases: &[],
        kind: Kind::Port,
        help: "",
        searched: true,
        values: |row, each| each(Value::Number(row.1.into())),
    },
];

/// A filter, in our grammar and in that of ss: understood, or refused at a place in the text.
pub(super) fn filter(text: &str) {
    let services = Services::default();
    let columns = 1..=text.chars().count() + 1;
    match Filter::parse(text, FIELDS, &services) {
        Ok(filter) => {
            std::hint::black_box(filter.matches(&("nginx", 443)));
        }
        Err(error) => assert!(columns.contains(&error.column), "{error}"),
    }
    match SsFilter::parse(text, &Names { services: &services, interface: &|_| Some(1) }) {
        Ok(filter) => {
            let local = std::net::IpAddr::from([127, 0, 0, 1]);
            let subject =
                Subject { local, local_port: 22, remote: local, remote_port: 80, interface: 1, autobound: true };
            std::hint::black_box(filter.matches(&subject));
        }
        Err(error) => assert!(columns.contains(&error.column), "{error}"),
    }
}

/// A rule file, and a file of unit tests of rules.
pub(super) fn rules(text: &str) {
    show(&RuleFile::parse("fuzz", text));
    show(&UnitTests::parse("fuzz", text));
}

/// A file of modules for checks; every file that it names is there.
pub(super) fn modules(text: &str) {
    match Modules::read(text, &|name| Ok(name.as_bytes().to_vec())) {
        Ok(modules) => show(&modules),
        Err(problems) => assert!(!problems.is_empty(), "what is refused has a reason"),
    }
}

/// A template of an annotation, filled in.
pub(super) fn template(text: &str) {
    let Ok(template) = Template::parse(text) else { return };
    let labels = Labels::new([("__name__", "up"), ("job", "a"), ("instance", "b:80")]).unwrap_or_default();
    let data = TemplateData {
        labels: &labels,
        value: 12_345.678,
        external_labels: &labels,
        external_url: "http://squirrel.example/x",
        now: Timestamp(60_000),
        query: &|_| Ok(vec![(labels.clone(), 1.0), (Labels::empty(), f64::NAN)]),
    };
    // A failure is written in the text's place, with a word of the template at most.
    assert!(template.expand_or_show(&data).len() <= 3 * MAX_TEMPLATE_OUTPUT);
}

/// Times, durations and hosts as a request or a configuration gives them.
pub(super) fn parameters(text: &str) {
    show(&(parse_time(text), parse_duration_ms(text), AllowedHost::parse(text)));
}
