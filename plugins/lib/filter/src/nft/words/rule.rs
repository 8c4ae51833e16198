//! Rules, read back from the expressions that [`super::super::layout`] compiles.

use cni_netlink::attr::{each, find};
use cni_types::{Cidr, Family, Mac, ip_from_octets};

use super::super::comment::comment;
use super::super::expr::{ExprState, Register};
use super::super::layout::{FIELDS, Kind};
use super::super::lookup::{number, text};
use super::super::rule::{EXPRESSIONS, USERDATA};
use super::super::verdict::Verdict;

/// A rule's matches, statement and comment; `None` when one of its expressions is none that we write.
pub(super) fn words(attrs: &[u8]) -> Option<String> {
    let mut rule = Reader::default();
    for (_, expr) in each(find(attrs, EXPRESSIONS)?) {
        rule.read(ExprState::read(expr)?)?;
    }
    rule.words.extend(comment(attrs, USERDATA).map(|comment| format!("comment \"{comment}\"")));
    Some(rule.words.join(" "))
}

/// A rule up to some expression.
#[derive(Default)]
struct Reader {
    words: Vec<String>,
    /// What the registers hold.
    loaded: Vec<Loaded>,
    /// Where a destination is looked up.
    map: Option<String>,
}

struct Loaded {
    at: Register,
    name: &'static str,
    kind: Kind,
    mask: Option<Vec<u8>>,
}

impl Reader {
    fn read(&mut self, expr: ExprState<'_>) -> Option<()> {
        let said = match expr.name {
            "bitwise" => {
                let at = Register::read(expr.data, 1)?;
                let loaded = self.loaded.iter_mut().find(|loaded| loaded.at == at)?;
                loaded.mask = Some(expr.mask()?.to_vec());
                return Some(());
            }
            "lookup" => {
                let (set, is_in) = (text(expr.data, 1)?, number(expr.data, 5).is_none());
                let key = self.key()?;
                if find(expr.data, 3).is_some() {
                    self.map = Some(format!("{key} map @{set}"));
                    return Some(());
                }
                format!("{key} {}@{set}", unless(is_in))
            }
            "cmp" => {
                let (is_equal, value) = expr.compares()?;
                let loaded = self.loaded.pop()?;
                loaded.compared(is_equal, value)?
            }
            "immediate" => match expr.verdict()? {
                Verdict::Accept => "accept".to_owned(),
                Verdict::Drop => "drop".to_owned(),
                Verdict::Return => "return".to_owned(),
                Verdict::Jump(chain) => format!("jump {chain}"),
                Verdict::Goto(chain) => format!("goto {chain}"),
            },
            "masq" => "masquerade".to_owned(),
            "nat" => {
                let ip = if number(expr.data, 2)? == u32::from(Family::V4.number()) { "ip" } else { "ip6" };
                format!("dnat {ip} to {}", self.map.take()?)
            }
            _ => {
                let (name, kind) = FIELDS.iter().find_map(|(name, field)| Some((*name, field.is(&expr)?)))?;
                self.loaded.push(Loaded { at: Register::read(expr.data, 1)?, name, kind, mask: None });
                return Some(());
            }
        };
        self.words.push(said);
        Some(())
    }

    /// All that is loaded, as a key.
    fn key(&mut self) -> Option<String> {
        let field = |loaded: Loaded| match loaded.mask {
            None => Some(loaded.name.to_owned()),
            Some(mask) => Some(format!("{} & {}", loaded.name, ip_from_octets(&mask)?)),
        };
        Some(self.loaded.drain(..).map(field).collect::<Option<Vec<_>>>()?.join(" . "))
    }
}

impl Loaded {
    fn compared(self, is_equal: bool, value: &[u8]) -> Option<String> {
        if let (Kind::Flags(flags), Some(mask), false) = (self.kind, &self.mask, is_equal) {
            let bits = u32::from_ne_bytes(mask[..].try_into().ok()?);
            let names = flags.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name);
            return Some(format!("{} {}", self.name, names.collect::<Vec<_>>().join(",")));
        }
        Some(format!("{} {}{}", self.name, unless(is_equal), self.kind.word(value, self.mask.as_deref())?))
    }
}

fn unless(is_so: bool) -> &'static str {
    if is_so { "" } else { "!= " }
}

impl Kind {
    /// A value, or its first bytes, or its bits under a mask.
    fn word(self, value: &[u8], mask: Option<&[u8]>) -> Option<String> {
        Some(match self {
            Self::Address(family) => {
                let (octets, given) = (usize::from(family.octets()), value.len());
                let prefix = match mask {
                    Some(mask) => mask.iter().map(|byte| byte.leading_ones()).sum::<u32>(),
                    None => u32::try_from(given * 8).ok()?,
                };
                let whole: Vec<u8> = value.iter().copied().chain(std::iter::repeat(0)).take(octets).collect();
                let ip = ip_from_octets(&whole)?;
                if given == octets && mask.is_none() {
                    ip.to_string()
                } else {
                    Cidr::new(ip, u8::try_from(prefix).ok()?)?.to_string()
                }
            }
            Self::Mac => Mac(value.try_into().ok()?).to_string(),
            Self::Interface => {
                let name = std::str::from_utf8(value).ok()?;
                let more = if value.len() < 16 { "*" } else { "" };
                format!("\"{}{more}\"", name.trim_end_matches('\0'))
            }
            Self::Mark => format!("{:#x}", u32::from_ne_bytes(value.try_into().ok()?)),
            Self::Words(words) => words.iter().find(|(_, bytes)| *bytes == value)?.0.to_owned(),
            Self::Flags(_) | Self::Key => return None,
        })
    }
}
