//! A host between a pod and somebody outside.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::traffic;
use crate::place::{Place, sh};

/// The host, and who is outside.
const HOST: &str = "192.0.2.1";
const OUTSIDE: &str = "192.0.2.2";
/// Where every server listens.
pub(super) const PORT: u16 = 80;

/// Three machines in a row: outside, host, pod. The pod is attached by plugins.
pub(super) struct Site {
    pub(super) outside: Place,
    pub(super) host: Place,
    pub(super) pod: Place,
    /// Part of the names of what belongs to it.
    pub(super) name: String,
}

impl Site {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("path-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let place = |kind: &str| format!("{name}-{kind}");
        let host = Place::host(&place("host"));
        let outside = Place::new(&place("outside"));
        host.enter(|| {
            let far = place("outside");
            sh(&format!(
                "ip link add wan up type veth peer name eth0 netns {far}; ip address add {HOST}/24 dev wan"
            ));
        });
        outside.enter(|| {
            sh(&format!("ip address add {OUTSIDE}/24 dev eth0; ip link set eth0 up"));
        });
        Self { outside, host, pod: Place::new(&place("pod")), name }
    }

    /// From the pod to a server outside, which has no route to the pod: masquerade is needed.
    pub(super) fn out(self, others: Vec<Place>) -> Way {
        serve(&self.outside);
        let stay = others.into_iter().chain([self.outside, self.host]).collect();
        Way { to: address(OUTSIDE, PORT), from: self.pod, _stay: stay }
    }

    /// From outside to a server in the pod, which has this address there.
    pub(super) fn into_pod(self, to: SocketAddr) -> Way {
        self.outside.enter(|| sh(&format!("ip route add default via {HOST}")));
        serve(&self.pod);
        Way { to, from: self.outside, _stay: vec![self.pod, self.host] }
    }

    /// A port of the host.
    pub(super) fn host_port(port: u16) -> SocketAddr {
        address(HOST, port)
    }
}

pub(super) fn address(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), port)
}

/// From where to where packets go.
pub(super) struct Way {
    pub(super) from: Place,
    pub(super) to: SocketAddr,
    /// What is between, and beside.
    _stay: Vec<Place>,
}

/// A server in the namespace, as long as the benchmark runs.
fn serve(place: &Place) {
    let listener = place.enter(|| TcpListener::bind(("0.0.0.0", PORT)).unwrap());
    thread::spawn(move || traffic::serve(&listener));
}
