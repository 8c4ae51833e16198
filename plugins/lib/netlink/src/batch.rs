//! Changes that netfilter makes together or not at all (`linux/netfilter/nfnetlink.h`).

use crate::attr::Attrs;
use crate::request::{Answered, Message};
use crate::wire::HEADER;
use crate::{Refused, Request, Socket};

/// `NFNL_MSG_BATCH_BEGIN`
const BEGIN: u16 = 0x10;
/// `NFNL_MSG_BATCH_END`
const END: u16 = 0x11;
/// `NFNL_BATCH_GENID`: refuse the batch unless the subsystem is of this generation.
const GENERATION: u16 = 1;

impl Socket {
    /// Makes all changes of a subsystem (`NFNL_SUBSYS_*`) or none. With a generation, only if the subsystem is still of
    /// that one.
    ///
    /// # Errors
    /// The first refused step; `ERESTART` when the generation has passed.
    pub fn commit(&self, subsystem: u16, steps: &[Request], generation: Option<u32>) -> Result<(), Refused> {
        self.batch(steps, &[begin(subsystem, generation), end(subsystem)])
    }

    /// Lets the kernel check the changes without making any: a batch without an end is thrown away.
    ///
    /// # Errors
    /// The first refused step.
    pub fn try_out(&self, subsystem: u16, steps: &[Request]) -> Result<(), Refused> {
        self.batch(steps, &[begin(subsystem, None)])
    }

    /// Only the last step is answered; those that fail are without being asked.
    fn batch(&self, steps: &[Request], frame: &[Request]) -> Result<(), Refused> {
        let Some((last, others)) = steps.split_last() else { return Ok(()) };
        let (begin, end) = frame.split_at(1);
        let silent = |request| Message { request, answer: Answered::Silence };
        let mut messages: Vec<_> = begin.iter().chain(others).map(silent).collect();
        messages.push(Message { request: last, answer: Answered::Word });
        messages.extend(end.iter().map(silent));
        let size = |request: &Request| HEADER + request.attrs.as_bytes().len();
        self.make_room(frame.iter().chain(steps).map(size).sum());
        self.converse(&messages, &mut |_, _| {}).into_iter().try_for_each(|outcome| outcome.end())
    }
}

fn begin(subsystem: u16, generation: Option<u32>) -> Request {
    let mut attrs = nfgenmsg(subsystem);
    if let Some(generation) = generation {
        attrs.net32(GENERATION, generation);
    }
    Request::new("change the ruleset", BEGIN, 0, attrs)
}

fn end(subsystem: u16) -> Request {
    Request::new("change the ruleset", END, 0, nfgenmsg(subsystem))
}

/// `struct nfgenmsg` of a batch: its `res_id` is the subsystem, in network order.
fn nfgenmsg(subsystem: u16) -> Attrs {
    let [high, low] = subsystem.to_be_bytes();
    Attrs::behind(&[0, 0, high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_the_bytes_of_the_headers() {
        // struct nlmsghdr, whose numbers are in host order.
        let header = |length: u32, kind: u16, flags: u16, sequence: u32| {
            let [length, sequence] = [length, sequence].map(u32::to_ne_bytes);
            let [kind, flags] = [kind, flags].map(u16::to_ne_bytes);
            [&length[..], &kind, &flags, &sequence, &[0; 4]].concat()
        };
        let bytes = |request: &Request, answer, sequence| {
            let mut out = Vec::new();
            Message { request, answer }.put(&mut out, sequence);
            out
        };
        let generation = [&8_u16.to_ne_bytes()[..], &1_u16.to_ne_bytes(), &[1, 2, 3, 4]].concat();
        let golden = [header(28, 0x10, 1, 1), vec![0, 0, 0, 10], generation].concat();
        assert_eq!(bytes(&begin(10, Some(0x0102_0304)), Answered::Silence, 1), golden);
        let step = Request::new("create a table", 0x0a00, crate::CREATE, Attrs::behind(&[1, 0, 0, 0]));
        assert_eq!(
            bytes(&step, Answered::Silence, 2),
            [header(20, 0x0a00, 0x0401, 2), vec![1, 0, 0, 0]].concat()
        );
        assert_eq!(
            bytes(&step, Answered::Word, 2),
            [header(20, 0x0a00, 0x0405, 2), vec![1, 0, 0, 0]].concat()
        );
        assert_eq!(
            bytes(&end(10), Answered::Silence, 3),
            [header(20, 0x11, 1, 3), vec![0, 0, 0, 10]].concat()
        );
    }
}
