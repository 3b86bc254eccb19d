//! Words that are read as they were written, and any octets.

use proptest::prelude::*;

use super::*;

#[test]
fn each_question_comes_back_as_it_was() {
    let doors = [Door::Route, Door::SockDiag, Door::Ended];
    let opens = doors.map(|door| Question::Open { namespace: 4_026_531_840, door });
    let runtimes = [Runtime::Any, Runtime::Docker, Runtime::Podman, Runtime::Kubernetes];
    let containers = runtimes.map(|runtime| Question::Container { runtime, id: ContainerId([7; 32]) });
    let others = [
        Question::Parts,
        Question::Ended,
        Question::Living,
        Question::Missed,
        Question::Process { tgid: 77, started_ns: u64::MAX },
        Question::SocketsOf(77),
        Question::Namespaces,
        Question::Attach { namespace: 1, interface: 2, name: *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0" },
        Question::Detach { namespace: 1, interface: 2 },
        Question::Frames { namespace: u64::MAX },
        Question::Release { namespace: 4_026_531_840 },
    ];
    let mut message = Vec::new();
    for question in opens.into_iter().chain(containers).chain(others) {
        question.put(&mut message);
        assert_eq!(Question::read(&message), Ok(question));
        message.push(0);
        assert!(Question::read(&message).is_err(), "something stands behind {question:?}");
    }
}

proptest! {
    #[test]
    fn any_answer_is_survived(octets in prop::collection::vec(any::<u8>(), 0..300), length in 0..9_usize) {
        // Items that take nothing would never end.
        let _ = Answer::read(&mut Reader::new("answer", &octets), &mut |reader| reader.skip(length + 1));
        let _ = Answer::read(&mut Reader::new("answer", &octets), &mut |reader| read_text(reader).map(|_| ()));
    }

    #[test]
    fn any_octets_are_no_panic(octets in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(question) = Question::read(&octets) {
            let mut again = Vec::new();
            question.put(&mut again);
            prop_assert_eq!(again, octets);
        }
    }
}
