//! One address of the container, and what makes packets get there and back.

use std::net::IpAddr;

use cni_net::{Link, Route, Rtnl, SCOPE_HOST, SCOPE_LINK, sysctl};
use cni_types::{Cidr, Error, Family, IpConfig, Result};

/// An address and the gateway it is routed through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    /// The container's address.
    pub(crate) container: Cidr,
    /// The host end's.
    pub(crate) gateway: IpAddr,
}

impl End {
    /// The addresses of a result.
    ///
    /// # Errors
    /// Code 7 when one has no gateway of its family.
    pub(crate) fn all<'r>(ips: impl IntoIterator<Item = &'r IpConfig>) -> Result<Vec<Self>> {
        let ends = ips.into_iter().map(|ip| {
            let missing = || {
                Error::config(format!("IPAM gave {} without a gateway", ip.address))
                    .because("ptp routes everything through the gateway: set one in the ipam section")
            };
            let gateway =
                ip.gateway.filter(|gw| Family::of(*gw) == ip.address.family()).ok_or_else(missing)?;
            Ok(Self { container: ip.address, gateway })
        });
        ends.collect()
    }

    /// Inside: the gateway is on the link, its network behind it.
    pub(crate) fn container_routes(&self, index: u32) -> [Route; 2] {
        let source = Some(self.container.ip());
        [
            Route { scope: SCOPE_LINK, source, ..Route::new(Cidr::host(self.gateway), index) },
            Route { gateway: Some(self.gateway), source, ..Route::new(self.container, index) },
        ]
    }

    /// Outside: the gateway's address is on the host's end, the container's address behind it.
    pub(crate) fn ensure_on_host(&self, host: &Rtnl, end: &Link) -> Result<()> {
        if !self.gateway.is_ipv4() {
            sysctl::ensure_ipv6(end)?;
        }
        host.ensure_address(end.index, &end.name, Cidr::host(self.gateway))?;
        let behind = Route::new(Cidr::host(self.container.ip()), end.index);
        host.ensure_route(&Route { scope: SCOPE_HOST, ..behind })
    }
}
