//! What the kernel sends.

use nix::errno::Errno;

use crate::attr;
use crate::wire::HEADER;

/// `NLMSG_ERROR`, `NLMSG_DONE`
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// `NLM_F_DUMP_INTR`
const DUMP_INTERRUPTED: u16 = 0x10;
/// `NLM_F_CAPPED`: of the refused request only the header is repeated.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: attributes follow.
const ACK_TLVS: u16 = 0x200;
/// `NLMSGERR_ATTR_MSG`: the kernel's own words.
const NLMSGERR_ATTR_MSG: u16 = 1;

/// One message from the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// An object: its message type, and its bytes behind the netlink header.
    Object {
        /// The request's sequence number; 0 for an event.
        sequence: u32,
        /// `NLM_F_*`
        flags: u16,
        /// The message type.
        kind: u16,
        /// The fixed header and the attributes.
        body: &'a [u8],
    },
    /// The end of a list, an acknowledgement, or an error with the kernel's words (often none).
    Done {
        /// The request's sequence number.
        sequence: u32,
        /// `NLM_F_*`
        flags: u16,
        /// `None` is success.
        errno: Option<Errno>,
        /// The extended acknowledgement.
        text: &'a str,
    },
}

impl<'a> Answer<'a> {
    /// The sequence number of the request this answers.
    pub(crate) fn sequence(&self) -> u32 {
        match self {
            Self::Object { sequence, .. } | Self::Done { sequence, .. } => *sequence,
        }
    }

    /// Whether a change made this list inconsistent.
    pub(crate) fn is_interrupted(&self) -> bool {
        let (Self::Object { flags, .. } | Self::Done { flags, .. }) = self;
        flags & DUMP_INTERRUPTED != 0
    }

    /// The messages of one datagram, in order; `None` in place of the first malformed one, which ends it.
    pub(crate) fn each(datagram: &'a [u8]) -> impl Iterator<Item = Option<Self>> {
        let mut rest = datagram;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let message = split(&mut rest).map(Self::read);
            if message.is_none() {
                rest = &[];
            }
            Some(message)
        })
    }

    /// Reads a message of at least a header.
    fn read(message: &'a [u8]) -> Self {
        let half = |at: usize| attr::host16(&message[at..]).unwrap_or_default();
        let (kind, flags) = (half(4), half(6));
        let (sequence, body) = (attr::host32(&message[8..]).unwrap_or_default(), &message[HEADER..]);
        if kind != NLMSG_ERROR && kind != NLMSG_DONE {
            return Self::Object { sequence, flags, kind, body };
        }
        let code = attr::array(body).map_or(0, i32::from_ne_bytes);
        let errno = (code != 0).then(|| Errno::from_raw(code.saturating_neg()));
        let repeated = match kind {
            NLMSG_DONE => 0,
            _ if flags & CAPPED != 0 => HEADER,
            _ => body.get(4..).and_then(attr::host32).unwrap_or(0) as usize,
        };
        let words = body
            .get(repeated.saturating_add(4).min(body.len()).next_multiple_of(4)..)
            .filter(|_| flags & ACK_TLVS != 0);
        let text = words.and_then(|tlvs| attr::find(tlvs, NLMSGERR_ATTR_MSG)).and_then(attr::text);
        Self::Done { sequence, flags, errno, text: text.unwrap_or_default() }
    }
}

/// Takes the first message, at least a header long, off `rest`.
fn split<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = attr::host32(rest)? as usize;
    let message = rest.get(..length).filter(|_| length >= HEADER)?;
    *rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        crate::wire::put_message(&mut out, kind, flags, 7, body);
        out
    }

    #[test]
    fn a_refusal_carries_errno_and_text() {
        let mut body = (-17i32).to_ne_bytes().to_vec();
        body.extend_from_slice(&[0; HEADER]);
        let mut words = attr::Attrs::default();
        words.text(NLMSGERR_ATTR_MSG, "taken");
        body.extend_from_slice(words.as_bytes());
        let datagram = message(NLMSG_ERROR, CAPPED | ACK_TLVS, &body);
        let answers: Vec<_> = Answer::each(&datagram).collect();
        let Some(Answer::Done { errno, text, sequence: 7, .. }) = answers[0] else { panic!("{answers:?}") };
        assert_eq!((errno, text), (Some(Errno::EEXIST), "taken"));
    }

    #[test]
    fn no_datagram_makes_it_panic() {
        // Every prefix, and every single byte changed to an extreme, of two refusals.
        let mut golden = message(NLMSG_ERROR, ACK_TLVS, &[0; 4 + HEADER + 8]);
        golden.extend_from_within(..);
        for end in 0..golden.len() {
            Answer::each(&golden[..end]).for_each(drop);
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = golden.clone();
                bytes[end] = byte;
                Answer::each(&bytes).for_each(drop);
            }
        }
    }

    #[test]
    fn a_malformed_message_ends_the_datagram() {
        let mut datagram = message(16, 0, &[1, 2, 3, 4]);
        datagram.extend_from_slice(&[&9_u32.to_ne_bytes()[..], &[1]].concat());
        let answers: Vec<_> = Answer::each(&datagram).collect();
        assert!(matches!(answers[..], [Some(Answer::Object { kind: 16, .. }), None]), "{answers:?}");
        for bad in [vec![0], 15_u32.to_ne_bytes().to_vec(), vec![255, 255, 255, 255, 0, 0, 0, 0]] {
            assert_eq!(Answer::each(&bad).collect::<Vec<_>>(), [None]);
        }
    }
}
