//! firewalld, by D-Bus: which sources (addresses) its zones have at run time.
//!
//! Object `/org/fedoraproject/FirewallD1`, interface `org.fedoraproject.FirewallD1.zone` (firewalld.dbus(5)).

mod bus;
mod message;

use std::net::IpAddr;

use cni_types::{Cidr, Code, Doing, Error, Form, FromText, Result, excerpt};

use bus::{Answer, Bus};
use message::Call;

/// The name firewalld has on the bus, and the start of its interfaces' names.
const NAME: &str = "org.fedoraproject.FirewallD1";
/// Longest zone name taken here, in bytes; firewalld itself makes none over 17.
const ZONE_MAX: usize = 64;

/// The name of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone(String);

impl Default for Zone {
    fn default() -> Self {
        Self("trusted".to_owned())
    }
}

/// 1–64 bytes without white space and control characters.
impl FromText for Zone {
    const FORM: Form = Form::Text { what: "zone name", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        let bad = |c: char| c.is_whitespace() || c.is_control();
        if (1..=ZONE_MAX).contains(&text.len()) && !text.contains(bad) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::config("invalid zone: it must be 1–64 bytes without white space").because(excerpt(text)))
    }
}

impl Zone {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A running firewalld.
pub(crate) struct Firewalld {
    bus: Bus,
}

impl Firewalld {
    /// Reaches firewalld; `None` when there is no system bus, or nobody has its name there.
    ///
    /// # Errors
    /// Code 101 when the bus refuses us, code 11 when it does not answer.
    pub(crate) fn find() -> Result<Option<Self>> {
        let Some(mut bus) = Bus::open().doing("cannot reach the system bus")? else { return Ok(None) };
        let ask = Call {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "NameHasOwner",
            args: &[NAME],
        };
        let answer = bus.call(&ask).doing("cannot ask the system bus for firewalld")?;
        Ok(matches!(answer, Answer::Returned { truth: true }).then_some(Self { bus }))
    }

    /// As [`Self::find`], where it has to be there.
    ///
    /// # Errors
    /// As [`Self::find`], and code 101 when firewalld is not running.
    pub(crate) fn running() -> Result<Self> {
        Self::find()?.ok_or_else(|| {
            Error::new(Code::FILTER, "firewalld is not running").because(format!(
                "nobody has the name {NAME} on the system bus; start firewalld or choose another backend"
            ))
        })
    }

    /// Gives the zone an address; one it has already stays.
    ///
    /// # Errors
    /// Code 101 with firewalld's words, such as that another zone has the address.
    pub(crate) fn ensure_source(&mut self, zone: &Zone, ip: IpAddr) -> Result<()> {
        self.zone("addSource", zone, ip, &["ZONE_ALREADY_SET"]).map(drop)
    }

    /// Takes an address from the zone; one it does not have is no error, and neither is a zone that is gone.
    ///
    /// # Errors
    /// Code 101 with firewalld's words.
    pub(crate) fn remove_source_if_present(&mut self, zone: &Zone, ip: IpAddr) -> Result<()> {
        self.zone(
            "removeSource",
            zone,
            ip,
            &["UNKNOWN_SOURCE", "NOT_ENABLED", "INVALID_ZONE", "ZONE_CONFLICT"],
        )
        .map(drop)
    }

    /// Whether the zone has the address.
    ///
    /// # Errors
    /// Code 101 with firewalld's words.
    pub(crate) fn has_source(&mut self, zone: &Zone, ip: IpAddr) -> Result<bool> {
        self.zone("querySource", zone, ip, &[])
    }

    /// Calls a method of (zone, source). What firewalld says is no failure if it starts with one of `fine`.
    fn zone(&mut self, member: &str, zone: &Zone, ip: IpAddr, fine: &[&str]) -> Result<bool> {
        let source = Cidr::host(ip).to_string();
        let call = Call {
            destination: NAME,
            path: "/org/fedoraproject/FirewallD1",
            interface: "org.fedoraproject.FirewallD1.zone",
            member,
            args: &[zone.as_str(), &source],
        };
        let doing = format!("firewalld cannot {member} {source} of zone {}", excerpt(zone.as_str()));
        match self.bus.call(&call).doing(&doing)? {
            Answer::Returned { truth } => Ok(truth),
            Answer::Refused { text, .. } if fine.iter().any(|code| text.contains(code)) => Ok(false),
            Answer::Refused { name, text } => {
                Err(Error::new(Code::FILTER, doing).because(format!("{name}: {text}")))
            }
        }
    }
}
