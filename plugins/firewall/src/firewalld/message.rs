//! D-Bus messages (D-Bus Specification, "Message Protocol"): calls with text arguments, and their answers.

/// `METHOD_CALL`.
const CALL: u8 = 1;
/// `NO_AUTO_START`: who is not running is not to be started by a question.
const NO_AUTO_START: u8 = 2;
// Header fields.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;
/// Bytes of the header before its fields.
pub(super) const HEAD: usize = 16;

/// A method call.
pub(super) struct Call<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    /// All of them texts.
    pub(super) args: &'a [&'a str],
}

impl Call<'_> {
    pub(super) fn encode(&self, serial: u32) -> Vec<u8> {
        let mut body = Vec::new();
        for arg in self.args {
            put_text(&mut body, arg);
        }
        let mut fields = Vec::new();
        for (code, kind, text) in [
            (PATH, b'o', self.path),
            (INTERFACE, b's', self.interface),
            (MEMBER, b's', self.member),
            (DESTINATION, b's', self.destination),
        ] {
            pad(&mut fields, 8);
            fields.extend([code, 1, kind, 0]);
            put_text(&mut fields, text);
        }
        if !self.args.is_empty() {
            pad(&mut fields, 8);
            fields.extend([SIGNATURE, 1, b'g', 0]);
            fields.push(u8::try_from(self.args.len()).unwrap_or(u8::MAX));
            fields.extend(self.args.iter().map(|_| b's'));
            fields.push(0);
        }
        let mut out = vec![b'l', CALL, NO_AUTO_START, 1];
        for number in [length(&body), serial, length(&fields)] {
            out.extend(number.to_le_bytes());
        }
        out.extend(fields);
        pad(&mut out, 8);
        out.extend(body);
        out
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn pad(out: &mut Vec<u8>, to: usize) {
    out.resize(out.len().next_multiple_of(to), 0);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    pad(out, 4);
    out.extend(length(text.as_bytes()).to_le_bytes());
    out.extend(text.as_bytes());
    out.push(0);
}

/// A message that came in.
pub(super) struct Incoming {
    /// 2 is an answer, 3 an error.
    pub(super) kind: u8,
    /// Which call it answers.
    pub(super) answers: Option<u32>,
    /// The error's name.
    pub(super) error: Option<String>,
    little: bool,
    body: Vec<u8>,
}

impl Incoming {
    /// How many bytes follow the header's first [`HEAD`]; `None` when this is no header.
    pub(super) fn rest(head: &[u8; HEAD]) -> Option<usize> {
        let little = match head[0] {
            b'l' => true,
            b'B' => false,
            _ => return None,
        };
        let number = |at| Some(number(head, at, little)? as usize);
        Some(number(12)?.checked_next_multiple_of(8)?.saturating_add(number(4)?))
    }

    /// Reads a message from its head and what follows.
    pub(super) fn decode(head: &[u8; HEAD], rest: &[u8]) -> Option<Self> {
        let little = head[0] == b'l';
        let end = number(head, 12, little)? as usize;
        let fields = rest.get(..end)?;
        let body = rest.get(end.checked_next_multiple_of(8)?..)?.to_vec();
        let mut message = Self { kind: head[1], answers: None, error: None, little, body };
        let mut at = 0_usize;
        while at < fields.len() {
            // Where fields start, the message is aligned to 8.
            at = at.next_multiple_of(8);
            let [code, 1, kind, 0] = *fields.get(at..at + 4)? else { return None };
            at += 4;
            let value = number(fields, at, little);
            match kind {
                b's' | b'o' => {
                    let text = text(fields, at, little)?;
                    at += 4 + text.len() + 1;
                    if code == ERROR_NAME {
                        message.error = Some(text.to_owned());
                    }
                }
                b'g' => at += usize::from(*fields.get(at)?) + 2,
                b'u' => {
                    at += 4;
                    if code == REPLY_SERIAL {
                        message.answers = value;
                    }
                }
                _ => return None,
            }
        }
        Some(message)
    }

    /// The body's first value as a number or a truth.
    pub(super) fn number(&self) -> Option<u32> {
        number(&self.body, 0, self.little)
    }

    /// The body's first value as a text.
    pub(super) fn text(&self) -> Option<&str> {
        text(&self.body, 0, self.little)
    }
}

fn number(bytes: &[u8], at: usize, little: bool) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
}

fn text(bytes: &[u8], at: usize, little: bool) -> Option<&str> {
    let len = number(bytes, at, little)? as usize;
    std::str::from_utf8(bytes.get(at + 4..(at + 4).checked_add(len)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(bytes: &[u8]) -> (&[u8; HEAD], &[u8]) {
        bytes.split_first_chunk().unwrap()
    }

    #[test]
    fn a_call_reads_back() {
        let call =
            Call { destination: "a.b", path: "/a", interface: "a.b.c", member: "M", args: &["hello", "x"] };
        let bytes = call.encode(7);
        let (head, rest) = split(&bytes);
        assert_eq!(&head[..12], [b'l', 1, 2, 1, 18, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(Incoming::rest(head), Some(rest.len()));
        let message = Incoming::decode(head, rest).unwrap();
        assert_eq!((message.kind, message.answers, message.text()), (1, None, Some("hello")));
    }

    #[test]
    fn garbage_is_no_message() {
        let bytes = Call { destination: "a", path: "/", interface: "b", member: "M", args: &["x"] }.encode(1);
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bad = bytes.clone();
                bad[at] = value;
                let (head, rest) = split(&bad);
                // No panic, whatever it says.
                let _ = (
                    Incoming::rest(head),
                    Incoming::decode(head, rest).map(|m| (m.number(), m.text().is_some())),
                );
            }
        }
        // Up to the argument's last character; its NUL says nothing.
        for len in HEAD..bytes.len() - 1 {
            let (head, rest) = split(&bytes[..len]);
            assert!(Incoming::decode(head, rest).is_none_or(|m| m.text().is_none()), "{len}");
        }
    }
}
