//! Requested addresses, from the three places a runtime may put them.

use std::net::IpAddr;

use cni_types::{CniArgs, Code, Error, Form, Formed, Result, excerpt, parse_ip_or_cidr};
use serde::de::{Deserialize, Deserializer, Error as _};

/// `ip` or `ip/prefix`, of which the prefix is ignored; an empty text asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish(Option<IpAddr>);

impl<'de> Deserialize<'de> for Wish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| D::Error::custom(problem(&text)))
    }
}

impl Formed for Wish {
    const FORM: Form = Form::Text { what: "IP address", check: Self::check };
}

impl Wish {
    fn check(text: &str) -> Result<()> {
        Self::new(text).map(drop).ok_or_else(|| Error::config(problem(text)))
    }

    fn new(text: &str) -> Option<Self> {
        if text.is_empty() { Some(Self(None)) } else { parse_ip_or_cidr(text).map(|ip| Self(Some(ip))) }
    }
}

fn problem(text: &str) -> String {
    format!("invalid IP address {}: it must be <ip> or <ip>/<prefix length>", excerpt(text))
}

/// All requests: `IP` of `CNI_ARGS` first, then `args.cni.ips`, then `runtimeConfig.ips`; no address twice.
///
/// # Errors
/// Code 4 when `CNI_ARGS` does not parse or its `IP` is no address.
pub(crate) fn requested(args: &CniArgs, network: &[Wish], runtime: &[Wish]) -> Result<Vec<IpAddr>> {
    let [ip] = args.values(["IP"])?;
    let text = ip.unwrap_or_default();
    let first = Wish::new(&text)
        .ok_or_else(|| Error::new(Code::ENVIRONMENT, format!("CNI_ARGS: IP: {}", problem(&text))))?;
    let mut all = Vec::new();
    for ip in [first].iter().chain(network).chain(runtime).filter_map(|wish| wish.0) {
        if !all.contains(&ip) {
            all.push(ip);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_add_up_in_order() {
        let wish = |text: &str| Wish::new(text).unwrap();
        let args = CniArgs::new("IgnoreUnknown=1;K8S_POD_NAME=p;IP=10.0.0.9/8");
        let found = requested(&args, &[wish("10.0.0.7"), wish("")], &[wish("10.0.0.9/24"), wish("::1/64")]);
        assert_eq!(found.unwrap(), ["10.0.0.9", "10.0.0.7", "::1"].map(|t| t.parse::<IpAddr>().unwrap()));
        assert_eq!(requested(&CniArgs::default(), &[], &[]).unwrap(), Vec::<IpAddr>::new());
    }

    #[test]
    fn bad_requests_name_their_source() {
        for text in ["IP=10.0.0.300", "IP=10.0.0.1/33", "IP=a", "IP=10.0.0.1;X=1"] {
            let error = requested(&CniArgs::new(text), &[], &[]).unwrap_err();
            assert_eq!(error.code, Code::ENVIRONMENT);
            assert!(error.msg.starts_with("CNI_ARGS"), "{error}");
        }
    }
}
