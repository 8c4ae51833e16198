//! `subnet.env`: what flanneld says about the cluster's network and this node's part of it.

use std::io;
use std::path::Path;

use cni_skel::read_small;
use cni_types::{Cidr, Code, Doing, Error, Result, excerpt};

use crate::flanneld;

/// The variables a node cannot do without, as a message names them when they are missing.
const NETWORKS: &str = "FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK";
const SUBNETS: &str = "FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET";

/// A complete file.
#[derive(Debug, PartialEq)]
pub(crate) struct SubnetEnv {
    /// The cluster's networks, IPv4 before IPv6; at least one.
    pub(crate) networks: Vec<Cidr>,
    /// The node's part, IPv4 before IPv6; at least one.
    pub(crate) subnets: Vec<Cidr>,
    /// Bytes: what fits through flannel's link.
    pub(crate) mtu: u32,
    /// flanneld masquerades, so the delegate need not.
    pub(crate) masquerades: bool,
}

impl SubnetEnv {
    /// Reads the file; waits for nothing.
    ///
    /// # Errors
    /// Code 11 when it is not there, code 5 when it cannot be read, code 7 naming all variables that are missing, or
    /// all that have a value they cannot have.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        match read_small(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let missing = Error::io(format!("flanneld has not written {} yet", path.display()), &e);
                let details = format!("{}; {}", missing.details, flanneld::hint());
                Err(Error { details, ..missing.with_code(Code::TRY_AGAIN) })
            }
            bytes => {
                let bytes = bytes.doing(format!("cannot read {}", path.display()))?;
                Self::parse(&String::from_utf8_lossy(&bytes), path)
            }
        }
    }

    /// Lines without `=` and variables of other names are passed over; of two lines with one variable the last counts.
    fn parse(text: &str, path: &Path) -> Result<Self> {
        let lines = || text.lines().filter_map(|line| line.split_once('='));
        let value = |name: &str| lines().rfind(|(key, _)| *key == name).map(|(_, value)| value);
        let mut bad = Vec::new();
        let mut cidrs = |name: &str, separator: &[char]| {
            let mut found: Vec<Cidr> = Vec::new();
            for text in value(name).into_iter().flat_map(|value| value.split(separator)) {
                match text.parse::<Cidr>() {
                    Ok(cidr) if found.contains(&cidr.masked()) => {}
                    Ok(cidr) => found.push(cidr.masked()),
                    Err(problem) => bad.push(format!("{name}: {problem}")),
                }
            }
            found
        };
        let networks = [cidrs("FLANNEL_NETWORK", &[',']), cidrs("FLANNEL_IPV6_NETWORK", &[','])].concat();
        let subnets = [cidrs("FLANNEL_SUBNET", &[]), cidrs("FLANNEL_IPV6_SUBNET", &[])].concat();
        let mtu = value("FLANNEL_MTU").and_then(|text| {
            let problem = |_| format!("FLANNEL_MTU: {} is no number of bytes, such as 1450", excerpt(text));
            text.parse().map_err(problem).map_err(|problem| bad.push(problem)).ok()
        });
        let masquerades = value("FLANNEL_IPMASQ").map(|text| text == "true");
        if !bad.is_empty() {
            return Err(
                Error::config(format!("{} has invalid values", path.display())).because(bad.join("; "))
            );
        }
        match (mtu, masquerades) {
            (Some(mtu), Some(masquerades)) if !networks.is_empty() && !subnets.is_empty() => {
                Ok(Self { networks, subnets, mtu, masquerades })
            }
            _ => {
                let missing = [
                    (networks.is_empty(), NETWORKS),
                    (subnets.is_empty(), SUBNETS),
                    (mtu.is_none(), "FLANNEL_MTU"),
                    (masquerades.is_none(), "FLANNEL_IPMASQ"),
                ];
                let missing = missing.iter().filter(|(missing, _)| *missing).map(|(_, names)| *names);
                let missing = missing.collect::<Vec<_>>().join(", ");
                Err(Error::config(format!("{} is missing {missing}", path.display()))
                    .because(flanneld::hint()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SubnetEnv> {
        SubnetEnv::parse(text, Path::new("/x/subnet.env"))
    }

    fn cidrs(texts: &[&str]) -> Vec<Cidr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn every_variable_is_read_and_addresses_are_masked() {
        let all = "FLANNEL_NETWORK=10.1.0.0/16,10.2.0.0/16,10.1.9.9/16\r\nFLANNEL_SUBNET=10.1.17.1/24\n\
                   FLANNEL_IPV6_NETWORK=fd00::/48,fd01::1/48\nFLANNEL_IPV6_SUBNET=fd00:0:0:17::1/64\n\
                   # FLANNEL_MTU=1\nOTHER=x\nnonsense\nFLANNEL_MTU=1\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true";
        let expected = SubnetEnv {
            networks: cidrs(&["10.1.0.0/16", "10.2.0.0/16", "fd00::/48", "fd01::/48"]),
            subnets: cidrs(&["10.1.17.0/24", "fd00:0:0:17::/64"]),
            mtu: 1450,
            masquerades: true,
        };
        assert_eq!(parse(all).unwrap(), expected);
    }

    #[test]
    fn only_true_means_that_flanneld_masquerades() {
        for (text, expected) in [("true", true), ("false", false), ("TRUE", false), ("1", false), ("", false)]
        {
            let all = format!(
                "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.1.0/24\nFLANNEL_MTU=9\nFLANNEL_IPMASQ={text}"
            );
            assert_eq!(parse(&all).unwrap().masquerades, expected, "{text}");
        }
    }

    #[test]
    fn all_missing_variables_are_named_at_once() {
        let all = [
            ("FLANNEL_NETWORK=10.1.0.0/16\n", NETWORKS),
            ("FLANNEL_IPV6_SUBNET=fd00::/64\n", SUBNETS),
            ("FLANNEL_MTU=1450\n", "FLANNEL_MTU"),
            ("FLANNEL_IPMASQ=false\n", "FLANNEL_IPMASQ"),
        ];
        for chosen in 0..15_u32 {
            let (there, missing): (Vec<_>, Vec<_>) =
                (0..4).zip(all).partition(|(bit, _)| chosen & (1 << bit) != 0);
            let text: String = there.iter().map(|(_, (line, _))| *line).collect();
            let names: Vec<_> = missing.iter().map(|(_, (_, names))| *names).collect();
            let error = parse(&text).unwrap_err();
            assert_eq!(error.code, Code::CONFIG);
            assert_eq!(error.msg, format!("/x/subnet.env is missing {}", names.join(", ")));
        }
    }

    #[test]
    fn all_bad_values_are_named_at_once() {
        let bad = "FLANNEL_NETWORK=10.1.0.0/16,10.2.0.0\nFLANNEL_SUBNET=\nFLANNEL_IPV6_NETWORK=fd00::/129\n\
                   FLANNEL_IPV6_SUBNET=fd00::/64,fd01::/64\nFLANNEL_MTU=-1";
        let error = parse(bad).unwrap_err();
        assert_eq!(error.code, Code::CONFIG);
        for name in ["NETWORK", "SUBNET", "IPV6_NETWORK", "IPV6_SUBNET", "MTU"] {
            assert!(error.details.contains(&format!("FLANNEL_{name}: ")), "{error}");
        }
    }
}
