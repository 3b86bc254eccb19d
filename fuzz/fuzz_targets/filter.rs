//! A filter of rows, in Squirrel's grammar and in that of ss: understood, or refused at a place in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_filter::ss::{Names, SsFilter, Subject};
use squirrel_filter::{Field, Filter, Kind, Services, Value};

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

fuzz_target!(|text: &str| {
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
});
