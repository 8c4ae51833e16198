//! GC, STATUS, and the verbs that a version or a list rules out, against recording plugins.

use crate::kit::{Bench, Call, conf, list};
use cni_types::Code;
use serde_json::{Value, json};

const CHAIN: &str = r#"{"cniVersion":"1.1.0","name":"net1","plugins":[
    {"type":"first","capabilities":{"mac":true}},{"type":"second"},{"type":"third"}]}"#;

fn verbs(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|call| format!("{} {}", call.verb, call.plugin)).collect()
}

#[test]
fn verbs_that_the_version_or_the_list_rules_out_run_nothing() {
    let bench = Bench::new(&["first"]);
    let runtime = bench.runtime();
    let network = |keys: &str| list(&format!(r#"{{"name":"net1",{keys}"plugins":[{{"type":"first"}}]}}"#));
    let old = network(r#""cniVersion":"0.3.1","#);
    let error = runtime.check(&old, &conf()).unwrap_err();
    assert!(error.to_string().contains("does not support the CHECK command"), "{error}");
    let disabled = network(r#""cniVersion":"1.1.0","disableCheck":true,"disableGC":"true","#);
    runtime.check(&disabled, &conf()).unwrap();
    bench.put_cached(
        "net1-c1-eth0",
        r#"{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"net1"}"#,
    );
    runtime.gc(&disabled, &[]).unwrap();
    let v1 = network(r#""cniVersion":"1.0.0","#);
    runtime.status(&v1).unwrap();
    assert_eq!(verbs(&bench.calls()), [""; 0]);
    runtime.gc(&v1, &[]).unwrap();
    assert_eq!(verbs(&bench.calls()), ["DEL first"], "the stale attachment goes, GC itself needs 1.1.0");
}

#[test]
fn gc_deletes_stale_attachments_then_tells_every_plugin_what_to_keep() {
    let bench = Bench::new(&["first", "second"]);
    let network =
        list(r#"{"cniVersion":"1.1.0","name":"net1","plugins":[{"type":"first"},{"type":"second"}]}"#);
    let runtime = bench.runtime();
    let mut kept = conf();
    kept.ifname = cni_types::IfName::new("kept").unwrap();
    runtime.add(&network, &conf()).unwrap();
    runtime.add(&network, &kept).unwrap();
    bench.put_cached(
        "other",
        r#"{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"net2"}"#,
    );
    bench.put_cached("garbage", "{");
    bench.forget_calls();
    bench.fail("second", "DEL", r#"{"code":5,"msg":"stuck"}"#);
    bench.fail("first", "GC", r#"{"code":5,"msg":"also stuck"}"#);
    let error = runtime.gc(&network, &[kept.id(&network)]).unwrap_err().to_string();
    assert!(error.contains("stale attachment c1 eth0") && error.contains("also stuck"), "{error}");
    let calls = bench.calls();
    assert_eq!(verbs(&calls), ["DEL second", "GC first", "GC second"]);
    assert_eq!(calls[0].env, format!("c1 /run/netns/a eth0 K=v;L=w {}", bench.path.display()));
    assert_eq!(calls[1].env, format!("    {}", bench.path.display()), "no attachment");
    let stdin: Value = serde_json::from_str(&calls[2].stdin).unwrap();
    assert_eq!(stdin["cni.dev/valid-attachments"], json!([{"containerID":"c1","ifname":"kept"}]));
    assert_eq!(bench.cache_files(), ["garbage", "net1-c1-eth0", "net1-c1-kept", "other"]);
}

#[test]
fn gc_runs_without_a_cache_directory() {
    let bench = Bench::new(&["first"]);
    bench
        .runtime()
        .gc(&list(r#"{"cniVersion":"1.1.0","name":"n","plugins":[{"type":"first"}]}"#), &[])
        .unwrap();
    assert_eq!(verbs(&bench.calls()), ["GC first"]);
    assert!(bench.calls()[0].stdin.contains(r#""cni.dev/valid-attachments":[]"#));
}

#[test]
fn status_stops_at_the_first_plugin_that_says_no() {
    let bench = Bench::new(&["first", "second", "third"]);
    bench.runtime().status(&list(CHAIN)).unwrap();
    bench.forget_calls();
    bench.fail("second", "STATUS", r#"{"code":50,"msg":"full"}"#);
    assert_eq!(bench.runtime().status(&list(CHAIN)).unwrap_err().code, Code::UNAVAILABLE);
    assert_eq!(verbs(&bench.calls()), ["STATUS first", "STATUS second"]);
}
