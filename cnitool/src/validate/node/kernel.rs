//! Whether the kernel has what a plugin makes.

use std::fs;
use std::path::Path;

use crate::kernel::options;
use crate::known;
use crate::validate::finding::Sheet;
use crate::validate::network::Plugin;

/// What a plugin cannot do without: its option, and the module that is it.
const NEEDS: [(&str, &str, &str); 14] = [
    ("bridge", "BRIDGE", "bridge"),
    ("bridge", "VETH", "veth"),
    ("ptp", "VETH", "veth"),
    ("macvlan", "MACVLAN", "macvlan"),
    ("ipvlan", "IPVLAN", "ipvlan"),
    ("vlan", "VLAN_8021Q", "8021q"),
    ("dummy", "DUMMY", "dummy"),
    ("tap", "TUN", "tun"),
    ("vrf", "NET_VRF", "vrf"),
    ("bandwidth", "NET_SCH_TBF", "sch_tbf"),
    ("bandwidth", "IFB", "ifb"),
    ("bandwidth", "NET_ACT_MIRRED", "act_mirred"),
    ("portmap", "NF_NAT", "nf_nat"),
    ("sbr", "IP_MULTIPLE_TABLES", ""),
];

/// Names what the kernel of this node lacks; where nothing tells what it has, says nothing.
pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin) {
    for name in names(plugin) {
        for (_, option, module) in NEEDS.iter().filter(|(needs, ..)| *needs == name) {
            if has(option, module) == Some(false) {
                let text = format!(
                    "{name} needs the kernel option CONFIG_{option}, which this kernel does not have"
                );
                sheet.error("kernel-option", &plugin.head(), text);
            }
        }
    }
}

/// The plugins of this suite that the plugin runs: itself, and of flannel its delegate.
fn names(plugin: &Plugin) -> Vec<&str> {
    let all = [plugin.kind(), plugin.maker()];
    let mut names: Vec<_> = all.into_iter().filter(|name| known::declared(name).is_some()).collect();
    names.dedup();
    names
}

/// Whether nothing tells what the running kernel has.
pub(super) fn is_silent() -> bool {
    has("NET", "net").is_none()
}

/// Whether the running kernel has the option, loaded, built in or as a module; `None` where it does not say.
fn has(option: &str, module: &str) -> Option<bool> {
    if !module.is_empty() && Path::new("/sys/module").join(module).exists() {
        return Some(true);
    }
    if let Some(config) = options::config() {
        let set = [format!("CONFIG_{option}=y"), format!("CONFIG_{option}=m")];
        return Some(config.lines().any(|line| set.iter().any(|set| line == set)));
    }
    let release = options::release()?;
    let lists = ["modules.builtin", "modules.dep"]
        .map(|name| fs::read_to_string(format!("/lib/modules/{release}/{name}")).ok());
    let [Some(builtin), Some(loadable)] = lists else { return None };
    // Both name modules with either of `-` and `_`.
    let is_module = |line: &str| {
        let path = line.split(':').next().unwrap_or_default();
        let file = path.rsplit('/').next().unwrap_or_default();
        file.split(".ko").next().is_some_and(|name| name.replace('-', "_") == module.replace('-', "_"))
    };
    (!module.is_empty()).then(|| builtin.lines().chain(loadable.lines()).any(is_module))
}
