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

use cni_types::{AttachmentId, Doing, Error, IfName, Mac, NetworkName, Ordered, Result, Stale};

use crate::Filter;
use crate::nft::{Batch, Chain, ChainState, Layout, Rule, Socket};
use names::{CHAIN_START, Names, TABLE};

const PREROUTING: Chain<'_> = Chain { table: TABLE, name: "PREROUTING" };
/// The bridge's ports are looked at before anything else looks at the frame.
const LAYOUT: &str = "
table bridge nat {
    chain PREROUTING {
        type filter hook prerouting priority -300
    }
    chain $iface {
        comment \"$tag\"
        jump $iface-mac comment \"$comment\"
    }
    chain $iface-mac {
        comment \"$tag\"
        ether saddr $mac return comment \"$comment\"
        drop comment \"$comment\"
    }
}";
/// The rule of `PREROUTING`.
const JUMP: &str = "iifname \"$port\" jump $iface comment \"$comment\"";

fn text(names: &Names, mac: Mac, tag: &str) -> String {
    names.fill(LAYOUT).replace("$mac", &mac.to_string()).replace("$tag", tag)
}

fn jump(names: &Names, port: &IfName) -> String {
    names.fill(JUMP).replace("$port", port.as_str())
}

/// Drops frames from `port` (the host end of the veth pair) whose source address is not `mac`.
///
/// # Errors
/// Code 101 when nftables refuses.
pub fn add(filter: &Filter, id: &AttachmentId, port: &IfName, mac: Mac) -> Result<()> {
    let names = Names::new(id);
    let text = text(&names, mac, &id.tag());
    let layout = Layout::read(&text)?;
    let jump = layout.rule(PREROUTING.name, &jump(&names, port))?;
    let doing =
        format_args!("cannot set up the MAC spoof check of container {}", id.container_id).to_string();
    let socket = filter.nftables().doing(&doing)?;
    let add = |socket: &Socket| {
        let mut batch = Batch::new();
        // Nothing jumps to a chain that is not there: in the common case there is no old rule to look for.
        if socket.ask(&[names.chains()[0].find()])?[0].is_some() {
            take_out(socket, &[&names], &mut batch)?;
        }
        // Refused where somebody has a PREROUTING at another hook, which would let the frames pass.
        batch.extend(layout.make());
        batch.push(jump.clone());
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
    let names = Names::of("trial");
    let text = text(&names, Mac([0; 6]), "");
    let layout = Layout::read(&text)?;
    let mut trial = Batch::new();
    trial.extend(layout.make());
    trial.push(layout.rule(PREROUTING.name, &names.fill(JUMP))?);
    let ask = || filter.nftables().and_then(|socket| Ok(socket.try_out(&trial)?));
    filter.ask_once("MAC spoof check", ask).map_err(|cause| {
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

/// Removes the rules and chains of stale attachments, by the chains' comments.
///
/// # Errors
/// As [`remove`].
pub fn collect(filter: &Filter, stale: &Stale<'_>) -> Result<()> {
    let doing = format!("cannot collect the stale MAC spoof checks of network {}", stale.network);
    let Some(socket) = filter.nftables_if_present().doing(&doing)? else { return Ok(()) };
    let collect = |socket: &Socket| {
        let mut batch = Batch::new();
        let chains: Ordered = list(socket, stale)?.into_iter().map(|(_, name)| name).collect();
        if chains.is_empty() {
            return Ok(batch);
        }
        delete_jumps(socket, &|rule| rule.target().is_some_and(|to| chains.has(to)), &mut batch)?;
        // The chain that jumps goes before the one it jumps to.
        let (to, from): (Vec<_>, Vec<_>) = chains.iter().partition(|name| name.ends_with("-mac"));
        batch.extend(from.into_iter().chain(to).map(|name| Chain { table: TABLE, name }.remove()));
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
fn list(socket: &Socket, owners: &Stale<'_>) -> Result<Vec<(String, String)>> {
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
    for answer in socket.dump(&Rule::list(TABLE, Some(PREROUTING.name)))?.iter() {
        let rule = Rule::read(answer).filter(doomed);
        batch.extend(rule.map(|rule| Rule::remove(PREROUTING, rule.handle)));
    }
    Ok(())
}

/// What is missing under these names, in words.
fn missing(socket: &Socket, names: &Names, port: &IfName, mac: Mac) -> Result<Option<String>> {
    let listed = |chain: Chain<'_>| socket.dump(&Rule::list(TABLE, Some(chain.name)));
    let text = text(names, mac, "");
    let layout = Layout::read(&text)?;
    let jump = layout.rule(PREROUTING.name, &jump(names, port))?;
    let jumps = listed(PREROUTING)?;
    if !jumps.iter().filter_map(|answer| Rule::read(answer)).any(|rule| rule.is_like(&jump)) {
        return Ok(Some(format!("chain {PREROUTING} has no jump to {} for port {port}", names.iface)));
    }
    let [iface, source] = names.chains();
    let rules: Vec<_> =
        [listed(iface)?, listed(source)?].iter().flat_map(|rules| rules.iter().cloned()).collect();
    Ok(layout.deviations(&rules).pop())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_what_nft_makes_of_its_text() {
        let (names, port) = (Names::of("0c1_x.y-eth0"), IfName::new("veth0").unwrap());
        let text = text(&names, Mac([2, 0, 0, 0, 0, 9]), "a-b, net: n, if: eth0, id: 0c1_x.y");
        let jump = jump(&names, &port);
        let add = format!("{text}\nadd rule bridge nat PREROUTING {jump}");
        cni_tests::assert_as_nft_makes_it(&add, |_| {
            let layout = Layout::read(&text).unwrap();
            let mut batch = Batch::new();
            batch.extend(layout.make());
            batch.push(layout.rule(PREROUTING.name, &jump).unwrap());
            Socket::open().unwrap().commit(&batch, None).unwrap();
        });
    }
}
