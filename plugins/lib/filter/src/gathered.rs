//! The changes of many attachments as one. Between [`Filter::gather`] and [`Filter::settle`] what was looked at once is
//! not looked at again, and what an attachment gets for itself waits. What others' changes stand on, such as a table or
//! a shared chain that is missing, is made at once, and the rest is looked at anew behind it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use cni_types::{Error, Family, Result};

use crate::Filter;
use crate::iptables::{Listing, Script, Tool, Variant, legacy_holds, list};
use crate::nft::{Batch, Chain, Request, Socket, Table};

/// What a list's request is known by: its type and what is behind its header.
type Asked = (u16, Vec<u8>);
/// A list as it came.
pub(crate) type Listed = Rc<Vec<Vec<u8>>>;

/// What was seen and what waits.
#[derive(Default)]
pub(crate) struct Gathered {
    is_on: Cell<bool>,
    /// The ruleset's, when the first look was taken.
    generation: Cell<Option<u32>>,
    listed: RefCell<HashMap<Asked, Listed>>,
    seen: RefCell<HashMap<String, Rc<dyn Any>>>,
    batch: RefCell<Batch>,
    /// Commands by family and table.
    scripts: RefCell<BTreeMap<(Family, String), String>>,
    /// Changes that ever waited.
    waited: Cell<usize>,
    /// Why what waited was not made when something had to be made at once.
    refused: RefCell<Option<Error>>,
}

impl Gathered {
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.get()
    }

    /// The list for this request, if there was one; else what `list` gives.
    pub(crate) fn list<E>(
        &self,
        request: &Request,
        list: impl FnOnce() -> std::result::Result<Vec<Vec<u8>>, E>,
    ) -> std::result::Result<Listed, E> {
        if !self.is_on() {
            return list().map(Rc::new);
        }
        let asked = (request.kind, request.attrs.as_bytes().to_vec());
        if let Some(listed) = self.listed.borrow().get(&asked) {
            return Ok(Rc::clone(listed));
        }
        let listed = Rc::new(list()?);
        self.listed.borrow_mut().insert(asked, Rc::clone(&listed));
        Ok(listed)
    }

    /// What `look` finds, or has found since the gathering began.
    pub(crate) fn look<T: 'static>(&self, what: &str, look: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        if !self.is_on() {
            return look().map(Rc::new);
        }
        let known = self.seen.borrow().get(what).cloned();
        if let Some(known) = known.and_then(|known| known.downcast().ok()) {
            return Ok(known);
        }
        let found = Rc::new(look()?);
        self.seen.borrow_mut().insert(what.to_owned(), Rc::clone(&found) as Rc<dyn Any>);
        Ok(found)
    }

    /// Lets the batch wait.
    pub(crate) fn push(&self, batch: Batch) {
        if !batch.is_empty() {
            self.waited.set(self.waited.get() + 1);
            self.batch.borrow_mut().append(batch);
        }
    }

    /// Makes what waits in nftables, and then what `act` makes.
    pub(crate) fn at_once<T>(&self, socket: Option<&Socket>, act: impl FnOnce() -> Result<T>) -> Result<T> {
        if let Some(Err(error)) = socket.map(|socket| self.commit(socket)) {
            self.refused.borrow_mut().get_or_insert(error);
        }
        self.is_on.set(false);
        let done = act();
        self.start(socket);
        done
    }

    fn start(&self, socket: Option<&Socket>) {
        self.listed.borrow_mut().clear();
        self.seen.borrow_mut().clear();
        self.generation.set(socket.and_then(|socket| socket.generation().ok()));
        self.is_on.set(true);
    }

    /// Only if nobody has changed the ruleset since it was looked at.
    fn commit(&self, socket: &Socket) -> Result<()> {
        let batch = self.batch.take();
        Ok(socket.commit(&batch, self.generation.get())?)
    }

    /// One run of the tool for each family.
    fn carry_out(&self) -> Result<()> {
        let scripts = self.scripts.take();
        Error::all(Family::ALL.into_iter().map(|family| {
            let of_family = scripts.iter().filter(|((of, _), _)| *of == family);
            let text: String =
                of_family.map(|((_, table), body)| format!("*{table}\n{body}COMMIT\n")).collect();
            if text.is_empty() {
                return Ok(());
            }
            Tool::find(family, "restore", false)?.restore(&text, false)
        }))
    }
}

impl Filter {
    /// From now on what was looked at is not looked at again, and changes wait for [`Filter::settle`].
    pub fn gather(&self) {
        self.gathered.start(self.nftables_if_present().ok().flatten());
    }

    /// How many changes ever waited.
    pub fn waited(&self) -> usize {
        self.gathered.waited.get()
    }

    /// Makes what waits, and ends the gathering: in nftables all or nothing, in iptables all or nothing of each family.
    ///
    /// # Errors
    /// Code 101 when the kernel or the tool refuses, also because somebody else has changed the ruleset meanwhile: then
    /// nobody knows what of it is there, and each has to look for itself.
    pub fn settle(&self) -> Result<()> {
        let gathered = &self.gathered;
        gathered.is_on.set(false);
        let socket = self.nftables_if_present()?;
        let native = socket.map_or(Ok(()), |socket| gathered.commit(socket));
        let refused = gathered.refused.take().map_or(Ok(()), Err);
        Error::all([refused, native, gathered.carry_out()])
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
        let text = script.text()?;
        let act = || Tool::find(family, "restore", false)?.restore(&text, false);
        if !self.gathered.is_on() {
            return act();
        }
        if script.is_shared() {
            return self.gathered.at_once(self.nftables_if_present()?, act);
        }
        self.gathered.waited.set(self.waited() + 1);
        let mut scripts = self.gathered.scripts.borrow_mut();
        scripts.entry((family, script.table().to_owned())).or_default().push_str(script.body());
        Ok(())
    }
}
