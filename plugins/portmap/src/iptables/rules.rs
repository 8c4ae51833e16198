//! The rules of one container in one family, in the reference's words.

use std::net::{IpAddr, SocketAddr};

use cni_filter::iptables::{Line, Listing, Meaning};
use cni_types::{AttachmentId, Cidr, Family, NetworkName, Words, sort_by};

use super::names::{CHAIN, DNAT, SET_MARK};
use crate::conf::Conf;
use crate::flows::Gone;
use crate::mapping::{Mapping, Protocol};

/// Longest xtables comment in bytes (`XT_MAX_COMMENT_LEN` − 1).
const COMMENT_MAX: usize = 255;
/// Ports in one rule (`XT_MULTI_PORTS`).
const PORTS_MAX: usize = 15;

/// The families that the container has an address of.
pub(super) fn families(targets: &[Option<Cidr>; 2]) -> impl Iterator<Item = (Family, Cidr)> {
    Family::ALL.into_iter().zip(*targets).filter_map(|(family, target)| Some((family, target?)))
}

/// What every comment of a network starts with.
pub(super) fn comment_start(network: &NetworkName) -> String {
    format!("dnat name: \"{network}\" id: \"")
}

/// All rules of an attachment in a family.
pub(super) struct Rules {
    pub(super) chain: String,
    pub(super) comment: String,
    /// The container's address.
    pub(super) target: IpAddr,
    /// The mark that asks for masquerade, where it is ours to set.
    pub(super) mark: Option<u32>,
    pub(super) container: Vec<Rule>,
    pub(super) entries: Vec<Jump>,
}

/// A rule of the container's chain.
pub(super) struct Rule {
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    pub(super) host_ip: Option<IpAddr>,
    pub(super) does: Does,
}

pub(super) enum Does {
    /// Marks packets from here.
    Mark { source: String, chain: String },
    /// Sends them there.
    Dnat(SocketAddr),
}

/// A rule that leads to the container's chain.
pub(super) struct Jump {
    protocol: Protocol,
    ports: String,
    conditions: Vec<String>,
}

impl Rules {
    pub(super) fn new(id: &AttachmentId, conf: &Conf, target: Cidr, chain: &str) -> Self {
        let family = target.family();
        let ours: Vec<&Mapping> = conf.mappings.iter().filter(|mapping| mapping.is_for(family)).collect();
        let mut comment = format!("{}{}\"", comment_start(&id.network), id.container_id);
        if comment.len() > COMMENT_MAX {
            let end = (0..=COMMENT_MAX - 2).rev().find(|&i| comment.is_char_boundary(i)).unwrap_or(0);
            comment.truncate(end.min(COMMENT_MAX - 3));
            comment.push_str("...");
        }
        let set_mark = conf.set_mark_chain.as_deref().unwrap_or(SET_MARK);
        let entries = if ours.is_empty() { Vec::new() } else { entries(conf, family) };
        Self {
            chain: format!("{CHAIN}{chain}"),
            target: target.ip(),
            comment,
            mark: (conf.snat && conf.set_mark_chain.is_none()).then_some(conf.mark),
            container: ours.iter().flat_map(|mapping| container(conf, mapping, target, set_mark)).collect(),
            entries,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.container.is_empty()
    }

    /// Whether a rule sends packets there.
    pub(super) fn lead_to(&self, gone: &Gone) -> bool {
        let to = SocketAddr::new(gone.ip, gone.first);
        self.container.iter().any(|rule| {
            rule.protocol as u8 == gone.protocol && matches!(rule.does, Does::Dnat(target) if target == to)
        })
    }
}

fn container(conf: &Conf, mapping: &Mapping, target: Cidr, set_mark: &str) -> Vec<Rule> {
    let rule =
        |does| Rule { protocol: mapping.protocol, port: mapping.host_port, host_ip: mapping.host_ip(), does };
    let mark = |source| rule(Does::Mark { source, chain: set_mark.to_owned() });
    let mut rules = Vec::new();
    if conf.snat && conf.masquerade_all {
        rules.push(mark(Cidr::default_of(target.family()).to_string()));
    } else if conf.snat {
        rules.push(mark(target.to_string()));
        if target.is_ipv4() {
            rules.push(mark("127.0.0.1".to_owned()));
        }
    }
    rules.push(rule(Does::Dnat(SocketAddr::new(target.ip(), mapping.container_port))));
    rules
}

/// The ports of all mappings, of hostIPs of the other family too, as the reference has them.
fn entries(conf: &Conf, family: Family) -> Vec<Jump> {
    let mut protocols = Protocol::ALL.to_vec();
    sort_by(&mut protocols, |a, b| a.word() < b.word());
    let mut entries = Vec::new();
    for protocol in protocols {
        let of_protocol = conf.mappings.iter().filter(|mapping| mapping.protocol == protocol);
        let ports: Vec<String> = of_protocol.map(|mapping| mapping.host_port.to_string()).collect();
        entries.extend(ports.chunks(PORTS_MAX).map(|ports| Jump {
            protocol,
            ports: ports.join(","),
            conditions: conf.conditions(family).to_vec(),
        }));
    }
    entries
}

impl Rule {
    pub(super) fn words(&self, chain: &str) -> Vec<String> {
        let mut words = ["-A", chain, "-p", self.protocol.word(), "--dport"].map(str::to_owned).to_vec();
        words.push(self.port.to_string());
        if let Some(ip) = self.host_ip {
            words.extend(["-d".to_owned(), ip.to_string()]);
        }
        match &self.does {
            Does::Mark { source, chain } => {
                words.extend(["-s".to_owned(), source.clone(), "-j".to_owned(), chain.clone()]);
            }
            Does::Dnat(to) => {
                words.extend(["-j", "DNAT", "--to-destination"].map(str::to_owned));
                words.push(to.to_string());
            }
        }
        words
    }
}

impl Jump {
    pub(super) fn words(&self, chain: &str, comment: &str) -> Vec<String> {
        let start = ["-A", DNAT, "-m", "comment", "--comment", comment, "-m", "multiport", "-p"];
        let mut words = start.map(str::to_owned).to_vec();
        words.extend([self.protocol.word().to_owned(), "--destination-ports".to_owned(), self.ports.clone()]);
        words.extend(self.conditions.iter().cloned());
        words.extend(["-j".to_owned(), chain.to_owned()]);
        words
    }

    /// The lines that are this entry: iptables makes several rules of one with a list of addresses. `None` when some
    /// are missing.
    pub(super) fn find<'a>(&self, listing: &'a Listing, chain: &str, comment: &str) -> Option<Vec<&'a Line>> {
        let words = self.words(chain, comment);
        let rules = Meaning::each_of_words(words.iter().skip(2).map(String::as_str));
        let find = |rule: &Meaning<'_>| {
            let mut entries =
                listing.rules().filter(|line| line.chain() == DNAT && line.target() == Some(chain));
            entries.find(|line| line.meaning().is(rule))
        };
        rules.iter().map(find).collect()
    }
}
