//! systemd's journal, by its socket.

use std::path::PathBuf;

use squirrel_notify::Notification;
use tokio::net::UnixDatagram;

use crate::queue::Outcome;
use crate::render::{Words, journal_entry};

/// A journal.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    pub(crate) socket: PathBuf,
}

impl Journal {
    pub(crate) async fn deliver(&self, notification: &Notification, words: &Words) -> Outcome {
        let entry = journal_entry(notification, words);
        let sent = async {
            let socket = UnixDatagram::unbound()?;
            let sending = socket.send_to(&entry, &self.socket);
            // A journal that does not read its socket blocks whoever writes.
            tokio::time::timeout(std::time::Duration::from_secs(5), sending).await?
        };
        match sent.await {
            Ok(_) => Outcome::Delivered { answer: "written".to_owned() },
            Err(error) => {
                let text = error.to_string();
                let reason = text.split(" (os error").next().unwrap_or_default().to_lowercase();
                Outcome::Failed { answer: format!("{}: {reason}", self.socket.display()), retry_after: None }
            }
        }
    }
}
