//! Rules.
//!
//! ```text
//! rule      = { match } [ statement ] [ "comment" string ]
//! match     = key [ "!=" ] ( "@" set | value )
//! key       = field [ "&" mask ] { "." field [ "&" mask ] }
//! statement = "accept" | "drop" | "return" | "jump" chain | "masquerade" | "dnat" ( "ip" | "ip6" ) "to" key "map" "@" map
//! ```
//!
//! In a table of both families, a field of one of them only matches packets of that one: as `nft` does, the rule looks
//! at the family in front of the first such field, unless it has done so in so many words.

use cni_types::{Family, ip_octets};

use super::super::expr::{Expr, Register};
use super::super::set::DataType;
use super::super::{TableFamily, Verdict};
use super::field::{Field, NETWORK};
use super::tokens::{Read, Tokens};
use super::value::Value;

/// A rule on its way.
pub(super) struct Compiler<'a> {
    table: TableFamily,
    /// What the packets are known to be from here on.
    network: Option<Family>,
    /// The data that maps lead to, by the map's name.
    leads_to: &'a dyn Fn(&str) -> Option<&'a [DataType]>,
    expressions: Vec<Expr>,
}

/// Fields, each with its mask.
type Key = Vec<(Field, Option<Vec<u8>>)>;

impl<'a> Compiler<'a> {
    pub(super) fn new(table: TableFamily, leads_to: &'a dyn Fn(&str) -> Option<&'a [DataType]>) -> Self {
        Self { table, network: None, leads_to, expressions: Vec::new() }
    }

    /// Reads to the end of the rule; gives what it does, and its comment.
    pub(super) fn rule<'t>(mut self, tokens: &mut Tokens<'t>) -> Read<(Vec<Expr>, Option<&'t str>)> {
        let mut comment = None;
        if tokens.is_end() {
            return Err("a rule is missing".to_owned());
        }
        while !tokens.is_end() {
            if tokens.takes("comment") {
                comment = Some(tokens.string()?);
            } else if tokens.takes("dnat ip to") {
                self.translate(tokens, Family::V4)?;
            } else if tokens.takes("dnat ip6 to") {
                self.translate(tokens, Family::V6)?;
            } else if tokens.takes("masquerade") {
                self.expressions.push(Expr::masquerade());
            } else if let Some(verdict) = verdict(tokens)? {
                self.expressions.push(Expr::verdict(verdict));
            } else {
                self.compare(tokens)?;
            }
        }
        Ok((self.expressions, comment))
    }

    /// Looks up the destination; the port's register is behind that of the address.
    fn translate(&mut self, tokens: &mut Tokens<'_>, family: Family) -> Read<()> {
        self.load(&key(tokens)?)?;
        tokens.expect("map")?;
        let map = tokens.word()?.trim_start_matches('@');
        let port = match (self.leads_to)(map) {
            Some([_]) => None,
            Some([_, _]) => Some(Register::word(family.octets() / 4)),
            _ => return Err(format!("map {map} does not lead to destinations")),
        };
        self.expressions.extend([Expr::map(map, Register::R1), Expr::dnat(family, Register::R1, port)]);
        Ok(())
    }

    fn compare(&mut self, tokens: &mut Tokens<'_>) -> Read<()> {
        let (key, is_equal) = (key(tokens)?, !tokens.takes("!="));
        let word = tokens.word()?;
        if let Some(set) = word.strip_prefix('@') {
            self.load(&key)?;
            self.expressions.push(Expr::lookup(set, Register::R1, is_equal));
            return Ok(());
        }
        let [(field, None)] = key[..] else { return Err(format!("{word} is no set")) };
        let Value { bytes, mask, is_flags } = Value::read(field.kind, word)?;
        if is_flags && !is_equal {
            return Err(format!("{word} cannot be excluded"));
        }
        self.depend_on(field)?;
        if field.kind == NETWORK.kind && is_equal {
            self.network = bytes.first().copied().and_then(Family::find);
        }
        let len = if mask.is_none() { u8::try_from(bytes.len()).unwrap_or(field.len) } else { field.len };
        self.expressions.push(field.load(len, Register::R1));
        self.expressions.extend(mask.map(|mask| Expr::mask(Register::R1, &mask)));
        self.expressions.push(Expr::cmp(Register::R1, is_equal != is_flags, &bytes));
        Ok(())
    }

    /// Loads a key, each field in words of its own.
    fn load(&mut self, key: &Key) -> Read<()> {
        key.iter().try_for_each(|(field, _)| self.depend_on(*field))?;
        let mut word = 0;
        for (field, mask) in key {
            let register = Register::word(word);
            self.expressions.push(field.load(field.len, register));
            self.expressions.extend(mask.as_ref().map(|mask| Expr::mask(register, mask)));
            word += field.len.div_ceil(4);
        }
        Ok(())
    }

    fn depend_on(&mut self, field: Field) -> Read<()> {
        match (field.network(), self.network) {
            (None, _) => {}
            (Some(network), Some(known)) if known == network => {}
            (Some(network), None) if self.table == TableFamily::Inet => {
                let load = NETWORK.load(NETWORK.len, Register::R1);
                self.expressions.extend([load, Expr::cmp(Register::R1, true, &[network.number()])]);
                self.network = Some(network);
            }
            _ => return Err("a field of another family".to_owned()),
        }
        Ok(())
    }
}

fn verdict<'t>(tokens: &mut Tokens<'t>) -> Read<Option<Verdict<'t>>> {
    let simple = [("accept", Verdict::Accept), ("drop", Verdict::Drop), ("return", Verdict::Return)];
    if tokens.takes("jump") {
        return tokens.word().map(|chain| Some(Verdict::Jump(chain)));
    }
    Ok(simple.into_iter().find(|(word, _)| tokens.takes(word)).map(|(_, verdict)| verdict))
}

fn key(tokens: &mut Tokens<'_>) -> Read<Key> {
    let mut key = Vec::new();
    loop {
        let field = Field::read(tokens)?;
        let mask = if tokens.takes("&") { Some(mask(tokens.word()?)?) } else { None };
        key.push((field, mask));
        if !tokens.takes(".") {
            return Ok(key);
        }
    }
}

fn mask(text: &str) -> Read<Vec<u8>> {
    cni_types::parse_ip(text).map(ip_octets).ok_or_else(|| format!("{text} is no mask"))
}
