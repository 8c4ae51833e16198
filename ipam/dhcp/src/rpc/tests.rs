//! Streams captured from the reference's client and daemon.

use std::net::{IpAddr, Ipv4Addr};

use cni_types::{Cidr, CniResult, Dns, IpConfig, Route};
use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

const REQUEST: &str = "2e7f030101075265717565737401ff80000102010d536572766963654d6574686f64010c0001035365710106000000\
    11ff80010c444843502e52656c6561736500";
const CMD_ARGS: &str = "6cff8103010107436d644172677301ff82000107010b436f6e7461696e65724944010c0001054e65746e73010c0001\
    0649664e616d65010c00010441726773010c00010450617468010c00010d4e65746e734f76657272696465010c000109537464696e44617461\
    010a000000";
const RELEASED: &str = "397f03010108526573706f6e736501ff80000103010d536572766963654d6574686f64010c00010353657101060001\
    054572726f72010c00000011ff80010c444843502e52656c65617365000aff81030102ff8200000003ff8200";

/// The reference's daemon (Debian's 1.1.1) gives the lease 10.77.0.10.
const ALLOCATED: &str = "3aff8103010108526573706f6e736501ff82000103010d536572766963654d6574686f64010c0001035365710106000105457272\
    6f72010c00000012ff82010d444843502e416c6c6f636174650051ff8303010106526573756c7401ff84000105010a434e495665\
    7273696f6e010c00010a496e746572666163657301ff8800010349507301ff8e000106526f7574657301ff92000103444e5301ff\
    9400000024ff87020101155b5d2a74797065733130302e496e7465726661636501ff880001ff86000029ff85030102ff86000103\
    01044e616d65010c0001034d6163010c00010753616e64626f78010c00000023ff8d020101145b5d2a74797065733130302e4950\
    436f6e66696701ff8e0001ff8a000033ff89030102ff8a0001030109496e7465726661636501040001074164647265737301ff8c\
    00010747617465776179010a00000023ff8b0301010549504e657401ff8c00010201024950010a0001044d61736b010a0000001d\
    ff910201010e5b5d2a74797065732e526f75746501ff920001ff9000001cff8f030102ff90000102010344737401ff8c00010247\
    57010a00000046ff9303010103444e5301ff94000104010b4e616d657365727665727301ff96000106446f6d61696e010c000106\
    53656172636801ff960001074f7074696f6e7301ff9600000016ff95020101085b5d737472696e6701ff9600010c000048ff8403\
    010201040a4d000a0104ffffff000001040a4d0001000102010104000000000104000000000001040a4d0001000101040a080000\
    0104ffffff000001040000000000010000";

/// What the reference's client sends to release: its bytes, and what they say.
fn captured_release() -> (Vec<u8>, CmdArgs) {
    let stdin_data = vec![b'x'; 106];
    let value =
        [&bytes("ff88ff82010363696401082f6e6f2f7375636801046574683002022f78026a"), &stdin_data[..], &[0]];
    let stream = [&b"CONNECT /_goRPC_ HTTP/1.0\n\n"[..], &bytes(REQUEST), &bytes(CMD_ARGS), &value.concat()];
    let text = str::to_owned;
    let args = CmdArgs {
        container_id: text("cid"),
        netns: text("/no/such"),
        ifname: text("eth0"),
        path: text("/x"),
        stdin_data,
        ..CmdArgs::default()
    };
    (stream.concat(), args)
}

fn steps(server: &mut Server) -> Vec<Step> {
    std::iter::from_fn(|| server.next_step().unwrap()).collect()
}

#[test]
fn the_references_client_is_understood_byte_by_byte() {
    let (stream, args) = captured_release();
    for piece in [1, 7, stream.len()] {
        let mut server = Server::default();
        let mut found = Vec::new();
        for piece in stream.chunks(piece) {
            server.feed(piece).unwrap();
            found.extend(steps(&mut server));
        }
        let connected = Step::Send(b"HTTP/1.0 200 Connected to Go RPC\n\n".to_vec());
        let call = Step::Call(Call { seq: 0, method: Method::Release, args: args.clone() });
        assert_eq!(found, [connected, call]);
        assert_eq!(server.reply(Method::Release, 0, &Ok(CniResult::default())), bytes(RELEASED));
    }
}

#[test]
fn our_client_sends_what_the_references_does() {
    let (stream, args) = captured_release();
    let mut client = Client::default();
    client.request(Method::Release, &args);
    let (connect, request) = stream.split_at(27);
    assert_eq!((client.output(), client.output()), (connect.to_vec(), Vec::new()));
    client.feed(b"HTTP/1.0 200 Connected to Go RPC\n\n").unwrap();
    assert_eq!((client.output(), client.output()), (request.to_vec(), Vec::new()));
    client.feed(&bytes(RELEASED)).unwrap();
    assert_eq!(client.next_reply(), Ok(Some(Reply { seq: 0, result: Ok(CniResult::default()) })));
    assert_eq!(client.next_reply(), Ok(None));
}

#[test]
fn the_references_lease_is_read() {
    let reply = answered(&bytes(ALLOCATED)).unwrap().unwrap();
    let result = reply.result.unwrap();
    let [ip] = &result.ips[..] else { panic!("{result:?}") };
    assert_eq!(ip.address.to_string(), "10.77.0.10/24");
    let routes = result.routes.iter().map(|route| format!("{} via {:?}", route.dst, route.gw.unwrap()));
    assert_eq!(routes.collect::<Vec<_>>(), ["0.0.0.0/0 via 10.77.0.1", "10.8.0.0/24 via 0.0.0.0"]);
    assert!(result.dns.is_empty() && result.interfaces.is_empty());
}

#[test]
fn several_calls_on_a_connection_and_unknown_methods() {
    let (mut client, mut server) = (Client::default(), Server::default());
    let (_, args) = captured_release();
    for (seq, method) in (0..4).zip([Method::Allocate, Method::Release, Method::Allocate, Method::Allocate]) {
        client.request(method, &args);
        server.feed(&client.output()).unwrap();
        if seq == 0 {
            let Some(Step::Send(head)) = server.next_step().unwrap() else { panic!("no answer to the head") };
            client.feed(&head).unwrap();
            server.feed(&client.output()).unwrap();
        }
        assert_eq!(steps(&mut server), [Step::Call(Call { seq, method, args: args.clone() })]);
        let result = if seq == 2 { Err("no more tries".to_owned()) } else { Ok(result()) };
        client.feed(&server.reply(method, seq, &result)).unwrap();
        assert_eq!(client.next_reply(), Ok(Some(Reply { seq, result })));
    }
    let unknown =
        [&b"CONNECT /_goRPC_ HTTP/1.0\r\nHost: x\r\n\r\n"[..], &captured_release().0[27..]].concat();
    let at = unknown.windows(7).position(|window| window == b"Release").unwrap();
    let unknown = [&unknown[..at], b"Explode", &unknown[at + 7..]].concat();
    let (mut client, mut server) = (Client::default(), Server::default());
    server.feed(&unknown).unwrap();
    for step in steps(&mut server) {
        let Step::Send(answer) = step else { panic!("{step:?}") };
        client.feed(&answer).unwrap();
    }
    let reply = client.next_reply().unwrap().unwrap();
    assert_eq!(reply.result, Err("rpc: can't find method \"DHCP.Explode\"".to_owned()));
}

#[test]
fn who_does_not_open_as_it_should_is_told_apart() {
    for head in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"{\"version\":1}\n\n", b"\xff\xfe\n\n", &[b'a'; 5000]] {
        let Err(Error::Handshake(line)) = Server::default().feed(head) else { panic!("{head:?}") };
        assert!(line.len() <= 240, "{line}");
    }
    let refused = b"HTTP/1.0 405 Method Not Allowed\n\n";
    let Err(Error::Handshake(line)) = Client::default().feed(refused) else { panic!() };
    assert!(line.contains("405"), "{line}");
    let mut server = Server::default();
    server.feed(b"CONNECT /_goRPC_ HTTP/1.0\n").unwrap();
    assert_eq!(server.next_step(), Ok(None));
    server.feed(b"\n\x01").unwrap();
    server.next_step().unwrap();
    assert_eq!(server.next_step(), Ok(None));
    server.feed(b"\x02").unwrap();
    assert!(matches!(server.next_step(), Err(Error::Gob(_))));
}

/// A result with everything in it that can be told.
fn result() -> CniResult {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let cidr = |text: &str| text.parse::<Cidr>().unwrap();
    let route = Route::new(cidr("10.0.0.0/8"), Some(ip("192.0.2.9")));
    CniResult {
        ips: vec![
            IpConfig { interface: None, address: cidr("192.0.2.7/24"), gateway: Some(ip("192.0.2.1")) },
            IpConfig { interface: None, address: cidr("2001:db8::7/64"), gateway: None },
        ],
        routes: vec![
            Route::new(cidr("0.0.0.0/0"), Some(ip("192.0.2.1"))),
            Route::new(cidr("::/0"), Some(ip("2001:db8::1"))),
            Route { priority: 300, mtu: 1400, advmss: 1360, table: Some(7), scope: Some(253), ..route },
        ],
        dns: Dns {
            nameservers: vec!["192.0.2.1".to_owned(), "192.0.2.2".to_owned()],
            domain: "example.org".to_owned(),
            search: vec!["a.example".to_owned(), String::new()],
            options: vec!["ndots:2".to_owned()],
        },
        ..CniResult::default()
    }
}

fn answered(bytes: &[u8]) -> Result<Option<Reply>, Error> {
    let mut client = Client::default();
    client.feed(b"HTTP/1.0 200 Connected to Go RPC\n\n")?;
    client.feed(bytes)?;
    client.next_reply()
}

proptest! {
    #[test]
    fn results_round_trip(ip: [u8; 4], prefix in 0..=32_u8, gw: Option<[u8; 4]>, priority: u32, name: String) {
        let address = Cidr::new(Ipv4Addr::from(ip).into(), prefix).unwrap();
        let gateway = gw.map(IpAddr::from);
        let mut result = result();
        result.ips.push(IpConfig { interface: None, address, gateway });
        result.routes.push(Route { priority, ..Route::new(address, gateway) });
        result.dns.search.push(name);
        let reply = Server::default().reply(Method::Allocate, 3, &Ok(result.clone()));
        prop_assert_eq!(answered(&reply), Ok(Some(Reply { seq: 3, result: Ok(result) })));
    }
}

#[test]
fn both_of_gos_forms_of_an_address_are_read_and_nonsense_is_not() {
    let reply = Server::default().reply(Method::Allocate, 0, &Ok(result()));
    let replaced = |from: &str, to: &str| {
        let (from, to) = (bytes(from), bytes(to));
        let at = reply.windows(from.len()).position(|window| window == from).unwrap();
        answered(&[&reply[..at], &to, &reply[at + from.len()..]].concat())
    };
    // The mask 255.255.255.0 of the first address, 32 bits.
    let mask = "04ffffff00";
    assert_eq!(replaced(mask, "04ff00ff00"), Err(Error::Content("mask")));
    assert_eq!(replaced(mask, "0401020300"), Err(Error::Content("mask")));
    // What changes a message's length is tried on a stream of one's own.
    let mut encoder = crate::gob::Encoder::new(reply::TYPES);
    let mut out = Vec::new();
    encoder.value(&mut out, crate::gob::TypeId::nth(0), |_| ());
    encoder.value(&mut out, crate::gob::TypeId::nth(2), |writer| {
        writer.structures(0, &[()], |(), ip| {
            ip.structure(0, |net| {
                net.bytes(0, &Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped().octets());
                net.bytes(1, &(u128::MAX << 8).to_be_bytes());
            });
        });
    });
    let found = answered(&out).unwrap().unwrap().result.unwrap();
    assert_eq!(found.ips[0].address.to_string(), "192.0.2.7/24");
}
