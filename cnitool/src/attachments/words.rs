//! How people call it.

use super::Attachment;

/// Characters of a container's id where there is little room.
const ID: usize = 13;

impl Attachment {
    /// The arguments the runtime gave, such as the pod's name.
    pub(crate) fn argument(&self, key: &str) -> Option<&str> {
        let args = &self.kept.as_ref()?.conf.args;
        args.iter().rev().find(|(k, value)| k == key && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The pod, where the runtime said; else the container's id, or what else there is to find it by.
    pub(crate) fn container(&self) -> String {
        if let Some(pod) = self.argument("K8S_POD_NAME") {
            let namespace = self.argument("K8S_POD_NAMESPACE");
            return namespace.map_or_else(|| pod.to_owned(), |namespace| format!("{namespace}/{pod}"));
        }
        match (&self.id, &self.file) {
            (Some(id), _) => id.container_id.to_string(),
            (None, Some(file)) => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            (None, None) => self.owner.clone().unwrap_or_default(),
        }
    }

    /// The same in a few characters: an id is cut.
    pub(crate) fn short_container(&self) -> String {
        let is_an_id = self.argument("K8S_POD_NAME").is_none() && (self.id.is_some() || self.file.is_none());
        let whole = self.container();
        if is_an_id { whole.chars().take(ID).collect() } else { whole }
    }

    /// What the interface has; where there is none, what it had, or what is reserved for it.
    pub(crate) fn addresses(&self) -> Vec<String> {
        if let Some(link) = &self.link {
            return link.given_addresses().map(|(ip, prefix)| format!("{ip}/{prefix}")).collect();
        }
        match &self.kept {
            Some(kept) => kept.result.ips_of(&kept.conf.ifname).map(|ip| ip.address.to_string()).collect(),
            None => self.reserved().map(|ip| ip.to_string()).collect(),
        }
    }

    /// `5, 100-200`: the VLANs it is on, where that is said.
    pub(crate) fn vlan_ranges(&self) -> Option<String> {
        (!self.vlans.is_empty()).then(|| ranges(&self.vlans))
    }
}

fn ranges(vlans: &[u16]) -> String {
    let mut parts: Vec<(u16, u16)> = Vec::new();
    for vlan in vlans {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *vlan => *last = *vlan,
            _ => parts.push((*vlan, *vlan)),
        }
    }
    let text = |(first, last): &(u16, u16)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    parts.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn vlans_in_a_row_are_one_range() {
        assert_eq!(super::ranges(&[5, 100, 101, 102, 200]), "5, 100-102, 200");
    }
}
