//! The maps of one family, one set of conditions and one layer, and the rules that look into them.

use cni_filter::nft::{Batch, Request, Rule};
use cni_types::Family;

use super::expressions::translation;
use super::{CONDITIONAL, PLAIN, chain, later};
use crate::condition::Class;
use crate::nft::TABLE;
use crate::nft::map::Map;

/// Up to four maps and their rules; but for the plain ones, the rules' comment tells whose they are.
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

    pub(super) fn has(&self, map: &Map) -> bool {
        self.maps().contains(map)
    }

    /// Whether it is of the first layer and without conditions.
    pub(super) fn is_plain(&self) -> bool {
        self.class.is_none() && self.layer == 1
    }

    fn chain(&self) -> String {
        match (self.layer, self.class) {
            (1, Some(_)) => CONDITIONAL.name.to_owned(),
            (1, None) => PLAIN.name.to_owned(),
            (layer, _) => later(layer),
        }
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

    /// The rules that look into a map; `id` is that of the map in the same batch, or 0.
    fn written(&self, map: &Map, id: u32) -> Vec<Request> {
        let (name, comment) = (self.chain(), self.comment());
        let unconditional = [Vec::new()];
        let alternatives = self.class.map_or(&unconditional[..], |class| &class.alternatives);
        let rule = |conditions: &Vec<_>| {
            Rule::append(chain(&name), &translation(map, id, conditions), Some(&comment))
        };
        alternatives.iter().map(rule).collect()
    }

    /// Whether each of its maps that are there is looked into, as ADD makes it.
    pub(super) fn is_complete(&self, listed: &[Vec<u8>], sets: &[String]) -> bool {
        let maps = self.maps();
        let maps = maps.iter().filter(|map| sets.contains(&map.name()));
        let written: Vec<_> = maps.flat_map(|map| self.written(map, 0)).collect();
        let rules = self.rules(listed);
        rules.len() == written.len()
            && rules.iter().zip(&written).all(|(rule, written)| rule.is_like(written))
    }

    /// What is missing of it for mappings that may be in it, in words.
    pub(super) fn missing(&self, listed: &[Vec<u8>], sets: &[String]) -> Vec<String> {
        if self.is_plain() {
            let single = self.maps().into_iter().filter(|map| !map.ranges).map(|map| map.name());
            let lacking = single.filter(|name| !sets.contains(name));
            return lacking.map(|name| format!("{TABLE} has no set {name}")).collect();
        }
        let maps = self.maps().iter().filter(|map| sets.contains(&map.name())).count();
        let chain = self.chain();
        if maps == 0 && self.layer > 1 || maps > 0 && self.is_complete(listed, sets) {
            return Vec::new();
        }
        let conditions = self.class.map_or("mappings without", |class| &class.text);
        vec![format!("chain {TABLE} {chain} has not the rules for the conditions {conditions}")]
    }

    /// Makes its maps and rules: for those that are there, those of `maps`, and single ports in any case.
    pub(super) fn write(
        &self,
        batch: &mut Batch,
        listed: &[Vec<u8>],
        sets: &[String],
        maps: &[Map],
        id: &mut dyn FnMut() -> u32,
    ) {
        let name = self.chain();
        batch.extend(self.rules(listed).iter().map(|rule| Rule::remove(chain(&name), rule.handle)));
        for map in self.maps() {
            if !map.ranges || maps.contains(&map) || sets.contains(&map.name()) {
                let id = id();
                batch.push(map.ensure(id));
                batch.extend(self.written(&map, id));
            }
        }
    }
}
