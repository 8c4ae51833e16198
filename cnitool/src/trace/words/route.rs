//! Messages of rtnetlink (`linux/rtnetlink.h`) in the words of iproute2.

mod link;
mod place;
mod said;

use super::links::Links;
use super::message::Message;
use said::Said;

/// `None` for what has no words.
pub(super) fn words(message: &Message<'_>, inside: bool, links: &Links) -> Option<String> {
    let said = Said { message, inside, links };
    match message.kind {
        16..=19 => link::words(&said),
        20..=22 => place::address(&said),
        24..=26 => place::route(&said),
        28..=30 => place::neighbour(&said),
        32..=34 => place::rule(&said),
        36..=38 => place::qdisc(&said),
        _ => None,
    }
}
