//! The report's tables and lines.

use std::net::IpAddr;
use std::time::Duration;

use cni_types::{CniResult, Error, Family, IfName, Result, SpecVersion};

use super::item::{self, Item};
use super::report::{Paint, Report};
use super::source::Source;
use super::world::World;

pub(super) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// What is going to be played.
pub(super) fn opening(report: &Report, source: &Source, version: SpecVersion, world: &World) {
    let title = report.paint(Paint::Bold, "cnitool demo");
    report.line(format!("{title}  three containers on one network, in namespaces of its own"));
    report.line("");
    let plugins: Vec<&str> = source.plugins.iter().map(|plugin| plugin.as_str()).collect();
    let dirs: Vec<String> = source.bin.iter().map(|dir| dir.display().to_string()).collect();
    report.labelled("plugins", &format!("{} from {}", plugins.join(", "), dirs.join(":")), None);
    report.labelled("network", &format!("{} (cniVersion {version})", source.list.name), None);
    let addresses = |ips: [IpAddr; 2]| format!("{} and {}", ips[0], ips[1]);
    report.labelled("host", &addresses(world.host), None);
    report.labelled("outside", &addresses(world.outside), None);
}

pub(super) fn attachments_heading(report: &Report) {
    report.heading("ADD", "  the first one also makes what the network shares");
    let columns = format!(
        "  {:<11}{:<8}{:<17}{:<15}{:<19}{:>8}",
        "container", "ifname", "IPv4, IPv6", "gateway", "MAC", "ADD time"
    );
    report.line(report.paint(Paint::Dim, &columns));
}

/// One container: a line per address, the rest on the first.
pub(super) fn attachment(report: &Report, name: &str, ifname: &IfName, result: &CniResult, took: Duration) {
    let inside = result.interfaces.iter().find(|i| !i.sandbox.is_empty() && i.name == ifname.as_str());
    let mac = inside.map(|interface| interface.mac.as_str()).unwrap_or_default();
    let text = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
    let addresses: Vec<(String, String)> =
        result.ips.iter().map(|ip| (ip.address.to_string(), text(ip.gateway))).collect();
    let (address, gateway) = addresses.first().cloned().unwrap_or_default();
    let ifname = ifname.as_str();
    report
        .line(format!("  {name:<11}{ifname:<8}{address:<17}{gateway:<15}{mac:<19}{:>8}", milliseconds(took)));
    for (address, gateway) in addresses.iter().skip(1) {
        report.line(format!("  {:<19}{address:<17}{gateway}", "").trim_end());
    }
}

pub(super) fn pings_heading(report: &Report, count: u16) {
    report.heading("ping", &format!("  round trip, median of {count}"));
    let columns = format!("  {:<18}{:>10}  {:>10}    {}", "", "IPv4", "IPv6", "source the outside saw");
    report.line(report.paint(Paint::Dim, &columns));
}

/// One row: both families, and for the outside what it saw.
pub(super) struct Pings {
    what: String,
    times: [Option<Duration>; 2],
    seen: Vec<String>,
    failures: Vec<Error>,
}

impl Pings {
    pub(super) fn new(from: &str, to: &str) -> Self {
        Self { what: format!("{from} -> {to}"), times: [None; 2], seen: Vec::new(), failures: Vec::new() }
    }

    pub(super) fn measured(&mut self, family: Family, outcome: Result<Duration>) {
        match outcome {
            Ok(time) => self.times[family] = Some(time),
            Err(error) => self.failures.push(error),
        }
    }

    pub(super) fn seen(&mut self, outcome: Result<IpAddr>) {
        match outcome {
            Ok(ip) => self.seen.push(ip.to_string()),
            Err(error) => self.failures.push(error),
        }
    }

    /// Nothing was there to reach: no row.
    pub(super) fn is_empty(&self) -> bool {
        self.times == [None; 2] && self.failures.is_empty()
    }

    pub(super) fn show(&self, report: &mut Report) {
        let cell = |time: Option<Duration>| {
            time.map_or_else(|| "-".to_owned(), |time| format!("{:.3} ms", time.as_secs_f64() * 1e3))
        };
        let [v4, v6] = self.times.map(cell);
        let row = format!("  {:<18}{v4:>10}  {v6:>10}    {}", self.what, self.seen.join(", "));
        report.line(row.trim_end());
        for error in &self.failures {
            report.failed_above(error);
        }
    }
}

/// After the last DEL: what of the containers is left, and what the network keeps.
pub(super) fn left(report: &mut Report, of_containers: &[Item], of_network: &[Item]) {
    report.heading("Left of the containers", "  as the kernel and the file system say");
    let on_disk = |item: &&Item| matches!(item, Item::File(..) | Item::Dir(_));
    let (disk, kernel): (Vec<&Item>, Vec<&Item>) = of_containers.iter().partition(on_disk);
    for (place, items, kinds) in [
        ("kernel", kernel, "no link, address, route, packet filter rule or set element"),
        ("disk", disk, "no reservation, no cached result"),
    ] {
        let items: Vec<Item> = items.into_iter().cloned().collect();
        if items.is_empty() {
            report.labelled(place, &format!("nothing: {kinds}"), Some(Paint::Good));
        } else {
            report.failed(place, &Error::check(format!("left behind: {}", item::describe(&items))));
        }
    }
    let shared = item::describe(of_network);
    if !shared.is_empty() {
        report.labelled(
            "shared",
            &format!("kept for the network's next container: {shared}"),
            Some(Paint::Dim),
        );
    }
}

/// After the network is removed too.
pub(super) fn left_at_the_end(report: &mut Report, rest: &[Item]) {
    if rest.is_empty() {
        report.labelled(
            "removed",
            "the shared part too; left in the kernel and on disk: nothing",
            Some(Paint::Good),
        );
    } else {
        report.failed("removed", &Error::check(format!("still there: {}", item::describe(rest))));
    }
}
