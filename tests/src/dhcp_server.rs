//! Real DHCP servers on a segment of the test's own. What they log and the leases they keep are the oracle.

mod lease;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

pub use lease::ServerLease;

use crate::{Container, Host, LIMIT, Place, Service, file_events};

/// The bridge that is the segment: machines, bridge ports and masters of macvlans are on it.
pub const SEGMENT: &str = "br0";

impl Host {
    /// Makes the segment. Its address does not change with its ports, which CHECK of plugin `bridge` would note.
    pub fn ensure_segment(&self) {
        if self.find_link(SEGMENT).is_none() {
            self.run(&format!("ip link add {SEGMENT} address 02:00:00:00:77:01 type bridge"));
            self.run(&format!("ip link set {SEGMENT} up"));
        }
    }

    /// Another machine on the segment [`SEGMENT`]: its `eth0` has `address`.
    pub fn machine(&self, name: &str, address: &str) -> Container {
        self.ensure_segment();
        let machine = self.container(name);
        self.run(&format!("ip link add port-{name} type veth peer name eth0 netns {name}"));
        self.run(&format!("ip link set port-{name} master {SEGMENT} up"));
        machine.sh(&format!("ip link set lo up; ip address add {address} dev eth0; ip link set eth0 up"));
        // Kea takes no interface that is not running, which the kernel finds out a moment later.
        let start = Instant::now();
        while machine.link("eth0")["operstate"] != "UP" {
            assert!(start.elapsed() < LIMIT, "{:?}", machine.link("eth0"));
        }
        machine
    }
}

/// A running DHCP server.
#[derive(Debug)]
pub struct DhcpServer {
    /// Its process, and its log: see [`DhcpServer::received`].
    pub service: Service,
    kind: Kind,
    leases: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dnsmasq,
    Kea,
}

impl DhcpServer {
    /// dnsmasq on the machine, with addresses `.10` to `.250` of its network 10.77.`net`.0/24 for two minutes, the
    /// least it can, and `options` of its command line. It keeps its leases when it is started again.
    pub fn dnsmasq(machine: &Container, net: u8, options: &[&str]) -> Self {
        let leases = Self::directory(machine).join("dnsmasq.leases");
        let mut command = machine.command("dnsmasq");
        command.args([
            // It stays in front, logs to stderr, and stays root: in a user namespace there may be nobody else.
            "--no-daemon",
            "--conf-file=/dev/null",
            "--port=0",
            "--pid-file=",
        ]);
        command.args(["--log-facility=/dev/null", "--log-dhcp", "--no-ping", "--no-hosts", "--no-resolv"]);
        command.arg(format!("--dhcp-leasefile={}", leases.display()));
        let range = format!("--dhcp-range=10.77.{net}.10,10.77.{net}.250,120");
        if !options.iter().any(|option| option.starts_with("--dhcp-range")) {
            command.arg(range);
        }
        let service = Service::start(command.args(options));
        service.line(&["DHCP, "]);
        Self { service, kind: Kind::Dnsmasq, leases }
    }

    /// Kea on the machine, with addresses `.10` to `.250` of its network 10.77.`net`.0/24. `keys` replace or add to the
    /// object `Dhcp4` of its configuration. It keeps its leases when it is started again.
    pub fn kea(machine: &Container, net: u8, keys: &Value) -> Self {
        let directory = Self::directory(machine);
        let leases = directory.join("kea.csv");
        let logger = |name: &str, severity: &str| {
            json!({
                "name": name, "severity": severity, "debuglevel": 55,
                "output_options": [{ "output": "stdout", "flush": true, "pattern": "%m\n" }],
            })
        };
        let mut conf = json!({
            "interfaces-config": { "interfaces": ["eth0"], "dhcp-socket-type": "raw" },
            "lease-database": { "type": "memfile", "name": leases, "lfc-interval": 0 },
            "valid-lifetime": 3600,
            "subnet4": [{
                "id": 1, "subnet": format!("10.77.{net}.0/24"),
                "pools": [{ "pool": format!("10.77.{net}.10 - 10.77.{net}.250") }],
            }],
            "loggers": [logger("kea-dhcp4", "INFO"), logger("kea-dhcp4.packets", "DEBUG")],
        });
        for (key, value) in keys.as_object().expect("an object") {
            conf[key] = value.clone();
        }
        let file = directory.join("kea.json");
        fs::write(&file, json!({ "Dhcp4": conf }).to_string()).unwrap();
        let mut command = machine.command("kea-dhcp4");
        command.env("KEA_LOCKFILE_DIR", &directory).env("KEA_PIDFILE_DIR", &directory);
        let service = Service::start(command.arg("-c").arg(file));
        service.line(&["DHCP4_STARTED"]);
        Self { service, kind: Kind::Kea, leases }
    }

    fn directory(machine: &Container) -> PathBuf {
        let directory = Path::new("/run/dhcp-servers").join(machine.id());
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    /// How many messages of a kind, for example `DHCPREQUEST`, have come from clients so far.
    pub fn received(&self, kind: &str) -> usize {
        self.service.count(&self.parts(kind))
    }

    /// Waits for the `n`th message of a kind from clients, counted from 1; the line that notes it.
    pub fn nth_received(&self, n: usize, kind: &str) -> String {
        self.service.nth_line(n, &self.parts(kind))
    }

    fn parts<'a>(&self, kind: &'a str) -> [&'a str; 2] {
        // dnsmasq: `DHCPREQUEST(eth0) 10.77.0.10 …`; Kea: `DHCPREQUEST (type 3) received from 0.0.0.0 to …`.
        match self.kind {
            Kind::Dnsmasq => [kind, "(eth0)"],
            Kind::Kea => [kind, "received from"],
        }
    }

    /// The leases that clients hold, by address.
    pub fn leases(&self) -> BTreeMap<Ipv4Addr, ServerLease> {
        let text = fs::read_to_string(&self.leases).unwrap_or_default();
        let mut held = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())) {
            match self.kind {
                Kind::Dnsmasq => lease::read_dnsmasq(line, &mut held),
                Kind::Kea => lease::read_kea(line, &mut held),
            }
        }
        held
    }

    /// The addresses that clients hold, as texts.
    pub fn addresses(&self) -> Vec<String> {
        self.leases().keys().map(Ipv4Addr::to_string).collect()
    }

    /// Waits until clients hold just these addresses: a server logs what it does before it writes it down.
    ///
    /// # Panics
    /// When that does not come within [`LIMIT`].
    pub fn holds(&self, addresses: &[&str]) {
        let expected: BTreeSet<Ipv4Addr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        let seen = file_events::wait_until(&self.leases, || {
            let held: BTreeSet<_> = self.leases().into_keys().collect();
            if held == expected { Ok(()) } else { Err(held) }
        });
        seen.unwrap_or_else(|held| panic!("expected {addresses:?}, the server has {held:?}"));
    }

    /// Waits until clients hold this many addresses.
    ///
    /// # Panics
    /// When that does not come within [`LIMIT`].
    pub fn holds_count(&self, count: usize) {
        let seen = file_events::wait_until(&self.leases, || {
            let held = self.leases().len();
            if held == count { Ok(()) } else { Err(held) }
        });
        seen.unwrap_or_else(|held| panic!("expected {count} leases, the server has {held}"));
    }

    /// Its file of leases.
    pub fn file(&self) -> &Path {
        &self.leases
    }

    /// Ends it; its leases stay in its file.
    pub fn stop(self) {
        self.service.end("TERM");
    }
}
