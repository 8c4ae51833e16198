//! Domain names as DNS writes them (RFC 1035, section 4.1.4), in a list (RFC 3397).

/// More names than a resolver reads anyway (`MAXDNSRCH`, resolv.h, is 6; later ones 32).
const NAMES_MAX: usize = 32;
/// Longest name in bytes.
const NAME_MAX: usize = 255;

/// Whether `label` may stand in a host's or domain's name, and in a resolver's configuration.
pub(super) fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len()) && label.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b))
}

/// All names; `None` when one is malformed.
pub(super) fn list(bytes: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut at = 0;
    while at < bytes.len() && names.len() < NAMES_MAX {
        let (name, next) = name(bytes, at)?;
        names.push(name);
        at = next;
    }
    Some(names)
}

/// The name that starts at `start`, and where the next one does. A pointer leads backwards only, so there is no ring.
fn name(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    let (mut at, mut lowest, mut next) = (start, start, None);
    loop {
        match *bytes.get(at)? {
            0 => break,
            length @ 1..64 => {
                let label = bytes.get(at + 1..)?.get(..length.into()).filter(|label| is_label(label))?;
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(std::str::from_utf8(label).ok()?);
                if name.len() > NAME_MAX {
                    return None;
                }
                at += 1 + usize::from(length);
            }
            high @ 192.. => {
                let target = usize::from(high & 0x3f) << 8 | usize::from(*bytes.get(at + 1)?);
                next.get_or_insert(at + 2);
                if target >= lowest {
                    return None;
                }
                (at, lowest) = (target, target);
            }
            _ => return None,
        }
    }
    (!name.is_empty()).then_some((name, next.unwrap_or(at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_point_back_to_parts_of_earlier_ones() {
        // RFC 3397, section 2: eng.apple.com. and marketing.apple.com.
        let bytes = b"\x03eng\x05apple\x03com\0\x09marketing\xc0\x04";
        assert_eq!(list(bytes).unwrap(), ["eng.apple.com", "marketing.apple.com"]);
        assert_eq!(list(b"").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn malformed_names_are_none() {
        for bad in [
            &b"\xc0\x00"[..],
            b"\x01a\xc0\x00",
            b"\x01a\xc0",
            b"\x05ab",
            b"\x01a",
            b"\x02a\n\0",
            b"\x40",
            b"\0",
            b"\x01a\0\x01b\xc0\x03",
        ] {
            assert_eq!(list(bad), None, "{bad:?}");
        }
        let long = b"\x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".repeat(5);
        assert_eq!(list(&long), None);
    }
}
