//! What an answer means.

use std::time::Duration;

use squirrel_exchange::remote_write::{Version, WRITTEN_HEADERS};
use squirrel_model::{Timestamp, Untrusted};
use squirrel_outbound::{Answer, SendError};

/// What is to be done about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was taken.
    Taken,
    /// It was taken but for some samples, which are lost.
    Partly { refused: usize, reason: String },
    /// The receiver does not know 2.0.
    Older,
    /// Send it again.
    Again { after: Option<Duration>, reason: String },
    /// It is too large.
    Smaller { reason: String },
    /// It will never be taken as it is.
    Never { reason: String },
}

/// What is known of the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) version: Version,
    /// Whether the receiver has shown that it knows this version, or nobody shall ask.
    pub(super) is_settled: bool,
}

/// Judges the answer to a request of so many samples, and notes when the receiver has shown that it knows
/// 2.0.
pub(super) fn judge(
    spoken: &mut Spoken,
    samples: usize,
    answer: &Result<Answer, SendError>,
    now: Timestamp,
) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        // Nothing is known of the samples: whatever it is, it is tried again, slower and slower.
        Err(error) => return Verdict::Again { after: None, reason: error.to_string() },
    };
    let is_counted = WRITTEN_HEADERS.iter().any(|name| answer.header(name).is_some());
    if spoken.version == Version::V2 && !spoken.is_settled {
        match answer.status {
            _ if is_counted => spoken.is_settled = true,
            // A receiver of 1.0 may answer 2xx and keep nothing.
            200..300 | 400 | 404 | 406 | 415 => return Verdict::Older,
            _ => {}
        }
    }
    let line = answer.first_line();
    let said = if line.is_empty() { String::new() } else { format!(": {}", Untrusted(&line)) };
    let reason = format!("answered {}{said}", answer.status);
    match answer.status {
        200..300 => Verdict::Taken,
        429 | 500.. => Verdict::Again { after: answer.retry_after(now), reason },
        401 | 403 | 404 | 405 | 407 => {
            let advice = match answer.status {
                401 | 403 | 407 => "look at its authentication",
                _ => "look at its path; the receiver may have to be switched on there",
            };
            Verdict::Again { after: None, reason: format!("{reason} ({advice})") }
        }
        413 => Verdict::Smaller { reason },
        // A receiver of 2.0 says how much it kept of a request that it refuses in part.
        400 if is_counted => {
            let written = WRITTEN_HEADERS.first().and_then(|name| answer.header(name)?.trim().parse().ok());
            Verdict::Partly { refused: samples.saturating_sub(written.unwrap_or(0)), reason }
        }
        _ => Verdict::Never { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, written: Option<&str>) -> Answer {
        let mut answer = Answer::of_status(status);
        if let Some(written) = written {
            answer.headers.insert("x-prometheus-remote-write-samples-written", written.parse().unwrap());
        }
        answer
    }

    fn judged(is_settled: bool, version: Version, status: u16, written: Option<&str>) -> Verdict {
        let mut spoken = Spoken { version, is_settled };
        judge(&mut spoken, 10, &Ok(answer(status, written)), Timestamp(0))
    }

    #[test]
    fn a_receiver_that_does_not_know_2_0_is_found_out() {
        for status in [200, 204, 400, 404, 406, 415] {
            assert_eq!(judged(false, Version::V2, status, None), Verdict::Older, "{status}");
            assert_ne!(judged(true, Version::V2, status, None), Verdict::Older, "{status}");
            assert_ne!(judged(false, Version::V1, status, None), Verdict::Older, "{status}");
        }
        let mut spoken = Spoken { version: Version::V2, is_settled: false };
        assert_eq!(judge(&mut spoken, 10, &Ok(answer(204, Some("10"))), Timestamp(0)), Verdict::Taken);
        assert!(spoken.is_settled);
        assert!(matches!(judged(false, Version::V2, 503, None), Verdict::Again { .. }), "503 says nothing of it");
    }

    #[test]
    fn each_status_has_its_meaning() {
        for status in [429, 500, 503, 599, 401, 403, 404] {
            assert!(matches!(judged(true, Version::V2, status, None), Verdict::Again { .. }), "{status}");
        }
        for status in [400, 402, 409, 422] {
            assert!(matches!(judged(true, Version::V1, status, None), Verdict::Never { .. }), "{status}");
        }
        assert!(matches!(judged(true, Version::V1, 413, None), Verdict::Smaller { .. }));
        for (written, refused) in [("7", 3), ("0", 10), ("99", 0), ("many", 10)] {
            let verdict = judged(true, Version::V2, 400, Some(written));
            assert!(matches!(verdict, Verdict::Partly { refused: count, .. } if count == refused), "{verdict:?}");
        }
    }

    #[test]
    fn a_server_s_wish_and_words_are_heard() {
        let mut answer = Answer::of_status(429);
        answer.headers.insert("retry-after", "7".parse().unwrap());
        answer.body = b"slow\x1b[2J\nmore".to_vec();
        let mut spoken = Spoken { version: Version::V1, is_settled: true };
        let verdict = judge(&mut spoken, 1, &Ok(answer), Timestamp(0));
        let reason = "answered 429: slow\\u{1b}[2J".to_owned();
        assert_eq!(verdict, Verdict::Again { after: Some(Duration::from_secs(7)), reason });
    }
}
