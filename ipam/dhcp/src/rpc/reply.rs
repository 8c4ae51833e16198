//! The daemon's answers: a header, and a CNI result as the reference's Go type has it.
//!
//! A value of Go's `net.IP` is four or sixteen bytes; a pointer to zero cannot be told from none.

use std::net::{IpAddr, Ipv4Addr};

use cni_types::{Cidr, CniResult, Dns, IpConfig, Route, ip_octets};

use super::Error;
use crate::gob::{Definition, Encoder, StructWriter, TypeId, Value};

const RESPONSE: TypeId = TypeId::nth(0);
const EMPTY: TypeId = TypeId::nth(1);
const RESULT: TypeId = TypeId::nth(2);
const IPS: TypeId = TypeId::nth(3);
const IP_CONFIG: TypeId = TypeId::nth(4);
const ROUTES: TypeId = TypeId::nth(5);
const ROUTE: TypeId = TypeId::nth(6);
const DNS: TypeId = TypeId::nth(7);
const STRINGS: TypeId = TypeId::nth(8);
const IP_NET: TypeId = TypeId::nth(9);

/// Everything a daemon sends. Of the result it has what an IPAM plugin may answer with: no interfaces.
pub(super) const TYPES: &[Definition] = &[
    Definition::Struct(
        "Response",
        &[("ServiceMethod", TypeId::STRING), ("Seq", TypeId::UINT), ("Error", TypeId::STRING)],
    ),
    Definition::Struct("", &[]),
    Definition::Struct("Result", &[("IPs", IPS), ("Routes", ROUTES), ("DNS", DNS)]),
    Definition::Slice(IP_CONFIG),
    Definition::Struct("IPConfig", &[("Address", IP_NET), ("Gateway", TypeId::BYTES)]),
    Definition::Slice(ROUTE),
    Definition::Struct(
        "Route",
        &[
            ("Dst", IP_NET),
            ("GW", TypeId::BYTES),
            ("MTU", TypeId::INT),
            ("AdvMSS", TypeId::INT),
            ("Priority", TypeId::INT),
            ("Table", TypeId::INT),
            ("Scope", TypeId::INT),
        ],
    ),
    Definition::Struct(
        "DNS",
        &[("Nameservers", STRINGS), ("Domain", TypeId::STRING), ("Search", STRINGS), ("Options", STRINGS)],
    ),
    Definition::Slice(TypeId::STRING),
    Definition::Struct("IPNet", &[("IP", TypeId::BYTES), ("Mask", TypeId::BYTES)]),
];

/// The bytes of an answer. As net/rpc has it, an error comes with an empty struct, and so does the success of a
/// release.
pub(super) fn write(
    encoder: &mut Encoder,
    method: &str,
    seq: u64,
    result: &Result<CniResult, String>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let error = result.as_ref().err().map_or("", String::as_str);
    encoder.value(&mut out, RESPONSE, |response| {
        response.string(0, method);
        response.uint(1, seq);
        // An empty text would be a success.
        response.string(2, if result.is_err() && error.is_empty() { "unknown error" } else { error });
    });
    match result {
        Ok(result) if *result != CniResult::default() => {
            encoder.value(&mut out, RESULT, |writer| write_result(result, writer));
        }
        _ => encoder.value(&mut out, EMPTY, |_| ()),
    }
    out
}

fn write_result(result: &CniResult, writer: &mut StructWriter) {
    writer.structures(0, &result.ips, |ip, writer| {
        writer.structure(0, |writer| write_cidr(ip.address, writer));
        writer.bytes(1, &ip_bytes(ip.gateway));
    });
    writer.structures(1, &result.routes, |route, writer| {
        writer.structure(0, |writer| write_cidr(route.dst, writer));
        writer.bytes(1, &ip_bytes(route.gw));
        let numbers = [
            route.mtu,
            route.advmss,
            route.priority,
            route.table.unwrap_or_default(),
            route.scope.unwrap_or_default().into(),
        ];
        (2..).zip(numbers).for_each(|(number, value)| writer.int(number, value.into()));
    });
    writer.structure(2, |writer| {
        writer.strings(0, &result.dns.nameservers);
        writer.string(1, &result.dns.domain);
        writer.strings(2, &result.dns.search);
        writer.strings(3, &result.dns.options);
    });
}

fn write_cidr(cidr: Cidr, writer: &mut StructWriter) {
    writer.bytes(0, &ip_bytes(Some(cidr.ip())));
    let ones = |bits: u8| u128::MAX.checked_shl(u32::from(bits - cidr.prefix())).unwrap_or_default();
    if cidr.is_ipv4() {
        writer.bytes(1, &ones(32).to_be_bytes()[12..]);
    } else {
        writer.bytes(1, &ones(128).to_be_bytes());
    }
}

fn ip_bytes(ip: Option<IpAddr>) -> Vec<u8> {
    ip.map(ip_octets).unwrap_or_default()
}

/// What precedes a result.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) seq: u64,
    pub(super) error: String,
}

impl Header {
    pub(super) fn read(value: &Value) -> Result<Self, Error> {
        let mut header = Self::default();
        for field in value.fields()? {
            match field? {
                ("Seq", value) => header.seq = value.uint()?,
                ("Error", value) => value.string()?.clone_into(&mut header.error),
                _ => {}
            }
        }
        Ok(header)
    }
}

/// A result; an empty struct is an empty one.
pub(super) fn read(value: &Value) -> Result<CniResult, Error> {
    let mut result = CniResult::default();
    for field in value.fields()? {
        match field? {
            ("IPs", ips) => result.ips = list(&ips, read_ip)?,
            ("Routes", routes) => result.routes = list(&routes, read_route)?,
            ("DNS", dns) => result.dns = read_dns(&dns)?,
            _ => {}
        }
    }
    Ok(result)
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    value.items()?.map(|item| read(&item?)).collect()
}

fn read_ip(value: &Value) -> Result<IpConfig, Error> {
    let (mut address, mut gateway) = (None, None);
    for field in value.fields()? {
        match field? {
            ("Address", value) => address = read_cidr(&value)?,
            ("Gateway", value) => gateway = read_optional_ip(&value)?,
            _ => {}
        }
    }
    Ok(IpConfig { interface: None, address: address.ok_or(Error::Content("address"))?, gateway })
}

fn read_route(value: &Value) -> Result<Route, Error> {
    let mut dst = None;
    let mut route = Route::new(Cidr::host(Ipv4Addr::UNSPECIFIED.into()), None);
    let number = |value: &Value| u32::try_from(value.int()?).map_err(|_| Error::Content("route"));
    for field in value.fields()? {
        match field? {
            ("Dst", value) => dst = read_cidr(&value)?,
            ("GW", value) => route.gw = read_optional_ip(&value)?,
            ("MTU", value) => route.mtu = number(&value)?,
            ("AdvMSS", value) => route.advmss = number(&value)?,
            ("Priority", value) => route.priority = number(&value)?,
            ("Table", value) => route.table = Some(number(&value)?),
            ("Scope", value) => {
                let scope = u8::try_from(value.int()?).map_err(|_| Error::Content("route's scope"))?;
                route.scope = Some(scope);
            }
            _ => {}
        }
    }
    route.dst = dst.ok_or(Error::Content("route's destination"))?;
    Ok(route)
}

fn read_dns(value: &Value) -> Result<Dns, Error> {
    let strings = |value: &Value| list(value, |item| Ok(item.string()?.to_owned()));
    let mut dns = Dns::default();
    for field in value.fields()? {
        match field? {
            ("Nameservers", value) => dns.nameservers = strings(&value)?,
            ("Domain", value) => value.string()?.clone_into(&mut dns.domain),
            ("Search", value) => dns.search = strings(&value)?,
            ("Options", value) => dns.options = strings(&value)?,
            _ => {}
        }
    }
    Ok(dns)
}

/// An address with a mask of contiguous ones of the same family.
fn read_cidr(value: &Value) -> Result<Option<Cidr>, Error> {
    let (mut ip, mut mask) = (None, None);
    for field in value.fields()? {
        match field? {
            ("IP", value) => ip = read_optional_ip(&value)?,
            ("Mask", value) => mask = prefix(value.bytes()?),
            _ => {}
        }
    }
    let Some(ip) = ip else { return Ok(None) };
    let (ones, bits) = mask.ok_or(Error::Content("mask"))?;
    // Go writes the mask of an IPv4 network in either length.
    let ones = if ip.is_ipv4() && bits == 128 { ones.checked_sub(96) } else { Some(ones) };
    let cidr = ones.and_then(|ones| Cidr::new(ip, ones));
    cidr.map(Some).ok_or(Error::Content("mask"))
}

/// The ones and the bits of a mask.
fn prefix(mask: &[u8]) -> Option<(u8, u8)> {
    let (value, bits) = match mask.len() {
        4 => (u128::from(u32::from_be_bytes(mask.try_into().ok()?)) << 96, 32),
        16 => (u128::from_be_bytes(mask.try_into().ok()?), 128),
        _ => return None,
    };
    let ones = u8::try_from(value.leading_ones()).ok()?;
    (value.checked_shl(ones.into()).unwrap_or_default() == 0).then_some((ones, bits))
}

fn read_optional_ip(value: &Value) -> Result<Option<IpAddr>, Error> {
    let bytes = value.bytes()?;
    let ip = match bytes.len() {
        0 => return Ok(None),
        4 => <[u8; 4]>::try_from(bytes).map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(bytes).to_canonical()),
    };
    ip.map(Some).map_err(|_| Error::Content("address"))
}
