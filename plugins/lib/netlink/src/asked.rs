//! What was asked of the kernel, for a trace: the message as it went over the wire, and what came back.

use cni_trace::Asked;
use cni_types::hex_digits;

use crate::conversation::Outcome;
use crate::protocol::Protocol;
use crate::request::Message;
use crate::socket::Socket;

impl Protocol {
    /// What a run's time goes into when it talks to this.
    pub(crate) fn phase(self) -> &'static str {
        match self {
            Self::Route => "netlink",
            Self::Nftables | Self::Conntrack => "packet filter",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Nftables => "nftables",
            Self::Conntrack => "conntrack",
        }
    }
}

impl Outcome {
    #[cold]
    pub(crate) fn hear(&mut self, object: &[u8]) {
        let (count, first) = &mut self.heard;
        if *count == 0 {
            first.extend_from_slice(object);
        }
        *count += 1;
    }
}

impl Socket {
    #[cold]
    pub(crate) fn note(&self, messages: &[Message<'_>], outcomes: &[Outcome]) {
        for (message, outcome) in messages.iter().zip(outcomes) {
            let mut wire = Vec::new();
            message.put(&mut wire, 0);
            let answer = match &outcome.end {
                None => String::new(),
                Some(Ok(())) => match outcome.heard.0 {
                    0 => "done".to_owned(),
                    1 => "1 object".to_owned(),
                    count => format!("{count} objects"),
                },
                Some(Err(refused)) => format!("{} {}", refused.errno, refused.text).trim_end().to_owned(),
            };
            cni_trace::asked(|| Asked {
                whom: self.protocol().name(),
                doing: message.request.doing.clone(),
                said: hex_digits(&wire).collect(),
                answer,
                object: hex_digits(&outcome.heard.1).collect(),
                is_inside: self.is_elsewhere(),
            });
        }
    }
}
