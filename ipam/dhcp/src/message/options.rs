//! The options of a message, and the values in them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use cni_types::Cidr;

use super::{FILE, HEADER, SNAME, code, domain};

/// Options by code. One that occurs several times is its parts put together (RFC 3396).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options(BTreeMap<u8, Vec<u8>>);

impl Options {
    /// Those of a whole message of at least [`HEADER`] bytes, also the ones in `file` and `sname` (RFC 2131, section
    /// 4.1, option 52). `None` when an option is cut off.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let mut options = Self::default();
        options.walk(message.get(HEADER..)?)?;
        let overload = options.byte(code::OVERLOAD).unwrap_or(0);
        if overload & 1 != 0 {
            options.walk(message.get(FILE)?)?;
        }
        if overload & 2 != 0 {
            options.walk(message.get(SNAME)?)?;
        }
        Some(options)
    }

    fn walk(&mut self, mut rest: &[u8]) -> Option<()> {
        // Servers have been seen to leave the end mark out.
        while let Some((&option, behind)) = rest.split_first() {
            match option {
                code::PAD => rest = behind,
                code::END => break,
                _ => {
                    let (&length, behind) = behind.split_first()?;
                    let (value, behind) = behind.split_at_checked(length.into())?;
                    self.0.entry(option).or_default().extend(value);
                    rest = behind;
                }
            }
        }
        Some(())
    }

    /// The value as it came.
    pub(crate) fn raw(&self, option: u8) -> Option<&[u8]> {
        self.0.get(&option).map(Vec::as_slice)
    }

    fn array<const N: usize>(&self, option: u8) -> Option<[u8; N]> {
        self.raw(option)?.try_into().ok()
    }

    /// A number of one byte.
    pub(crate) fn byte(&self, option: u8) -> Option<u8> {
        self.array::<1>(option).map(|[byte]| byte)
    }

    /// A number of four bytes: seconds.
    pub(crate) fn seconds(&self, option: u8) -> Option<u32> {
        self.array(option).map(u32::from_be_bytes)
    }

    /// One address.
    pub(crate) fn address(&self, option: u8) -> Option<Ipv4Addr> {
        self.array::<4>(option).map(Ipv4Addr::from)
    }

    /// A list of addresses; empty when it is missing or of a wrong length.
    pub(crate) fn addresses(&self, option: u8) -> Vec<Ipv4Addr> {
        let addresses = self.raw(option).unwrap_or_default().chunks(4);
        let addresses = addresses.map(|bytes| <[u8; 4]>::try_from(bytes).map(Ipv4Addr::from));
        addresses.collect::<Result<_, _>>().unwrap_or_default()
    }

    /// The prefix length that option 1 says; `None` when it is missing or no mask.
    pub(crate) fn prefix(&self) -> Option<u8> {
        let mask = u32::from_be_bytes(self.array(code::MASK)?);
        let ones = mask.leading_ones();
        (mask.checked_shl(ones).unwrap_or(0) == 0).then(|| u8::try_from(ones).ok()).flatten()
    }

    /// The MTU of option 26, where an IPv4 link can have it: 576 bytes, which every host takes (RFC 791), or more.
    pub(crate) fn mtu(&self) -> Option<u16> {
        self.array(code::MTU).map(u16::from_be_bytes).filter(|mtu| *mtu >= 576)
    }

    /// Destinations and routers of option 33; a destination's mask is that of its class.
    pub(crate) fn static_routes(&self) -> Vec<(Cidr, Ipv4Addr)> {
        let addresses = self.addresses(code::STATIC_ROUTES);
        if addresses.len() % 2 != 0 {
            return Vec::new();
        }
        let route = |pair: &[Ipv4Addr]| {
            let &[destination, router] = pair else { return None };
            let prefix = match destination.octets()[0] {
                // The default route is none of this option's (RFC 2132, section 5.8).
                0 if destination.is_unspecified() => return None,
                0..128 => 8,
                128..192 => 16,
                192..224 => 24,
                _ => 32,
            };
            Some((Cidr::new(destination.into(), prefix)?.masked(), router))
        };
        addresses.chunks(2).filter_map(route).collect()
    }

    /// Destinations and routers of option 121 (RFC 3442); `None` when it is missing or malformed.
    pub(crate) fn classless_routes(&self) -> Option<Vec<(Cidr, Ipv4Addr)>> {
        let mut rest = self.raw(code::ROUTES).filter(|value| !value.is_empty())?;
        let mut routes = Vec::new();
        while let Some((&prefix, behind)) = rest.split_first() {
            // Only the significant bytes of the destination are there.
            let (significant, behind) = behind.split_at_checked(usize::from(prefix).div_ceil(8))?;
            let (&router, behind) = behind.split_first_chunk::<4>()?;
            let mut destination = [0; 4];
            destination.get_mut(..significant.len())?.copy_from_slice(significant);
            let destination = Cidr::new(Ipv4Addr::from(destination).into(), prefix)?.masked();
            routes.push((destination, router.into()));
            rest = behind;
        }
        Some(routes)
    }

    /// The domain of option 15, if it is one.
    pub(crate) fn domain(&self) -> Option<String> {
        let text = std::str::from_utf8(self.raw(code::DOMAIN)?).ok()?;
        let text = text.trim_end_matches('\0').trim_end_matches('.');
        text.split('.').all(|label| domain::is_label(label.as_bytes())).then(|| text.to_owned())
    }

    /// The search list of option 119; empty when it is missing or malformed.
    pub(crate) fn search(&self) -> Vec<String> {
        self.raw(code::SEARCH).and_then(domain::list).unwrap_or_default()
    }

    /// The server's words in option 56, fit for a log.
    pub(crate) fn text(&self) -> Option<String> {
        let text = String::from_utf8_lossy(self.raw(code::TEXT)?);
        Some(text.chars().filter(|c| !c.is_control()).take(200).collect())
    }
}

#[cfg(test)]
pub(crate) fn of(options: &[(u8, &[u8])]) -> Options {
    Options(options.iter().map(|(code, value)| (*code, value.to_vec())).collect())
}
