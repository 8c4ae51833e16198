//! An executable in a directory of plugins, and what it says of itself when it is run without `CNI_COMMAND`.

mod elf;
mod gate;
mod semver;
mod spoken;

use std::fmt;
use std::path::Path;

use cni_skel::SUITE;

pub(crate) use gate::{Verdict, nerdctl, nomad};
pub(crate) use semver::Semver;

/// The suite's plugins, by name.
pub(crate) const PLUGINS: [&str; 19] = [
    "bandwidth",
    "bridge",
    "dhcp",
    "dummy",
    "firewall",
    "flannel",
    "host-device",
    "host-local",
    "ipvlan",
    "loopback",
    "macvlan",
    "portmap",
    "ptp",
    "sbr",
    "static",
    "tap",
    "tuning",
    "vlan",
    "vrf",
];

/// Whose an executable is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This suite's.
    Ours(Semver),
    /// The reference's, or one that speaks like it; distributions build some that do not know their version.
    Reference(Option<Semver>),
    /// Somebody else's: it does not introduce itself as the plugin of its name. Why we think so.
    Foreign(String),
}

/// An executable that was run.
#[derive(Debug, Clone)]
pub(crate) struct Executable {
    /// Its file's name.
    pub(crate) name: String,
    /// What it wrote to stderr.
    pub(crate) said: String,
    /// Whose it is.
    pub(crate) origin: Origin,
}

impl Executable {
    /// Runs `dir/name` as runtimes do to learn its version: without arguments and environment. Nothing that it says or
    /// does is an error; `None` when there is no such file.
    pub(crate) fn find(dir: &Path, name: &str) -> Option<Self> {
        let path = dir.join(name);
        path.symlink_metadata().ok()?;
        let (said, mut origin) = match spoken::without_command(&path) {
            Ok(said) => {
                let origin = Origin::of(name, &said);
                (said, origin)
            }
            Err(error) => (String::new(), Origin::Foreign(format!("cannot be run: {error}"))),
        };
        if let (Origin::Foreign(_), Some(machines)) = (&origin, other_machine(&path)) {
            origin = Origin::Foreign(machines);
        }
        Some(Self { name: name.to_owned(), said, origin })
    }

    /// The specification versions it says it speaks.
    pub(crate) fn spec_versions(&self) -> &str {
        let line = self.said.lines().find_map(|line| line.strip_prefix("CNI protocol versions supported: "));
        line.unwrap_or("-")
    }
}

impl Origin {
    fn of(name: &str, said: &str) -> Self {
        let prefix = format!("CNI {name} plugin ");
        let Some(version) = said.lines().find_map(|line| line.strip_prefix(&prefix)) else {
            return Self::Foreign(format!("does not say \"{prefix}…\" when it is run without CNI_COMMAND"));
        };
        match (Semver::parse(version), said.lines().any(|line| line == SUITE)) {
            (Some(version), true) => Self::Ours(version),
            (version, _) => Self::Reference(version),
        }
    }

    /// Its version, where it has one.
    pub(crate) fn version(&self) -> Option<&Semver> {
        match self {
            Self::Ours(version) | Self::Reference(Some(version)) => Some(version),
            Self::Reference(None) | Self::Foreign(_) => None,
        }
    }

    /// Whose, in a word.
    pub(crate) const fn owner(&self) -> &'static str {
        match self {
            Self::Ours(_) => "ours",
            Self::Reference(_) => "reference",
            Self::Foreign(_) => "foreign",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.version()) {
            (Self::Foreign(_), _) => f.write_str("foreign"),
            (origin, Some(version)) => write!(f, "{} v{version}", origin.owner()),
            (origin, None) => write!(f, "{}, version unknown", origin.owner()),
        }
    }
}

/// The kernel's "Exec format error" does not say that the file is for another machine; its header does.
fn other_machine(path: &Path) -> Option<String> {
    let (theirs, ours) = (elf::machine(path)?, elf::machine(Path::new("/proc/self/exe"))?);
    (theirs != ours).then(|| format!("is for {theirs}, cnitool for {ours}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_an_executable_is() {
        let version = |text| Semver::parse(text);
        let said =
            |first: &str, more: &str| format!("{first}\nCNI protocol versions supported: 1.0.0\n{more}");
        for (said, origin) in [
            (said("CNI tap plugin v2.0.0", SUITE), Origin::Ours(version("2.0.0").unwrap())),
            (said("CNI tap plugin v1.9.1", ""), Origin::Reference(version("1.9.1"))),
            (said("CNI tap plugin version unknown", ""), Origin::Reference(None)),
        ] {
            assert_eq!(Origin::of("tap", &said), origin);
        }
        for said in ["", "usage: tap", &said("CNI bridge plugin v2.0.0", SUITE), SUITE] {
            assert!(matches!(Origin::of("tap", said), Origin::Foreign(_)), "{said}");
        }
    }
}
