//! The formats that are sent: what a package of each is, and what the answers mean.

use hyper::body::Bytes;
use squirrel_exchange::flatten::flatten;
use squirrel_exchange::otlp::{self, Resource};
use squirrel_exchange::remote_write::{self, VERSION_HEADER, Version};
use squirrel_exchange::{Refused, Series};
use squirrel_model::Untrusted;
use squirrel_monitor::MonitorSource;

use crate::families::{families, target, timestamp};
use crate::options::Options;
use crate::post::{Answer, Post};
#[cfg(feature = "squirrel")]
use crate::report::Reports;

/// Samples in one request of remote write. Prometheus sends 2,000.
const BATCH: usize = 5_000;

/// What is sent at once: an export, or part of a large one.
#[derive(Debug)]
pub(crate) struct Package {
    /// Which export it belongs to, counted from 1.
    pub(crate) export: u64,
    /// Samples in it, for the count of losses.
    pub(crate) points: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Octets(Bytes),
    /// Written when it is sent: until then the version may change.
    Series(Vec<Series>),
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was taken, but for some points.
    Taken { refused: u64, reason: String },
    /// Send it again, after a pause.
    Again { after: Option<std::time::Duration>, reason: String },
    /// Send it again at once: the format will write it another way.
    Otherwise,
    /// It will never be taken.
    Refused { reason: String },
}

impl Verdict {
    fn taken() -> Self {
        Self::Taken { refused: 0, reason: String::new() }
    }
}

/// A format with its state.
pub(crate) struct PushFormat {
    options: Options,
    exports: u64,
    in_flight: u64,
    kind: Kind,
}

enum Kind {
    Otlp,
    RemoteWrite {
        version: Version,
        /// Whether the receiver has shown that it speaks this version.
        settled: bool,
    },
    #[cfg(feature = "squirrel")]
    Squirrel(Reports),
}

impl PushFormat {
    pub(crate) fn otlp(options: Options) -> Self {
        Self { options, exports: 0, in_flight: 0, kind: Kind::Otlp }
    }

    pub(crate) fn remote_write(options: Options) -> Self {
        let (version, settled) = (options.version.unwrap_or(Version::V2), options.version.is_some());
        Self { options, exports: 0, in_flight: 0, kind: Kind::RemoteWrite { version, settled } }
    }

    #[cfg(feature = "squirrel")]
    pub(crate) fn squirrel(options: Options, interval: std::time::Duration) -> Self {
        Self { options, exports: 0, in_flight: 0, kind: Kind::Squirrel(Reports::new(interval)) }
    }

    /// The numbers as they are now; `None` when the monitor is gone.
    pub(crate) fn packages(&mut self, source: &MonitorSource) -> Option<Vec<Package>> {
        let snapshot = source.snapshot()?;
        let families = families(&snapshot, &self.options);
        self.exports += 1;
        let export = self.exports;
        let points = families.iter().map(|family| family.points.len() as u64).sum();
        match &mut self.kind {
            Kind::Otlp => {
                let resource = Resource { attributes: self.options.service.clone(), families };
                let scope = ("squirrel-monitor", env!("CARGO_PKG_VERSION"));
                let octets = otlp::encode(&resource, scope, timestamp(snapshot.taken));
                Some(vec![Package { export, points, content: Content::Octets(octets.into()) }])
            }
            Kind::RemoteWrite { .. } => {
                let resource = Resource { attributes: self.options.service.clone(), families: Vec::new() };
                let (job, target) = (resource.job(), target(&self.options));
                let extra = [("job", job.as_str()), ("instance", resource.instance())];
                let (now, mut refused) = (timestamp(snapshot.taken), Refused::default());
                let mut series: Vec<Series> = families
                    .iter()
                    .chain(&target)
                    .flat_map(|family| flatten(family, &extra, now, &mut refused))
                    .collect();
                let mut packages = Vec::new();
                while !series.is_empty() {
                    let rest = series.split_off(series.len().min(BATCH));
                    let batch = std::mem::replace(&mut series, rest);
                    packages.push(Package { export, points: batch.len() as u64, content: Content::Series(batch) });
                }
                Some(packages)
            }
            #[cfg(feature = "squirrel")]
            Kind::Squirrel(reports) => {
                let report = reports.report(source, &snapshot, &families, &self.options);
                let points = report.metrics.len() as u64;
                // All its parts have a form in JSON: no map with keys that are not text, and finite numbers.
                let octets = serde_json::to_vec(&report).unwrap_or_default();
                Some(vec![Package { export, points, content: Content::Octets(octets.into()) }])
            }
        }
    }

    pub(crate) fn request(&mut self, package: &Package) -> Post {
        self.in_flight = package.points;
        let octets = match &package.content {
            Content::Octets(octets) => octets.clone(),
            // Only what is longer than 4 GiB cannot be written; a batch is far from that.
            Content::Series(series) => remote_write::encode(self.version(), series).unwrap_or_default().into(),
        };
        let (content_type, headers) = match &self.kind {
            Kind::Otlp => (otlp::CONTENT_TYPE, vec![]),
            Kind::RemoteWrite { version, .. } => {
                let encoding = ("Content-Encoding", remote_write::CONTENT_ENCODING);
                (version.content_type(), vec![encoding, (VERSION_HEADER, version.header())])
            }
            #[cfg(feature = "squirrel")]
            Kind::Squirrel(_) => ("application/json", vec![]),
        };
        Post { content_type, headers, body: octets }
    }

    fn version(&self) -> Version {
        if let Kind::RemoteWrite { version, .. } = self.kind { version } else { Version::V2 }
    }

    /// Points of the last request, for when its end is not waited for.
    pub(crate) fn points_in_flight(&self) -> u64 {
        self.in_flight
    }

    /// An export was dropped.
    pub(crate) fn lost(&mut self) {
        match &mut self.kind {
            Kind::Otlp | Kind::RemoteWrite { .. } => {}
            #[cfg(feature = "squirrel")]
            Kind::Squirrel(reports) => reports.lost(),
        }
    }

    pub(crate) fn judge(&mut self, package: &Package, answer: &Answer) -> Verdict {
        self.in_flight = 0;
        let status = answer.status;
        if let Kind::RemoteWrite { version, settled } = &mut self.kind
            && *version == Version::V2
            && !*settled
        {
            match status {
                // A receiver of 1.0 may answer this and keep nothing.
                200..300 if answer.counted => *settled = true,
                200..300 | 400 | 404 | 406 | 415 => {
                    *version = Version::V1;
                    return Verdict::Otherwise;
                }
                _ => {}
            }
        }
        if (200..300).contains(&status) {
            return self.taken(package, answer);
        }
        // OTLP says which statuses are worth another try; the others say it of all that end the server's part.
        let is_otlp = matches!(self.kind, Kind::Otlp);
        let again = if is_otlp { otlp::RETRIED.contains(&status) } else { status == 429 || status >= 500 };
        let reason = format!("answered {status}{}{}", advice(status), quoted(&answer.body));
        if again { Verdict::Again { after: answer.retry_after, reason } } else { Verdict::Refused { reason } }
    }

    fn taken(&mut self, _package: &Package, answer: &Answer) -> Verdict {
        match &mut self.kind {
            // What cannot be read says nothing of points that were refused.
            Kind::Otlp => match otlp::decode_response(&answer.body) {
                Ok((refused, message)) if refused > 0 => {
                    let reason = format!("refused {refused} points{}", quoted(message.as_bytes()));
                    Verdict::Taken { refused, reason }
                }
                _ => Verdict::taken(),
            },
            Kind::RemoteWrite { .. } => Verdict::taken(),
            #[cfg(feature = "squirrel")]
            Kind::Squirrel(reports) => reports.taken(&answer.body),
        }
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        301 | 302 | 307 | 308 => " (redirects are not followed: write the new address into endpoint)",
        401 | 403 => " (see auth_token)",
        404 | 405 => " (see the path of endpoint; the receiver may have to be switched on there)",
        413 => " (too large for the receiver)",
        _ => "",
    }
}

/// The first line of what a server said, fit for a screen.
pub(crate) fn quoted(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..1_024).unwrap_or(body));
    let line: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
    if line.is_empty() { String::new() } else { format!(": {}", Untrusted(&line)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn package() -> Package {
        Package { export: 1, points: 1, content: Content::Octets(Bytes::new()) }
    }

    fn verdict(format: &mut PushFormat, status: u16, counted: bool) -> Verdict {
        format.judge(&package(), &Answer { status, counted, ..Answer::default() })
    }

    fn is_again(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Again { .. })
    }

    #[test]
    fn a_receiver_that_does_not_know_2_0_gets_1_0() {
        for status in [200, 204, 400, 404, 415] {
            let mut format = PushFormat::remote_write(Options::default());
            assert_eq!(verdict(&mut format, status, false), Verdict::Otherwise, "{status}");
            assert_eq!(format.version(), Version::V1);
            assert_eq!(verdict(&mut format, 204, false), Verdict::taken());
        }
        let mut format = PushFormat::remote_write(Options::default());
        assert_eq!(verdict(&mut format, 204, true), Verdict::taken());
        assert!(matches!(verdict(&mut format, 400, false), Verdict::Refused { .. }), "it has shown that it knows 2.0");
        let mut format = PushFormat::remote_write(Options { version: Some(Version::V2), ..Options::default() });
        assert!(matches!(verdict(&mut format, 415, false), Verdict::Refused { .. }), "2.0 was asked for");
    }

    #[test]
    fn statuses_mean_what_each_protocol_says() {
        let remote_write = || PushFormat::remote_write(Options { version: Some(Version::V1), ..Options::default() });
        let otlp = || PushFormat::otlp(Options::default());
        for (status, by_remote_write, by_otlp) in [
            (429, true, true),
            (503, true, true),
            (500, true, false),
            (400, false, false),
            (401, false, false),
            (302, false, false),
        ] {
            assert_eq!(is_again(&verdict(&mut remote_write(), status, false)), by_remote_write, "{status}");
            assert_eq!(is_again(&verdict(&mut otlp(), status, false)), by_otlp, "{status}");
        }
        let answer = Answer {
            status: 429,
            retry_after: Some(Duration::from_secs(7)),
            body: "a\x1b[2J\nb".into(),
            ..Answer::default()
        };
        let Verdict::Again { after, reason } = otlp().judge(&package(), &answer) else { panic!("not again") };
        assert_eq!((after, reason.as_str()), (Some(Duration::from_secs(7)), "answered 429: a\\u{1b}[2J"));
    }

    #[test]
    fn points_that_a_collector_refused_are_counted() {
        let body = otlp::encode_response(3, "too old").into();
        let verdict =
            PushFormat::otlp(Options::default()).judge(&package(), &Answer { status: 200, body, ..Answer::default() });
        assert_eq!(verdict, Verdict::Taken { refused: 3, reason: "refused 3 points: too old".to_owned() });
    }
}
