//! Routing tables by number: which are in use, and which one is free.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::Duration;

use cni_skel::FileLock;
use cni_types::{Code, Doing, Error, Form, Formed, Result};
use serde::{Deserialize, Deserializer};

pub use super::abi::{TABLE_LOCAL, TABLE_MAIN};
use super::entry::RouteEntry;
use crate::link::Link;
use crate::netns::Netns;
use crate::rtnl::Rtnl;
use crate::rule::Rule;

/// `RT_TABLE_UNSPEC`, `RT_TABLE_DEFAULT`, and the two above: tables that mean something to the kernel.
const RESERVED: [u32; 4] = [0, 253, TABLE_MAIN, TABLE_LOCAL];
/// How long another plugin may hold the lock on the namespace.
const LOCK_BOUND: Duration = Duration::from_secs(5);

/// A table that a configuration names, as it is written: it should be 1–4294967295 without 253, 254 and 255.
#[derive(Debug, Clone, Copy, Default)]
pub struct Table(pub i64);

impl Table {
    /// The numbers that are allowed.
    pub const NUMBERS: &'static [(i128, i128)] = &[(1, 252), (256, u32::MAX as i128)];

    /// # Errors
    /// Code 7 with what is allowed.
    pub fn number(self) -> Result<u32> {
        let Self(value) = self;
        let table = u32::try_from(value).ok().filter(|table| !is_reserved(*table));
        table.ok_or_else(|| {
            Error::config(format!(
                "invalid table {value}: it must be 1–{}, and not 253, 254 or 255, which are the kernel's",
                u32::MAX
            ))
        })
    }
}

impl Formed for Table {
    const FORM: Form = Form::Whole(Self::NUMBERS);
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

/// Whether the table means something to the kernel: unspecified, default, main, local.
pub fn is_reserved(table: u32) -> bool {
    RESERVED.contains(&table)
}

/// Keeps other plugins, the reference's included, from picking a table in this namespace, until the lock is dropped.
/// It is a lock on the open namespace, so there is no file to make or to leave behind.
///
/// # Errors
/// Code 11 when it is still held after 5 s, naming the holder; code 5 when the namespace cannot be locked.
pub fn lock(netns: &Netns) -> Result<FileLock> {
    let path = netns.path();
    let file = File::open(path).doing(format!("cannot open {} to lock it", path.display()))?;
    FileLock::acquire(file, path, LOCK_BOUND)
}

/// The routing of a namespace at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The rules of both families, as the kernel lists them: each family's first rule first.
    pub rules: Vec<Rule>,
    /// The routes of both families, in all tables.
    pub routes: Vec<RouteEntry>,
    /// The VRFs.
    pub vrfs: Vec<Link>,
}

impl Routing {
    /// The routes that go through this link alone, in the main table.
    pub fn main_routes_of(&self, index: u32) -> impl Iterator<Item = &RouteEntry> {
        self.routes.iter().filter(move |route| route.table == TABLE_MAIN && route.is_only_through(index))
    }

    /// The tables that a rule, a route or a VRF uses, and the reserved ones.
    pub fn tables(&self) -> Tables {
        let rules = self.rules.iter().map(|rule| rule.table);
        let routes = self.routes.iter().map(|route| route.table);
        let vrfs = self.vrfs.iter().filter_map(Link::vrf_table);
        Tables(RESERVED.into_iter().chain(rules).chain(routes).chain(vrfs).collect())
    }
}

/// Tables in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables(BTreeSet<u32>);

impl Tables {
    /// Takes the first free table from `first` on; it is in use from now on.
    ///
    /// # Errors
    /// Code 100 when there is none.
    pub fn take(&mut self, first: u32) -> Result<u32> {
        let free = (first..=u32::MAX).find(|table| !self.0.contains(table));
        let free = free.ok_or_else(|| {
            Error::new(Code::KERNEL, format!("no routing table from {first} on is free in the container"))
        })?;
        self.0.insert(free);
        Ok(free)
    }
}

impl Rtnl {
    /// Rules, routes and VRFs of the namespace.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn routing(&self) -> Result<Routing> {
        let unsupported = || {
            Error::new(Code::KERNEL, "the kernel has no policy routing").because("CONFIG_IP_MULTIPLE_TABLES")
        };
        let rules = self.find_rules()?.ok_or_else(unsupported)?;
        Ok(Routing { rules, routes: self.routes(None)?, vrfs: self.vrfs()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_tables_are_neither_accepted_nor_taken() {
        for bad in [i64::MIN, -1, 0, 253, 254, 255, 1 << 32, i64::MAX] {
            let error = Table(bad).number().unwrap_err();
            assert!(error.code == Code::CONFIG && error.msg.contains(&bad.to_string()), "{error}");
        }
        assert_eq!(Table(4_294_967_295).number().unwrap(), u32::MAX);
        let mut tables = Routing::default().tables();
        assert_eq!((tables.take(0).unwrap(), tables.take(253).unwrap()), (1, 256));
        assert_eq!((tables.take(1).unwrap(), tables.take(256).unwrap()), (2, 257));
    }

    #[test]
    fn rules_routes_and_vrfs_use_tables() {
        let rule = Rule::from_address([10, 1, 0, 2].into(), 100);
        let route = super::super::Route::new("10.9.0.0/16".parse().unwrap(), 7);
        let mut data = cni_netlink::attr::Attrs::default();
        data.host32(crate::link::vrf::IFLA_VRF_TABLE, 102);
        let kind_data = data.as_bytes().to_vec();
        let vrf = Link { kind: "vrf".to_owned(), kind_data, ..Link::default() };
        let routes = vec![RouteEntry::from(route).in_table(101)];
        let routing = Routing { rules: vec![rule], routes, vrfs: vec![vrf] };
        assert_eq!(routing.tables().take(100).unwrap(), 103);
        assert!(Tables([u32::MAX].into()).take(u32::MAX).is_err());
    }
}
