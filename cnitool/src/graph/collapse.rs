//! Many containers as one item, so that a picture of three hundred is as readable as one of three.

use super::item::{Item, Kind};

/// Up to how many containers of one network below one item are shown singly.
const FEW: usize = 20;
/// How many in trouble are shown singly, however many there are.
const TROUBLED: usize = 10;

/// The same with the containers of a large network as one item, but for those in trouble.
pub(super) fn collapsed(items: Vec<Item>) -> Vec<Item> {
    let mut networks: Vec<String> = items.iter().filter_map(network_of).collect();
    networks.sort();
    networks.dedup();
    let is_large =
        |name: &String| items.iter().filter(|i| network_of(i).as_ref() == Some(name)).count() > FEW;
    let large: Vec<String> = networks.into_iter().filter(is_large).collect();
    let (of_large, mut rest): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|item| network_of(item).is_some_and(|name| large.contains(&name)));
    for item in &mut rest {
        item.below = collapsed(std::mem::take(&mut item.below));
    }
    for name in large {
        let all = of_large.iter().filter(|item| network_of(item).as_ref() == Some(&name));
        let (troubled, good): (Vec<_>, Vec<_>) = all.cloned().partition(Item::is_in_trouble);
        rest.extend((!good.is_empty()).then(|| many(&name, &good, "ok")));
        let more = troubled.len().saturating_sub(TROUBLED);
        rest.extend(troubled.iter().take(TROUBLED).cloned());
        if more > 0 {
            let mut item = many(&name, &troubled[TROUBLED..], "more");
            item.trouble = Some("as cnitool ls says".into());
            rest.push(item);
        }
    }
    rest
}

/// Of a container, and of a link with a single one.
fn network_of(item: &Item) -> Option<String> {
    match (item.kind, item.below.as_slice()) {
        (Kind::Container, _) => item.network.clone(),
        (Kind::Link, [container]) => container.network.clone(),
        _ => None,
    }
}

fn many(network: &str, items: &[Item], what: &str) -> Item {
    let mut item = Item::new(Kind::Containers, format!("{} containers of {network}, {what}", items.len()));
    let containers = items.iter().map(|item| item.below.first().unwrap_or(item));
    let notes: Vec<&String> = containers.flat_map(|container| &container.notes).collect();
    let ports = notes.iter().filter(|note| note.starts_with("port ")).count();
    item.notes.extend((ports > 0).then(|| format!("mapped ports: {ports}")));
    let limited =
        items.iter().filter(|item| item.notes.iter().any(|note| note.starts_with("limits:"))).count();
    item.notes.extend((limited > 0).then(|| format!("with limits: {limited}")));
    item.network = Some(network.to_owned());
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(count: usize, troubled: usize) -> Vec<Item> {
        let pod = |at| {
            let mut item = Item::new(Kind::Container, format!("pod{at}"));
            item.network = Some("web".into());
            item.trouble = (at < troubled).then(|| "leaked".to_owned());
            item
        };
        (0..count).map(pod).collect()
    }

    #[test]
    fn few_stay_and_many_are_one_beside_those_in_trouble() {
        assert_eq!(collapsed(pods(FEW, 1)), pods(FEW, 1));
        let titles = |items: Vec<Item>| items.into_iter().map(|item| item.title).collect::<Vec<_>>();
        assert_eq!(titles(collapsed(pods(300, 1))), ["299 containers of web, ok", "pod0"]);
        let all_bad = titles(collapsed(pods(300, 300)));
        assert_eq!(all_bad.len(), TROUBLED + 1);
        assert_eq!(all_bad[TROUBLED], "290 containers of web, more");
    }
}
