//! GC gives back the addresses of attachments that are not valid, and touches nothing else.

use cni_tests::{Case, IpamScript, Place, VERSIONS};

for_each_plugin!(what_is_not_valid_is_given_back);
for_each_plugin!([macvlan, tap] it_needs_the_list_and_spec_1_1, ipams_failure_is_reported);

fn what_is_not_valid_is_given_back(case: &Case) {
    let host = case.host();
    let case = case.with(|conf| conf.version("1.1.0"));
    let keep = host.container("keep");
    let result = case.add(&host, &keep).result();
    let before = host.snapshot();
    let dead = host.container("dead");
    crate::link::second(&case).add(&host, &dead).result();
    dead.remove_netns();
    for _ in 0..2 {
        case.call(&host).gc(&case.conf, &[(&keep, "eth0")]).done();
        host.snapshot().assert_same_as(&before, "GC");
    }
    let case = case.with(|conf| conf.prev(&result));
    case.call(&host).check(&case.conf, &keep, "eth0").done();
    assert_eq!(keep.addresses("eth0"), crate::link::FIRST);
}

fn it_needs_the_list_and_spec_1_1(case: &Case) {
    let host = case.host();
    let case = case.with(|conf| conf.version("1.1.0"));
    case.add(&host, &host.container("pod")).result();
    let before = host.snapshot();
    // Without the list nothing must be taken for invalid.
    case.call(&host).run("GC", case.conf.text().as_bytes()).freed_nothing();
    for version in VERSIONS.into_iter().filter(|v| *v != "1.1.0") {
        case.call(&host).gc(&case.conf.clone().version(version), &[]).error().says(1, &["GC", "1.1.0"]);
    }
    host.snapshot().assert_same_as(&before, "a refused GC");
}

fn ipams_failure_is_reported(case: &Case) {
    let host = case.host();
    let ipam = IpamScript::that_runs_on(&host, "GC", r#"echo '{"code":77,"msg":"cannot collect"}'; exit 1"#);
    let case = case.with(|conf| ipam.for_conf(conf.version("1.1.0")));
    case.call(&host).gc(&case.conf, &[]).error().says(77, &["cannot collect"]);
}
