//! A look at the table of iptables-nft without the tool. What is ours is asked for, and counts tell of the rest, so
//! that others' rules in PREROUTING, OUTPUT and POSTROUTING are not listed, be they thousands. As many jumps with other
//! conditions, or from elsewhere, are CHECK's to find, which compares them in iptables's words.

use std::rc::Rc;

use cni_filter::nft::{Chain, ChainState, Rule, Socket, Table};
use cni_types::Family;
use cni_types::Result;

use super::going::Going;
use super::holder;
use super::look::{Look, Shared};
use super::names::{DNAT, MASQ, SET_MARK};
use super::rules::Rules;
use crate::claim::Claimant;

/// The nat table of a family.
struct Nat<'a> {
    socket: &'a Socket,
    table: Table<'a>,
}

impl Nat<'_> {
    fn rules(&self, chain: &str) -> Result<Rc<Vec<Vec<u8>>>> {
        Ok(self.socket.dump(&Rule::list(self.table, Some(chain)))?)
    }

    /// Whether each of these chains has a jump to `to`, which holds so many rules.
    fn jumps<const N: usize>(&self, from: [&str; N], to: &ChainState, rules: usize) -> Result<[bool; N]> {
        if to.uses as usize == rules + N {
            return Ok([true; N]);
        }
        let mut jumps = [false; N];
        for (jump, from) in jumps.iter_mut().zip(from) {
            let answers = self.rules(from)?;
            let mut rules = answers.iter().filter_map(|answer| Rule::read(answer));
            *jump = rules.any(|rule| rule.target() == Some(&to.name));
        }
        Ok(jumps)
    }

    /// The chain that sets the mark, or the one that masquerades; `None` when it does not do so with this mark.
    fn shared(
        &self,
        state: Option<&ChainState>,
        does: &dyn Fn(&Rule<'_>) -> bool,
    ) -> Result<Option<(Shared, usize)>> {
        let Some(state) = state else { return Ok(Some((Shared::default(), 0))) };
        let answers = self.rules(&state.name)?;
        let does = answers.iter().filter_map(|answer| Rule::read(answer)).any(|rule| does(&rule));
        Ok(does.then_some((Shared { chain: true, rule: true }, answers.len())))
    }
}

impl Look {
    /// `None` when the kernel's words do not tell, or there is something to take away.
    ///
    /// # Errors
    /// Code 11 naming a living holder of a port, code 101 when the kernel refuses to say.
    pub(super) fn of_kernel(
        socket: &Socket,
        family: Family,
        rules: &Rules,
        claimant: &Claimant<'_>,
    ) -> Result<Option<Self>> {
        let nat = Nat { socket, table: Table::iptables(family, "nat") };
        let find = [SET_MARK, MASQ, DNAT, &rules.chain].map(|name| Chain { table: nat.table, name }.find());
        let found = socket.ask(&find)?;
        let states = [0, 1, 2, 3].map(|at| found[at].as_deref().and_then(ChainState::read));
        let [set_mark, masq, dnat, container] = states.each_ref().map(Option::as_ref);
        let entries = if dnat.is_some() { nat.rules(DNAT)? } else { Rc::default() };
        let holders = holder::in_kernel(socket, nat.table, &entries, rules)?;
        let going = Going::new(holders, claimant, rules.target)?;
        if container.is_some() || going.is_there(socket, nat.table)? {
            return Ok(None);
        }
        let mut look = Self::nothing(rules);
        if let Some(mark) = rules.mark.map(u32::to_ne_bytes) {
            let marks = |rule: &Rule<'_>| {
                rule.expressions().any(|expr| expr.xt_target() == Some(("MARK", &[mark, mark].concat())))
            };
            let masquerades =
                |rule: &Rule<'_>| rule.expressions().any(|expr| expr.equals() == Some(&mark[..]));
            let Some((shared, _)) = nat.shared(set_mark, &marks)? else { return Ok(None) };
            look.set_mark = shared;
            let Some((shared, count)) = nat.shared(masq, &masquerades)? else { return Ok(None) };
            look.masq = shared;
            if let Some(masq) = masq {
                [look.masq_entry] = nat.jumps(["POSTROUTING"], masq, count)?;
            }
        }
        if let Some(dnat) = dnat {
            look.dnat_chain = true;
            look.dnat_entries = nat.jumps(["PREROUTING", "OUTPUT"], dnat, entries.len())?;
        }
        Ok(Some(look))
    }
}
