//! What a probe by hand brought, in the words of the API.

use squirrel_api::probes::ProbeRan;
use squirrel_api::{ApiError, ErrorType};
use squirrel_check::Finding;
use squirrel_model::NAME_LABEL;
use squirrel_watch::{Echo, Ran, RunError, Target};

use crate::path::scheduled;

/// What a probe by hand of this target brought.
///
/// # Errors
/// Why it was not carried out.
pub(super) fn ran(result: Result<Ran, RunError>, target: &Target) -> Result<ProbeRan, ApiError> {
    match result {
        Ok(Ran::Echo(echo)) => Ok(of_echo(&echo)),
        Ok(Ran::Finding(finding)) => Ok(of_finding(&finding)),
        Ok(Ran::Traced(traced)) => {
            let document = scheduled::document(&traced, &target.instance);
            Ok(ProbeRan {
                success: document.reached,
                seconds: traced.took.as_secs_f64(),
                log: vec![format!("{} rounds of questions along the path", document.rounds), document.verdict.clone()],
                samples: vec![("probe_success".to_owned(), f64::from(u8::from(document.reached)))],
                path: Some(document),
            })
        }
        Err(RunError::Unknown) => {
            Err(ApiError::new(ErrorType::NotFound, "the target was taken out of the configuration meanwhile"))
        }
        Err(RunError::TooMany(most)) => Err(ApiError::new(
            ErrorType::Unavailable,
            format!("{most} probes by hand are under way; ask again in some seconds"),
        )),
        Err(RunError::Failed(why)) => Err(ApiError::new(ErrorType::Unavailable, why)),
    }
}

fn of_echo(echo: &Echo) -> ProbeRan {
    let success = echo.outcome.is_ok();
    let asked = echo.address.map(|address| format!("{address} is asked"));
    let outcome = match &echo.outcome {
        Ok(time) => format!("it answered after {:.3} ms", time.as_secs_f64() * 1e3),
        Err(why) => why.clone(),
    };
    let mut samples = vec![
        ("probe_success".to_owned(), f64::from(u8::from(success))),
        ("probe_duration_seconds".to_owned(), echo.took.as_secs_f64()),
    ];
    let time = echo.outcome.as_ref().ok();
    samples.extend(time.map(|time| ("probe_icmp_duration_seconds{phase=\"rtt\"}".to_owned(), time.as_secs_f64())));
    ProbeRan {
        success,
        seconds: echo.took.as_secs_f64(),
        log: asked.into_iter().chain([outcome]).collect(),
        samples,
        path: None,
    }
}

fn of_finding(finding: &Finding) -> ProbeRan {
    let samples = finding.batch.rows.iter().map(|row| {
        let mut series = row.labels.to_builder();
        series.set(NAME_LABEL, row.metric.name.to_string());
        (series.build().unwrap_or_default().to_string(), row.value)
    });
    ProbeRan {
        success: finding.success,
        seconds: finding.duration.as_secs_f64(),
        log: finding.log.clone(),
        samples: samples.collect(),
        path: None,
    }
}
