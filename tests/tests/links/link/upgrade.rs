//! A node is upgraded by replacing the executables while containers run: what either suite made, the other checks and
//! removes.

use cni_tests::{Case, Place, Suite, needs};
use serde_json::json;

for_each_plugin!([macvlan, ipvlan, vlan] what_the_reference_made_is_ours, what_we_made_is_the_references);

fn what_the_reference_made_is_ours(case: &Case) {
    needs!(Reference);
    handover(case, Suite::Reference, Suite::Ours);
}

fn what_we_made_is_the_references(case: &Case) {
    needs!(Reference);
    handover(case, Suite::Ours, Suite::Reference);
}

fn handover(case: &Case, from: Suite, to: Suite) {
    // The reference's CHECK looks for routes without a gateway of their own, as nobody has them.
    let case = &case.with(|conf| conf.ipam("routes", json!([])));
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    for (with_result, with_netns) in [(true, true), (false, true), (false, false)] {
        let pod = host.container("pod");
        let result = host.call(from, case.plugin).add(&case.conf, &pod, "eth0").result();
        let with = case.conf.clone().prev(&result);
        host.call(to, case.plugin).check(&with, &pod, "eth0").done();
        let conf = if with_result { with } else { case.conf.clone() };
        let call = host.call(to, case.plugin);
        let call = if with_netns { call } else { call.without("CNI_NETNS") };
        call.del(&conf, &pod, "eth0").done();
        assert_eq!(pod.find_link("eth0").is_none(), with_netns);
        host.snapshot().assert_same_as(&before, &format!("DEL by the other suite, result {with_result}"));
        host.call(Suite::Ours, case.plugin).del(&conf, &pod, "eth0").done();
        pod.remove_netns();
    }
}
