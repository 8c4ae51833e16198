//! A record as JSON.

use std::net::Ipv4Addr;
use std::time::Duration;

use cni_types::{
    AttachmentId, CniResult, ContainerId, Error, IfName, Json, Mac, NetworkName, Result, SpecVersion, fields,
};
use serde::Serialize;

use crate::lease::{Binding, Offer, Times};
use crate::place::Place;
use crate::record::{Grant, LeaseRecord};
use crate::wanted::Wanted;
use crate::wire;

/// The keys. Times are in milliseconds since the boot.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    version: u32,
    network: String,
    #[serde(rename = "containerID")]
    container_id: String,
    ifname: String,
    netns: String,
    device: u64,
    inode: u64,
    /// Missing where the kernel, or an earlier version of this, has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    netns_cookie: Option<u64>,
    index: u32,
    mac: String,
    shares_mac: bool,
    wanted: Wanted,
    address: String,
    server: String,
    server_mac: String,
    held: Option<HeldKeys>,
}

fields!(Document {
    "version" version, "network" network, "containerID" container_id, "ifname" ifname, "netns" netns, "device" device,
    "inode" inode, "netnsCookie" netns_cookie, "index" index, "mac" mac, "sharesMac" shares_mac, "wanted" wanted,
    "address" address, "server" server, "serverMac" server_mac, "held" held,
});

#[derive(Debug, Default, Serialize)]
struct HeldKeys {
    since: u64,
    renew: u64,
    rebind: u64,
    expire: u64,
    /// A CNI result of version 1.1.0.
    result: Option<Json>,
}

fields!(HeldKeys { "since" since, "renew" renew, "rebind" rebind, "expire" expire, "result" result });

/// The version of the files.
const VERSION: u32 = 1;

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Document {
    pub(super) fn of(record: &LeaseRecord) -> Self {
        let LeaseRecord { id, place, wanted, given } = record;
        let Offer { address, server, server_mac } = given.offer();
        let held = match given {
            Grant::Offered(_) => None,
            Grant::Held(binding) => Some(HeldKeys {
                since: millis(binding.times.since),
                renew: millis(binding.times.renew),
                rebind: millis(binding.times.rebind),
                expire: millis(binding.times.expire),
                result: wire::result_json(&binding.result).ok(),
            }),
        };
        Self {
            version: VERSION,
            network: id.network.to_string(),
            container_id: id.container_id.to_string(),
            ifname: id.ifname.to_string(),
            netns: place.netns.to_string_lossy().into_owned(),
            device: place.identity.0,
            inode: place.identity.1,
            netns_cookie: place.cookie,
            index: place.index,
            mac: place.mac.to_string(),
            shares_mac: place.shares_mac,
            wanted: wanted.clone(),
            address: address.to_string(),
            server: server.to_string(),
            server_mac: server_mac.map(|mac| mac.to_string()).unwrap_or_default(),
            held,
        }
    }

    pub(super) fn record(self) -> Result<LeaseRecord> {
        if self.version != VERSION {
            return Err(Error::decode(format!("version {} is not known here", self.version)));
        }
        let ifname = IfName::new(&self.ifname)?;
        let id = AttachmentId {
            network: NetworkName::new(&self.network)?,
            container_id: ContainerId::new(&self.container_id)?,
            ifname: ifname.clone(),
        };
        let mac = |text: &str| text.parse::<Mac>().map_err(Error::decode);
        let ip = |text: &str| text.parse::<Ipv4Addr>().map_err(|e| Error::decode(text).because(e));
        let place = Place {
            netns: self.netns.into(),
            identity: (self.device, self.inode),
            cookie: self.netns_cookie,
            ifname,
            index: self.index,
            mac: mac(&self.mac)?,
            shares_mac: self.shares_mac,
        };
        let server_mac = if self.server_mac.is_empty() { None } else { Some(mac(&self.server_mac)?) };
        let offer = Offer { address: ip(&self.address)?, server: ip(&self.server)?, server_mac };
        let given = match self.held {
            None => Grant::Offered(offer),
            Some(held) => Grant::Held(Box::new(held.binding(offer)?)),
        };
        Ok(LeaseRecord { id, place, wanted: self.wanted, given })
    }
}

impl HeldKeys {
    fn binding(self, offer: Offer) -> Result<Binding> {
        let [since, renew, rebind, expire] =
            [self.since, self.renew, self.rebind, self.expire].map(Duration::from_millis);
        let Offer { address, server, server_mac } = offer;
        let result = CniResult::from_json(&self.result.unwrap_or(Json::Null), SpecVersion::CURRENT)?;
        let times = Times { since, renew, rebind, expire };
        Ok(Binding { address, server, server_mac, times, result })
    }
}
