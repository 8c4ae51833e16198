use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

const PAIR: TypeId = TypeId::nth(0);
const TYPES: &[Definition] = &[
    Definition::Struct(
        "Pair",
        &[
            ("Text", TypeId::STRING),
            ("Signed", TypeId::INT),
            ("Unsigned", TypeId::UINT),
            ("Bytes", TypeId::BYTES),
            ("List", TypeId::nth(1)),
            ("Inner", TypeId::nth(2)),
            ("Inners", TypeId::nth(3)),
        ],
    ),
    Definition::Slice(TypeId::STRING),
    Definition::Struct("Inner", &[("Text", TypeId::STRING)]),
    Definition::Slice(TypeId::nth(2)),
];

#[derive(Debug, Clone, Default, PartialEq)]
struct Pair {
    text: String,
    signed: i64,
    unsigned: u64,
    bytes: Vec<u8>,
    list: Vec<String>,
    inner: String,
    inners: Vec<String>,
}

impl Pair {
    fn write(&self, writer: &mut StructWriter) {
        writer.string(0, &self.text);
        writer.int(1, self.signed);
        writer.uint(2, self.unsigned);
        writer.bytes(3, &self.bytes);
        writer.strings(4, &self.list);
        writer.structure(5, |inner| inner.string(0, &self.inner));
        writer.structures(6, &self.inners, |text, inner| inner.string(0, text));
    }

    fn read(value: &Value) -> Result<Self, Error> {
        let inner = |value: Value| {
            let mut text = String::new();
            for field in value.fields()? {
                text = field?.1.string()?.to_owned();
            }
            Ok::<_, Error>(text)
        };
        let mut pair = Self::default();
        for field in value.fields()? {
            match field? {
                ("Text", value) => pair.text = value.string()?.to_owned(),
                ("Signed", value) => pair.signed = value.int()?,
                ("Unsigned", value) => pair.unsigned = value.uint()?,
                ("Bytes", value) => pair.bytes = value.bytes()?.to_vec(),
                ("List", value) => {
                    pair.list =
                        value.items()?.map(|v| Ok(v?.string()?.to_owned())).collect::<Result<_, Error>>()?;
                }
                ("Inner", value) => pair.inner = inner(value)?,
                ("Inners", value) => {
                    pair.inners = value.items()?.map(|v| inner(v?)).collect::<Result<_, Error>>()?;
                }
                (name, _) => panic!("{name}"),
            }
        }
        Ok(pair)
    }
}

prop_compose! {
    fn pair()(
        text in "\\PC{0,200}", signed: i64, unsigned: u64, bytes: Vec<u8>,
        list in prop::collection::vec("\\PC{0,9}", 0..5), inner in "[a-z]*",
        inners in prop::collection::vec("[a-z]{0,3}", 0..200),
    ) -> Pair {
        Pair { text, signed, unsigned, bytes, list, inner, inners }
    }
}

proptest! {
    /// Whatever was encoded comes back, in whatever pieces it arrives.
    #[test]
    fn round_trip(pairs in prop::collection::vec(pair(), 1..4), piece in 1..64_usize) {
        let (mut encoder, mut out) = (Encoder::new(TYPES), Vec::new());
        pairs.iter().for_each(|pair| encoder.value(&mut out, PAIR, |writer| pair.write(writer)));
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for piece in out.chunks(piece) {
            decoder.feed(piece);
            while let Some(value) = decoder.next_value()? {
                found.push(Pair::read(&value)?);
            }
        }
        prop_assert_eq!(found, pairs);
    }

    /// Nothing makes the decoder panic or run on.
    #[test]
    fn any_bytes(input: Vec<u8>) {
        let mut decoder = Decoder::default();
        decoder.feed(&input);
        while let Ok(Some(value)) = decoder.next_value() {
            value.fields().unwrap().for_each(|field| assert!(field.is_ok()));
        }
    }
}

#[test]
fn numbers_at_their_edges() {
    // As https://pkg.go.dev/encoding/gob has them: 7, 256 and -129.
    for (signed, encoded) in
        [(7, "0e"), (256, "fe 0200"), (-129, "fe 0101"), (-1, "01"), (i64::MIN, "f8 ffffffffffffffff")]
    {
        assert_eq!(cursor::Cursor::new(&bytes(encoded)).int(), Ok(signed), "{encoded}");
        let pair = Pair { signed, ..Pair::default() };
        let mut out = Vec::new();
        Encoder::new(TYPES).value(&mut out, PAIR, |writer| pair.write(writer));
        assert!(out.windows(bytes(encoded).len()).any(|window| window == bytes(encoded)), "{signed}");
    }
    for (encoded, error) in [
        ("f7 01", Error::Number),
        ("80 01", Error::Number),
        ("fe 01", Error::Truncated),
        ("", Error::Truncated),
    ] {
        assert_eq!(cursor::Cursor::new(&bytes(encoded)).uint(), Err(error), "{encoded}");
    }
}

/// A body with its length in front.
fn message(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[0xfe], &length[..], body].concat()
}

fn first_error(stream: &[u8]) -> Option<Error> {
    let mut decoder = Decoder::default();
    decoder.feed(stream);
    loop {
        match decoder.next_value() {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

/// Type 64, a struct of one field `A` of type `id` (both in hexadecimal).
fn definition(own: &str, id: &str) -> Vec<u8> {
    message(&bytes(&format!("{own} 03 01 02 ff80 00 01 01 01 01 41 01 {id} 00 00 00")))
}

#[test]
fn hostile_streams_end_with_an_error() {
    let announced = bytes("fc 7fffffff");
    assert_eq!(first_error(&announced), Some(Error::TooLong(0x7fff_ffff)));
    assert_eq!(first_error(&bytes("f8 ffffffffffffffff")), Some(Error::TooLong(u64::MAX)));
    assert_eq!(first_error(&bytes("00")), Some(Error::Truncated));
    assert_eq!(first_error(&bytes("01 ff")), Some(Error::Truncated));
    assert_eq!(first_error(&bytes("03 ff82 00")), Some(Error::UnknownType(65)));
    // A number at the top.
    assert_eq!(first_error(&bytes("03 04 00 02")), Some(Error::Mismatch("a struct")));
    // A definition of the smallest number there is, of one of Go's own types, and one type twice.
    assert_eq!(first_error(&message(&bytes("f8 ffffffffffffffff 00"))), Some(Error::Number));
    assert_eq!(first_error(&message(&bytes("0b 00"))), Some(Error::Redefined(6)));
    let string = definition("7f", "0c");
    assert_eq!(first_error(&[&string[..], &string].concat()), Some(Error::Redefined(64)));
    let value = |hex: &str| [&string[..], &bytes(hex)].concat();
    assert_eq!(first_error(&value("07 ff80 01 02 4142 00")), None);
    assert_eq!(first_error(&value("08 ff80 01 02 4142 00 00")), Some(Error::Trailing(1)));
    assert_eq!(first_error(&value("06 ff80 02 01 41 00")), Some(Error::UnknownField(2)));
    assert_eq!(
        first_error(&value("0e ff80 f8 ffffffffffffffff 01 41 00")),
        Some(Error::UnknownField(u64::MAX))
    );
    assert_eq!(first_error(&value("0d ff80 01 f8 ffffffffffffffff 00")), Some(Error::Truncated));
    // A struct that contains itself, 20 levels deep.
    let own = [definition("7f", "ff80"), message(&[&bytes("ff80")[..], &[1; 20], &[0; 21]].concat())];
    assert_eq!(first_error(&own.concat()), Some(Error::TooMany("levels of nesting")));
    // A slice of itself of itself …
    let list = [definition("7f", "ff82"), message(&bytes("ff81 02 01 02 ff82 00 01 ff82 00 00"))];
    let list = [&list.concat()[..], &message(&[&bytes("ff80 01")[..], &[1; 20], &[0]].concat())].concat();
    assert_eq!(first_error(&list), Some(Error::TooMany("levels of nesting")));
    // A map.
    let map = [definition("7f", "ff82"), message(&bytes("ff81 04 01 02 ff82 00 01 0c 01 0c 00 00"))];
    assert_eq!(first_error(&map.concat()), None);
    let map = [&map.concat()[..], &bytes("05 ff80 01 00 00")].concat();
    assert_eq!(first_error(&map), Some(Error::UnknownType(65)));
}

#[test]
fn there_are_bounds_to_what_a_sender_can_make_us_keep() {
    let types = (0..100_u8).flat_map(|n| {
        let id = format!("fe 01{:02x}", n * 2 + 1);
        message(&bytes(&format!("{id} 03 01 02 ff80 00 00 00")))
    });
    assert_eq!(first_error(&types.collect::<Vec<_>>()), Some(Error::TooMany("types")));
    let fields = "01 01 41 01 0c 00".repeat(65);
    let fields = message(&bytes(&format!("7f 03 01 02 ff80 00 01 41 {fields} 00 00")));
    assert_eq!(first_error(&fields), Some(Error::TooMany("fields")));
    let name = "41".repeat(65);
    let name = message(&bytes(&format!("7f 03 01 02 ff80 00 01 01 01 41 {name} 01 0c 00 00 00")));
    assert_eq!(first_error(&name), Some(Error::TooMany("bytes in the name of a field")));
}
