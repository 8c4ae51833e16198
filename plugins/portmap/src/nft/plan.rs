//! What is to be there for an attachment.

use std::net::{IpAddr, SocketAddr};

use cni_filter::nft::{Batch, Layout, Socket};
use cni_types::{Cidr, Family, Result};

use super::map::Map;
use super::names::TABLE;
use super::port;
use crate::condition::Class;
use crate::conf::Conf;
use crate::mapping::Ports;

/// What is to be there for one family of an attachment.
pub(crate) struct Plan {
    pub(super) container: IpAddr,
    pub(super) ports: Vec<(Ports, SocketAddr)>,
    pub(super) sources: Vec<Cidr>,
    pub(super) class: Option<Class>,
}

impl Plan {
    /// The plans of the families the container has addresses of.
    ///
    /// # Errors
    /// Code 7 for conditions that are not understood.
    pub(crate) fn all(conf: &Conf, targets: &[Option<Cidr>; 2]) -> Result<Vec<Self>> {
        let mut plans = Vec::new();
        for target in targets.iter().flatten() {
            let ports = port::plan(&conf.mappings, target.ip());
            let class = Class::read(conf.conditions(target.family()), target.family())?;
            if !ports.is_empty() {
                plans.push(Self { container: target.ip(), ports, sources: sources(conf, *target), class });
            }
        }
        Ok(plans)
    }

    pub(super) fn family(&self) -> Family {
        Family::of(self.container)
    }

    /// The maps of ranges it needs.
    fn ranges(&self) -> impl Iterator<Item = Map> {
        let ranges = self.ports.iter().filter(|(ports, _)| ports.is_range());
        ranges.map(|(ports, _)| ports.map(self.family(), self.class_name(), 1))
    }

    /// With a single port for each of a range.
    fn without_ranges(mut self) -> Self {
        let single = |(ports, target): &(Ports, SocketAddr)| -> Vec<(Ports, SocketAddr)> {
            let target =
                |port| SocketAddr::new(target.ip(), if ports.is_range() { port } else { target.port() });
            let each = ports.first..=ports.last;
            each.map(|port| (Ports { first: port, last: port, ..*ports }, target(port))).collect()
        };
        self.ports = self.ports.iter().flat_map(single).collect();
        self
    }

    pub(super) fn class_name(&self) -> &str {
        self.class.as_ref().map_or("", |class| &class.name)
    }
}

/// The networks whose packets are masqueraded: the container's own, since its neighbours would get the answer straight
/// from it, with an address they did not ask; and the host's loopback.
fn sources(conf: &Conf, target: Cidr) -> Vec<Cidr> {
    let mut sources = Vec::new();
    if conf.snat && conf.masquerade_all {
        sources.push(Cidr::default_of(target.family()));
    } else if conf.snat {
        sources.push(target.masked());
        if target.is_ipv4() {
            sources.extend(Cidr::new([127, 0, 0, 0].into(), 8));
        }
    }
    sources
}

/// The plans as the kernel takes them: before 5.6 it has no maps of ranges, and each port is an element.
pub(super) fn fitting(socket: &Socket, sets: &[String], plans: Vec<Plan>) -> Result<Vec<Plan>> {
    let new = plans.iter().flat_map(Plan::ranges).find(|map| !sets.contains(&map.name()));
    let Some(map) = new else { return Ok(plans) };
    let text = format!("table inet {} {{ {} }}", TABLE.name, map.declaration());
    let mut trial = Batch::new();
    trial.extend(Layout::read(&text)?.make());
    match socket.try_out(&trial) {
        Ok(()) => Ok(plans),
        // What an unknown flag of a set is refused with.
        Err(refused) if refused.is_absent() => Ok(plans.into_iter().map(Plan::without_ranges).collect()),
        Err(refused) => Err(refused.into()),
    }
}
