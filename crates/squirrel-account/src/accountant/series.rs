//! The series of one step.

use squirrel_model::{Batch, Labels};

use super::Accountant;
use crate::metrics;
use crate::picture::InterfaceRow;

impl Accountant {
    /// Adds the rows of the last step to `out`. Nothing before the first step.
    pub fn batch(&self, out: &mut Batch) {
        if self.began.is_none() {
            return;
        }
        self.groups.emit(out);
        let labels = |name: &str, value: &str| Labels::new([(name, value)]).unwrap_or_default();
        for (reason, bytes) in self.unattributed.iter() {
            out.put(&metrics::NOBODY_RECEIVE, &labels("reason", reason), bytes.receive as f64);
        }
        for (reason, bytes) in self.unattributed.iter() {
            out.put(&metrics::NOBODY_TRANSMIT, &labels("reason", reason), bytes.transmit as f64);
        }
        self.books(out);
        out.put_plain(&metrics::TRACKED, self.table.len() as f64);
        out.put_plain(&metrics::MEMORY, self.memory() as f64);
        out.put_plain(&metrics::SAMPLING, f64::from(self.load.sampling));
        out.put_plain(&metrics::LOST, self.lost as f64);
        out.put_plain(&metrics::PRUNED, self.pruned() as f64);
        out.put(&metrics::LEVEL, &labels("level", self.level().name), 1.0);
        self.faults(out);
    }

    /// The books of the first namespace, which is the program's own; those of containers are in the picture.
    fn books(&self, out: &mut Batch) {
        type Receive = fn(&InterfaceRow) -> f64;
        let parts: [(&str, Receive, Receive); 5] = [
            ("attributed", |row| row.attributed.receive as f64, |row| row.attributed.transmit as f64),
            ("headers", |row| row.headers.receive as f64, |row| row.headers.transmit as f64),
            ("forwarded", |row| row.forwarded.receive as f64, |row| row.forwarded.transmit as f64),
            ("kernel", |row| row.kernel.receive as f64, |row| row.kernel.transmit as f64),
            ("unexplained", |row| row.unexplained.receive as f64, |row| row.unexplained.transmit as f64),
        ];
        let rows = self.interfaces(Some(0));
        for row in &rows {
            for (part, receive, _) in parts {
                let labels = Labels::new([("device", row.name.as_str()), ("part", part)]).unwrap_or_default();
                out.put(&metrics::BOOKS_RECEIVE, &labels, receive(row));
            }
        }
        for row in &rows {
            for (part, _, transmit) in parts {
                let labels = Labels::new([("device", row.name.as_str()), ("part", part)]).unwrap_or_default();
                out.put(&metrics::BOOKS_TRANSMIT, &labels, transmit(row));
            }
        }
    }

    fn faults(&self, out: &mut Batch) {
        for namespace in self.namespaces.iter().flatten() {
            if let Some(failure) = namespace.failure.as_ref().or(namespace.links.failure.as_ref()) {
                out.fault(format!("sockets of {}", namespace.subject()), failure.clone());
            }
        }
        for (subject, failure) in [("ledger of sockets", &self.ledger_failure), ("processes", &self.owners_failure)] {
            if let Some(failure) = failure {
                out.fault(subject, failure.clone());
            }
        }
        if self.malformed > 0 {
            out.fault("sockets", format!("{} of the kernel's messages could not be read.", self.malformed));
        }
        if let Some(warning) = self.memory_warning() {
            out.fault("memory", warning);
        }
    }
}
