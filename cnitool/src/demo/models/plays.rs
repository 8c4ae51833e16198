//! The three plays: how the nodes are made ready, what the pods' network is, and what is shown of it.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cni_net::Rtnl;
use cni_types::{CniResult, Code, ContainerId, Doing, Error, IfName, Json, Result, SpecVersion};

use super::model::Model;
use super::node::{self, Node, UPLINK};
use super::{exchange, fabric, frame};
use crate::attachments::Survey;
use crate::cache::Cache;
use crate::chain::Runtime;
use crate::conflist::NetworkList;
use crate::demo::report::{Paint, Report};
use crate::demo::{ping, show, signals, stage};
use crate::graph;
use crate::invoke::{CapabilityArgs, RuntimeConf};

/// # Errors
/// What the kernel refused before anything could be shown, or a signal.
pub(super) fn play(model: Model, bin: &[PathBuf], report: &mut Report) -> Result<()> {
    let runtime = Runtime { cni_path: stage::enter(bin)?, cache: Cache::default() };
    let nodes = node::both()?;
    let title = report.paint(Paint::Bold, &format!("cnitool demo --model {}", model.name()));
    report.line(format!("{title}  two nodes on one wire, a pod on each"));
    report.line("");
    for node in &nodes {
        report.labelled(&format!("node {}", node.number), &format!("{} on {UPLINK}", node.address()), None);
    }
    match model {
        Model::Overlay => {
            report.labelled(
                "between",
                "flannel over VXLAN: packets of pods travel in packets of the nodes",
                None,
            );
            each(&nodes, fabric::overlay)?;
            pods(&runtime, &nodes, "flannel", |node| flannel(node, 1450), report)
        }
        Model::Routed => {
            report.labelled("between", "flannel host-gw: each node routes for its pods", None);
            each(&nodes, fabric::routed)?;
            pods(&runtime, &nodes, "flannel", |node| flannel(node, 1500), report)
        }
        Model::Underlay => underlay(&runtime, &nodes, report),
    }
}

fn each(nodes: &[Node; 2], make: impl Fn(&Node, &Node) -> Result<()>) -> Result<()> {
    let [one, two] = nodes;
    make(one, two)?;
    make(two, one)
}

/// The pods are on the wire themselves; without VLANs in the kernel, untagged.
fn underlay(runtime: &Runtime, nodes: &[Node; 2], report: &mut Report) -> Result<()> {
    report.labelled("between", "nothing: macvlan and ipvlan put the pods on the wire themselves", None);
    let mut master = UPLINK.to_owned();
    for node in nodes {
        match fabric::vlan(node) {
            Ok(name) => master = name,
            Err(error) => {
                report.labelled(
                    "",
                    &format!("without a VLAN, which this kernel lacks: {error}"),
                    Some(Paint::Dim),
                );
                break;
            }
        }
    }
    for kind in ["macvlan", "ipvlan"] {
        let list = |node: &Node| on_the_wire(node, kind, &master);
        let [first, _] = nodes;
        let status = first.visit(|| runtime.status(&list(first)?));
        match status {
            Err(error) => {
                report.heading(kind, "");
                report.labelled(
                    "",
                    &format!("not shown, since this kernel lacks it: {error}"),
                    Some(Paint::Dim),
                );
            }
            Ok(()) => pods(runtime, nodes, kind, list, report)?,
        }
    }
    Ok(())
}

/// The network of flannel on this node, whose `subnet.env` is written as flanneld does it.
fn flannel(node: &Node, mtu: u32) -> Result<NetworkList> {
    let env = format!(
        "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET={}/24\nFLANNEL_MTU={mtu}\nFLANNEL_IPMASQ=true\n",
        node.subnet(1)
    );
    fs::write("/run/flannel/subnet.env", env).doing("cannot write subnet.env")?;
    NetworkList::parse(
        br#"{"cniVersion":"1.1.0","name":"flannel","plugins":[{"type":"flannel","delegate":{"isDefaultGateway":true}}]}"#,
    )
}

/// Each node has its own part of the wire's addresses.
fn on_the_wire(node: &Node, kind: &str, master: &str) -> Result<NetworkList> {
    let n = node.number;
    let list = format!(
        r#"{{"cniVersion":"1.1.0","name":"{kind}","plugins":[{{"type":"{kind}","master":"{master}","ipam":{{"type":"host-local",
        "ranges":[[{{"subnet":"198.51.100.0/24","rangeStart":"198.51.100.{n}0","rangeEnd":"198.51.100.{n}9"}}]]}}}}]}}"#
    );
    NetworkList::parse(list.as_bytes())
}

/// ADD on both nodes, what can be seen of it, and DEL.
fn pods(
    runtime: &Runtime,
    nodes: &[Node; 2],
    name: &str,
    list: impl Fn(&Node) -> Result<NetworkList> + Sync,
    report: &mut Report,
) -> Result<()> {
    report.heading(name, "");
    let mut ips = Vec::new();
    for node in nodes {
        signals::refuse_when_caught()?;
        let started = Instant::now();
        let result = node.visit(|| runtime.add(&list(node)?, &pod(node)?))?;
        let result = CniResult::from_json(&Json::parse(result.as_bytes())?, SpecVersion::V1_1_0)?;
        let ip = result.ips.first().map(|ip| ip.address);
        let ip = ip.ok_or_else(|| Error::new(Code::CHECK, "the pod has no address"))?;
        let took = show::milliseconds(started.elapsed());
        report.good(&format!("pod {}", node.number), format!("{ip} on node {}, ADD {took}", node.number));
        ips.push(ip.ip());
    }
    if let [_, to] = ips[..] {
        let shown = between(nodes, to, report);
        if let Err(error) = shown {
            report.failed("traffic", &error);
        }
        let [first, _] = nodes;
        picture(first, report);
    }
    for node in nodes {
        let deleted = node.visit(|| runtime.del(&list(node)?, &pod(node)?));
        match deleted {
            Ok(()) => report.good(&format!("DEL {}", node.number), ""),
            Err(error) => report.failed(&format!("DEL {}", node.number), &error),
        }
    }
    Ok(())
}

fn pod(node: &Node) -> Result<RuntimeConf> {
    Ok(RuntimeConf {
        container_id: ContainerId::new(&format!("pod-{}", node.number))?,
        netns: Some(node.pod.path().to_owned()),
        ifname: IfName::new("eth0")?,
        args: Vec::new(),
        capability_args: CapabilityArgs::new(),
    })
}

/// Pings, the largest packet as it is on the wire, and a transfer.
fn between(nodes: &[Node; 2], to: IpAddr, report: &mut Report) -> Result<()> {
    let [one, two] = nodes;
    let time = ping::measure(&one.pod, to)?;
    report.good("ping", format!("pod 1 → pod 2, {} µs", time.as_micros()));
    let mtu = Rtnl::open_in(&one.pod)?.link("eth0")?.mtu;
    let tap = frame::Tap::open(two)?;
    exchange::datagram(&one.pod, &two.pod, to, usize::try_from(mtu).unwrap_or_default())?;
    let seen = tap.next()?;
    report.good("path MTU", format!("{mtu} bytes arrive whole, as {} on the wire:", seen.length));
    for layer in seen.layers() {
        report.line(format!("              {layer}"));
    }
    signals::refuse_when_caught()?;
    // The best of three each, in turns: the first warms up.
    let (mut direct, mut pods) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        direct = direct.max(exchange::stream(&one.netns, &two.netns, IpAddr::V4(two.address()))?);
        pods = pods.max(exchange::stream(&one.pod, &two.pod, to)?);
    }
    let gigabits = |bytes: f64| format!("{:.2} Gbit/s", bytes * 8.0 / 1e9);
    let share = format!("{:.0} % of node to node, {}", 100.0 * pods / direct, gigabits(direct));
    report.good("transfer", format!("{}, {share}", gigabits(pods)));
    Ok(())
}

/// The node as `cnitool graph` draws it.
fn picture(node: &Node, report: &mut Report) {
    let drawn = node.visit(|| {
        let mut survey = Survey::take(&Cache::default(), Path::new("/run/flannel"));
        // It sees the other node's namespaces as well.
        survey.attachments.retain(|attachment| attachment.file.is_some());
        Ok(graph::tree(survey))
    });
    match drawn {
        Ok(text) => text.lines().for_each(|line| report.line(format!("    {line}"))),
        Err(error) => report.failed("graph", &error),
    }
}
