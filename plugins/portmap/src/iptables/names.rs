//! What the chains of the layout are called.

pub(super) const SET_MARK: &str = "CNI-HOSTPORT-SETMARK";
pub(super) const MASQ: &str = "CNI-HOSTPORT-MASQ";
pub(super) const DNAT: &str = "CNI-HOSTPORT-DNAT";
/// The jumps to it: what is sent to an address of the host.
pub(super) const OF_THE_HOST: [&str; 6] = ["-m", "addrtype", "--dst-type", "LOCAL", "-j", DNAT];
/// Where releases before 0.7 had rules of their own; removed, never made.
pub(super) const SNAT: &str = "CNI-HOSTPORT-SNAT";
/// What the name of every chain of a container starts with; its hash makes 28 characters of it.
pub(super) const CHAIN: &str = "CNI-DN-";
