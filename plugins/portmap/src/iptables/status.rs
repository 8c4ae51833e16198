//! Whether an ADD would succeed, as far as it can be told without making anything.

use cni_filter::Filter;
use cni_filter::iptables::{Extension, Script, Tool, Variant, legacy_holds, or_natively, probe, require};
use cni_filter::nft::{Chain, Table};
use cni_types::{Cidr, Code, Error, Family, Result, Words};

use super::rules::families;
use crate::conf::Conf;
use crate::mapping::Protocol;

/// No container has it: no hash is all zeros.
const CHAIN: &str = "CNI-DN-000000000000000000000";

/// Whether the tools take each kind of rule that ADD makes, with the configured conditions, and the chain is there that
/// is to set the mark. Loads no legacy module.
///
/// # Errors
/// Code 50 with the reason.
pub(crate) fn status(filter: &Filter, conf: &Conf) -> Result<()> {
    let usable = || {
        Family::ALL.into_iter().try_for_each(|family| {
            let named =
                |refusal| or_natively(refusal, || require_all(conf, family), None::<fn() -> Result<()>>);
            let script = script(conf, family);
            let what = format!("mappings by {}: {}", Tool::command(family), script.text()?);
            filter.ask_once(&what, || probe(family, &script).or_else(named))
        })?;
        conf.set_mark_chain.as_deref().map_or(Ok(()), |chain| ensure_there(filter, chain))
    };
    usable().map_err(|cause| {
        let unusable = "port mappings with iptables are not possible on this host";
        Error::new(Code::UNAVAILABLE, unusable).because(cause)
    })
}

/// Fails if iptables lacks an extension that ADD needs for these addresses. Changes nothing.
///
/// # Errors
/// Code 101 naming it, or the tool if that is missing.
pub(crate) fn lacking(conf: &Conf, targets: &[Option<Cidr>; 2]) -> Result<()> {
    let is_mapped = |target: &Cidr| conf.mappings.iter().any(|mapping| mapping.is_for(target.family()));
    let mapped = families(targets).filter(|(_, target)| is_mapped(target));
    mapped.map(|(family, _)| family).try_for_each(|family| require_all(conf, family))
}

/// Those of the mappings; TCP at least, since STATUS is not told of any.
fn protocols(conf: &Conf) -> impl Iterator<Item = Protocol> {
    let is_asked = |asked: Protocol| conf.mappings.iter().any(|mapping| mapping.protocol == asked);
    Protocol::ALL.iter().copied().filter(move |protocol| *protocol == Protocol::Tcp || is_asked(*protocol))
}

fn require_all(conf: &Conf, family: Family) -> Result<()> {
    let mut extensions = vec![Extension::Comment, Extension::Multiport, Extension::Addrtype, Extension::Dnat];
    extensions.extend(protocols(conf).map(|protocol| match protocol {
        Protocol::Tcp => Extension::Tcp,
        Protocol::Udp => Extension::Udp,
        Protocol::Sctp => Extension::Sctp,
    }));
    if conf.snat && conf.set_mark_chain.is_none() {
        extensions.extend([Extension::SetMark, Extension::Mark, Extension::Masquerade]);
    }
    require(family, "nat", &extensions, "backend")
}

fn script(conf: &Conf, family: Family) -> Script {
    let target = match family {
        Family::V4 => "192.0.2.1:1",
        Family::V6 => "[2001:db8::1]:1",
    };
    let mark = format!("0x{0:x}/0x{0:x}", conf.mark);
    let mut script = Script::new("nat");
    script.chain(CHAIN);
    let mut rule = |words: &[&str], conditions: &[String], target: &[&str]| {
        let words = ["-A", CHAIN].iter().chain(words).map(|word| (*word).to_owned());
        let words = words.chain(conditions.iter().cloned());
        let words: Vec<String> = words.chain(target.iter().map(|word| (*word).to_owned())).collect();
        script.owned_command(&words);
    };
    let entry =
        ["-m", "comment", "--comment", "x", "-m", "multiport", "-p", "tcp", "--destination-ports", "1"];
    rule(&entry, conf.conditions(family), &["-j", "RETURN"]);
    rule(&["-m", "addrtype", "--dst-type", "LOCAL"], &[], &["-j", "RETURN"]);
    for protocol in protocols(conf) {
        let port = ["-p", protocol.word(), "--dport", "1"];
        rule(&port, &[], &["-j", "DNAT", "--to-destination", target]);
    }
    if conf.snat && conf.set_mark_chain.is_none() {
        rule(&[], &[], &["-j", "MARK", "--set-xmark", &mark]);
        rule(&["-m", "mark", "--mark", &mark], &[], &["-j", "MASQUERADE"]);
    }
    script
}

/// In one family at least: a cluster may have only one.
fn ensure_there(filter: &Filter, chain: &str) -> Result<()> {
    for family in Family::ALL {
        let is_there = match Tool::find(family, "restore", false)?.variant() {
            Variant::Nft => {
                let find = Chain { table: Table::iptables(family, "nat"), name: chain }.find();
                filter.nftables()?.ask(&[find])?.iter().any(Option::is_some)
            }
            Variant::Legacy | Variant::Unknown => legacy_holds(family, "nat", chain),
        };
        if is_there {
            return Ok(());
        }
    }
    Err(Error::new(Code::FILTER, format!("there is no chain {chain} in nat"))
        .because("it is the externalSetMarkChain: whoever owns it has to make it"))
}
