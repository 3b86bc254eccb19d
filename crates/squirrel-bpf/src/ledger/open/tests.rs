//! What the verifier dislikes, in words.

use super::*;

#[test]
fn what_the_verifier_dislikes_is_told_in_its_own_words() {
    let test = "what_the_verifier_dislikes_is_told_in_its_own_words";
    let btf = match parts::type_information(&TYPE_INFORMATION.into()) {
        Ok(btf) => btf,
        Err(reason) => return squirrel_testkit::skip(test, &reason),
    };
    let mut object = match EbpfLoader::new().btf(Some(&btf)).load(OBJECT) {
        Ok(object) => object,
        Err(error) => return squirrel_testkit::skip(test, &parts::chain(&error)),
    };
    // Its first argument is a packet there, and no socket.
    let wrong = Part { program: "count_send", name: "wrong", place: Place::Tracepoint("kfree_skb") };
    let mut parts = Parts::default();
    assert!(!parts.attach(&mut object, &btf, &wrong));
    let reason = parts.outcomes.pop().and_then(|(_, reason)| reason).expect("a reason");
    assert!(reason.contains("verifier refused it") && reason.contains("cannot access"), "{reason}");
    assert!(parts.links.is_empty());
}
