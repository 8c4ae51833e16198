//! Values of conditions, compared by what they mean.

use super::Addresses;

/// Whether two values mean the same: addresses, numbers, ranges of ports, rates, or lists of any of these.
pub(super) fn same(one: &str, other: &str) -> bool {
    fn agree<T: PartialEq>(read: impl Fn(&str) -> Option<T>, one: &str, other: &str) -> bool {
        read(one).is_some_and(|meaning| read(other) == Some(meaning))
    }
    let lists = || {
        let (mine, theirs): (Vec<&str>, Vec<&str>) = (one.split(',').collect(), other.split(',').collect());
        let within = |a: &[&str], b: &[&str]| a.iter().all(|a| b.iter().any(|b| same(a, b)));
        mine.len() > 1 && mine.len() == theirs.len() && within(&mine, &theirs) && within(&theirs, &mine)
    };
    one == other
        || agree(Addresses::parse, one, other)
        || agree(masked_number, one, other)
        || agree(ports, one, other)
        || agree(rate, one, other)
        || lists()
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// `0x10/0xff`, or `16`, which is compared whole.
fn masked_number(text: &str) -> Option<(u32, u32)> {
    match text.split_once('/') {
        Some((value, mask)) => Some((number(value)?, number(mask)?)),
        None => Some((number(text)?, u32::MAX)),
    }
}

/// `80:443`, either end of which may be missing.
fn ports(text: &str) -> Option<(u16, u16)> {
    let end = |text: &str, without| if text.is_empty() { Some(without) } else { text.parse().ok() };
    match text.split_once(':') {
        Some((first, last)) => Some((end(first, 0)?, end(last, u16::MAX)?)),
        None => text.parse().ok().map(|port| (port, port)),
    }
}

/// `5/minute`: how many, and the unit's first letter.
fn rate(text: &str) -> Option<(u32, char)> {
    let (count, unit) = text.split_once('/')?;
    let known = ["second", "minute", "hour", "day"].iter().find(|known| known.starts_with(unit))?;
    Some((count.parse().ok()?, known.chars().next()?)).filter(|_| !unit.is_empty())
}
