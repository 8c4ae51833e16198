//! The changes of many attachments as one. Between [`Filter::gather`] and [`Filter::settle`] what was looked at once is
//! not looked at again, and what an attachment gets for itself waits. What others' changes stand on, such as a table or
//! a shared chain that is missing, is made at once, and the rest is looked at anew behind it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use cni_types::{Error, Family, Result};

use crate::iptables::{Script, Tool};
use crate::nft::{Batch, Request};

/// What a list's request is known by: its type and what is behind its header.
type Asked = (u16, Vec<u8>);
/// A list as it came.
pub(crate) type Listed = Rc<Vec<Vec<u8>>>;

/// What gathered changes are made in at last: the ruleset, by its socket.
pub(crate) trait Ruleset {
    /// Its generation, where the kernel tells.
    fn generation(&self) -> Option<u32>;

    /// Makes all changes of the batch or none; with a generation, only if the ruleset is still of that one.
    ///
    /// # Errors
    /// Code 101 when the kernel refuses.
    fn commit(&self, batch: &Batch, generation: Option<u32>) -> Result<()>;
}

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
            self.waited.set(self.waited() + 1);
            self.batch.borrow_mut().append(batch);
        }
    }

    /// Makes what waits in nftables, and then what `act` makes.
    pub(crate) fn at_once<T>(
        &self,
        ruleset: Option<&dyn Ruleset>,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if let Some(Err(error)) = ruleset.map(|ruleset| self.commit(ruleset)) {
            self.refused.borrow_mut().get_or_insert(error);
        }
        self.is_on.set(false);
        let done = act();
        self.start(ruleset);
        done
    }

    /// Begins: what was looked at before does not count.
    pub(crate) fn start(&self, ruleset: Option<&dyn Ruleset>) {
        self.listed.borrow_mut().clear();
        self.seen.borrow_mut().clear();
        self.generation.set(ruleset.and_then(Ruleset::generation));
        self.is_on.set(true);
    }

    /// Only if nobody has changed the ruleset since it was looked at.
    fn commit(&self, ruleset: &dyn Ruleset) -> Result<()> {
        ruleset.commit(&self.batch.take(), self.generation.get())
    }

    /// Ends: makes what waits, in nftables all or nothing, in iptables all or nothing of each family.
    ///
    /// # Errors
    /// Code 101 when the kernel or the tool refuses now, or did when something had to be made at once.
    pub(crate) fn settle(&self, ruleset: Result<Option<&dyn Ruleset>>) -> Result<()> {
        self.is_on.set(false);
        let native = ruleset?.map_or(Ok(()), |ruleset| self.commit(ruleset));
        let refused = self.refused.take().map_or(Ok(()), Err);
        Error::all([refused, native, self.carry_out()])
    }

    /// Lets a script of the family wait.
    ///
    /// # Errors
    /// Code 101 when a word holds a character the format has no way to write.
    pub(crate) fn push_script(&self, family: Family, script: &Script) -> Result<()> {
        let body = script.body()?;
        self.waited.set(self.waited() + 1);
        let mut scripts = self.scripts.borrow_mut();
        scripts.entry((family, script.table().to_owned())).or_default().push_str(body);
        Ok(())
    }

    /// How many changes ever waited.
    pub(crate) fn waited(&self) -> usize {
        self.waited.get()
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
