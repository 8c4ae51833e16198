//! Where packets leave by.

use std::io;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAttribute, RouteHeader, RouteMessage};
use rtnetlink::packet_core::Parseable;

use super::conversation::{Answers, Conversation};

/// The links of this namespace's default routes in the main table, each once, the preferred first.
///
/// # Errors
/// The kernel's.
pub(crate) fn default_links() -> io::Result<Vec<u32>> {
    let mut answers = Answers::new();
    let question = RouteNetlinkMessage::GetRoute(RouteMessage::default());
    let routes = Conversation::open(&mut answers)?.list(&question, |message| {
        is_default(&RouteHeader::parse(message)?).then(|| RouteMessage::parse(message)).transpose()
    })?;
    let mut found: Vec<(u32, u32)> = routes.into_iter().flatten().flat_map(links).collect();
    found.sort_unstable();
    let mut links: Vec<u32> = Vec::new();
    for (_, link) in found {
        if !links.contains(&link) {
            links.push(link);
        }
    }
    Ok(links)
}

fn is_default(route: &RouteHeader) -> bool {
    route.destination_prefix_length == 0 && route.table == RouteHeader::RT_TABLE_MAIN
}

/// With the metric in front; a route may have several next hops.
fn links(route: RouteMessage) -> Vec<(u32, u32)> {
    let metric = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Priority(metric) => Some(*metric),
        _ => None,
    });
    let metric = metric.unwrap_or_default();
    let of_attribute = |attribute: &RouteAttribute| match attribute {
        RouteAttribute::Oif(link) => vec![(metric, *link)],
        RouteAttribute::MultiPath(hops) => hops.iter().map(|hop| (metric, hop.interface_index)).collect(),
        _ => Vec::new(),
    };
    route.attributes.iter().flat_map(of_attribute).collect()
}
