//! MAC spoof check (`macspoofchk`): a bridge port may send from its container's MAC address only. Spoken over netlink;
//! the `nft` tool is not needed.
//!
//! Host state, named as the reference names it so that either suite removes the other's, with `<id>` =
//! `<container id>-<ifname>`:
//!
//! ```text
//! table bridge nat {
//!   chain PREROUTING { type filter hook prerouting priority -300; iifname <port> jump cni-br-iface-<id> }
//!   chain cni-br-iface-<id> { jump cni-br-iface-<id>-mac }
//!   chain cni-br-iface-<id>-mac { ether saddr <mac> return; drop }
//! }
//! ```
//!
//! Every rule has the comment `macspoofchk-<id>`. The two private chains go on DEL; the table and `PREROUTING` stay.
//!
//! Differs from the reference: one transaction; ADD twice leaves one jump; removing what is not there is no error; the
//! private chains have the attachment's tag as their comment, which is what GC goes by (the reference's chains do not
//! tell their network, so GC leaves them to DEL); and where the text does not fit (chain names 127 bytes, comments 128)
//! or could not be read back from `nft list` (an ifname with other characters than letters, digits, `_`, `.`, `-`),
//! `<id>` is a hash.

mod names;

use cni_types::{AttachmentId, Doing, Error, IfName, Mac, NetworkName, Result, Stale};

use crate::Filter;
use crate::nft::{
    Batch, Chain, ChainState, Compare, Expr, Hook, Meta, PayloadBase, Register, Rule, Socket, Table,
    TableFamily, Verdict,
};
use names::{CHAIN_START, Names};

const TABLE: Table<'_> = Table { family: TableFamily::Bridge, name: "nat" };
const PREROUTING: Chain<'_> = Chain { table: TABLE, name: "PREROUTING" };
/// Before anything else looks at the frame (`NF_BR_PRE_ROUTING`, `NF_BR_PRI_NAT_DST_BRIDGED`).
const HOOK: Hook = Hook { kind: "filter", number: 0, priority: -300 };
/// Drops frames from `port` (the host end of the veth pair) whose source address is not `mac`.
///
/// # Errors
/// Code 101 when nftables refuses.
pub fn add(filter: &Filter, id: &AttachmentId, port: &IfName, mac: Mac) -> Result<()> {
    let names = Names::new(id);
    let [iface, source] = names.chains();
    let comment = Some(names.comment.as_str());
    let doing =
        format_args!("cannot set up the MAC spoof check of container {}", id.container_id).to_string();
    let socket = filter.nftables().doing(&doing)?;
    let add = |socket: &Socket| {
        let mut batch = Batch::new();
        let answers = socket.ask(&[iface.find(), source.find()])?;
        // Refused where somebody has such a chain at another hook, which would let the frames pass.
        batch.extend([TABLE.ensure(), PREROUTING.ensure_base(HOOK)]);
        // Nothing jumps to a chain that is not there: in the common case there is no old rule to look for.
        if answers[0].is_some() {
            take_out(socket, &[&names], &mut batch)?;
        }
        batch.extend([iface, source].map(|chain| chain.ensure(Some(&id.tag()))));
        batch.extend([iface, source].map(Chain::flush));
        batch.push(Rule::append(iface, &[Expr::verdict(Verdict::Jump(source.name))], comment));
        batch.push(Rule::append(source, &from_mac(mac), comment));
        batch.push(Rule::append(source, &[Expr::verdict(Verdict::Drop)], comment));
        batch.push(Rule::append(PREROUTING, &from_port(port, iface.name), comment));
        Ok(batch)
    };
    socket.transact(add).doing(doing)
}

/// Whether the rules of [`add`] are there, ours or the reference's.
///
/// # Errors
/// Code 103 naming what is missing.
pub fn check(filter: &Filter, id: &AttachmentId, port: &IfName, mac: Mac) -> Result<()> {
    let socket = filter.nftables()?;
    let mut complaints = Vec::new();
    for names in Names::all(id) {
        match missing(socket, &names, port, mac)? {
            None => return Ok(()),
            Some(complaint) => complaints.push(complaint),
        }
    }
    let complaint = complaints.swap_remove(0);
    Err(Error::check(format!(
        "the MAC spoof check of container {} is incomplete: {complaint}",
        id.container_id
    )))
}

/// Whether [`add`] could work on this host. Changes nothing.
///
/// # Errors
/// Code 50 with the reason.
pub fn status(filter: &Filter) -> Result<()> {
    let [iface, source] = ["", "-mac"].map(|end| format!("{CHAIN_START}trial{end}"));
    let [iface, source] = [&iface, &source].map(|name| Chain { table: TABLE, name });
    let mut trial = Batch::new();
    trial.extend([TABLE.ensure(), PREROUTING.ensure_base(HOOK), iface.ensure(None), source.ensure(None)]);
    trial.push(Rule::append(iface, &[Expr::verdict(Verdict::Jump(source.name))], None));
    trial.push(Rule::append(source, &from_mac(Mac([0; 6])), None));
    let match_port = [
        Expr::meta(Meta::IifName, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[0; 16]),
        Expr::verdict(Verdict::Jump(iface.name)),
    ];
    trial.push(Rule::append(PREROUTING, &match_port, None));
    filter.nftables().and_then(|socket| Ok(socket.try_out(&trial)?)).map_err(|cause| {
        Error::unavailable("the MAC spoof check (macspoofchk) is not possible on this host").because(cause)
    })
}

/// Removes the attachment's rules and chains, also the reference's. What is not there is no error.
///
/// # Errors
/// Code 101 when nftables refuses.
pub fn remove(filter: &Filter, id: &AttachmentId) -> Result<()> {
    let doing = format!("cannot remove the MAC spoof check of container {}", id.container_id);
    let Some(socket) = filter.nftables_if_present().doing(&doing)? else { return Ok(()) };
    let all = Names::all(id);
    let remove = |socket: &Socket| {
        let mut batch = Batch::new();
        let chains: Vec<Chain<'_>> = all.iter().flat_map(Names::chains).collect();
        let answers = socket.ask(&chains.iter().map(|chain| chain.find()).collect::<Vec<_>>())?;
        if answers.iter().any(Option::is_some) {
            take_out(socket, &all.iter().collect::<Vec<_>>(), &mut batch)?;
        }
        for (chain, _) in chains.iter().zip(answers).filter(|(_, answer)| answer.is_some()) {
            batch.push(chain.remove());
        }
        Ok(batch)
    };
    socket.transact(remove).doing(doing)
}

/// Removes the rules and chains of all attachments of `network` that are not in `valid`, by the chains' comments.
///
/// # Errors
/// As [`remove`].
pub fn collect(filter: &Filter, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
    let doing = format!("cannot collect the stale MAC spoof checks of network {network}");
    let Some(socket) = filter.nftables_if_present().doing(&doing)? else { return Ok(()) };
    let stale = Stale::new(network, valid);
    let collect = |socket: &Socket| {
        let mut batch = Batch::new();
        let mut chains: Vec<String> = list(socket, &stale)?.into_iter().map(|(_, name)| name).collect();
        if chains.is_empty() {
            return Ok(batch);
        }
        delete_jumps(
            socket,
            &|rule| rule.target().is_some_and(|to| chains.iter().any(|c| c == to)),
            &mut batch,
        )?;
        // The chain that jumps goes before the one it jumps to.
        chains.sort_by_key(|name| name.ends_with("-mac"));
        batch.extend(chains.iter().map(|name| Chain { table: TABLE, name }.remove()));
        Ok(batch)
    };
    socket.transact(collect).doing(doing)
}

/// The chains of attachments of `network`, each with its owner in front.
///
/// # Errors
/// As [`remove`].
pub fn held(filter: &Filter, network: &NetworkName) -> Result<Vec<(String, String)>> {
    let Some(socket) = filter.nftables_if_present()? else { return Ok(Vec::new()) };
    list(socket, &Stale::all(network))
}

/// The owner and name of each chain that belongs to `owners`, by its comment.
fn list(socket: &Socket, owners: &Stale) -> Result<Vec<(String, String)>> {
    let answers = socket.dump(&Chain::list(TABLE))?;
    let ours =
        answers.iter().filter(|answer| Chain::in_table(answer, TABLE)).filter_map(|a| ChainState::read(a));
    let ours = ours.filter(|state| state.name.starts_with(CHAIN_START));
    let owned = ours.filter_map(|state| Some((state.comment?, state.name)));
    Ok(owned.filter(|(comment, _)| owners.includes(comment)).collect())
}

/// Deletes the rules in `PREROUTING` that are the attachment's, by comment as the reference does, or by target.
fn take_out(socket: &Socket, all: &[&Names], batch: &mut Batch) -> Result<()> {
    let theirs = |rule: &Rule<'_>| {
        all.iter().any(|names| {
            rule.comment == Some(names.comment.as_str()) || rule.target() == Some(names.iface.as_str())
        })
    };
    delete_jumps(socket, &theirs, batch)
}

fn delete_jumps(socket: &Socket, doomed: &dyn Fn(&Rule<'_>) -> bool, batch: &mut Batch) -> Result<()> {
    for answer in socket.dump(&Rule::list(TABLE, Some(PREROUTING.name)))? {
        let rule = Rule::read(&answer).filter(doomed);
        batch.extend(rule.map(|rule| Rule::remove(PREROUTING, rule.handle)));
    }
    Ok(())
}

/// What is missing under these names, in words.
fn missing(socket: &Socket, names: &Names, port: &IfName, mac: Mac) -> Result<Option<String>> {
    let listed = |chain: Chain<'_>| socket.dump(&Rule::list(TABLE, Some(chain.name)));
    let has = |answers: &[Vec<u8>], value: &[u8], verdict: Verdict<'_>| {
        answers.iter().filter_map(|answer| Rule::read(answer)).any(|rule| {
            (value.is_empty() || rule.expressions().any(|expr| expr.equals() == Some(value)))
                && rule.expressions().any(|expr| expr.verdict() == Some(verdict))
        })
    };
    let [iface, source] = names.chains();
    let rules = listed(source)?;
    let complaint = if !has(&listed(PREROUTING)?, &interface(port), Verdict::Jump(iface.name)) {
        format!("chain {PREROUTING} has no jump to {} for port {port}", iface.name)
    } else if !has(&listed(iface)?, &[], Verdict::Jump(source.name)) {
        format!("chain {iface} has no jump to {}", source.name)
    } else if !has(&rules, &mac.0, Verdict::Return) {
        format!("chain {source} does not let {mac} pass")
    } else if !rules.last().is_some_and(|last| has(std::slice::from_ref(last), &[], Verdict::Drop)) {
        format!("chain {source} does not drop other addresses at its end")
    } else {
        return Ok(None);
    };
    Ok(Some(complaint))
}

fn from_port(port: &IfName, chain: &str) -> [Expr; 3] {
    [
        Expr::meta(Meta::IifName, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &interface(port)),
        Expr::verdict(Verdict::Jump(chain)),
    ]
}

fn from_mac(mac: Mac) -> [Expr; 3] {
    [
        Expr::payload(PayloadBase::Link, 6, 6, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &mac.0),
        Expr::verdict(Verdict::Return),
    ]
}

/// An interface's name as the kernel compares it: 16 bytes (`IFNAMSIZ`), padded with NULs.
fn interface(name: &IfName) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.as_str().bytes()) {
        *to = from;
    }
    bytes
}
