//! What runtimes demand of the plugins' versions before they use them. Both were read off the runtimes' behaviour.

use super::{Executable, Semver};

/// Plugins that Nomad's bridge networking runs; with one of them missing or too old it offers no bridge networks.
pub(crate) const NOMAD: [&str; 5] = ["bridge", "firewall", "host-local", "loopback", "portmap"];
const NOMAD_OLDEST: Semver = Semver::new(0, 4, 0);
/// Since this one `firewall` knows `ingressPolicy`, also `isolated`.
const NERDCTL_OLDEST: Semver = Semver::new(1, 7, 1);
const NERDCTL_ISOLATING: Semver = Semver::new(1, 1, 0);

/// What a runtime makes of a directory of plugins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it is content.
    pub(crate) content: bool,
    /// What it wants, and what follows where it does not get it.
    pub(crate) text: String,
}

/// Nomad takes the first version in what a plugin prints, wherever it stands.
pub(crate) fn nomad(found: &[Executable]) -> Verdict {
    let lacking = NOMAD.iter().filter_map(|&name| {
        let Some(plugin) = found.iter().find(|plugin| plugin.name == name) else {
            return Some(format!("{name} is missing"));
        };
        match Semver::first_in(&plugin.said) {
            Some(version) if version >= NOMAD_OLDEST => None,
            Some(version) => Some(format!("{name} passes for v{version}")),
            None => Some(format!("{name} has no version")),
        }
    });
    let lacking: Vec<_> = lacking.collect();
    let wants = format!("wants {} from v{NOMAD_OLDEST} on", NOMAD.join(", "));
    if lacking.is_empty() {
        return Verdict { content: true, text: wants };
    }
    Verdict { content: false, text: format!("no bridge networks: {}; {wants}", lacking.join(", ")) }
}

/// nerdctl wants a version, and nothing else, behind these words on a line of `firewall`'s stderr.
pub(crate) fn nerdctl(found: &[Executable]) -> Verdict {
    let no = |text: String| Verdict { content: false, text };
    let Some(firewall) = found.iter().find(|plugin| plugin.name == "firewall") else {
        return no("networks are not isolated from each other: firewall is missing".to_owned());
    };
    let line = firewall.said.lines().find_map(|line| line.strip_prefix("CNI firewall plugin "));
    match line.and_then(Semver::parse) {
        None => no("networks are not isolated from each other: firewall has no version".to_owned()),
        Some(version) if version < NERDCTL_ISOLATING => no(format!(
            "networks are not isolated from each other: firewall v{version}, wants v{NERDCTL_ISOLATING}"
        )),
        Some(version) if version < NERDCTL_OLDEST => no(format!(
            "icc=false isolates networks only, not containers: firewall v{version}, wants v{NERDCTL_OLDEST}"
        )),
        Some(_) => Verdict { content: true, text: format!("wants firewall from v{NERDCTL_OLDEST} on") },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Origin;
    use super::*;

    fn found(name: &str, said: &str) -> Executable {
        Executable { name: name.into(), said: said.into(), origin: Origin::of(name, said) }
    }

    fn all_of(version: &str) -> Vec<Executable> {
        let said =
            |name| format!("CNI {name} plugin {version}\nCNI protocol versions supported: 0.1.0, 1.0.0\n");
        NOMAD.iter().map(|name| found(name, &said(name))).collect()
    }

    #[test]
    fn nomad_takes_the_first_version() {
        for version in ["v0.4.0", "v1.9.1", "v2.0.0"] {
            assert!(nomad(&all_of(version)).content, "{version}");
        }
        let unknown = nomad(&all_of("version unknown"));
        assert!(!unknown.content && unknown.text.contains("loopback passes for v0.1.0"), "{unknown:?}");
        assert!(!nomad(&all_of("v0.1.0")).content);
        let missing = nomad(&all_of("v2.0.0")[1..]);
        assert!(missing.text.contains("bridge is missing"), "{missing:?}");
    }

    #[test]
    fn nerdctl_wants_a_version_and_nothing_else() {
        for (version, content, gist) in [
            ("v2.0.0", true, "wants firewall"),
            ("1.7.1", true, "wants firewall"),
            ("v1.7.1-rc1", false, "icc=false"),
            ("v1.1.1", false, "icc=false"),
            ("v1.0.1", false, "not isolated from each other: firewall v1.0.1"),
            ("v2.0.0 (of October)", false, "has no version"),
            ("version unknown", false, "has no version"),
        ] {
            let verdict = nerdctl(&all_of(version));
            assert_eq!(
                (verdict.content, verdict.text.contains(gist)),
                (content, true),
                "{version}: {verdict:?}"
            );
        }
        assert!(nerdctl(&[]).text.contains("firewall is missing"));
    }
}
