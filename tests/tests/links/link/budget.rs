//! What an ADD may cost.

use cni_tests::{Case, Trace, needs};

for_each_plugin!(at_most_9_rtnetlink_requests_in_6_sends_and_one_process);

fn at_most_9_rtnetlink_requests_in_6_sends_and_one_process(case: &Case) {
    needs!(Strace);
    let case = case.with(|conf| conf.ranges(&["10.44.0.0/24"]));
    let host = case.host();
    host.after_one_container(case.plugin, &case.conf);
    let trace = Trace::new(&["trace=sendto,sendmsg,sendmmsg,execve"]);
    let pod = host.container("pod");
    case.call(&host).under(&trace.command()).add(&case.conf, &pod, "eth0").result();
    let lines = trace.lines();
    // The ninth sets `arp_notify`, which would be a visit to the container and an open below /proc/sys otherwise.
    // One send may carry several messages; strace names the types of most of them.
    let sends = lines.iter().filter(|line| line.contains("sendto(")).count();
    let requests: usize = lines.iter().map(|line| line.matches("nlmsg_type=").count()).sum();
    assert!((3..=9).contains(&requests) && sends <= 6, "{requests} in {sends}:\n{}", lines.join("\n"));
    let started: Vec<_> = lines.iter().filter(|line| line.contains("execve(")).collect();
    // It is strace starting the plugin itself; the IPAM plugin is called in the process.
    assert_eq!(started.len(), 1, "{started:?}");
}
