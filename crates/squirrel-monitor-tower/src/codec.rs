//! Messages of tokio-util's codecs.

use squirrel_monitor::Recorder;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

/// Counts the messages of the codec that it goes around, by labels that two functions choose: one for the
/// messages that are decoded, which are received, and one for those that are encoded, which are sent.
/// Sizes are the octets that each took in its encoded form, frames and all. Errors are counted as the
/// protocol errors `decode` and `encode`.
///
/// ```
/// use squirrel_monitor::{NetworkConfig, NetworkMonitor};
/// use squirrel_monitor_tower::codec::Codec;
/// use tokio_util::bytes::BytesMut;
/// use tokio_util::codec::{Decoder as _, Encoder as _, LinesCodec};
///
/// fn verb(line: &String) -> &str {
///     match line.split(' ').next() {
///         Some("GET") => "get",
///         Some("SET") => "set",
///         _ => "unknown",
///     }
/// }
/// let monitor = NetworkMonitor::new(NetworkConfig::default());
/// let mut codec = Codec::new(LinesCodec::new(), monitor.recorder(), verb, |_: &String| "answer");
/// assert_eq!(codec.decode(&mut BytesMut::from("GET a\nSE"))?, Some("GET a".to_owned()));
/// codec.encode("1".to_owned(), &mut BytesMut::new())?;
/// let told: Vec<_> = monitor.message_types().into_iter().map(|t| (t.message_type, t.received_bytes, t.sent_bytes)).collect();
/// assert_eq!(told, [("answer".to_owned(), 0, 2), ("get".to_owned(), 6, 0)]);
/// # Ok::<(), tokio_util::codec::LinesCodecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Codec<C, D, E> {
    inner: C,
    recorder: Recorder,
    decoded: D,
    encoded: E,
    /// Octets that were taken for a message that is not whole yet.
    taken: usize,
}

impl<C, D, E> Codec<C, D, E> {
    /// Counts what `inner` decodes and encodes, by labels for both.
    pub fn new<I>(inner: C, recorder: &Recorder, decoded: D, encoded: E) -> Self
    where
        C: Decoder + Encoder<I>,
        D: Fn(&<C as Decoder>::Item) -> &str,
        E: Fn(&I) -> &str,
    {
        Self { inner, recorder: recorder.clone(), decoded, encoded, taken: 0 }
    }

    /// What is wrapped.
    pub fn get_ref(&self) -> &C {
        &self.inner
    }

    /// What is wrapped, mutably.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// What is wrapped.
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C: Decoder, D: Fn(&C::Item) -> &str> Codec<C, D, ()> {
    /// Counts what `inner` decodes; it cannot encode.
    pub fn decoder(inner: C, recorder: &Recorder, decoded: D) -> Self {
        Self { inner, recorder: recorder.clone(), decoded, encoded: (), taken: 0 }
    }
}

impl<C, E> Codec<C, (), E> {
    /// Counts what `inner` encodes; it cannot decode.
    pub fn encoder<I>(inner: C, recorder: &Recorder, encoded: E) -> Self
    where
        C: Encoder<I>,
        E: Fn(&I) -> &str,
    {
        Self { inner, recorder: recorder.clone(), decoded: (), encoded, taken: 0 }
    }
}

impl<C, D, E> Codec<C, D, E>
where
    C: Decoder,
    D: Fn(&C::Item) -> &str,
{
    fn count(
        &mut self,
        source: &mut BytesMut,
        decode: impl FnOnce(&mut C, &mut BytesMut) -> Result<Option<C::Item>, C::Error>,
    ) -> Result<Option<C::Item>, C::Error> {
        let before = source.len();
        let outcome = decode(&mut self.inner, source);
        // A decoder may take a head first and its message in a later call.
        self.taken += before.saturating_sub(source.len());
        match &outcome {
            Ok(Some(item)) => {
                self.recorder.record_message_received((self.decoded)(item), self.taken as u64);
                self.taken = 0;
            }
            Ok(None) => {}
            Err(_) => {
                self.recorder.record_protocol_error("decode");
                self.taken = 0;
            }
        }
        outcome
    }
}

impl<C, D, E> Decoder for Codec<C, D, E>
where
    C: Decoder,
    D: Fn(&C::Item) -> &str,
{
    type Item = C::Item;
    type Error = C::Error;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        self.count(source, C::decode)
    }

    fn decode_eof(&mut self, source: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        self.count(source, C::decode_eof)
    }
}

impl<C, D, E, I> Encoder<I> for Codec<C, D, E>
where
    C: Encoder<I>,
    E: Fn(&I) -> &str,
{
    type Error = C::Error;

    fn encode(&mut self, item: I, target: &mut BytesMut) -> Result<(), Self::Error> {
        let before = target.len();
        // The item is gone afterwards, so its label is looked up first.
        let message = self.recorder.message_type((self.encoded)(&item));
        let outcome = self.inner.encode(item, target);
        match &outcome {
            Ok(()) => message.sent(target.len().saturating_sub(before) as u64),
            Err(_) => self.recorder.record_protocol_error("encode"),
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
