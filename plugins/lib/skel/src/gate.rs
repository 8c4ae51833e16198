//! What the configuration must say before a plugin sees it: its name, and a version the command and the plugin know.

use cni_types::{Code, Error, Json, NetworkName, Numbers, Result, SpecVersion, declared_version, excerpt};

use crate::env::Request;
use crate::plugin::About;

/// # Errors
/// Code 6 when `name` is no string, code 7 when it is missing or invalid.
pub(crate) fn name(conf: &Json) -> Result<NetworkName> {
    #[derive(Default)]
    struct Probe {
        name: String,
    }
    cni_types::fields!(Probe { "name" name });
    NetworkName::new(&conf.decode::<Probe>()?.name)
}

/// The configuration's version, after the gate of the command: CHECK came with 0.4.0, GC and STATUS with 1.1.0.
///
/// # Errors
/// Code 1 when the command or the plugin does not go with the version, code 6 when it is not a version at all.
pub(crate) fn version(conf: &Json, request: &Request, about: &About) -> Result<SpecVersion> {
    let text = declared_version(conf)?;
    let given = if text.is_empty() { SpecVersion::V0_1_0.as_str() } else { &text };
    let gate = match request {
        Request::Check(..) => Some(("CHECK", SpecVersion::V0_4_0)),
        Request::Gc => Some(("GC", SpecVersion::V1_1_0)),
        Request::Status => Some(("STATUS", SpecVersion::V1_1_0)),
        Request::Add(..) | Request::Del(..) => None,
    };
    let supported =
        || about.versions.iter().map(|v| format!("{:?}", v.as_str())).collect::<Vec<_>>().join(" ");
    let incompatible = |msg: String| Error::new(Code::INCOMPATIBLE_VERSION, msg);
    if let Some((verb, first)) = gate {
        let numbers = Numbers::parse(&text)
            .ok_or_else(|| Error::decode("cniVersion is not a version number").because(excerpt(&text)))?;
        if numbers < first.into() {
            return Err(incompatible(format!("config version does not allow {verb}"))
                .because(format!("it is {}; {verb} needs {first} or later", excerpt(given))));
        }
        if !about.versions.iter().any(|v| Numbers::from(*v) >= numbers) {
            return Err(incompatible(format!("plugin version does not allow {verb}")).because(format!(
                "config is {}, plugin supports [{}]",
                excerpt(given),
                supported()
            )));
        }
    }
    let version = SpecVersion::find(&text).filter(|v| about.versions.contains(v));
    version.ok_or_else(|| {
        incompatible("incompatible CNI versions".to_owned()).because(format!(
            "config is {}, plugin supports [{}]",
            excerpt(given),
            supported()
        ))
    })
}
