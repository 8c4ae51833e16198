//! Where mapped packets go: the container's addresses.

use cni_types::{AttachmentId, Cidr, CniResult, IpConfig};

use crate::mapping::Mapping;

/// The container's first address of each family in the result: IPv4, IPv6. Addresses of other interfaces do not count:
/// host ends, and other interfaces of the container.
pub(crate) fn addresses(result: &CniResult, id: &AttachmentId) -> [Option<Cidr>; 2] {
    let is_the_containers = |ip: &&IpConfig| {
        let interface = ip.interface.and_then(|index| usize::try_from(index).ok());
        interface
            .and_then(|index| result.interfaces.get(index))
            .is_none_or(|i| i.name == id.ifname.as_str() && !i.sandbox.is_empty())
    };
    let mut of_family = [None, None];
    for ip in result.ips.iter().filter(is_the_containers) {
        of_family[ip.address.family()].get_or_insert(ip.address);
    }
    of_family
}

/// Whether there is an address that the mapping can lead to.
pub(crate) fn is_mapped(mapping: &Mapping, targets: &[Option<Cidr>; 2]) -> bool {
    targets.iter().flatten().any(|target| mapping.is_for(target.family()))
}
