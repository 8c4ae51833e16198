//! That the container's port forwards, and that everybody knows who has the addresses now.

use std::time::Duration;

use cni_net::{Events, Link, Rtnl, configure};
use cni_part::{Host, Made, Owned, Part, Restoring, Site};
use cni_skel::Undo;
use cni_types::{Code, Error, Network, Result};

/// How long the port may take to come up.
const PORT_LIMIT: Duration = Duration::from_millis(2_500);

/// Waits for the port, then corrects the host's neighbour entries and announces the addresses.
pub(crate) struct Announcement;

impl Part for Announcement {
    fn name(&self) -> &'static str {
        "announcement"
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        None
    }

    /// Whoever had the addresses before, nobody keeps sending there.
    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, _undo: &mut Undo<'a>) -> Result<()> {
        wait_for(site.host.rtnl()?, made.host_end()?)?;
        let (container, bridge) = (made.container()?, made.bridge()?);
        let (uplink, Some(mac)) = (made.uplink.as_ref().unwrap_or(bridge), container.mac) else {
            return Ok(());
        };
        let ips: Vec<_> = made.result.ips.iter().map(|ip| ip.address.ip()).collect();
        if ips.is_empty() {
            return Ok(());
        }
        site.host.rtnl()?.correct_neighbours(uplink.index, &uplink.name, mac, &ips)?;
        configure::announce(&site.interface(container)?, mac)
    }

    fn check(&self, _site: &Site<'_>, _made: &mut Made) -> Result<()> {
        Ok(())
    }

    fn restoring(&self) -> Restoring {
        Restoring::PassOver
    }

    fn status(&self, _host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        Ok(())
    }
}

/// The kernel finishes a link's change of state when it is asked about the link, since Linux 6.8; earlier ones in a
/// worker, which is waited for.
fn wait_for(host: &Rtnl, port: &Link) -> Result<()> {
    let is_up = || {
        let gone = || Error::new(Code::KERNEL, format!("bridge port {} is gone", port.name));
        let link = host.find_link_by_index(port.index)?.ok_or_else(gone)?;
        Ok(link.is_operational().then_some(()))
    };
    if is_up()?.is_some() || Events::of_links()?.ask_until(PORT_LIMIT, is_up)?.is_some() {
        return Ok(());
    }
    let state = host.find_link_by_index(port.index)?.unwrap_or_default();
    Err(Error::new(Code::KERNEL, format!("bridge port in error state: {}", state.oper_state_text())).because(
        format!("{} did not come up within {PORT_LIMIT:?}; see `ip link` and `bridge link`", port.name),
    ))
}
