//! A pod's life on the node, and what a runtime does.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Instant;

use cni_tests::{Chain, Container, DhcpServer, Host, Outcome, Place, SEGMENT, Service};
use serde_json::{Value, json};

use crate::books::Books;
use crate::chance::Chance;
use crate::network;
use crate::spent::Spent;

/// Pods that stay while others come and go.
const LIVING: usize = 100;

/// A pod that is there.
pub(crate) struct Pod {
    pub(crate) container: Container,
    pub(crate) network: usize,
    pub(crate) chain: Chain,
    pub(crate) result: Value,
}

/// The node, its runtime, and what they remember.
pub(crate) struct Node<'h> {
    pub(crate) host: &'h Host,
    pub(crate) networks: Vec<Value>,
    pub(crate) daemon: Option<Service>,
    _server: DhcpServer,
    pub(crate) books: Books,
    pub(crate) spent: Spent,
    pub(crate) living: VecDeque<Pod>,
    /// Ids of containers that are gone without a DEL.
    pub(crate) lost: Mutex<Vec<String>>,
}

/// An end that a plugin meets: none, or a kill by this many ms after its start.
type Kill = Option<(usize, String)>;

impl<'h> Node<'h> {
    pub(crate) fn new(host: &'h Host) -> Self {
        let server = host.machine("server", "10.77.0.1/16");
        // One in fifty is lost with its lease, which nobody can give back for it: there are addresses for all of them.
        let keys = json!({
            "valid-lifetime": 36_000, "renew-timer": 18_000, "rebind-timer": 30_000,
            "subnet4": [{ "id": 1, "subnet": "10.77.0.0/16", "pools": [{ "pool": "10.77.0.10 - 10.77.255.250" }] }],
            "loggers": [{ "name": "kea-dhcp4", "severity": "INFO",
                "output_options": [{ "output": "stdout", "flush": true, "pattern": "%m\n" }] }],
        });
        let server = DhcpServer::kea(&server, 0, &keys);
        host.run("ip link add uplink type veth peer name port-uplink");
        host.run(&format!("ip link set port-uplink master {SEGMENT} up"));
        host.run("ip link set uplink up");
        host.sh(&format!(
            "mkdir -p {0} /run/flannel && mount -t tmpfs -o size=2m tmpfs {0}",
            network::SMALL_DISK
        ));
        std::fs::write("/run/flannel/subnet.env", network::SUBNET_ENV).unwrap();
        Self {
            host,
            networks: network::all(),
            daemon: Some(host.dhcp_daemon(&[])),
            _server: server,
            books: Books::default(),
            spent: Spent::default(),
            living: VecDeque::new(),
            lost: Mutex::default(),
        }
    }

    /// One whole life; who lives on is put to the living, and where those are many the oldest ends instead.
    pub(crate) fn live(&self, n: usize, chance: &mut Chance, living: &Mutex<VecDeque<Pod>>) {
        let network = chance.below(self.networks.len());
        let list = &self.networks[network];
        let chain = network::chain(list, n);
        let container = self.host.container(&format!("pod{n}"));
        let killed = network::survives_kills(list) && chance.once_in(6);
        if killed {
            let (at, after) = (chance.below(chain.types().len()), chance.below(60));
            if let Some(result) = self.add(&chain, &container, &Some((at, format!("0.{after:04}")))) {
                self.books.take(list["name"].as_str().unwrap(), &result, container.id());
                self.books.give(container.id());
            }
            self.del(&chain, &container, None, &None);
        }
        // Until as many live as ever, an ADD costs less than later ones.
        let is_full = living.lock().unwrap().len() == LIVING;
        let started = Instant::now();
        let result = self.add(&chain, &container, &None).expect("nobody kills it");
        if is_full && !killed {
            self.spent.on_add(n, network, started.elapsed());
        }
        self.books.take(list["name"].as_str().unwrap(), &result, container.id());
        let pod = Pod { container, network, chain, result };
        if chance.once_in(4) {
            self.check(&pod);
        }
        match chance.below(8) {
            0 => {
                pod.container.remove_netns();
                self.lost.lock().unwrap().push(pod.container.id().to_owned());
            }
            1 if network::survives_kills(list) => {
                self.books.give(pod.container.id());
                let kill =
                    Some((chance.below(pod.chain.types().len()), format!("0.{:04}", chance.below(60))));
                self.del(&pod.chain, &pod.container, Some(&pod.result), &kill);
                self.end(&pod);
            }
            2 | 3 => {
                let mut living = living.lock().unwrap();
                living.push_back(pod);
                let oldest = if living.len() > LIVING { living.pop_front() } else { None };
                drop(living);
                oldest.iter().for_each(|oldest| self.end(oldest));
            }
            _ => self.end(&pod),
        }
    }

    /// ADD of a chain; nothing when a plugin was killed.
    fn add(&self, chain: &Chain, pod: &Container, kill: &Kill) -> Option<Value> {
        let started = Instant::now();
        let mut result: Option<Value> = None;
        for (n, (name, conf)) in chain.plugins().iter().enumerate() {
            let conf = result.iter().fold(conf.clone(), cni_tests::Conf::prev);
            let outcome = answered(|| self.plugin(name, kill, n).add(&conf, pod, "eth0"));
            if self.was_killed(&outcome) {
                return None;
            }
            result = Some(outcome.result());
        }
        self.spent.on("ADD", started.elapsed());
        result
    }

    /// DEL of a chain, to its end or the first kill.
    fn del(&self, chain: &Chain, pod: &Container, result: Option<&Value>, kill: &Kill) {
        let started = Instant::now();
        for (n, (name, conf)) in chain.plugins().iter().enumerate().rev() {
            let conf = result.into_iter().fold(conf.clone(), cni_tests::Conf::prev);
            let outcome = answered(|| self.plugin(name, kill, n).del(&conf, pod, "eth0"));
            if self.was_killed(&outcome) {
                return;
            }
            outcome.done();
        }
        self.spent.on("DEL", started.elapsed());
    }

    fn was_killed(&self, outcome: &Outcome) -> bool {
        let killed = outcome.exit.is_none_or(|exit| exit == 128 + 9);
        if killed {
            self.spent.on_kill();
        }
        killed
    }

    fn plugin(&self, name: &str, kill: &Kill, n: usize) -> cni_tests::Call {
        let call = self.host.plugin(name);
        match kill {
            Some((at, after)) if *at == n => call.under(&["timeout", "-s", "KILL", after]),
            _ => call,
        }
    }

    fn check(&self, pod: &Pod) {
        let started = Instant::now();
        for (name, conf) in pod.chain.plugins() {
            let conf = conf.clone().prev(&pod.result);
            answered(|| self.host.plugin(name).check(&conf, &pod.container, "eth0")).done();
        }
        self.spent.on("CHECK", started.elapsed());
    }

    /// A pod's end as it should be.
    pub(crate) fn end(&self, pod: &Pod) {
        self.books.give(pod.container.id());
        self.del(&pod.chain, &pod.container, Some(&pod.result), &None);
        assert!(pod.container.find_link("eth0").is_none(), "{} has its link", pod.container.id());
        pod.container.remove_netns();
    }

    /// GC of every network: who lives stays, who was lost goes.
    pub(crate) fn gc(&self) {
        for id in self.lost.lock().unwrap().drain(..) {
            self.books.give(&id);
        }
        for (network, list) in self.networks.iter().enumerate() {
            let started = Instant::now();
            let own = self.living.iter().filter(|pod| pod.network == network);
            let valid: Vec<_> = own.map(|pod| (&pod.container, "eth0")).collect();
            for (name, conf) in Chain::new(list).plugins() {
                answered(|| self.host.plugin(name).gc(conf, &valid)).done();
            }
            self.spent.on("GC", started.elapsed());
        }
    }

    /// Everybody goes.
    pub(crate) fn end_all(&mut self) {
        let pods: Vec<_> = std::mem::take(&mut self.living).into();
        std::thread::scope(|scope| {
            for pods in pods.chunks(pods.len().div_ceil(8).max(1)) {
                scope.spawn(|| pods.iter().for_each(|pod| self.end(pod)));
            }
        });
        self.gc();
        assert_eq!(self.books.len(), 0);
    }

    /// One pod of each network comes and goes: what stays for good is there.
    pub(crate) fn one_of_each(&self, id: &str) {
        for (n, list) in self.networks.iter().enumerate() {
            let (chain, container) = (network::chain(list, n), self.host.container(&format!("{id}{n}")));
            let result = self.add(&chain, &container, &None).expect("nobody kills it");
            self.end(&Pod { container, network: n, chain, result });
        }
        self.gc();
    }
}

/// What a runtime does: error 11 says to try again. Anything else is the answer.
pub(crate) fn answered(call: impl Fn() -> Outcome) -> Outcome {
    loop {
        let outcome = call();
        if outcome.exit != Some(1) || outcome.error().code != 11 {
            return outcome;
        }
    }
}
