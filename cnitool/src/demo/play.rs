//! The acts: ADD, ping, CHECK, DEL, and the look at what is left.

mod pings;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;

use cni_net::{Netns, Rtnl};
use cni_types::{CniResult, ContainerId, Family, IfName, Json, Result, SpecVersion};

use super::item::{Item, Owner};
use super::report::Report;
use super::source::Source;
use super::world::World;
use super::{show, signals, snapshot, stage};
use crate::cache::Cache;
use crate::chain::Runtime;
use crate::invoke::{CapabilityArgs, RuntimeConf};

const CONTAINERS: [&str; 3] = ["web", "api", "db"];

/// One container.
pub(super) struct Container {
    pub(super) name: &'static str,
    netns: Netns,
    conf: RuntimeConf,
    /// What ADD returned, while it is attached.
    pub(super) result: Option<CniResult>,
}

impl Container {
    /// Its address of one family, with the gateway.
    fn address(&self, family: Family) -> Option<(IpAddr, Option<IpAddr>)> {
        let ips = self.result.iter().flat_map(|result| &result.ips);
        ips.map(|ip| (ip.address.ip(), ip.gateway)).find(|(ip, _)| Family::of(*ip) == family)
    }
}

/// Everything that is on the stage.
pub(super) struct Play {
    source: Source,
    runtime: Runtime,
    version: SpecVersion,
    host: Rtnl,
    world: World,
    containers: Vec<Container>,
    before: Vec<Item>,
    owners: Vec<Owner>,
}

impl Play {
    /// Goes to the private world and makes the host, the outside and the containers, not yet attached.
    ///
    /// # Errors
    /// What the kernel refused.
    pub(super) fn prepare(source: Source) -> Result<Self> {
        let version = source.list.spec_version()?;
        let cni_path: Vec<PathBuf> = stage::enter(&source.bin)?;
        let host = Rtnl::open()?;
        let world = World::make(&host)?;
        let mut containers = Vec::new();
        for name in CONTAINERS {
            let netns = stage::namespace(name)?;
            let conf = RuntimeConf {
                container_id: ContainerId::new(&format!("demo-{name}"))?,
                netns: Some(netns.path().to_owned()),
                ifname: IfName::new("eth0")?,
                args: Vec::new(),
                capability_args: CapabilityArgs::new(),
            };
            containers.push(Container { name, netns, conf, result: None });
        }
        let before = snapshot::take(&host)?;
        let runtime = Runtime { cni_path, cache: Cache::default() };
        Ok(Self { source, runtime, version, host, world, containers, before, owners: Vec::new() })
    }

    /// ADD, ping and CHECK. Failures of single steps are reported and the play goes on.
    ///
    /// # Errors
    /// When a signal came in.
    pub(super) fn run(&mut self, report: &mut Report) -> Result<()> {
        show::opening(report, &self.source, self.version, &self.world);
        if self.version >= SpecVersion::V1_1_0 {
            let started = Instant::now();
            match self.runtime.status(&self.source.list) {
                Ok(()) => {
                    report.labelled(
                        "STATUS",
                        &format!("ok, {}", show::milliseconds(started.elapsed())),
                        None,
                    );
                }
                Err(error) => report.failed("STATUS", &error),
            }
        }
        self.attach_all(report)?;
        self.ping_all(report)?;
        self.check_all(report)
    }

    fn attach_all(&mut self, report: &mut Report) -> Result<()> {
        show::attachments_heading(report);
        for container in &mut self.containers {
            signals::refuse_when_caught()?;
            let started = Instant::now();
            let added = self.runtime.add(&self.source.list, &container.conf);
            let took = started.elapsed();
            let read = |text: String| {
                Json::parse(text.as_bytes()).and_then(|json| CniResult::from_json(&json, self.version))
            };
            match added.and_then(read) {
                Ok(result) => {
                    show::attachment(report, container.name, &container.conf.ifname, &result, took);
                    container.result = Some(result);
                }
                Err(error) => report.failed(container.name, &error),
            }
        }
        Ok(())
    }

    /// By what the container's things can be told: a link on the host is its own when no other container has it too.
    fn owner(&self, container: &Container) -> Owner {
        let links = |c: &Container| -> Vec<String> {
            let interfaces = c.result.iter().flat_map(|result| &result.interfaces);
            interfaces.filter(|i| i.sandbox.is_empty()).map(|i| i.name.clone()).collect()
        };
        let others = self.containers.iter().filter(|other| other.name != container.name);
        let shared: Vec<String> = others.flat_map(links).collect();
        let id = container.conf.id(&self.source.list);
        Owner {
            marks: vec![id.container_id.to_string(), id.tag_prefix()],
            links: links(container).into_iter().filter(|name| !shared.contains(name)).collect(),
            ips: container.result.iter().flat_map(|r| &r.ips).map(|ip| ip.address.ip()).collect(),
        }
    }

    fn check_all(&self, report: &mut Report) -> Result<()> {
        report.heading("CHECK", "  every plugin compares what is there with what ADD returned");
        for container in self.containers.iter().filter(|c| c.result.is_some()) {
            signals::refuse_when_caught()?;
            let started = Instant::now();
            step(report, container.name, self.runtime.check(&self.source.list, &container.conf), started);
        }
        Ok(())
    }

    /// DEL of all that is attached.
    pub(super) fn detach_all(&mut self, report: &mut Report) {
        self.owners = self.containers.iter().map(|container| self.owner(container)).collect();
        report.heading("DEL", "");
        for container in &mut self.containers {
            if container.result.take().is_none() {
                continue;
            }
            let started = Instant::now();
            step(report, container.name, self.runtime.del(&self.source.list, &container.conf), started);
        }
    }

    /// Looks at the kernel and the disk: nothing of the containers may be left; what the network keeps for the next
    /// container is named, removed, and looked for again.
    ///
    /// # Errors
    /// When the kernel refuses to say, or to remove.
    pub(super) fn show_what_is_left(&self, report: &mut Report) -> Result<()> {
        let left = snapshot::added(&self.before, snapshot::take(&self.host)?);
        let (mut of_containers, of_network): (Vec<Item>, Vec<Item>) =
            left.into_iter().partition(|item| self.owners.iter().any(|owner| owner.owns(item)));
        for container in &self.containers {
            let links = Rtnl::open_in(&container.netns)?.links()?;
            let inside = links.into_iter().filter(|link| link.name != "lo");
            of_containers.extend(inside.map(|link| Item::Link(link.kind, link.name, link.alias)));
        }
        show::left(report, &of_containers, &of_network);
        snapshot::remove(&self.host, &of_network)?;
        let rest = snapshot::added(&self.before, snapshot::take(&self.host)?);
        show::left_at_the_end(report, &rest);
        Ok(())
    }
}

fn step(report: &mut Report, what: &str, outcome: Result<()>, started: Instant) {
    match outcome {
        Ok(()) => report.good(what, show::milliseconds(started.elapsed())),
        Err(error) => report.failed(what, &error),
    }
}
