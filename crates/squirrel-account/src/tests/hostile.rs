//! A kernel, announcements and processes of any octets.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use squirrel_model::{Batch, Elapsed, Timestamp};
use squirrel_sys::{EndedSockets, Kernel, Netlink, SysError};

use crate::{Accountant, NamespaceSource, Options, Sources};

/// Answers every question with the same octets.
#[derive(Clone)]
struct OneAnswer(Vec<u8>);

impl Kernel for OneAnswer {
    fn read(&self, _: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clone_from(&self.0);
        Ok(())
    }

    fn list(&self, _: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        each(b"7");
        each(&self.0);
        Ok(())
    }

    fn link(&self, _: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clone_from(&self.0);
        Ok(())
    }

    fn dump(&self, _: Netlink, kind: u16, _: &[u8], each: &mut dyn FnMut(u16, &[u8])) -> Result<(), SysError> {
        // Answers to questions about interfaces and addresses are two less than the question.
        each(kind, &self.0);
        each(kind - 2, &self.0);
        Ok(())
    }

    fn ethtool(&self, _: &str, _: &mut [u8]) -> Result<(), SysError> {
        Ok(())
    }
}

impl EndedSockets for OneAnswer {
    fn drain(&mut self, each: &mut dyn FnMut(&[u8])) -> Result<u64, SysError> {
        each(&self.0);
        Ok(u64::MAX / 8)
    }
}

/// A message of a socket, of an interface, or a text of `/proc`, bent at one place; or anything.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let mut socket = Vec::new();
    squirrel_testkit::DiagSocket::tcp(1, "10.0.0.1:1", "10.0.0.2:2").encode(&mut socket);
    let stat = b"7 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 900 0 0\nUid:\t1 1 1 1\n".to_vec();
    let bent = |octets: Vec<u8>| {
        (0..octets.len(), any::<u8>()).prop_map(move |(at, with)| {
            let mut octets = octets.clone();
            octets[at] = with;
            octets
        })
    };
    prop_oneof![prop::collection::vec(any::<u8>(), 0..400), bent(socket), bent(stat)]
}

proptest! {
    #[test]
    fn any_answers_of_a_kernel_are_survived(answers in prop::collection::vec(answer(), 1..4)) {
        for octets in answers {
            let kernel: Arc<dyn Kernel> = Arc::new(OneAnswer(octets.clone()));
            let ended: Option<Box<dyn EndedSockets>> = Some(Box::new(OneAnswer(octets)));
            let namespace =
                NamespaceSource { inode: 1, name: None, process: Some(7), kernel: Arc::clone(&kernel), ended };
            let sources = Sources { host: kernel, namespaces: vec![namespace], find: None, ledger: None, users: None, containers: None, may_trace: true };
            let mut accountant = Accountant::new(Options::default(), sources);
            let mut batch = Batch::default();
            for second in 1..4u64 {
                // The wall clock may be anything, and jump.
                let wall = Timestamp(if second == 2 { i64::MIN } else { i64::MAX });
                accountant.step(Elapsed(Duration::from_secs(second)), wall);
                // One message for each dump of two places, half-open ones with a row for all of their listener's.
                prop_assert!(accountant.picture().connections.len() <= 16);
                accountant.batch(&mut batch);
            }
        }
    }
}
