//! Files there and back.

use std::net::Ipv4Addr;
use std::time::Duration;

use cni_types::{Cidr, CniResult, ContainerId, IfName, IpConfig, Mac, NetworkName};

use super::*;
use crate::lease::{Binding, Offer, Times};
use crate::place::Place;
use crate::record::Grant;
use crate::wanted::Wanted;

fn record(given: Grant) -> LeaseRecord {
    let ifname = IfName::new("eth0").unwrap();
    let id = AttachmentId {
        network: NetworkName::new("net").unwrap(),
        container_id: ContainerId::new("pod").unwrap(),
        ifname: ifname.clone(),
    };
    let place = Place {
        netns: "/run/netns/a".into(),
        identity: (4, 4_026_532_000),
        cookie: Some(u64::MAX),
        ifname,
        index: 2,
        mac: Mac([2, 0, 0, 0, 0, 1]),
        shares_mac: false,
    };
    let wanted = Wanted { request: vec![1, 3], ..Wanted::default() };
    LeaseRecord { id, place, wanted, given }
}

fn held() -> LeaseRecord {
    let [since, renew, rebind, expire] = [1000, 41_000, 71_000, 81_000].map(Duration::from_millis);
    let address = Cidr::new(Ipv4Addr::new(10, 0, 0, 7).into(), 24).unwrap();
    let result =
        CniResult { ips: vec![IpConfig { interface: None, address, gateway: None }], ..CniResult::default() };
    record(Grant::Held(Box::new(Binding {
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
    let offer =
        Offer { address: Ipv4Addr::new(10, 0, 0, 7), server: Ipv4Addr::new(10, 0, 0, 1), server_mac: None };
    for record in [record(Grant::Offered(offer)), held()] {
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
