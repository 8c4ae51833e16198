//! Delegation to the IPAM plugin: a lease that cannot leak, and every verb forwarded.

use crate::scripts::Scripts;
use cni_skel::delegate::ipam;
use cni_skel::{Delegates, Undo};
use cni_types::{Code, Error, SpecVersion};

const CONF: &str = r#"{"cniVersion":"1.1.0","name":"net","ipam":{"type":"fake"},"unknown":[1,2]}"#;
const LAYER_2: &str = r#"{"cniVersion":"1.1.0","name":"net","ipam":{}}"#;
const V: SpecVersion = SpecVersion::CURRENT;
/// All delegates are scripts.
const HERE: &Delegates = &Delegates::new(&[]);

fn answering(json: &str) -> Scripts {
    Scripts::with(&format!("[ $CNI_COMMAND = ADD ] && echo '{json}'\nexit 0"))
}

/// Leases, then drops the journal uncommitted. The log must show a DEL after the ADD.
fn lease_and_fail(scripts: &Scripts, version: SpecVersion) -> Result<usize, Error> {
    let attachment = scripts.attachment(version, CONF);
    let mut undo = Undo::new();
    let result = ipam::lease(HERE, &attachment, &mut undo).map(|r| r.ips.len());
    assert_eq!(scripts.log(), "ADD", "nothing is released before the journal runs");
    drop(undo);
    assert_eq!(scripts.log(), "ADD DEL");
    result
}

#[test]
fn a_lease_is_released_by_the_journal_and_kept_by_a_commit() {
    let scripts = answering(r#"{"ips":[{"address":"10.0.0.2/24"},{"address":"2001:db8::2/64"}]}"#);
    assert_eq!(lease_and_fail(&scripts, V), Ok(2));
    let scripts = answering(r#"{"ips":[{"address":"10.0.0.2/24"}]}"#);
    let attachment = scripts.attachment(V, CONF);
    let mut undo = Undo::new();
    ipam::lease(HERE, &attachment, &mut undo).unwrap();
    undo.commit();
    assert_eq!(scripts.log(), "ADD");
}

#[test]
fn an_answer_that_is_no_lease_is_released_too() {
    let none = "IPAM plugin returned missing IP config";
    let garbage = "IPAM plugin fake gave an answer that is no CNI result";
    for (answer, msg, cause) in [
        ("{}", none, "without any address"),
        ("null", none, "without any address"),
        (r#"{"ips":[]}"#, none, "without any address"),
        (r#"{"cniVersion":"1.0.0","ips":null}"#, none, "without any address"),
        ("garbage", garbage, "not valid JSON"),
        ("{}{}", garbage, "not valid JSON"),
        ("[]", garbage, "expected an object"),
        (r#"{"ips":[{"address":"10.0.0.2"}]}"#, garbage, "key \"ips[0].address\""),
        (r#"{"ips":[{}]}"#, garbage, "key \"ips[0]\": missing field `address`"),
        (r#"{"cniVersion":"9.0.0","ips":[{"address":"10.0.0.2/24"}]}"#, garbage, "cniVersion \"9.0.0\""),
        (
            r#"{"cniVersion":"1.1","ips":[{"address":"10.0.0.2/24"}]}"#,
            garbage,
            "known are 0.1.0, 0.2.0, 0.3.0",
        ),
        (r#"{"cniVersion":1,"ips":[{"address":"10.0.0.2/24"}]}"#, garbage, "key \"cniVersion\""),
    ] {
        let error = lease_and_fail(&answering(answer), V).unwrap_err();
        assert_eq!((error.code, error.msg.as_str()), (Code::DELEGATE, msg), "{answer}");
        assert!(error.details.contains(cause), "{answer}: {error}");
    }
    let error = lease_and_fail(&Scripts::with("exit 0"), V).unwrap_err();
    assert!(error.msg == garbage && error.details.contains("printed nothing"), "{error}");
}

#[test]
fn a_failing_add_is_followed_by_a_del_and_keeps_its_error() {
    let scripts = Scripts::with(r#"echo '{"code":104,"msg":"range full"}'; [ $CNI_COMMAND = DEL ]"#);
    let error = lease_and_fail(&scripts, V).unwrap_err();
    assert_eq!((error.code, error.msg.as_str()), (Code(104), "range full"));
}

#[test]
fn an_answer_without_a_version_is_of_the_configurations() {
    for version in SpecVersion::ALL {
        let json = if version < SpecVersion::V0_3_0 {
            r#"{"ip4":{"ip":"10.0.0.2/24"}}"#
        } else {
            r#"{"ips":[{"version":"4","address":"10.0.0.2/24"}]}"#
        };
        assert_eq!(lease_and_fail(&answering(json), version), Ok(1), "{version}");
    }
}

#[test]
fn an_answer_is_read_by_its_own_version_whatever_the_configurations_is() {
    let legacy = r#""ip4":{"ip":"10.6.0.4/24","gateway":"10.6.0.1","routes":[{"dst":"10.0.0.0/8"}]},"ip6":{"ip":"fd00::4/64"}"#;
    let lists = r#""ips":[{"version":"4","address":"10.6.0.4/24","gateway":"10.6.0.1"},{"version":"6","address":"fd00::4/64"}],"routes":[{"dst":"10.0.0.0/8"}]"#;
    for answered in SpecVersion::ALL {
        let content = if answered < SpecVersion::V0_3_0 { legacy } else { lists };
        let scripts =
            answering(&format!(r#"{{"cniVersion":"{answered}",{content},"dns":{{"domain":"a.b"}}}}"#));
        for configured in SpecVersion::ALL {
            let attachment = scripts.attachment(configured, CONF);
            let mut undo = Undo::new();
            let result = ipam::lease(HERE, &attachment, &mut undo);
            let result = result.unwrap_or_else(|e| panic!("{configured} got {answered}: {e}"));
            undo.commit();
            let addresses: Vec<_> = result.ips.iter().map(|ip| ip.address.to_string()).collect();
            assert_eq!(addresses, ["10.6.0.4/24", "fd00::4/64"], "{configured} got {answered}");
            assert_eq!(result.ips[0].gateway, Some("10.6.0.1".parse().unwrap()));
            assert_eq!(result.routes.len(), 1);
            assert_eq!(result.dns.domain, "a.b");
        }
    }
}

#[test]
fn a_plugin_that_is_not_there_is_an_error_and_nothing_is_released() {
    let scripts = Scripts::new();
    let attachment = scripts.attachment(V, CONF);
    let mut undo = Undo::new();
    assert_eq!(ipam::lease(HERE, &attachment, &mut undo).unwrap_err().code, Code::CONFIG);
    drop(undo);
    let error = ipam::status(HERE, &attachment.network).unwrap_err();
    assert_eq!(error.code, Code::UNAVAILABLE);
    assert!(error.msg.contains("not installed") && error.msg.contains("\"fake\""), "{error}");
    for result in [ipam::release(HERE, &scripts.detachment(V, CONF)), ipam::gc(HERE, &attachment.network)] {
        assert_eq!(result.unwrap_err().code, Code::CONFIG, "an error, since what it holds stays held");
    }
    let attachment = scripts.attachment(V, LAYER_2);
    let error = ipam::lease(HERE, &attachment, &mut Undo::new()).unwrap_err();
    assert_eq!(
        (error.code, error.msg.as_str()),
        (Code::CONFIG, "ipam.type is missing: no plugin name provided")
    );
}

#[test]
fn every_verb_is_forwarded_with_the_whole_configuration() {
    let scripts = Scripts::with("cat >>$DIR/stdin");
    let (attachment, detachment) = (scripts.attachment(V, CONF), scripts.detachment(V, CONF));
    ipam::check(HERE, &attachment).unwrap();
    ipam::release(HERE, &detachment).unwrap();
    ipam::gc(HERE, &attachment.network).unwrap();
    ipam::status(HERE, &attachment.network).unwrap();
    assert_eq!(scripts.log(), "CHECK DEL GC STATUS");
    assert_eq!(scripts.read("stdin"), CONF.repeat(4).into_bytes());

    let failing = Scripts::with(r#"echo '{"code":51,"msg":"no","details":"d"}'; exit 1"#);
    let (attachment, detachment) = (failing.attachment(V, CONF), failing.detachment(V, CONF));
    let network = &attachment.network;
    for result in [
        ipam::check(HERE, &attachment),
        ipam::release(HERE, &detachment),
        ipam::gc(HERE, network),
        ipam::status(HERE, network),
    ] {
        assert_eq!(result, Err(Error::new(Code(51), "no").because("d")));
    }
}

#[test]
fn a_network_without_addresses_delegates_nothing() {
    let scripts = Scripts::with("exit 1");
    let (attachment, detachment) = (scripts.attachment(V, LAYER_2), scripts.detachment(V, LAYER_2));
    let network = &attachment.network;
    for result in [
        ipam::check(HERE, &attachment),
        ipam::release(HERE, &detachment),
        ipam::gc(HERE, network),
        ipam::status(HERE, network),
    ] {
        assert_eq!(result, Ok(()));
    }
    assert_eq!(scripts.log(), "");
}
