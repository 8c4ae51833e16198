//! The conversation with the kernel: ask for objects, list them, make changes, make them all or none. Everybody's
//! requests and answers go through [`Socket::converse`].

use nix::errno::Errno;

use crate::answer::Answer;
use crate::request::{Answered, Message};
use crate::{Refused, Request, Socket};

/// The objects that came back for a request, each without the netlink header.
pub type Objects = Result<Vec<Vec<u8>>, Refused>;

/// How a message was answered.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// `None`: it was not.
    pub(crate) end: Option<Result<(), Refused>>,
    /// A change made the list inconsistent.
    pub(crate) is_interrupted: bool,
    /// Objects of the list did not fit into the buffer, which has grown since.
    pub(crate) is_cut: bool,
    /// For a trace: how many objects came, and the first one.
    pub(crate) heard: (usize, Vec<u8>),
}

impl Outcome {
    /// Whether the kernel has done it. What is answered by silence it has, unless it says otherwise.
    pub(crate) fn end(self) -> Result<(), Refused> {
        self.end.unwrap_or(Ok(()))
    }
}

/// Is given each object, with the place of the message that it answers.
type Heard<'a> = &'a mut dyn FnMut(usize, &[u8]);

impl Socket {
    /// Makes the requests in order, also after one that was refused; the answers are in the requests' order. They go in
    /// one write, or in several where the answers would not fit into the socket's buffer.
    pub fn ask(&self, requests: &[Request]) -> Vec<Objects> {
        let messages: Vec<_> = requests.iter().map(|request| request.alone(self.protocol())).collect();
        let mut answers = Vec::with_capacity(requests.len());
        let mut rest = &messages[..];
        while !rest.is_empty() {
            // The sizes of the buffers are not asked for when they do not matter.
            let count = if rest.len() == 1 { 1 } else { self.room().takes(rest) };
            let (burst, more) = rest.split_at(count);
            rest = more;
            let mut objects = vec![Vec::new(); burst.len()];
            let outcomes = self.converse(burst, &mut |at, object| objects[at].push(object.to_vec()));
            answers.extend(outcomes.into_iter().zip(objects).map(|(done, found)| done.end().map(|()| found)));
        }
        answers
    }

    /// One look-up.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn look_up(&self, request: &Request) -> Objects {
        self.ask(std::slice::from_ref(request)).pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Makes the changes in order, also after one that was refused.
    ///
    /// # Errors
    /// The first refusal.
    pub fn change(&self, requests: &[Request]) -> Result<(), Refused> {
        self.ask(requests).into_iter().try_for_each(|answer| answer.map(drop))
    }

    /// Sends the messages in one write and receives until all are answered; every object that comes is `heard`, with
    /// its message's place. Nothing else sends a request or waits for an answer.
    pub(crate) fn converse(&self, messages: &[Message<'_>], heard: Heard<'_>) -> Vec<Outcome> {
        let _asking = cni_trace::phase(self.protocol().phase());
        let first = self.number(messages.len());
        let mut outcomes: Vec<Outcome> = messages.iter().map(|_| Outcome::default()).collect();
        let is_list = messages.iter().any(|message| message.answer == Answered::List);
        let mut pending = messages.iter().filter(|message| message.answer != Answered::Silence).count();
        let asks = cni_trace::asks();
        let mut result = written(messages, first).and_then(|out| self.send(&out));
        while result.is_ok() && pending > 0 {
            result = self.receive(&mut |answer| {
                let at = answer.sequence().wrapping_sub(first) as usize;
                // Left over from a conversation that was broken off, or an event.
                let (Some(message), Some(outcome)) = (messages.get(at), outcomes.get_mut(at)) else {
                    return self.hear();
                };
                outcome.is_interrupted |= answer.is_interrupted();
                let end = match answer {
                    Answer::Object { body, .. } => {
                        heard(at, body);
                        if asks {
                            outcome.hear(body);
                        }
                        (message.answer == Answered::Object).then_some(Ok(()))
                    }
                    Answer::Done { errno: None, .. } => Some(Ok(())),
                    Answer::Done { errno: Some(errno), text, .. } => {
                        Some(Err(Refused { text: text.to_owned(), ..self.refused(message, errno) }))
                    }
                };
                if end.is_some() && outcome.end.is_none() {
                    outcome.end = end;
                    // The beginning of a batch is answered only to refuse all of it.
                    let is_beginning = at == 0 && message.answer == Answered::Silence;
                    pending = match message.answer {
                        _ if is_beginning => 0,
                        Answered::Silence => pending,
                        _ => pending - 1,
                    };
                }
            });
            if result == Err(Errno::EMSGSIZE) && is_list {
                outcomes[0].is_cut = true;
                result = Ok(());
            }
        }
        if let Err(errno) = result {
            let all = outcomes.iter_mut().zip(messages);
            for (outcome, message) in all.filter(|(_, message)| message.answer != Answered::Silence) {
                outcome.end.get_or_insert_with(|| Err(self.refused(message, errno)));
            }
        }
        if asks {
            self.note(messages, &outcomes);
        }
        outcomes
    }

    fn refused(&self, message: &Message<'_>, errno: Errno) -> Refused {
        Refused::new(self.protocol(), &message.request.doing, errno)
    }
}

/// What goes over the wire; `EMSGSIZE` when that cannot be said.
fn written(messages: &[Message<'_>], first: u32) -> nix::Result<Vec<u8>> {
    if messages.iter().any(|message| message.request.attrs.is_too_long()) {
        return Err(Errno::EMSGSIZE);
    }
    let mut out = Vec::with_capacity(256 * messages.len());
    for (sequence, message) in (first..).zip(messages) {
        message.put(&mut out, sequence);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::Attrs;
    use crate::{Precision, Protocol};

    /// `RTM_GETLINK`, `RTM_DELLINK`
    const GET: u16 = 18;
    const DELETE: u16 = 17;

    /// A socket whose receive buffer is as small as the kernel allows, or as it is by default.
    fn socket(small: bool) -> Socket {
        let socket = Socket::open(Protocol::Route).unwrap();
        if small {
            socket.shrink();
        }
        socket
    }

    fn request(kind: u16, index: u32) -> Request {
        let mut header = [0; 16];
        header[4..8].copy_from_slice(&index.to_ne_bytes());
        Request::new(format!("{kind} link {index}"), kind, 0, Attrs::behind(&header))
    }

    #[test]
    fn the_answers_of_a_burst_fit_into_any_buffer() {
        for small in [false, true] {
            let socket = socket(small);
            let mut requests = vec![request(GET, 1); 700];
            requests.extend(vec![request(DELETE, 0x7fff_fff0); 1500]);
            let answers = socket.ask(&requests);
            assert_eq!(answers.len(), requests.len());
            for (n, answer) in answers.iter().enumerate() {
                match answer {
                    Ok(objects) => assert!(n < 700 && objects.len() == 1, "{n}"),
                    // Refused for the link, or to an unprivileged user.
                    Err(refused) => {
                        assert!(
                            n >= 700 && [Errno::ENODEV, Errno::EPERM].contains(&refused.errno),
                            "{n}: {refused:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn an_attribute_that_is_too_long_is_not_sent() {
        let mut attrs = Attrs::behind(&[0; 16]);
        attrs.nest(1, |list| (0..3).for_each(|_| list.bytes(1, &[0; 30_000])));
        let changes = [Request::new("set something long", DELETE, 0, attrs)];
        let socket = socket(false);
        assert_eq!(socket.change(&changes).unwrap_err().errno, Errno::EMSGSIZE);
        assert_eq!(socket.commit(10, &changes, None).unwrap_err().errno, Errno::EMSGSIZE);
        assert_eq!(socket.received(), 0);
    }

    #[test]
    fn a_list_is_whole_in_any_buffer() {
        for precision in [Precision::Exact, Precision::Rough] {
            let found = socket(true).list(&request(GET, 0), precision, |link| Some(link.to_vec()));
            assert!(!found.unwrap().is_empty());
        }
    }

    #[test]
    fn an_object_larger_than_the_buffer_is_listed() {
        let list = |socket: &Socket, precision| {
            socket.list(&request(GET, 0), precision, |link| Some(link[4..8].to_vec())).unwrap()
        };
        let all = list(&socket(false), Precision::Exact);
        assert!(!all.is_empty());
        for precision in [Precision::Exact, Precision::Rough] {
            let small = socket(false);
            small.shrink_buffer();
            assert_eq!(list(&small, precision), all);
        }
    }
}
