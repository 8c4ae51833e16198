//! The members of a JSON object as they are written, since a run waits for its line: no tree is built, keys are plain
//! words that need no look, and numbers go straight into the text.

use std::fmt::Write;

use cni_types::{Json, hex_digits, push_string};

/// An object that is not at its end, behind what is in the text already.
pub(crate) struct Members<'t> {
    out: &'t mut String,
    is_first: bool,
}

impl<'t> Members<'t> {
    pub(crate) fn begin(out: &'t mut String) -> Self {
        out.push('{');
        Self { out, is_first: true }
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        push_string(self.out, value);
    }

    pub(crate) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        // Writing to memory cannot fail.
        let _ = write!(self.out, "{value}");
    }

    /// In hexadecimal digits, all of them.
    pub(crate) fn id(&mut self, key: &str, id: &[u8]) {
        self.key(key);
        self.out.push('"');
        self.out.extend(hex_digits(id));
        self.out.push('"');
    }

    pub(crate) fn list(&mut self, key: &str, items: &[Json]) {
        self.key(key);
        let items: Vec<_> = items.iter().map(Json::compact).collect();
        // Writing to memory cannot fail.
        let _ = write!(self.out, "[{}]", items.join(","));
    }

    /// A list of objects, each of which `write` fills.
    pub(crate) fn objects<T>(
        &mut self,
        key: &str,
        items: impl Iterator<Item = T>,
        write: impl Fn(&mut Members<'_>, T),
    ) {
        self.key(key);
        self.out.push('[');
        for (number, item) in items.enumerate() {
            if number > 0 {
                self.out.push(',');
            }
            let mut members = Members::begin(self.out);
            write(&mut members, item);
            members.end();
        }
        self.out.push(']');
    }

    fn key(&mut self, key: &str) {
        self.out.push_str(if self.is_first { "\"" } else { ",\"" });
        self.out.push_str(key);
        self.out.push_str("\":");
        self.is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let odd = "a \"b\" \\ \n\t\u{1}\u{7f}é 𝄞 \u{2028}";
        let mut out = String::new();
        let mut members = Members::begin(&mut out);
        members.text("plain", "eth0");
        members.text("odd", odd);
        members.number("most", u64::MAX);
        members.id("short", &10_u64.to_be_bytes());
        members.id("long", &(u128::MAX - 1).to_be_bytes());
        members.objects("list", [1_u32, 2].into_iter(), |item, number| item.number("n", number.into()));
        members.objects("empty", [].into_iter(), |_, (): ()| {});
        members.list("trees", &[Json::Null, Json::Bool(true)]);
        members.end();
        let json = Json::parse(out.as_bytes()).unwrap();
        assert_eq!((json.get_str("plain"), json.get_str("odd")), (Some("eth0"), Some(odd)));
        let rest = out.split_once("\"most\"").unwrap().1;
        let ids = "\"short\":\"000000000000000a\",\"long\":\"fffffffffffffffffffffffffffffffe\"";
        assert_eq!(
            rest,
            format!(
                ":18446744073709551615,{ids},\"list\":[{{\"n\":1}},{{\"n\":2}}],\"empty\":[],\"trees\":[null,true]}}"
            )
        );
    }
}
