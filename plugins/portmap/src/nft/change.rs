//! What an ADD changes among the elements.

use std::collections::BTreeSet;

use cni_filter::nft::{Batch, ByPrefix, Socket};
use cni_types::{AttachmentId, Error, Result, sort_by};

use super::element::{self, HeldElement, Place, comment, describe};
use super::index::Index;
use super::map::Map;
use super::names::SOURCES;
use super::plan::Plan;
use super::{held, port};
use crate::claim::{Claimant, Claims, Standing};
use crate::mapping::Ports;

/// Elements that go and elements that come.
#[derive(Default)]
pub(super) struct PortChange {
    pub(super) erased: Vec<HeldElement>,
    pub(super) added: Vec<HeldElement>,
    /// Those of siblings that go to another layer.
    pub(super) moved: Vec<(HeldElement, u8)>,
    /// Owners that are gone, and have nothing left afterwards.
    pub(super) yielded: Vec<String>,
}

/// Who has to give way: owners that are gone, with everything, and others with what leads to the plans' addresses.
#[derive(Default)]
struct GivingWay {
    gone: Vec<String>,
    displaced: Vec<String>,
}

impl PortChange {
    /// What there is to do for the plans. What others left under the container's addresses goes: the addresses have a
    /// new owner. So does what the attachment had of an ADD before this one.
    ///
    /// # Errors
    /// Code 11 naming a living holder of a port, code 101 when the kernel refuses to say.
    pub(super) fn new(
        socket: &Socket,
        sets: &[String],
        claimant: &Claimant<'_>,
        plans: &[Plan],
    ) -> Result<Self> {
        let Claimant { id, claims, displaced } = claimant;
        let count = plans.iter().map(|plan| plan.ports.len() + plan.sources.len()).sum();
        let comment = comment(id, count);
        let owner = id.tag_prefix();
        let mut held =
            plans.iter().map(|plan| held::of_plan(socket, sets, plan)).collect::<Result<Vec<_>>>()?;
        let mut giving_way =
            GivingWay { displaced: displaced.iter().map(|c| c.owner.clone()).collect(), gone: Vec::new() };
        for (plan, held) in plans.iter().zip(&held) {
            giving_way.find(id, plan, held, claims)?;
        }
        let GivingWay { gone, displaced } = giving_way;
        let is_repeated =
            claims.own(id).next().is_some() || held.iter().flatten().any(|h| h.owner() == owner);
        let mut change = Self::default();
        if is_repeated || !gone.is_empty() || !displaced.is_empty() {
            let wanted = wanted(plans);
            let is_ours =
                |held: &HeldElement| plans.iter().any(|plan| held.container() == Some(plan.container));
            let has = |owners: &[String], comment: &str| {
                owners.iter().any(|owner| comment.starts_with(owner.as_str()))
            };
            let theirs = |text: &str| text.starts_with(&owner) || has(&gone, text) || has(&displaced, text);
            change.erased = held::list(socket, sets, &theirs)?;
            change.erased.retain(|held| match held.owner() {
                own if own == owner => {
                    held.comment != comment || !wanted.contains(&key(&held.place, &held.value))
                }
                other => gone.iter().any(|gone| gone == other) || is_ours(held),
            });
        }
        let erased: BTreeSet<Place> = change.erased.iter().map(|held| held.place.clone()).collect();
        for (plan, held) in plans.iter().zip(&mut held) {
            held.retain(|held| !erased.contains(&held.place));
            change.place(&owner, &comment, plan, held);
        }
        change.yielded = gone;
        Ok(change)
    }

    /// The maps that are needed.
    pub(super) fn maps(&self) -> Vec<Map> {
        let of_port = |held: HeldElement| if let Place::Port(map, _) = held.place { Some(map) } else { None };
        let moved = self.moved.iter().map(|(held, layer)| held.moved_to(*layer));
        let maps: BTreeSet<Map> = self.added.iter().cloned().chain(moved).filter_map(of_port).collect();
        maps.into_iter().collect()
    }

    /// Writes it.
    pub(super) fn write(&self, batch: &mut Batch) {
        let moved = self.moved.iter().map(|(held, _)| held);
        element::erase(batch, self.erased.iter().chain(moved));
        let moved: Vec<HeldElement> = self.moved.iter().map(|(held, layer)| held.moved_to(*layer)).collect();
        element::add(batch, self.added.iter().chain(&moved));
    }

    /// Adds what the plan lacks, behind what attachments of the same container have: nobody else has any of it here.
    fn place(&mut self, owner: &str, comment: &str, plan: &Plan, held: &[HeldElement]) {
        let index = Index::new(held);
        for (ports, target) in &plan.ports {
            let mut siblings: Vec<(&Ports, &HeldElement)> = index.overlapping(ports).collect();
            if siblings.iter().any(|(_, held)| held.owner() == owner) {
                continue;
            }
            sort_by(&mut siblings, |(_, a), (_, b)| a.layer() < b.layer());
            let mut layer = siblings.last().map_or(0, |(_, held)| held.layer());
            // Those of one port close ranks, so that layers do not grow with every ADD and DEL.
            if siblings.iter().all(|(taken, _)| *taken == ports) {
                layer = 0;
                for (_, sibling) in siblings {
                    layer = layer.saturating_add(1);
                    if sibling.layer() != layer {
                        self.moved.push((sibling.clone(), layer));
                    }
                }
            }
            let map = ports.map(plan.family(), plan.class_name(), layer.saturating_add(1));
            let value = port::value(*target, map.ranges);
            self.added.push(HeldElement {
                place: Place::Port(map, *ports),
                value,
                comment: comment.to_owned(),
            });
        }
        for network in &plan.sources {
            let place =
                Place::Source(ByPrefix::of(SOURCES, *network), ByPrefix::key(plan.container, *network));
            if !held.iter().any(|held| held.place == place) {
                self.added.push(HeldElement { place, value: Vec::new(), comment: comment.to_owned() });
            }
        }
    }
}

impl GivingWay {
    /// Looks at what is held where the plan's elements are to be.
    fn find(&mut self, id: &AttachmentId, plan: &Plan, held: &[HeldElement], claims: &Claims) -> Result<()> {
        let owner = id.tag_prefix();
        let standing = |held: &HeldElement| claims.standing(id, held.owner(), held.container_id());
        let index = Index::new(held);
        for held in
            held.iter().filter(|held| matches!(held.place, Place::Source(..)) && held.owner() != owner)
        {
            if standing(held) != Standing::Sibling {
                self.displaced.push(held.owner().to_owned());
            }
        }
        for (ports, _) in &plan.ports {
            for (taken, other) in index.overlapping(ports) {
                let known = |owners: &[String]| owners.iter().any(|known| known == other.owner());
                let is_displaced = known(&self.displaced) && other.container() == Some(plan.container);
                if other.owner() == owner || is_displaced || known(&self.gone) {
                    continue;
                }
                match standing(other) {
                    Standing::Sibling => {}
                    Standing::Gone => self.gone.push(other.owner().to_owned()),
                    Standing::Living if other.container() == Some(plan.container) => {
                        self.displaced.push(other.owner().to_owned());
                    }
                    Standing::Living => return Err(taken_by(ports, taken, &other.comment)),
                }
            }
        }
        Ok(())
    }
}

/// An element but for its layer and comment: family and conditions, place, value.
type Key = (Place, Vec<u8>);

fn key(place: &Place, value: &[u8]) -> Key {
    let mut place = place.clone();
    if let Place::Port(map, _) = &mut place {
        map.layer = 1;
    }
    (place, value.to_vec())
}

fn wanted(plans: &[Plan]) -> BTreeSet<Key> {
    let of_plan = |plan: &Plan| -> Vec<Key> {
        let ports = plan.ports.iter().map(|(ports, target)| {
            let map = ports.map(plan.family(), plan.class_name(), 1);
            let value = port::value(*target, map.ranges);
            (Place::Port(map, *ports), value)
        });
        let sources = plan.sources.iter().map(|network| {
            (
                Place::Source(ByPrefix::of(SOURCES, *network), ByPrefix::key(plan.container, *network)),
                Vec::new(),
            )
        });
        ports.chain(sources).collect()
    };
    plans.iter().flat_map(of_plan).collect()
}

fn taken_by(wanted: &Ports, taken: &Ports, comment: &str) -> Error {
    let names = comment.split_once(", ").map_or(comment, |(_, names)| names);
    Error::try_again(format!("host {} is taken by another container ({names})", describe(wanted))).because(
        format!(
            "it holds {}; remove that container, or give one of them another hostPort or hostIP",
            describe(taken)
        ),
    )
}
