//! Documents there and back.

use super::*;
use crate::wanted::Provided;

fn id(ifname: &str) -> AttachmentId {
    AttachmentId {
        network: NetworkName::new("net").unwrap(),
        container_id: ContainerId::new("pod").unwrap(),
        ifname: IfName::new(ifname).unwrap(),
    }
}

#[test]
fn every_request_comes_back() {
    let provide = vec![Provided { option: 12, value: vec![0, 255] }];
    let wanted = Wanted { request: vec![1, 3], provide, priority: 7 };
    for request in [
        Request::Add(id("eth0"), "/run/netns/a".into(), wanted),
        Request::Check(id("eth\"0"), "/run/netns/a".into()),
        Request::Del(id("eth0")),
        Request::Gc(NetworkName::new("net").unwrap(), vec![id("eth0"), id("eth1")]),
        Request::Status,
    ] {
        let bytes = request.encode();
        assert!(bytes.starts_with(b"{") && bytes.iter().filter(|b| **b == b'\n').count() == 1);
        assert_eq!(Request::decode(&bytes), Ok(request));
    }
}

#[test]
fn bad_requests_are_refused() {
    for (text, code) in [
        ("{", 6),
        ("[]", 6),
        ("{}", 11),
        (r#"{"version":2,"verb":"status"}"#, 11),
        (r#"{"version":1,"verb":"format"}"#, 6),
        (r#"{"version":1,"verb":"del"}"#, 7),
        (r#"{"version":1,"verb":"del","network":"n","containerID":"../x","ifname":"e"}"#, 4),
        (r#"{"version":1,"verb":"del","network":"n","containerID":"x","ifname":"a/b"}"#, 4),
        (r#"{"version":1,"verb":"gc","network":"n","valid":[{}]}"#, 4),
        (r#"{"version":1,"verb":"add","wanted":{"provide":[{"option":1,"value":"abc"}]}}"#, 6),
    ] {
        assert_eq!(Request::decode(text.as_bytes()).unwrap_err().code.0, code, "{text}");
    }
}

#[test]
fn every_answer_comes_back() {
    let error = Error::new(Code::ADDRESS, "no more tries").because("nobody answered");
    for answer in [Ok(None), Ok(Some(CniResult::default())), Err(error)] {
        assert_eq!(decode_answer(&encode_answer(&answer)), answer);
    }
}
