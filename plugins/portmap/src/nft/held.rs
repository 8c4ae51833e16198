//! Reading elements from the kernel.

use cni_filter::nft::{ByPrefix, Element, ElementState, Set, Socket};
use cni_types::Result;

use super::element::{HeldElement, Place};
use super::map::Map;
use super::names::{SOURCES, TABLE};
use super::plan::Plan;
use crate::mapping::Ports;

/// Up to how many ports are asked for one by one; from there on the maps are listed.
const ASKED_MAX: usize = 64;

/// The elements at the plan's ports and sources, whoever owns them.
pub(super) fn of_plan(socket: &Socket, sets: &[String], plan: &Plan) -> Result<Vec<HeldElement>> {
    let is_the_plans = |map: &Map| map.family == plan.family() && map.class == plan.class_name();
    let maps: Vec<Map> = Map::among(sets).filter(is_the_plans).collect();
    let count: usize = plan.ports.iter().map(|(ports, _)| usize::from(ports.last - ports.first) + 1).sum();
    let mut held = Vec::new();
    if count > ASKED_MAX {
        for map in maps {
            held.extend(list_map(socket, &map, &|_| true)?);
        }
    } else {
        held.extend(ask_ports(socket, &maps, plan)?);
    }
    for network in &plan.sources {
        let set = ByPrefix::of(SOURCES, *network);
        if sets.contains(&set.name()) {
            let key = ByPrefix::key(plan.container, *network);
            let find = Element::new(&key).find(Set { table: TABLE, name: &set.name() });
            for answer in socket.ask(&[find])?.iter().flatten() {
                held.extend(Element::read(answer).filter_map(|element| read_source(set, &element)));
            }
        }
    }
    Ok(held)
}

fn ask_ports(socket: &Socket, maps: &[Map], plan: &Plan) -> Result<Vec<HeldElement>> {
    let mut asked = Vec::new();
    for map in maps {
        let name = map.name();
        for (ports, _) in plan.ports.iter().filter(|(ports, _)| ports.host_ip.is_some() == map.by_host_ip) {
            for port in ports.first..=ports.last {
                asked.push((map, Element::new(&ports.key(port)).find(Set { table: TABLE, name: &name })));
            }
        }
    }
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let requests: Vec<_> = asked.iter().map(|(_, request)| request.clone()).collect();
    let mut held: Vec<HeldElement> = Vec::new();
    for ((map, _), answer) in asked.iter().zip(socket.ask(&requests)?) {
        let Some(answer) = answer else { continue };
        for element in Element::read(&answer) {
            let found = read_port(map, &element);
            held.extend(found.filter(|found| !held.iter().any(|other| other.place == found.place)));
        }
    }
    Ok(held)
}

/// All elements whose comment satisfies `matches`.
pub(super) fn list(
    socket: &Socket,
    sets: &[String],
    matches: &dyn Fn(&str) -> bool,
) -> Result<Vec<HeldElement>> {
    if socket.gathers() {
        let all = socket.look(SOURCES, || list_matching(socket, sets, &|_| true))?;
        return Ok(all.iter().filter(|held| matches(&held.comment)).cloned().collect());
    }
    list_matching(socket, sets, matches)
}

fn list_matching(
    socket: &Socket,
    sets: &[String],
    matches: &dyn Fn(&str) -> bool,
) -> Result<Vec<HeldElement>> {
    let mut held = Vec::new();
    for name in sets {
        if let Some(map) = Map::parse(name) {
            held.extend(list_map(socket, &map, matches)?);
        } else if let Some(set) = ByPrefix::parse(SOURCES, name) {
            for answer in socket.dump(&Element::list(Set { table: TABLE, name }))?.iter() {
                let elements = Element::read(answer).filter(|e| matches(e.comment.unwrap_or_default()));
                held.extend(elements.filter_map(|element| read_source(set, &element)));
            }
        }
    }
    Ok(held)
}

fn list_map(socket: &Socket, map: &Map, matches: &dyn Fn(&str) -> bool) -> Result<Vec<HeldElement>> {
    let mut held = Vec::new();
    for answer in socket.dump(&Element::list(Set { table: TABLE, name: &map.name() }))?.iter() {
        let elements = Element::read(answer).filter(|e| matches(e.comment.unwrap_or_default()));
        held.extend(elements.filter_map(|element| read_port(map, &element)));
    }
    Ok(held)
}

fn read_port(map: &Map, element: &ElementState<'_>) -> Option<HeldElement> {
    let ports = Ports::read(map, element.key, element.last)?;
    Some(held(Place::Port(map.clone(), ports), element))
}

fn read_source(set: ByPrefix, element: &ElementState<'_>) -> Option<HeldElement> {
    Some(held(Place::Source(set, element.key.to_vec()), element))
}

fn held(place: Place, element: &ElementState<'_>) -> HeldElement {
    let value = element.value.unwrap_or_default().to_vec();
    HeldElement { place, value, comment: element.comment.unwrap_or_default().to_owned() }
}
