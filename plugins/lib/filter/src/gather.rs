//! A filter that gathers the changes of many attachments, and the host's iptables as it sees it.

use std::rc::Rc;

use cni_types::{Family, Result};

use crate::Filter;
use crate::gathered::Ruleset;
use crate::iptables::{Listing, Script, Tool, Variant, legacy_holds, list};
use crate::nft::{Chain, Table};

impl Filter {
    /// From now on what was looked at is not looked at again, and changes wait for [`Filter::settle`].
    pub fn gather(&self) {
        self.gathered.start(self.ruleset().ok().flatten());
    }

    /// How many changes ever waited.
    pub fn waited(&self) -> usize {
        self.gathered.waited()
    }

    /// Makes what waits, and ends the gathering: in nftables all or nothing, in iptables all or nothing of each family.
    ///
    /// # Errors
    /// Code 101 when the kernel or the tool refuses, also because somebody else has changed the ruleset meanwhile: then
    /// nobody knows what of it is there, and each has to look for itself.
    pub fn settle(&self) -> Result<()> {
        self.gathered.settle(self.ruleset())
    }

    fn ruleset(&self) -> Result<Option<&dyn Ruleset>> {
        Ok(self.nftables_if_present()?.map(|socket| socket as &dyn Ruleset))
    }

    /// What `look` finds, or has found since the gathering began.
    ///
    /// # Errors
    /// Those of `look`.
    pub fn look<T: 'static>(&self, what: &str, look: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        self.gathered.look(what, look)
    }

    /// Which kernel interface has this chain of the host's iptables, without running a tool; legacy counts where the
    /// table cannot be read.
    ///
    /// # Errors
    /// Code 101 when there is no iptables, or the kernel refuses to say.
    pub fn find_chain(&self, family: Family, table: &str, name: &str) -> Result<Option<Variant>> {
        let find = || Ok(Tool::find(family, "restore", false)?.variant());
        let variant = *self.look(Tool::command(family), find)?;
        let socket = self.nftables_if_present()?.filter(|_| variant != Variant::Legacy);
        if let Some(socket) = socket {
            let chain = Chain { table: Table::iptables(family, table), name };
            if socket.ask(&[chain.find()])?.iter().any(Option::is_some) {
                return Ok(Some(Variant::Nft));
            }
        }
        let is_legacy = variant != Variant::Nft && legacy_holds(family, table, name);
        Ok(is_legacy.then_some(Variant::Legacy))
    }

    /// Lists a table with the host's iptables.
    ///
    /// # Errors
    /// Code 101 when there is no tool, or with what it says.
    pub fn list(&self, family: Family, table: &str) -> Result<Rc<Listing>> {
        self.look(&format!("{} {table}", Tool::command(family)), || list(family, false, table))
    }

    /// Carries out a script with the host's iptables.
    ///
    /// # Errors
    /// Code 11 naming the holder when the lock is not free in time, else code 101 with what the tool says.
    pub fn restore(&self, family: Family, script: &Script) -> Result<()> {
        let act = || Tool::find(family, "restore", false)?.restore(&script.text()?, false);
        if !self.gathered.is_on() {
            return act();
        }
        if script.is_shared() {
            return self.gathered.at_once(self.ruleset()?, act);
        }
        self.gathered.push_script(family, script)
    }
}
