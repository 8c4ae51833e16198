//! Leases on disk: one file each, so that a daemon that is started anew, or a plugin without one, knows them.
//!
//! The directory is found from the socket's path, which both sides know. It is meant to be emptied by a reboot, as
//! `/run` is: times are counted from the boot.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cni_types::{
    AttachmentId, CniResult, ContainerId, Error, IfName, Json, Mac, NetworkName, Records, Result, SpecVersion,
};
use serde::{Deserialize, Serialize};

use crate::lease::{Binding, Offer, Times};
use crate::place::Place;
use crate::wanted::Wanted;
use crate::wire;

/// A file's content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) id: AttachmentId,
    pub(crate) place: Place,
    pub(crate) wanted: Wanted,
    pub(crate) given: Given,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    /// It was asked for, and the server may have given it.
    Offered(Offer),
    /// It is held.
    Held(Box<Binding>),
}

impl Given {
    /// Whose address it is, in either case.
    pub(crate) fn offer(&self) -> Offer {
        match self {
            Self::Offered(offer) => *offer,
            Self::Held(binding) => {
                let Binding { address, server, server_mac, .. } = **binding;
                Offer { address, server, server_mac }
            }
        }
    }
}

/// The keys. Times are in milliseconds since the boot.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    version: u32,
    network: String,
    #[serde(rename = "containerID")]
    container_id: String,
    ifname: String,
    netns: String,
    device: u64,
    inode: u64,
    index: u32,
    mac: String,
    wanted: Wanted,
    address: String,
    server: String,
    server_mac: String,
    held: Option<HeldKeys>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct HeldKeys {
    since: u64,
    renew: u64,
    rebind: u64,
    expire: u64,
    /// A CNI result of version 1.1.0.
    result: Option<Json>,
}

/// The version of the files.
const VERSION: u32 = 1;

/// The state directory of one daemon.
#[derive(Debug, Clone)]
pub(crate) struct State {
    records: Records,
}

impl State {
    /// The one beside the socket: its path with `.leases` behind it.
    pub(crate) fn beside(socket: &Path) -> Self {
        let mut dir = socket.as_os_str().to_owned();
        dir.push(".leases");
        Self { records: Records::new(PathBuf::from(dir), "owner") }
    }

    /// Whether it can be written to.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub(crate) fn probe(&self) -> Result<()> {
        self.records.probe()
    }

    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn write(&self, record: &Record) -> Result<()> {
        let id = &record.id;
        let text = serde_json::to_vec(&Document::of(record))
            .map_err(|e| Error::decode("cannot write a lease").because(e))?;
        let Json::Object(members) = Json::parse(&text)? else { return Ok(()) };
        self.records.write(id, &name(id), members)
    }

    /// The record of an attachment; `None` without one.
    ///
    /// # Errors
    /// Code 5 when it cannot be read, code 6 when it makes no sense.
    pub(crate) fn find(&self, id: &AttachmentId) -> Result<Option<Record>> {
        self.read(&name(id))
    }

    fn read(&self, name: &str) -> Result<Option<Record>> {
        let Some(document) = self.records.decode::<Document>(name)? else { return Ok(None) };
        let path = self.records.path(name);
        let record = document.record();
        record.map(Some).map_err(|e| e.doing(format!("cannot use the lease in {}", path.display())))
    }

    /// All of them, and the failures of those that cannot be used.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn all(&self) -> Result<Vec<Result<Record>>> {
        let names = self.records.names()?;
        let leases = names.iter().filter(|name| name.ends_with(".json") && !name.starts_with('.'));
        Ok(leases.filter_map(|name| self.read(name).transpose()).collect())
    }

    /// Forgets the attachment.
    ///
    /// # Errors
    /// Code 5 naming what cannot be removed.
    pub(crate) fn remove_if_present(&self, id: &AttachmentId) -> Result<()> {
        let both = [name(id), order(id)].map(|name| self.records.remove_if_present(id, &name).err());
        Error::all(both.into_iter().flatten().collect())
    }

    /// Leaves the order to release the attachment's lease for the daemon's next start.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn order_release(&self, id: &AttachmentId) -> Result<()> {
        self.records.write(id, &order(id), Vec::new())
    }

    /// Whether that was ordered.
    pub(crate) fn is_release_ordered(&self, id: &AttachmentId) -> bool {
        self.records.path(&order(id)).exists()
    }
}

fn name(id: &AttachmentId) -> String {
    format!("{}.json", id.tag_prefix())
}

fn order(id: &AttachmentId) -> String {
    format!("{}.release", id.tag_prefix())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Document {
    fn of(record: &Record) -> Self {
        let Record { id, place, wanted, given } = record;
        let Offer { address, server, server_mac } = given.offer();
        let held = match given {
            Given::Offered(_) => None,
            Given::Held(binding) => Some(HeldKeys {
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
            index: place.index,
            mac: place.mac.to_string(),
            wanted: wanted.clone(),
            address: address.to_string(),
            server: server.to_string(),
            server_mac: server_mac.map(|mac| mac.to_string()).unwrap_or_default(),
            held,
        }
    }

    fn record(self) -> Result<Record> {
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
            ifname,
            index: self.index,
            mac: mac(&self.mac)?,
        };
        let server_mac = if self.server_mac.is_empty() { None } else { Some(mac(&self.server_mac)?) };
        let offer = Offer { address: ip(&self.address)?, server: ip(&self.server)?, server_mac };
        let given = match self.held {
            None => Given::Offered(offer),
            Some(held) => Given::Held(Box::new(held.binding(offer)?)),
        };
        Ok(Record { id, place, wanted: self.wanted, given })
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

#[cfg(test)]
mod tests {
    use cni_types::{Cidr, IpConfig};

    use super::*;

    fn record(given: Given) -> Record {
        let ifname = IfName::new("eth0").unwrap();
        let id = AttachmentId {
            network: NetworkName::new("net").unwrap(),
            container_id: ContainerId::new("pod").unwrap(),
            ifname: ifname.clone(),
        };
        let place = Place {
            netns: "/run/netns/a".into(),
            identity: (4, 4_026_532_000),
            ifname,
            index: 2,
            mac: Mac([2, 0, 0, 0, 0, 1]),
        };
        let wanted = Wanted { request: vec![1, 3], ..Wanted::default() };
        Record { id, place, wanted, given }
    }

    fn held() -> Record {
        let [since, renew, rebind, expire] = [1000, 41_000, 71_000, 81_000].map(Duration::from_millis);
        let address = Cidr::new(Ipv4Addr::new(10, 0, 0, 7).into(), 24).unwrap();
        let result = CniResult {
            ips: vec![IpConfig { interface: None, address, gateway: None }],
            ..CniResult::default()
        };
        record(Given::Held(Box::new(Binding {
            address: Ipv4Addr::new(10, 0, 0, 7),
            server: Ipv4Addr::new(10, 0, 0, 1),
            server_mac: Some(Mac([2, 0, 0, 0, 0, 2])),
            times: Times { since, renew, rebind, expire },
            result,
        })))
    }

    fn state() -> (State, PathBuf) {
        let nonce = crate::clock::Random::new().xid();
        let socket = std::env::temp_dir().join(format!("dhcp-{}-{nonce}.sock", std::process::id()));
        let dir = PathBuf::from(format!("{}.leases", socket.display()));
        (State::beside(&socket), dir)
    }

    #[test]
    fn records_come_back_until_they_are_removed() {
        let (state, dir) = state();
        let offer = Offer {
            address: Ipv4Addr::new(10, 0, 0, 7),
            server: Ipv4Addr::new(10, 0, 0, 1),
            server_mac: None,
        };
        for record in [record(Given::Offered(offer)), held()] {
            state.write(&record).unwrap();
            assert_eq!(state.find(&record.id).unwrap(), Some(record.clone()));
            assert_eq!(state.all().unwrap(), [Ok(record)]);
        }
        let id = held().id;
        assert!(!state.is_release_ordered(&id));
        state.order_release(&id).unwrap();
        assert!(state.is_release_ordered(&id));
        assert_eq!(state.all().unwrap().len(), 1, "an order is no lease");
        state.remove_if_present(&id).unwrap();
        assert_eq!((state.find(&id), state.all()), (Ok(None), Ok(Vec::new())));
        assert!(!state.is_release_ordered(&id));
        std::fs::remove_dir(dir).unwrap();
    }

    #[test]
    fn files_that_make_no_sense_are_named() {
        let (state, dir) = state();
        state.write(&held()).unwrap();
        let file = dir.join(name(&held().id));
        let text = std::fs::read_to_string(&file).unwrap();
        for bad in [
            String::new(),
            "[]".to_owned(),
            text.replace("\"version\": 1", "\"version\": 2"),
            text.replace("10.0.0.7\"", "10.0.0\""),
            text.replace("02:00:00:00:00:01", "02"),
            text.replace("\"pod\"", "\"../pod\""),
        ] {
            std::fs::write(&file, bad).unwrap();
            let error = state.all().unwrap().pop().unwrap().unwrap_err();
            assert!(error.msg.contains(file.to_str().unwrap()), "{error}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
