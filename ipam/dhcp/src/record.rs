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

/// A lease that is held.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lease {
    pub(crate) id: AttachmentId,
    pub(crate) place: Place,
    pub(crate) wanted: Wanted,
    pub(crate) binding: Binding,
}

/// A file's content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record {
    /// Asked for; the server may have given it.
    Draft(AttachmentId, Place, Wanted, Offer),
    /// Held.
    Lease(Box<Lease>),
}

impl Record {
    /// Whose it is.
    pub(crate) fn id(&self) -> &AttachmentId {
        match self {
            Self::Draft(id, ..) => id,
            Self::Lease(lease) => &lease.id,
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
        let (id, document) = Document::of(record);
        let text =
            serde_json::to_vec(&document).map_err(|e| Error::decode("cannot write a lease").because(e))?;
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
    fn of(record: &Record) -> (&AttachmentId, Self) {
        let (id, place, wanted, address, server, server_mac, held) = match record {
            Record::Draft(id, place, wanted, Offer { address, server, server_mac }) => {
                (id, place, wanted, address, server, server_mac, None)
            }
            Record::Lease(lease) => {
                let Lease { id, place, wanted, binding } = &**lease;
                let Binding { address, server, server_mac, times, result } = binding;
                let held = HeldKeys {
                    since: millis(times.since),
                    renew: millis(times.renew),
                    rebind: millis(times.rebind),
                    expire: millis(times.expire),
                    result: wire::result_json(result).ok(),
                };
                (id, place, wanted, address, server, server_mac, Some(held))
            }
        };
        let document = Self {
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
        };
        (id, document)
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
        let (address, server) = (ip(&self.address)?, ip(&self.server)?);
        let Some(held) = self.held else {
            return Ok(Record::Draft(id, place, self.wanted, Offer { address, server, server_mac }));
        };
        let [since, renew, rebind, expire] =
            [held.since, held.renew, held.rebind, held.expire].map(Duration::from_millis);
        let result = CniResult::from_json(&held.result.unwrap_or(Json::Null), SpecVersion::CURRENT)?;
        let times = Times { since, renew, rebind, expire };
        let binding = Binding { address, server, server_mac, times, result };
        Ok(Record::Lease(Box::new(Lease { id, place, wanted: self.wanted, binding })))
    }
}
