//! ADD.

use std::time::Duration;

use cni_filter::Filter;
use cni_filter::masquerade;
use cni_filter::spoof;
use cni_net::bridge::{self, uplink, vlan};
use cni_net::configure::{self, Duplicates, Interface, Subnet};
use cni_net::veth::{self, Veth};
use cni_net::{Events, Link, Netns, Rtnl};
use cni_skel::delegate::ipam;
use cni_skel::{Attachment, Undo};
use cni_types::{self as cni, Cidr, CniResult, Code, Error, IfName, Result};

use crate::conf::Conf;
use crate::gateway;

/// How long the port may take to come up.
const PORT_LIMIT: Duration = Duration::from_millis(2_500);

/// The sockets and the configuration of one ADD.
struct Add<'a> {
    attachment: &'a Attachment,
    conf: Conf,
    netns: Netns,
    host: Rtnl,
    inside: Rtnl,
    filter: Filter,
}

/// Makes the attachment. Everything that can be refused is, before anything is made.
pub(crate) fn add(attachment: &Attachment) -> Result<CniResult> {
    let conf = Conf::read(&attachment.network)?;
    let netns = Netns::open(&attachment.netns)?;
    let host = Rtnl::open()?;
    let inside = Rtnl::open_in(&netns)?;
    let add = Add { attachment, conf, netns, host, inside, filter: Filter::new() };
    add.run()
}

impl Add<'_> {
    fn run(&self) -> Result<CniResult> {
        let conf = &self.conf;
        let wanted = conf.wanted_bridge();
        self.inside.refuse_taken(&self.attachment.id.ifname, &self.netns)?;
        veth::refuse_second(&self.host, &self.inside, &self.netns, &self.attachment.id)?;
        let found = bridge::find(&self.host, &conf.bridge, &wanted)?;
        let mut undo = Undo::new();
        let bridge = bridge::ensure(&self.host, &conf.bridge, found, &wanted)?;
        if conf.promiscuous {
            bridge::ensure_promiscuous(&self.host, &bridge)?;
        }
        let events = Events::of_links()?;
        let veth = self.connect(&bridge, &mut undo)?;
        // The link is there when IPAM is asked: an IPAM plugin may need it, as dhcp does.
        let mut result =
            if conf.has_ipam { ipam::lease(self.attachment, &mut undo)? } else { CniResult::default() };
        for ip in &mut result.ips {
            ip.interface = Some(2);
        }
        gateway::complete(conf, &mut result)?;
        self.configure_container(&veth, &result)?;
        // A VLAN's gateway is on a link of its own, made once for all containers and never removed.
        let gateway = conf.vlan_link.as_ref();
        let gateway =
            gateway.map(|(name, vlan)| uplink::ensure(&self.host, &bridge, name, *vlan)).transpose()?;
        let uplink = gateway.as_ref().unwrap_or(&bridge);
        if conf.is_gateway {
            gateway::ensure_addresses(&self.host, conf, uplink, &result)?;
        }
        if conf.masquerade {
            let ips: Vec<_> = result.ips.iter().map(|ip| ip.address).collect();
            let (id, addresses): (_, Vec<_>) = (&self.attachment.id, ips.iter().map(Cidr::ip).collect());
            undo.push("remove the masquerade", move || masquerade::remove(&self.filter, id, &addresses));
            masquerade::add(&self.filter, conf.backend, id, &ips)?;
        }
        if !conf.leave_down {
            self.wait_for_port(&events, &veth.host)?;
            self.announce(&veth, uplink, &result)?;
        }
        // Its ports may have changed its address and its MTU.
        let bridge = self.host.find_link_by_index(bridge.index)?.unwrap_or(bridge);
        self.describe(&mut result, &bridge, &veth, gateway.as_ref());
        undo.commit();
        Ok(result)
    }

    /// The pair, its host end a port of the bridge with all that a port has.
    fn connect<'u>(&'u self, bridge: &Link, undo: &mut Undo<'u>) -> Result<Veth> {
        let (conf, id) = (&self.conf, &self.attachment.id);
        let wanted = veth::Wanted { mtu: conf.mtu, container_mac: conf.mac, master: Some(bridge.index) };
        let veth = veth::create(&self.host, &self.inside, &self.netns, id, &wanted)
            .map_err(|error| bridge::explain_full(&self.host, bridge, error))?;
        let index = veth.host.index;
        undo.push(format!("delete link {}", veth.host.name), move || self.host.remove_link_if_present(index));
        bridge::set_port(&self.host, &veth.host, &conf.port)?;
        if let Some(vlans) = &conf.vlans {
            vlan::apply(&self.host, index, &veth.host.name, &vlans.wanted(), vlans.is_exact())?;
        }
        if conf.mac_spoof_check {
            undo.push("remove the MAC spoof check", move || spoof::remove(&self.filter, id));
            spoof::add(&self.filter, id, &IfName::new(&veth.host.name)?, veth.container_mac)?;
        }
        Ok(veth)
    }

    fn interface(&self, veth: &Veth) -> Interface<'_> {
        let name = &self.attachment.id.ifname;
        Interface { inside: &self.inside, netns: &self.netns, name, index: veth.container_index }
    }

    fn configure_container(&self, veth: &Veth, result: &CniResult) -> Result<()> {
        if self.conf.leave_down {
            return Ok(());
        }
        let interface = self.interface(veth);
        let detect = self.conf.detect_duplicates;
        if self.conf.has_ipam {
            let name = &self.attachment.id.ifname;
            let mut sysctls = vec![
                (format!("ipv6/conf/{name}/accept_dad"), if detect { "1" } else { "0" }),
                (format!("ipv4/conf/{name}/arp_notify"), "1"),
                (format!("ipv6/conf/{name}/ndisc_notify"), "1"),
            ];
            if detect {
                sysctls.push((format!("ipv6/conf/{name}/enhanced_dad"), "1"));
            }
            configure::prepare(&interface, &sysctls, result.ips.iter().any(|ip| !ip.address.is_ipv4()))?;
        }
        let duplicates = if detect { Duplicates::Detected } else { Duplicates::Trusted };
        configure::configure(&interface, result, duplicates, &Subnet::OnLink)
    }

    fn wait_for_port(&self, events: &Events, port: &Link) -> Result<()> {
        if events.wait_for_link(&self.host, port.index, PORT_LIMIT, Link::is_operational)? {
            return Ok(());
        }
        let state = self.host.find_link_by_index(port.index)?.unwrap_or_default();
        Err(Error::new(Code::KERNEL, format!("bridge port in error state: {}", state.oper_state_text()))
            .because(format!(
                "{} did not come up within {PORT_LIMIT:?}; see `ip link` and `bridge link`",
                port.name
            )))
    }

    /// Whoever had the addresses before, nobody keeps sending there.
    fn announce(&self, veth: &Veth, uplink: &Link, result: &CniResult) -> Result<()> {
        if result.ips.is_empty() {
            return Ok(());
        }
        let ips: Vec<_> = result.ips.iter().map(|ip| ip.address.ip()).collect();
        self.host.correct_neighbours(uplink.index, &uplink.name, veth.container_mac, &ips)?;
        configure::announce(&self.interface(veth), veth.container_mac)
    }

    fn describe(&self, result: &mut CniResult, bridge: &Link, veth: &Veth, gateway: Option<&Link>) {
        let on_host = |link: &Link| cni::Interface {
            name: link.name.clone(),
            mac: link.mac_text(),
            mtu: link.mtu,
            ..cni::Interface::default()
        };
        let container = cni::Interface {
            name: self.attachment.id.ifname.to_string(),
            mac: veth.container_mac.to_string(),
            mtu: veth.host.mtu,
            sandbox: self.attachment.netns.to_string_lossy().into_owned(),
            ..cni::Interface::default()
        };
        result.interfaces = vec![on_host(bridge), on_host(&veth.host), container];
        result.interfaces.extend(gateway.map(on_host));
        if let (true, Some(dns)) = (self.conf.has_ipam, &self.conf.dns) {
            result.dns = dns.clone();
        }
    }
}
