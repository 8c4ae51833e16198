//! From values to bytes.

use super::TypeId;

/// A type as its definition is sent. A type must be defined after those that it is made of are listed: see
/// [`Encoder::new`].
#[derive(Debug, Clone, Copy)]
pub enum Definition {
    /// A struct: its name and its fields.
    Struct(&'static str, &'static [(&'static str, TypeId)]),
    /// A slice of a type.
    Slice(TypeId),
}

/// The writing end of a stream: it sends each definition once, before the first value of that type.
#[derive(Debug)]
pub struct Encoder {
    types: &'static [Definition],
    sent: Vec<bool>,
}

impl Encoder {
    /// A stream of values of `types`; the id of the `n`th is [`TypeId::nth`] of `n`.
    pub fn new(types: &'static [Definition]) -> Self {
        Self { types, sent: vec![false; types.len()] }
    }

    /// Appends the message of a struct of type `id`, and the definitions that have not been sent.
    pub fn value(&mut self, out: &mut Vec<u8>, id: TypeId, fields: impl FnOnce(&mut StructWriter)) {
        self.define(out, id);
        let mut body = Vec::new();
        int(&mut body, id.0);
        StructWriter::write(&mut body, fields);
        counted(out, &body);
    }

    /// As the reference does, a type's definition goes before those of its parts: it refers to them by number.
    fn define(&mut self, out: &mut Vec<u8>, id: TypeId) {
        let nth = usize::try_from(id.0 - TypeId::FIRST).ok();
        let Some((sent, definition)) = nth.and_then(|n| Some((self.sent.get_mut(n)?, self.types.get(n)?)))
        else {
            return;
        };
        if std::mem::replace(sent, true) {
            return;
        }
        counted(out, &description(id, definition));
        match definition {
            Definition::Struct(_, fields) => fields.iter().for_each(|(_, part)| self.define(out, *part)),
            Definition::Slice(element) => self.define(out, *element),
        }
    }
}

/// The body of a definition's message: the negated id and a value of Go's `wireType`.
fn description(id: TypeId, definition: &Definition) -> Vec<u8> {
    let mut body = Vec::new();
    int(&mut body, -id.0);
    StructWriter::write(&mut body, |wire_type| match definition {
        Definition::Struct(name, fields) => wire_type.structure(2, |structure| {
            structure.structure(0, |common| {
                common.string(0, name);
                common.int(1, id.0);
            });
            structure.structures(1, fields, |(name, id), field| {
                field.string(0, name);
                field.int(1, id.0);
            });
        }),
        Definition::Slice(element) => wire_type.structure(1, |slice| {
            slice.structure(0, |common| common.int(1, id.0));
            slice.int(1, element.0);
        }),
    });
    body
}

/// Writes the fields of one struct, by ascending number. What is zero is left out, but for structs.
#[derive(Debug)]
pub struct StructWriter<'a> {
    out: &'a mut Vec<u8>,
    /// One more than the number of the last field written.
    next: u64,
}

impl StructWriter<'_> {
    fn write(out: &mut Vec<u8>, fields: impl FnOnce(&mut StructWriter)) {
        let mut writer = StructWriter { out, next: 0 };
        fields(&mut writer);
        writer.out.push(0);
    }

    /// A `string`.
    pub fn string(&mut self, number: u64, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    /// A `[]byte`.
    pub fn bytes(&mut self, number: u64, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.field(number);
            counted(self.out, bytes);
        }
    }

    /// An `int`.
    pub fn int(&mut self, number: u64, value: i64) {
        if value != 0 {
            self.field(number);
            int(self.out, value);
        }
    }

    /// A `uint`.
    pub fn uint(&mut self, number: u64, value: u64) {
        if value != 0 {
            self.field(number);
            uint(self.out, value);
        }
    }

    /// A struct.
    pub fn structure(&mut self, number: u64, fields: impl FnOnce(&mut StructWriter)) {
        self.field(number);
        StructWriter::write(self.out, fields);
    }

    /// A slice of strings.
    pub fn strings(&mut self, number: u64, texts: &[String]) {
        self.list(number, texts, |text, out| counted(out, text.as_bytes()));
    }

    /// A slice of structs.
    pub fn structures<T>(&mut self, number: u64, items: &[T], fields: impl Fn(&T, &mut StructWriter)) {
        self.list(number, items, |item, out| StructWriter::write(out, |writer| fields(item, writer)));
    }

    fn list<T>(&mut self, number: u64, items: &[T], element: impl Fn(&T, &mut Vec<u8>)) {
        if !items.is_empty() {
            self.field(number);
            uint(self.out, items.len() as u64);
            items.iter().for_each(|item| element(item, self.out));
        }
    }

    fn field(&mut self, number: u64) {
        debug_assert!(number >= self.next, "fields are written by ascending number");
        uint(self.out, number + 1 - self.next);
        self.next = number + 1;
    }
}

fn counted(out: &mut Vec<u8>, bytes: &[u8]) {
    uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn uint(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_be_bytes();
    let zeros = (value.leading_zeros() / 8).min(7) as usize;
    if value >= 0x80 {
        out.push([0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff][zeros]);
    }
    out.extend_from_slice(&bytes[zeros..]);
}

fn int(out: &mut Vec<u8>, value: i64) {
    let magnitude = if value < 0 { !value } else { value }.unsigned_abs();
    uint(out, magnitude << 1 | u64::from(value < 0));
}
