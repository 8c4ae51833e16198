//! Rules that choose the routing table. `ip rule show|add|delete`.

use std::net::IpAddr;

use cni_netlink::attr::{Attrs, each, find, host32};
use cni_netlink::{CREATE, EXCL, Precision, Request};
use cni_types::{Cidr, Family, Result, ip_from_octets, ip_octets};

use crate::rtnl::Rtnl;

/// `RTM_GETRULE`, and `FRA_*` (`linux/fib_rules.h`)
const RTM_GETRULE: u16 = 34;
const FRA_SRC: u16 = 2;
const FRA_PRIORITY: u16 = 6;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_PROTOCOL: u16 = 21;
/// `FR_ACT_TO_TBL`: look into a table.
const TO_TABLE: u8 = 1;
/// `FIB_RULE_INVERT`: for packets that do not match.
const INVERT: u32 = 2;
/// `FRA_SUPPRESS_PREFIXLEN` of a rule that suppresses nothing (-1).
const SUPPRESS_NOTHING: u32 = u32::MAX;
/// Size of `struct fib_rule_hdr`.
const HEADER: usize = 12;

/// A rule as the kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The packets' source network.
    pub source: Cidr,
    /// The table that is looked into; 0 for a rule that does something else.
    pub table: u32,
    /// Lower ones come first; `None` has the kernel put it in front of all but its first rule.
    pub priority: Option<u32>,
    /// Whether it asks for nothing but the source.
    pub is_by_source: bool,
}

impl Rule {
    /// Packets from this one address are routed by `table`.
    pub fn from_address(ip: IpAddr, table: u32) -> Self {
        Self { source: Cidr::host(ip), table, priority: None, is_by_source: true }
    }

    /// The one address the rule is about.
    pub fn address(&self) -> Option<IpAddr> {
        let ip = self.source.ip();
        (self.is_by_source && self.source == Cidr::host(ip)).then_some(ip)
    }

    fn text(&self) -> String {
        format!("rule from {} lookup {}", self.source, self.table)
    }

    fn body(&self) -> Attrs {
        let mut header = [0; HEADER];
        header[0] = self.source.family().number();
        header[2] = self.source.prefix();
        header[4] = u8::try_from(self.table).unwrap_or(0);
        header[7] = TO_TABLE;
        let mut body = Attrs::behind(&header);
        body.bytes(FRA_SRC, &ip_octets(self.source.ip()));
        body.host32(FRA_TABLE, self.table);
        if let Some(priority) = self.priority {
            body.host32(FRA_PRIORITY, priority);
        }
        body
    }

    /// The request to add it. The kernel refuses a second one with the same priority (EEXIST).
    pub(crate) fn add(&self) -> Request {
        Request::new(format!("add {}", self.text()), libc::RTM_NEWRULE, CREATE | EXCL, self.body())
    }

    pub(crate) fn delete(&self) -> Request {
        Request::new(format!("delete {}", self.text()), libc::RTM_DELRULE, 0, self.body())
    }
}

fn decode(message: &[u8]) -> Option<Rule> {
    let header = message.get(..HEADER)?;
    let none = Family::find(header[0])?.unspecified();
    let attributes = &message[HEADER..];
    let source = find(attributes, FRA_SRC).map_or(Some(none), ip_from_octets)?;
    let looks_up = header[7] == TO_TABLE;
    let table = find(attributes, FRA_TABLE).and_then(host32).unwrap_or_else(|| header[4].into());
    let asks_more = |(kind, value): (u16, &[u8])| match kind {
        FRA_SRC | FRA_TABLE | FRA_PRIORITY | FRA_PROTOCOL => false,
        FRA_SUPPRESS_PREFIXLEN => host32(value) != Some(SUPPRESS_NOTHING),
        _ => true,
    };
    let (dst_len, tos, flags) = (header[1], header[3], host32(&header[8..])?);
    Some(Rule {
        source: Cidr::new(source, header[2])?,
        table: if looks_up { table } else { 0 },
        priority: Some(find(attributes, FRA_PRIORITY).and_then(host32).unwrap_or(0)),
        is_by_source: looks_up
            && dst_len == 0
            && tos == 0
            && flags & INVERT == 0
            && !each(attributes).any(asks_more),
    })
}

impl Rtnl {
    /// The rules of both families, each family's first rule first; `None` when the kernel has no policy routing.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn find_rules(&self) -> Result<Option<Vec<Rule>>> {
        let list = Request::new("list the rules", RTM_GETRULE, 0, Attrs::behind(&[0; HEADER]));
        match self.socket.list(&list, Precision::Exact, decode) {
            Err(refused) if refused.is_unsupported() => Ok(None),
            rules => Ok(Some(rules?)),
        }
    }

    /// Deletes rules; one that is gone already is success.
    ///
    /// # Errors
    /// All refusals, folded, after every rule was tried.
    pub fn remove_rules_if_present(&self, rules: &[Rule]) -> Result<()> {
        self.settle(rules.iter().map(Rule::delete).collect())
    }
}
