//! The keys `vlan`, `vlanTrunk` and `preserveDefaultVlan`.

use std::collections::BTreeSet;

use cni_net::bridge::vlan::Vlan;
use cni_types::{Error, Result, Whole, keys, sort_by};

/// VLAN ids: 0 and 4095 are reserved (IEEE 802.1Q).
const MIN: i64 = 1;
pub(super) const MAX: i64 = 4094;

type Id = Whole<MIN, MAX>;

keys! {
    /// One entry of `vlanTrunk`: one id, or a range.
    pub(super) struct Trunk {
        /// one VLAN
        "id" id: Option<Id>;
        /// the first of a range
        "minID" min_id: Option<Id>, needs("maxID");
        /// the last
        "maxID" max_id: Option<Id>, needs("minID");
    }
}

/// The VLANs of a container's port on a bridge that filters them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Vlans {
    /// The VLAN of frames without a tag.
    pub(crate) access: Option<u16>,
    /// VLANs of tagged frames.
    trunk: BTreeSet<u16>,
    preserve_default: bool,
}

impl Vlans {
    /// `None` when neither key is given: the bridge need not filter.
    ///
    /// # Errors
    /// Code 7 with the value and the allowed range.
    pub(super) fn read(vlan: i64, trunk: Option<&[Trunk]>, preserve_default: bool) -> Result<Option<Self>> {
        let access = match vlan {
            0 => None,
            _ => Some(Whole::<MIN, MAX>(vlan).read("vlan").map_err(|e| e.because("0 means no VLAN"))?),
        };
        if access.is_none() && trunk.is_none() {
            return Ok(None);
        }
        let mut ids = BTreeSet::new();
        for entry in trunk.unwrap_or_default() {
            ids.extend(entry.ids()?);
        }
        Ok(Some(Self { access, trunk: ids, preserve_default }))
    }

    /// What the port should have: one native VLAN (1 for a trunk without `vlan`) and the tagged ones.
    pub(crate) fn wanted(&self) -> Vec<Vlan> {
        let native = self.access.or_else(|| (!self.trunk.is_empty()).then_some(1));
        let mut wanted: Vec<_> =
            self.trunk.iter().filter(|id| Some(**id) != native).map(|id| Vlan::tagged(*id)).collect();
        wanted.extend(native.map(Vlan::native));
        sort_by(&mut wanted, |a, b| a < b);
        wanted
    }

    /// Whether the port must have no other VLAN.
    pub(crate) fn is_exact(&self) -> bool {
        !self.preserve_default && !self.wanted().is_empty()
    }
}

impl Trunk {
    fn ids(&self) -> Result<Vec<u16>> {
        let mut ids = Vec::new();
        match (self.min_id, self.max_id) {
            (None, None) if self.id.is_none() => {
                return Err(Error::config("vlanTrunk: an entry needs id, or minID and maxID"));
            }
            (None, None) => {}
            (Some(_), None) => return Err(Error::config("vlanTrunk: minID is given without maxID")),
            (None, Some(_)) => return Err(Error::config("vlanTrunk: maxID is given without minID")),
            (Some(min), Some(max)) => {
                let (first, last) = (min.read("vlanTrunk minID")?, max.read::<u16>("vlanTrunk maxID")?);
                if last < first {
                    return Err(Error::config(format!("vlanTrunk: maxID {last} is below minID {first}")));
                }
                ids.extend(first..=last);
            }
        }
        if let Some(single) = self.id {
            ids.push(single.read("vlanTrunk id")?);
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(id: Option<i64>, min_id: Option<i64>, max_id: Option<i64>) -> Trunk {
        let id = id.map(Whole);
        Trunk { id, min_id: min_id.map(Whole), max_id: max_id.map(Whole) }
    }

    #[test]
    fn the_wanted_set_is_sorted_unique_and_has_one_native_vlan() {
        let entries = [trunk(Some(7), Some(5), Some(6)), trunk(Some(5), None, None)];
        let vlans = Vlans::read(0, Some(&entries), false).unwrap().unwrap();
        let tagged = [5, 6, 7].map(Vlan::tagged);
        assert_eq!(vlans.wanted(), [&[Vlan::native(1)][..], &tagged].concat());
        let vlans = Vlans::read(6, Some(&entries), false).unwrap().unwrap();
        assert_eq!(vlans.wanted(), [Vlan::tagged(5), Vlan::native(6), Vlan::tagged(7)]);
    }

    #[test]
    fn an_empty_trunk_filters_but_changes_no_vlan() {
        let vlans = Vlans::read(0, Some(&[]), false).unwrap().unwrap();
        assert!(vlans.wanted().is_empty() && !vlans.is_exact());
        assert_eq!(Vlans::read(0, None, false).unwrap(), None);
    }

    #[test]
    fn each_malformed_value_is_named() {
        for (vlan, entry, text) in [
            (-100, None, "invalid vlan -100: it must be 1–4094"),
            (5000, None, "invalid vlan 5000"),
            (0, Some(trunk(Some(0), None, None)), "invalid vlanTrunk id 0"),
            (0, Some(trunk(None, Some(0), Some(3))), "invalid vlanTrunk minID 0"),
            (0, Some(trunk(None, Some(3), Some(4095))), "invalid vlanTrunk maxID 4095"),
            (0, Some(trunk(None, Some(9), Some(3))), "maxID 3 is below minID 9"),
            (0, Some(trunk(None, Some(9), None)), "minID is given without maxID"),
            (0, Some(trunk(None, None, Some(9))), "maxID is given without minID"),
            (0, Some(trunk(None, None, None)), "an entry needs id"),
        ] {
            let entries = entry.map(|e| vec![e]);
            let error = Vlans::read(vlan, entries.as_deref(), false).unwrap_err();
            assert!(error.code.0 == 7 && error.msg.contains(text), "{error}");
        }
    }
}
