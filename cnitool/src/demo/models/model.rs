//! The ways that clusters are wired.

/// How pods of different nodes reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// flannel over VXLAN: the wire sees the nodes' addresses only.
    Overlay,
    /// flannel host-gw: each node is the router of its pods.
    Routed,
    /// macvlan and ipvlan on a VLAN: the pods are on the wire themselves.
    Underlay,
}

impl Model {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Overlay, Self::Routed, Self::Underlay];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Routed => "routed",
            Self::Underlay => "underlay",
        }
    }
}
