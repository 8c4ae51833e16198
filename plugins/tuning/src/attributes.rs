//! The link attributes `tuning` knows, each set or not.

use cni_net::{Attribute, Link, Rtnl};
use cni_types::{Error, Json, Mac, Result, fields};

/// Values of some attributes. Its JSON is that of the reference's backup file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) mac: Option<Mac>,
    pub(crate) promiscuous: Option<bool>,
    /// Bytes.
    pub(crate) mtu: Option<u32>,
    pub(crate) all_multicast: Option<bool>,
    /// Packets.
    pub(crate) tx_queue_length: Option<u32>,
}

fields!(Attributes {
    "mac" mac, "promisc" promiscuous, "mtu" mtu, "allmulti" all_multicast, "txQLen" tx_queue_length,
});

impl Attributes {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The link's values of the attributes that are set here.
    pub(crate) fn of(&self, link: &Link) -> Self {
        Self {
            mac: self.mac.and(link.mac),
            promiscuous: self.promiscuous.map(|_| link.is_promiscuous()),
            mtu: self.mtu.map(|_| link.mtu),
            all_multicast: self.all_multicast.map(|_| link.is_all_multicast()),
            tx_queue_length: self.tx_queue_length.map(|_| link.tx_queue_length),
        }
    }

    /// What of these to go back to on a link that ADD gave the values `set`. What is different there now, somebody has
    /// changed since, and it is his.
    pub(crate) fn still_ours(&self, set: &Self, link: &Link) -> Self {
        let now = set.of(link);
        Self {
            mac: self.mac.filter(|_| set.mac == now.mac),
            promiscuous: self.promiscuous.filter(|_| set.promiscuous == now.promiscuous),
            mtu: self.mtu.filter(|_| set.mtu == now.mtu),
            all_multicast: self.all_multicast.filter(|_| set.all_multicast == now.all_multicast),
            tx_queue_length: self.tx_queue_length.filter(|_| set.tx_queue_length == now.tx_queue_length),
        }
    }

    /// These, with those of `other` where there are none.
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self {
            mac: self.mac.or(other.mac),
            promiscuous: self.promiscuous.or(other.promiscuous),
            mtu: self.mtu.or(other.mtu),
            all_multicast: self.all_multicast.or(other.all_multicast),
            tx_queue_length: self.tx_queue_length.or(other.tx_queue_length),
        }
    }

    /// In the order they are set.
    pub(crate) fn each(&self) -> impl Iterator<Item = Attribute> {
        let all = [
            self.mac.map(Attribute::Mac),
            self.promiscuous.map(Attribute::Promiscuous),
            self.mtu.map(Attribute::Mtu),
            self.all_multicast.map(Attribute::AllMulticast),
            self.tx_queue_length.map(Attribute::TxQueueLength),
        ];
        all.into_iter().flatten()
    }

    /// Sets all of them, also after one that the kernel refused.
    ///
    /// # Errors
    /// All refusals, folded.
    pub(crate) fn restore(&self, rtnl: &Rtnl, link: &Link) -> Result<()> {
        Error::all(self.each().map(|attribute| rtnl.set_attribute(link, attribute)))
    }

    /// The members of the backup file.
    pub(crate) fn members(&self) -> Vec<(String, Json)> {
        let each = self.each().map(|attribute| match attribute {
            Attribute::Mac(mac) => ("mac", Json::String(mac.to_string())),
            Attribute::Promiscuous(on) => ("promisc", Json::Bool(on)),
            Attribute::Mtu(mtu) => ("mtu", Json::Number(mtu.into())),
            Attribute::AllMulticast(on) => ("allmulti", Json::Bool(on)),
            Attribute::TxQueueLength(length) => ("txQLen", Json::Number(length.into())),
        });
        each.map(|(key, value)| (key.to_owned(), value)).collect()
    }
}
