//! Mail by SMTP: the message put together, and the server spoken to.

use std::time::{Duration, SystemTime};

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters, TlsVersion};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError};
use lettre::{AsyncTransport as _, Tokio1Executor};
use squirrel_notify::Notification;
use squirrel_outbound::Secret;

use crate::queue::Outcome;
use crate::render::{MailParts, Words, mail_parts};
use crate::settings::MailTls;

/// How long each step of the conversation may take, and the whole of it.
const STEP: Duration = Duration::from_secs(15);
const WHOLE: Duration = Duration::from_secs(45);

/// A mail server, and between whom mails go.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: MailTls,
    pub(crate) roots: Vec<Certificate>,
    pub(crate) login: Option<(String, Secret)>,
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
    pub(crate) hello: Option<String>,
}

impl Mail {
    pub(crate) async fn deliver(&self, notification: &Notification, words: &Words) -> Outcome {
        let refused = |answer: String| Outcome::Refused { answer };
        let parts = mail_parts(notification, words, self.from.email.domain());
        let message = match self.message(parts, notification.at_ms) {
            Ok(message) => message,
            Err(error) => return refused(format!("the mail cannot be written: {error}")),
        };
        let transport = match self.transport() {
            Ok(transport) => transport,
            Err(error) => return refused(in_words(&error)),
        };
        match tokio::time::timeout(WHOLE, transport.send(message)).await {
            Ok(Ok(response)) => {
                let text = response.message().collect::<Vec<_>>().join(" ");
                Outcome::Delivered { answer: format!("{} {text}", response.code()) }
            }
            // A server that says 5xx means it; but a wrong password is mended without a word to us.
            Ok(Err(error)) if error.is_permanent() => refused(in_words(&error)),
            Ok(Err(error)) => Outcome::Failed { answer: in_words(&error), retry_after: None },
            Err(_) => Outcome::Failed {
                answer: format!("no end of the conversation within {} s", WHOLE.as_secs()),
                retry_after: None,
            },
        }
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, SmtpError> {
        let tls = match self.tls {
            MailTls::None => Tls::None,
            MailTls::Starttls => Tls::Required(self.tls_parameters()?),
            MailTls::Implicit => Tls::Wrapper(self.tls_parameters()?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*self.host)
            .port(self.port)
            .tls(tls)
            .timeout(Some(STEP));
        if let Some(name) = &self.hello {
            builder = builder.hello_name(ClientId::Domain(name.clone()));
        }
        if let Some((name, password)) = &self.login {
            builder = builder.credentials(Credentials::new(name.clone(), password.expose().to_owned()));
        }
        Ok(builder.build())
    }

    fn tls_parameters(&self) -> Result<TlsParameters, SmtpError> {
        let mut parameters = TlsParameters::builder(self.host.clone())
            .certificate_store(CertificateStore::Default)
            .set_min_tls_version(TlsVersion::Tlsv12);
        for root in &self.roots {
            parameters = parameters.add_root_certificate(root.clone());
        }
        parameters.build_rustls()
    }

    fn message(&self, parts: MailParts, at_ms: i64) -> Result<Message, lettre::error::Error> {
        let date = SystemTime::UNIX_EPOCH + Duration::from_millis(at_ms.max(0).unsigned_abs());
        let thread = format!("<{}>", parts.thread_id);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .date(date)
            .subject(parts.subject)
            .message_id(Some(format!("<{}>", parts.message_id)))
            .in_reply_to(thread.clone())
            .references(thread)
            // Holiday notes and lists of answers are not for a machine (RFC 3834).
            .raw_header(auto_submitted());
        for mailbox in &self.to {
            builder = builder.to(mailbox.clone());
        }
        let html = SinglePart::html(parts.html);
        let rich = match parts.chart {
            Some(png) => {
                let picture = Attachment::new_inline(crate::render::CHART_ID.to_owned()).body(png, png_type());
                MultiPart::related().singlepart(html).singlepart(picture)
            }
            None => MultiPart::related().singlepart(html),
        };
        builder.multipart(MultiPart::alternative().singlepart(SinglePart::plain(parts.text)).multipart(rich))
    }
}

fn auto_submitted() -> lettre::message::header::HeaderValue {
    let name = lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted");
    lettre::message::header::HeaderValue::new(name, "auto-generated".to_owned())
}

fn png_type() -> ContentType {
    ContentType::parse("image/png").unwrap_or(ContentType::TEXT_PLAIN)
}

/// Certificates of a PEM file.
pub(crate) fn roots(path: &std::path::Path) -> Result<Vec<Certificate>, String> {
    let failed = |reason: String| format!("ca_file {}: {reason}", path.display());
    let pem = std::fs::read(path).map_err(|error| {
        let text = error.to_string();
        failed(text.split(" (os error").next().unwrap_or_default().to_lowercase())
    })?;
    Certificate::from_pem(&pem).map(|root| vec![root]).map_err(|_| failed("no certificates in PEM".to_owned()))
}

/// What went wrong, with all its reasons: lettre's own sentence says only where.
fn in_words(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    // Chains are short.
    for _ in 0..8 {
        let Some(reason) = next else { break };
        let reason_text = reason.to_string();
        if !text.contains(&reason_text) {
            text += &format!(": {reason_text}");
        }
        next = reason.source();
    }
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
