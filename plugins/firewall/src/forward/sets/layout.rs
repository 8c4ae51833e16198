//! The table, its sets and its rules, which stay.

use cni_types::Result;

use super::super::policy::AdminChain;
use super::element::{BRIDGES, ISOLATED, POD_SETS, set};
use cni_filter::nft::{
    Batch, Chain, Compare, DataType, Expr, Hook, Meta, PayloadBase, Register, Request, Rule, Socket, Table,
    TableFamily, Verdict,
};

pub(super) const TABLE: Table<'_> = Table { family: TableFamily::Inet, name: "cni_firewall" };
const FORWARD: Chain<'_> = Chain { table: TABLE, name: "forward" };
const ADMINS: Chain<'_> = Chain { table: TABLE, name: "admins" };
/// Where iptables' filter table is too (`NF_IP_PRI_FILTER`).
const HOOK: Hook = Hook { kind: "filter", number: 2, priority: 0 };

/// A chain of the table.
fn chain(name: &str) -> Chain<'_> {
    Chain { table: TABLE, name }
}

/// What has to be made before elements can be added; empty in the common case. Rules that are not as they were made are
/// made anew; a base chain that is there keeps its policy, which the administrator may have changed.
pub(super) fn missing(socket: &Socket, admin: &AdminChain) -> Result<Batch> {
    let mut batch = Batch::new();
    if forward_deviation(socket)?.is_some() {
        batch.extend(sets());
        batch.extend([FORWARD.ensure_base(HOOK), ADMINS.ensure(None), FORWARD.flush()]);
        batch.extend(rules());
    }
    if !is_asked(socket, admin)? {
        batch.extend([chain(admin.as_str()).ensure(None), jump(admin)]);
    }
    Ok(batch)
}

/// What is not as [`missing`] makes it, in words.
pub(super) fn deviations(socket: &Socket, admin: &AdminChain) -> Result<Vec<String>> {
    let mut deviations = Vec::from_iter(forward_deviation(socket)?);
    if !is_asked(socket, admin)? {
        deviations.push(format!("chain {ADMINS} has no jump to {}", admin.as_str()));
    }
    Ok(deviations)
}

fn forward_deviation(socket: &Socket) -> Result<Option<String>> {
    let listed = socket.dump(&Rule::list(TABLE, Some(FORWARD.name)))?;
    Ok(Rule::deviation(FORWARD, &listed, &rules()))
}

/// Whether the administrator's chain is jumped to. Networks may have different ones.
fn is_asked(socket: &Socket, admin: &AdminChain) -> Result<bool> {
    let (listed, jump) = (socket.dump(&Rule::list(TABLE, Some(ADMINS.name)))?, jump(admin));
    Ok(listed.iter().filter_map(|answer| Rule::read(answer)).any(|rule| rule.is_like(&jump)))
}

fn jump(admin: &AdminChain) -> Request {
    Rule::append(ADMINS, &[Expr::verdict(Verdict::Jump(admin.as_str()))], None)
}

/// All that an ADD to an empty ruleset would make, for the kernel to check.
pub(in super::super) fn trial() -> Batch {
    let mut batch = Batch::new();
    batch.extend(sets());
    batch.extend([FORWARD.ensure_base(HOOK), ADMINS.ensure(None)]);
    batch.extend(rules());
    batch
}

fn sets() -> Vec<Request> {
    let pair = [DataType::IfName; 2];
    vec![
        TABLE.ensure(),
        set(POD_SETS[0]).ensure(1, &[DataType::Ipv4Addr], false),
        set(POD_SETS[1]).ensure(2, &[DataType::Ipv6Addr], false),
        set(BRIDGES).ensure(3, &pair, false),
        set(ISOLATED).ensure(4, &pair, false),
    ]
}

/// The sets are named, not numbered: within one batch the kernel finds those it has just made, too.
fn rules() -> Vec<Request> {
    let load = |first, second| [Expr::meta(first, Register::R1), Expr::meta(second, Register::R2)];
    let across = || load(Meta::IifName, Meta::OifName);
    let member = |set: &str| Expr::lookup(set, 0, Register::R1);
    let drop = || Expr::verdict(Verdict::Drop);
    let within: Vec<Expr> = across().into_iter().chain([member(ISOLATED), drop()]).collect();
    let between: Vec<Expr> = load(Meta::IifName, Meta::IifName)
        .into_iter()
        .chain([member(BRIDGES)])
        .chain(load(Meta::OifName, Meta::OifName))
        .chain([member(BRIDGES)])
        .chain(across())
        .chain([Expr::not_in(BRIDGES, 0, Register::R1), drop()])
        .collect();
    let mut rules = vec![
        Rule::append(FORWARD, &within, None),
        Rule::append(FORWARD, &between, None),
        Rule::append(FORWARD, &[Expr::verdict(Verdict::Jump(ADMINS.name))], None),
    ];
    // Offsets of the addresses in the IP headers.
    for (answers, [v4, v6]) in [(true, [16, 24]), (false, [12, 8])] {
        for (family, offset, len, name) in [(2, v4, 4, POD_SETS[0]), (10, v6, 16, POD_SETS[1])] {
            let mut rule = vec![
                Expr::meta(Meta::NfProto, Register::R1),
                Expr::cmp(Register::R1, Compare::Equal, &[family]),
                Expr::payload(PayloadBase::Network, offset, len, Register::R1),
                member(name),
            ];
            if answers {
                rule.extend(Expr::known_connection());
            }
            rule.push(Expr::verdict(Verdict::Accept));
            rules.push(Rule::append(FORWARD, &rule, None));
        }
    }
    rules
}
