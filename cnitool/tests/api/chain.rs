//! The runtime side against plugins that record what they get: small shell scripts in a `CNI_PATH` of their own.

use crate::kit::{Bench, Call, RESULT, conf, list};
use cni_types::{Code, IfName, SpecVersion};
use cnitool::invoke::RuntimeConf;
use serde_json::{Value, json};

const CHAIN: &str = r#"{"cniVersion":"1.1.0","name":"net1","plugins":[
    {"type":"first","capabilities":{"mac":true}},{"type":"second"},{"type":"third"}]}"#;

fn verbs(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|call| format!("{} {}", call.verb, call.plugin)).collect()
}

#[test]
fn add_hands_the_result_on_and_caches_the_last() {
    let bench = Bench::new(&["first", "second", "third"]);
    let last = r#"{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/a"}],"ips":[{"address":"10.1.2.3/24","interface":0}]}"#;
    bench.answer("third", last);
    let answer = bench.runtime().add(&list(CHAIN), &conf()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), serde_json::from_str::<Value>(last).unwrap());

    let calls = bench.calls();
    assert_eq!(verbs(&calls), ["ADD first", "ADD second", "ADD third"]);
    assert_eq!(
        calls[0].stdin,
        r#"{"capabilities":{"mac":true},"cniVersion":"1.1.0","name":"net1","runtimeConfig":{"mac":"02:00:00:00:00:01"},"type":"first"}"#
    );
    let result: Value = serde_json::from_str(RESULT).unwrap();
    for call in &calls[1..] {
        let stdin: Value = serde_json::from_str(&call.stdin).unwrap();
        assert_eq!(stdin["prevResult"], result);
        assert_eq!(stdin.get("runtimeConfig"), None);
    }
    for call in &calls {
        assert_eq!(call.env, format!("c1 /run/netns/a eth0 K=v;L=w {}", bench.path.display()));
    }

    let cached = bench.cached("net1-c1-eth0");
    assert_eq!(cached["kind"], "cniCacheV1");
    assert_eq!((&cached["containerId"], &cached["ifName"]), (&json!("c1"), &json!("eth0")));
    assert_eq!((&cached["networkName"], &cached["netns"]), (&json!("net1"), &json!("/run/netns/a")));
    assert_eq!(cached["cniArgs"], json!([["K", "v"], ["L", "w"]]));
    assert_eq!(cached["capabilityArgs"], json!({"mac":"02:00:00:00:00:01","x":1}));
    assert_eq!(cached["result"], serde_json::from_str::<Value>(last).unwrap());
    assert_eq!(bench.decode_base64(cached["config"].as_str().unwrap()), CHAIN);
    assert_eq!(bench.modes("net1-c1-eth0"), (0o700, 0o600));
}

#[test]
fn a_failing_add_takes_back_what_ran_and_caches_nothing() {
    let bench = Bench::new(&["first", "second", "third"]);
    bench.fail("second", "ADD", r#"{"code":11,"msg":"busy","details":"why"}"#);
    let error = bench.runtime().add(&list(CHAIN), &conf()).unwrap_err();
    assert_eq!(error.code, Code::TRY_AGAIN);
    assert_eq!(error.to_string(), r#"plugin type="second" failed (add): busy: why"#);
    let calls = bench.calls();
    assert_eq!(verbs(&calls), ["ADD first", "ADD second", "DEL second", "DEL first"]);
    let result: Value = serde_json::from_str(RESULT).unwrap();
    for call in &calls[2..] {
        assert_eq!(serde_json::from_str::<Value>(&call.stdin).unwrap()["prevResult"], result);
    }
    assert_eq!(bench.cache_files(), [""; 0]);
}

#[test]
fn a_result_that_cannot_be_cached_is_taken_back() {
    let bench = Bench::new(&["first", "second", "third"]);
    std::fs::write(bench.dir.0.join("cni"), "in the way of the cache directory").unwrap();
    let error = bench.runtime().add(&list(CHAIN), &conf()).unwrap_err();
    assert_eq!(error.code, Code::IO);
    assert!(error.msg.contains("failed to cache the result in /"), "{error}");
    assert_eq!(verbs(&bench.calls())[3..], ["DEL third", "DEL second", "DEL first"]);
}

#[test]
fn taking_back_goes_on_after_a_failure_and_reports_it() {
    let bench = Bench::new(&["first", "second", "third"]);
    bench.fail("third", "ADD", r#"{"code":7,"msg":"no"}"#);
    bench.fail("second", "DEL", r#"{"code":5,"msg":"stuck"}"#);
    let error = bench.runtime().add(&list(CHAIN), &conf()).unwrap_err();
    assert_eq!(error.code, Code::CONFIG);
    assert!(error.details.contains(r#"type="second" failed (delete): stuck"#), "{error}");
    assert_eq!(verbs(&bench.calls())[3..], ["DEL third", "DEL second", "DEL first"]);
}

#[test]
fn a_second_add_that_fails_leaves_the_first_alone() {
    let bench = Bench::new(&["first", "second", "third"]);
    bench.runtime().add(&list(CHAIN), &conf()).unwrap();
    bench.fail("first", "ADD", r#"{"code":100,"msg":"eth0 is there already"}"#);
    let error = bench.runtime().add(&list(CHAIN), &conf()).unwrap_err();
    assert!(error.to_string().contains("nothing was removed"), "{error}");
    assert_eq!(verbs(&bench.calls())[3..], ["ADD first"]);
    assert_eq!(bench.cache_files(), ["net1-c1-eth0"]);
}

#[test]
fn nonsense_and_silence_are_errors_of_the_plugin() {
    for (answer, gist) in
        [("garbage", "not valid JSON"), ("", "not valid JSON"), (r#"{"ips":[{}]}"#, "address")]
    {
        let bench = Bench::new(&["first"]);
        bench.answer("first", answer);
        let single = list(r#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"first"}]}"#);
        let error = bench.runtime().add(&single, &conf()).unwrap_err();
        assert_eq!(error.code, Code::DELEGATE, "{answer}");
        assert!(error.to_string().contains(gist), "{answer}: {error}");
        assert_eq!(verbs(&bench.calls()), ["ADD first", "DEL first"]);
    }
}

#[test]
fn del_runs_backwards_with_the_cached_result_and_twice_is_fine() {
    let bench = Bench::new(&["first", "second", "third"]);
    let runtime = bench.runtime();
    runtime.add(&list(CHAIN), &conf()).unwrap();
    bench.forget_calls();
    runtime.del(&list(CHAIN), &conf()).unwrap();
    let calls = bench.calls();
    assert_eq!(verbs(&calls), ["DEL third", "DEL second", "DEL first"]);
    assert!(calls.iter().all(|call| call.stdin.contains("prevResult")));
    assert_eq!(bench.cache_files(), [""; 0]);
    bench.forget_calls();
    runtime.del(&list(CHAIN), &conf()).unwrap();
    assert!(bench.calls().len() == 3 && bench.calls().iter().all(|call| !call.stdin.contains("prevResult")));
}

#[test]
fn a_failing_del_stops_and_keeps_the_result() {
    let bench = Bench::new(&["first", "second", "third"]);
    let runtime = bench.runtime();
    runtime.add(&list(CHAIN), &conf()).unwrap();
    bench.forget_calls();
    bench.fail("second", "DEL", r#"{"code":5,"msg":"stuck"}"#);
    assert_eq!(runtime.del(&list(CHAIN), &conf()).unwrap_err().code, Code::IO);
    assert_eq!(verbs(&bench.calls()), ["DEL third", "DEL second"]);
    assert_eq!(bench.cache_files(), ["net1-c1-eth0"]);
}

#[test]
fn an_unusable_cached_result_stops_check_but_not_del() {
    for garbage in ["", "{", r#"{"kind":"cniCacheV1","result":{"cniVersion":"9.9.9"}}"#] {
        let bench = Bench::new(&["first", "second", "third"]);
        bench.put_cached("net1-c1-eth0", garbage);
        bench.runtime().check(&list(CHAIN), &conf()).unwrap_err();
        assert_eq!(verbs(&bench.calls()), [""; 0]);
        bench.runtime().del(&list(CHAIN), &conf()).unwrap();
        assert!(bench.calls().iter().all(|call| !call.stdin.contains("prevResult")), "{garbage}");
        assert_eq!(bench.cache_files(), [""; 0]);
    }
}

#[test]
fn the_older_cache_format_and_older_results_are_converted() {
    let bench = Bench::new(&["first", "second", "third"]);
    bench.put_cached("net1-c1-eth0", r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.1.2.3/24"},"dns":{}}"#);
    bench.runtime().check(&list(CHAIN), &conf()).unwrap();
    let stdin: Value = serde_json::from_str(&bench.calls()[0].stdin).unwrap();
    assert_eq!(stdin["prevResult"], json!({"cniVersion":"1.1.0","ips":[{"address":"10.1.2.3/24"}]}));
}

#[test]
fn check_runs_forward_with_the_last_result() {
    let bench = Bench::new(&["first", "second", "third"]);
    let runtime = bench.runtime();
    assert_eq!(runtime.check(&list(CHAIN), &conf()).unwrap_err().code, Code::CONFIG, "nothing to check yet");
    runtime.add(&list(CHAIN), &conf()).unwrap();
    bench.forget_calls();
    runtime.check(&list(CHAIN), &conf()).unwrap();
    assert_eq!(verbs(&bench.calls()), ["CHECK first", "CHECK second", "CHECK third"]);
    bench.fail("second", "CHECK", r#"{"code":103,"msg":"gone"}"#);
    bench.forget_calls();
    assert_eq!(runtime.check(&list(CHAIN), &conf()).unwrap_err().code, Code::CHECK);
    assert_eq!(verbs(&bench.calls()), ["CHECK first", "CHECK second"]);
}

#[test]
fn del_before_0_4_0_gets_no_result() {
    let bench = Bench::new(&["first"]);
    let old = list(r#"{"cniVersion":"0.3.1","name":"net1","plugins":[{"type":"first"}]}"#);
    bench.answer(
        "first",
        r#"{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.1.2.3/24"}],"dns":{}}"#,
    );
    bench.runtime().add(&old, &conf()).unwrap();
    assert_eq!(bench.cached("net1-c1-eth0")["result"]["cniVersion"], SpecVersion::V0_3_1.as_str());
    bench.forget_calls();
    bench.runtime().del(&old, &conf()).unwrap();
    assert!(!bench.calls()[0].stdin.contains("prevResult"));
}

#[test]
fn a_plugin_that_is_not_installed_is_named_with_the_path() {
    let bench = Bench::new(&[]);
    let error = bench.runtime().add(&list(CHAIN), &conf()).unwrap_err();
    assert!(error.to_string().contains("failed to find plugin \"first\" in path ["), "{error}");
}

#[test]
fn a_misspelt_plugin_is_told_before_any_is_run() {
    let bench = Bench::new(&["bridge", "portmap"]);
    let chain = list(r#"{"cniVersion":"1.1.0","name":"n","plugins":[{"type":"bridge"},{"type":"protmap"}]}"#);
    let error = bench.runtime().add(&chain, &conf()).unwrap_err();
    assert_eq!(error.code, Code::CONFIG);
    assert!(error.msg.starts_with("plugin type=\"protmap\" failed (add): failed to find"), "{error}");
    assert_eq!(
        error.details, "did you mean \"portmap\"? It is there",
        "no word of a removal that failed too"
    );
    assert_eq!(verbs(&bench.calls()), [""; 0]);
}

#[test]
fn a_del_that_fails_as_its_add_did_is_not_told_twice() {
    let bench = Bench::new(&["first", "second"]);
    let missing = r#"{"code":7,"msg":"failed to find plugin \"host-locla\" in path [/x]","details":"d"}"#;
    bench.fail("second", "ADD", missing);
    bench.fail("second", "DEL", missing);
    let chain = list(r#"{"cniVersion":"1.1.0","name":"n","plugins":[{"type":"first"},{"type":"second"}]}"#);
    let error = bench.runtime().add(&chain, &conf()).unwrap_err();
    assert_eq!(error.details, "d");
    assert_eq!(verbs(&bench.calls()), ["ADD first", "ADD second", "DEL second", "DEL first"]);
    bench.fail("first", "DEL", r#"{"code":5,"msg":"stuck"}"#);
    let error = bench.runtime().add(&chain, &conf()).unwrap_err();
    assert!(
        error
            .details
            .contains("removing what was made failed too: plugin type=\"first\" failed (delete): stuck"),
        "{error}"
    );
}

#[test]
fn the_draft_of_a_process_in_another_pid_namespace_stays_as_it_is() {
    let bench = Bench::new(&["first", "second", "third"]);
    let theirs = format!(".draft-{}", std::process::id());
    bench.put_cached(&theirs, "half a result");
    bench.runtime().add(&list(CHAIN), &conf()).unwrap();
    assert_eq!(bench.cache_files(), [theirs.as_str(), "net1-c1-eth0"]);
}

#[test]
fn del_and_gc_remove_the_draft_of_an_add_that_was_killed() {
    let bench = Bench::new(&["first", "second", "third"]);
    let (runtime, chain) = (bench.runtime(), list(CHAIN));
    let draft = |ifname: &str| {
        let id = RuntimeConf { ifname: IfName::new(ifname).unwrap(), ..conf() }.id(&chain);
        let name = format!(".draft-{}", id.tag_prefix());
        bench.put_cached(&name, "half a res");
        name
    };
    let others = list(&CHAIN.replace("net1", "net2"));
    let of_another_network = format!(".draft-{}", conf().id(&others).tag_prefix());
    bench.put_cached(&of_another_network, "half a res");
    let (own, other) = (draft("eth0"), draft("eth1"));
    // With a result of an ADD before, and without.
    runtime.add(&chain, &conf()).unwrap();
    for _ in 0..2 {
        draft("eth0");
        runtime.del(&chain, &conf()).unwrap();
        assert!(!bench.cache_files().contains(&own));
        assert!(bench.cache_files().contains(&other), "another attachment's may be being written");
    }
    draft("eth0");
    runtime.gc(&chain, &[conf().id(&chain)]).unwrap();
    let mut left = [of_another_network.clone(), own];
    left.sort();
    assert_eq!(bench.cache_files(), left, "the valid attachment's ADD may be running");
    runtime.gc(&chain, &[]).unwrap();
    assert_eq!(bench.cache_files(), [of_another_network]);
}
