//! The maps of one family, one set of conditions and one layer, and the rules that look into them.

use cni_filter::nft::{Batch, Chain, Layout, Request, Rule};
use cni_types::{Family, Result};

use crate::condition::Class;
use crate::nft::map::Map;
use crate::nft::names::{TABLE, later};

/// Up to four maps and their rules; but for the plain ones, the rules' comment tells whose they are.
#[derive(PartialEq)]
pub(super) struct Bank<'a> {
    pub(super) family: Family,
    pub(super) class: Option<&'a Class>,
    pub(super) layer: u8,
}

impl<'a> Bank<'a> {
    /// The one a map is in; `class` are the conditions of its name.
    pub(super) fn of(map: &Map, class: Option<&'a Class>) -> Self {
        Self { family: map.family, class, layer: map.layer }
    }

    fn maps(&self) -> [Map; 4] {
        Map::all(self.family, self.class.map_or("", |class| &class.name), self.layer)
    }

    /// The names of the maps of single ports, which it has in any case.
    pub(super) fn single_ports(&self) -> impl Iterator<Item = String> + use<> {
        self.maps().into_iter().filter(|map| !map.ranges).map(|map| map.name())
    }

    /// Whether it is of the first layer and without conditions.
    pub(super) fn is_plain(&self) -> bool {
        self.class.is_none() && self.layer == 1
    }

    fn chain(&self) -> String {
        if self.layer == 1 { "conditional".to_owned() } else { later(self.layer) }
    }

    fn comment(&self) -> String {
        let version = self.family.version();
        self.class.map_or_else(|| format!("{version} without conditions"), |class| class.comment(self.family))
    }

    /// Its rules among those of the table.
    fn rules<'b>(&self, listed: &'b [Vec<u8>]) -> Vec<Rule<'b>> {
        let (chain, comment) = (self.chain(), self.comment());
        let rules = listed.iter().filter_map(|answer| Rule::read(answer));
        rules.filter(|rule| rule.chain == chain && rule.comment == Some(comment.as_str())).collect()
    }

    /// The rules that look into those of its maps that are among the names.
    fn written(&self, layout: &Layout<'_>, names: &[String]) -> Result<Vec<Request>> {
        let (chain, comment) = (self.chain(), self.comment());
        let unconditional = [String::new()];
        let alternatives = self.class.map_or(&unconditional[..], |class| &class.alternatives);
        let maps = self.maps().into_iter().filter(|map| names.contains(&map.name()));
        let rules = maps.flat_map(|map| alternatives.iter().map(move |conditions| map.rule(conditions)));
        rules.map(|rule| layout.rule(&chain, &format!("{rule} comment \"{comment}\""))).collect()
    }

    fn is_complete(&self, written: &[Request], listed: &[Vec<u8>]) -> bool {
        let rules = self.rules(listed);
        rules.len() == written.len() && rules.iter().zip(written).all(|(rule, written)| rule.is_like(written))
    }

    /// How it differs from what it is to be for mappings that may be in it, in words.
    pub(super) fn deviation(
        &self,
        layout: &Layout<'_>,
        listed: &[Vec<u8>],
        names: &[String],
    ) -> Result<Option<String>> {
        let written = self.written(layout, names)?;
        let is_missing = written.is_empty() && self.layer == 1;
        if !is_missing && self.is_complete(&written, listed) {
            return Ok(None);
        }
        let conditions = self.class.map_or("mappings without", |class| &class.text);
        let chain = self.chain();
        Ok(Some(format!("chain {TABLE} {chain} has not the rules for the conditions {conditions}")))
    }

    /// Makes its rules for the maps among the names, unless they are there.
    pub(super) fn repair(
        &self,
        layout: &Layout<'_>,
        batch: &mut Batch,
        listed: &[Vec<u8>],
        names: &[String],
    ) -> Result<()> {
        let written = self.written(layout, names)?;
        if !self.is_complete(&written, listed) {
            let chain = Chain { table: TABLE, name: &self.chain() };
            batch.extend(self.rules(listed).iter().map(|rule| Rule::remove(chain, rule.handle)));
            batch.extend(written);
        }
        Ok(())
    }
}
