//! The table, its sets and its rules, which stay.

use cni_filter::nft::{Batch, Layout, Rule, Socket, Table, TableFamily};
use cni_types::Result;

use super::super::policy::AdminChain;

pub(super) const TABLE: Table<'_> = Table { family: TableFamily::Inet, name: "cni_firewall" };
/// The chain whose jumps lead to those of the administrator.
const ADMINS: &str = "admins";
/// In `pods4` and `pods6` are the addresses, in `bridges` those with an ingress policy, in `isolated` those of them
/// whose containers may not talk to each other. The hook is that of iptables' filter table, too.
const LAYOUT: &str = "
table inet cni_firewall {
    set pods4 { type ipv4_addr; }
    set pods6 { type ipv6_addr; }
    set bridges { type ifname . ifname; }
    set isolated { type ifname . ifname; }
    chain admins { }
    chain forward {
        type filter hook forward priority 0
        iifname . oifname @isolated drop
        iifname . iifname @bridges oifname . oifname @bridges iifname . oifname != @bridges drop
        jump admins
        ip daddr @pods4 ct state established,related accept
        ip6 daddr @pods6 ct state established,related accept
        ip saddr @pods4 accept
        ip6 saddr @pods6 accept
    }
    $admin
}";

/// How the set of this name is declared, if it is one of the layout's.
pub fn declaration(set: &str) -> Option<String> {
    let start = format!("set {set} {{");
    LAYOUT.lines().map(str::trim).find(|line| line.starts_with(&start)).map(str::to_owned)
}

/// The table with the administrator's chain.
fn text(admin: &str) -> String {
    LAYOUT.replace("$admin", &format!("chain {admin} {{ }}"))
}

/// What has to be made before elements can be added; empty in the common case. Rules that are not as they were made are
/// made anew; a base chain that is there keeps its policy, which the administrator may have changed.
pub(super) fn missing(socket: &Socket, admin: &AdminChain) -> Result<Batch> {
    let text = text(admin.as_str());
    if deviations(socket, admin)?.is_empty() {
        return Ok(Batch::new());
    }
    let layout = Layout::read(&text)?;
    if is_asked(&layout, &socket.dump(&Rule::list(TABLE, None))?, admin)? {
        return Ok(Batch::of(layout.make()).share());
    }
    let mut batch = Batch::of(layout.make());
    batch.push(layout.rule(ADMINS, &jump(admin))?);
    Ok(batch.share())
}

/// What is not as [`missing`] makes it, in words.
pub(super) fn deviations(socket: &Socket, admin: &AdminChain) -> Result<Vec<String>> {
    let text = text(admin.as_str());
    let deviations = || {
        let layout = Layout::read(&text)?;
        let listed = socket.dump(&Rule::list(TABLE, None))?;
        let mut deviations = layout.deviations(&listed);
        if !is_asked(&layout, &listed, admin)? {
            deviations.push(format!("chain {TABLE} {ADMINS} has no jump to {}", admin.as_str()));
        }
        Ok(deviations)
    };
    socket.look(&text, deviations).map(|found| found.to_vec())
}

/// Whether the administrator's chain is jumped to. Networks may have different ones.
fn is_asked(layout: &Layout<'_>, listed: &[Vec<u8>], admin: &AdminChain) -> Result<bool> {
    let jump = layout.rule(ADMINS, &jump(admin))?;
    Ok(listed.iter().filter_map(|answer| Rule::read(answer)).any(|rule| rule.is_like(&jump)))
}

fn jump(admin: &AdminChain) -> String {
    format!("jump {}", admin.as_str())
}

/// All that an ADD to an empty ruleset would make, for the kernel to check.
pub(in super::super) fn trial() -> Result<Batch> {
    Ok(Batch::of(Layout::read(&text(AdminChain::default().as_str()))?.make()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_what_nft_makes_of_its_text() {
        for admin in ["CNI-ADMIN", "my_chain.2"] {
            let text = text(admin);
            cni_tests::assert_as_nft_makes_it(&text, |_| {
                let batch = Batch::of(Layout::read(&text).unwrap().make());
                Socket::open().unwrap().commit(&batch, None).unwrap();
            });
        }
    }
}
