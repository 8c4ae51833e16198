//! Whether an ADD would succeed.

use cni_filter::Filter;
use cni_filter::nft::Socket;
use cni_types::{Cidr, Code, Error, Result};

use super::layout;
use super::plan::Plan;

/// Whether the kernel takes all of this.
///
/// # Errors
/// Code 50 with the reason.
pub(crate) fn status(filter: &Filter) -> Result<()> {
    let probe = |socket: &Socket| {
        let networks =
            [Cidr::new([10, 0, 0, 0].into(), 24), Cidr::new([0xfd00, 0, 0, 0, 0, 0, 0, 0].into(), 64)];
        let plan = |network: Cidr| Plan {
            container: network.ip(),
            ports: Vec::new(),
            sources: vec![network],
            class: None,
        };
        let plans: Vec<Plan> = networks.into_iter().flatten().map(plan).collect();
        let trial = layout::ensure(socket, &layout::sets(socket)?, &plans, &[])?;
        filter.ask_once(&format!("mappings by nftables: {trial:?}"), || Ok(socket.try_out(&trial)?))
    };
    filter.nftables().and_then(probe).map_err(|e: Error| {
        let unusable = "port mappings with nftables are not possible on this host";
        Error::new(Code::UNAVAILABLE, unusable).because(e)
    })
}
