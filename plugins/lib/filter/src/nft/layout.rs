//! Layouts: tables as the text that `nft` takes, compiled here to the messages that `nft` sends for it. Only what our
//! own tables say is understood; a test has `nft` load each of them, and compares.
//!
//! ```text
//! layout  = "table" family name "{" { set | map | chain } "}"
//! set     = "set" name "{" "type" types ";" "}"
//! map     = "map" name "{" "type" types ":" types ";" [ "flags" "interval" ";" ] "}"
//! chain   = "chain" name "{" [ "type" kind "hook" hook "priority" number ";" ] [ "comment" string ";" ] { rule ";" } "}"
//! ```
//!
//! The end of a line is a `;`. Rules: see [`rule`]. A chain that the text leaves empty is for others to fill.

mod field;
mod rule;
mod tokens;
mod value;

use cni_types::{Code, Error, Result};

use super::chain::{HOOKS, Hook};
use super::set::DataType;
use super::{Chain, Request, Rule, Set, Table, TableFamily};
pub(super) use field::{FIELDS, Kind};
use rule::Compiler;
use tokens::{Read, Tokens};

/// A table with its sets, chains and rules.
pub struct Layout<'a> {
    table: Table<'a>,
    sets: Vec<SetText<'a>>,
    chains: Vec<ChainText<'a>>,
}

/// A set, or a map if it leads to data.
struct SetText<'a> {
    name: &'a str,
    key: Vec<DataType>,
    data: Vec<DataType>,
    interval: bool,
}

struct ChainText<'a> {
    name: &'a str,
    hook: Option<Hook>,
    comment: Option<&'a str>,
    rules: Vec<Request>,
}

impl<'a> Layout<'a> {
    /// Compiles a text.
    ///
    /// # Errors
    /// Code 101 naming what is not understood, which no text of ours has.
    pub fn read(text: &'a str) -> Result<Self> {
        Self::compile(&mut Tokens::new(text)).map_err(not_understood)
    }

    fn compile(tokens: &mut Tokens<'a>) -> Read<Self> {
        tokens.skip_ends();
        tokens.expect("table")?;
        let family = tokens.word()?;
        let all = [TableFamily::Inet, TableFamily::Bridge];
        let family = all.into_iter().find(|known| known.name() == family).ok_or("no known family")?;
        let table = Table { family, name: tokens.word()? };
        let mut layout = Self { table, sets: Vec::new(), chains: Vec::new() };
        tokens.block(|tokens, word| {
            match word {
                "set" | "map" => layout.sets.push(SetText::read(tokens)?),
                "chain" => {
                    let chain = layout.chain(tokens)?;
                    layout.chains.push(chain);
                }
                _ => return Err(format!("{word} is no object of a table")),
            }
            Ok(())
        })?;
        Ok(layout)
    }

    fn chain(&self, tokens: &mut Tokens<'a>) -> Read<ChainText<'a>> {
        let mut chain = ChainText { name: tokens.word()?, hook: None, comment: None, rules: Vec::new() };
        tokens.expect("{")?;
        tokens.skip_ends();
        while !tokens.takes("}") {
            if tokens.takes("type") {
                chain.hook = Some(hook(tokens)?);
            } else if tokens.takes("comment") {
                chain.comment = Some(tokens.string()?);
            } else {
                chain.rules.push(self.compile_rule(chain.name, tokens)?);
            }
            tokens.skip_ends();
        }
        Ok(chain)
    }

    /// A rule at the end of a chain that is for others to fill.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn rule(&self, chain: &str, text: &str) -> Result<Request> {
        self.compile_rule(chain, &mut Tokens::new(text)).map_err(not_understood)
    }

    fn compile_rule(&self, chain: &str, tokens: &mut Tokens<'_>) -> Read<Request> {
        let leads_to = |map: &str| self.sets.iter().find(|set| set.name == map).map(|set| &set.data[..]);
        let (expressions, comment) = Compiler::new(self.table.family, &leads_to).rule(tokens)?;
        Ok(Rule::append(Chain { table: self.table, name: chain }, &expressions, comment))
    }

    /// How the kernel's rules differ from the text, in words; `listed` are those of the table. What the text leaves
    /// empty is not looked at.
    pub fn deviations(&self, listed: &[Vec<u8>]) -> Vec<String> {
        let ours = self.chains.iter().filter(|chain| !chain.rules.is_empty());
        ours.filter_map(|chain| Rule::deviation(self.place(chain), listed, &chain.rules)).collect()
    }

    /// Makes all of it: sets, their elements and what is in chains of others stay as they are, and so does the policy of
    /// a base chain. Someone may have flushed a chain or the table, or another release made it.
    pub fn make(&self) -> Vec<Request> {
        let mut steps = self.sets(&[]);
        steps.insert(0, self.table.ensure());
        steps.extend(self.chains.iter().map(|chain| match chain.hook {
            Some(hook) => self.place(chain).ensure_base(hook),
            None => self.place(chain).ensure(chain.comment),
        }));
        let ours = || self.chains.iter().filter(|chain| !chain.rules.is_empty());
        steps.extend(ours().map(|chain| self.place(chain).flush()));
        steps.extend(ours().flat_map(|chain| chain.rules.iter().cloned()));
        steps
    }

    /// Makes the sets and maps that are not `there`.
    pub fn sets(&self, there: &[String]) -> Vec<Request> {
        let new = self.sets.iter().filter(|set| !there.iter().any(|name| name == set.name));
        new.zip(1..).map(|(set, id)| set.ensure(self.table, id)).collect()
    }

    fn place(&self, chain: &ChainText<'a>) -> Chain<'a> {
        Chain { table: self.table, name: chain.name }
    }
}

impl<'a> SetText<'a> {
    fn read(tokens: &mut Tokens<'a>) -> Read<Self> {
        let mut set = Self { name: tokens.word()?, key: Vec::new(), data: Vec::new(), interval: false };
        tokens.block(|tokens, word| {
            match word {
                "type" => {
                    set.key = types(tokens)?;
                    set.data = if tokens.takes(":") { types(tokens)? } else { Vec::new() };
                }
                "flags" => set.interval = tokens.expect("interval").map(|()| true)?,
                _ => return Err(format!("{word} is no property of a set")),
            }
            Ok(())
        })?;
        Ok(set)
    }

    fn ensure(&self, table: Table<'_>, id: u32) -> Request {
        Set { table, name: self.name }.ensure(id, &self.key, &self.data, self.interval)
    }
}

/// The types of a set's key and data by its declaration in a layout.
pub(super) fn types_of(declaration: &str) -> Option<(Vec<DataType>, Vec<DataType>)> {
    let mut tokens = Tokens::new(declaration);
    tokens.word().ok()?;
    let set = SetText::read(&mut tokens).ok()?;
    Some((set.key, set.data))
}

fn types(tokens: &mut Tokens<'_>) -> Read<Vec<DataType>> {
    let mut types = Vec::new();
    loop {
        let name = tokens.word()?;
        types.push(DataType::find(name).ok_or_else(|| format!("{name} is no type of data"))?);
        if !tokens.takes(".") {
            return Ok(types);
        }
    }
}

fn hook(tokens: &mut Tokens<'_>) -> Read<Hook> {
    let kind = tokens.word()?;
    let kind = ["filter", "nat"].into_iter().find(|known| *known == kind).ok_or("no known type of chain")?;
    tokens.expect("hook")?;
    let hook = tokens.word()?;
    let number = (0..).zip(HOOKS).find(|(_, known)| *known == hook).ok_or("no known hook")?.0;
    tokens.expect("priority")?;
    let priority = tokens.word()?.parse().map_err(|_| "no number as priority")?;
    Ok(Hook { kind, number, priority })
}

fn not_understood(what: String) -> Error {
    Error::new(Code::FILTER, "cannot compile a layout of nftables").because(what)
}
