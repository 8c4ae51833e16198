//! One invocation, from the environment to the exit status (spec 1.1.0, section 2).

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use super::env::{self, Command, Env, Lookup};
use super::{About, Attachment, Detachment, Plugin, netns};
use crate::attachment::AttachmentId;
use crate::error::{Code, Error, Result};
use crate::json::Json;
use crate::name::{NetworkName, excerpt};
use crate::network::Network;
use crate::version::{Numbers, SpecVersion};

/// Answers one invocation. Results and error objects go to `stdout` in one write; the return value is the exit
/// status, 0 or 1. A panic in the plugin becomes an error object of code 999.
pub fn dispatch(
    plugin: &dyn Plugin,
    env: Lookup<'_>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let answer = catch_unwind(AssertUnwindSafe(|| answer(plugin, env, stdin, stdout, stderr)));
    let error = match answer {
        Ok(Ok(())) => return 0,
        Ok(Err(error)) => error,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Error::new(Code::INTERNAL, format!("{} failed: a defect of the plugin", plugin.about().name))
                .because(text)
        }
    };
    let object = error_object(&error);
    if let Err(e) = stdout.write_all(object.as_bytes()).and_then(|()| stdout.flush()) {
        let _ = writeln!(stderr, "cannot write the error to stdout ({e}): {error}");
    }
    1
}

fn error_object(error: &Error) -> String {
    let mut object =
        json!({ "cniVersion": SpecVersion::CURRENT.as_str(), "code": error.code.0, "msg": error.msg });
    if !error.details.is_empty() {
        object["details"] = json!(error.details);
    }
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut out = Vec::new();
    let written =
        serde::Serialize::serialize(&object, &mut serde_json::Serializer::with_formatter(&mut out, indent));
    written.ok().and_then(|()| String::from_utf8(out).ok()).unwrap_or_default()
}

fn answer(
    plugin: &dyn Plugin,
    lookup: Lookup<'_>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<()> {
    let about = plugin.about();
    let Some(env) = env::read(lookup)? else {
        let _ = write!(stderr, "{}", about_text(&about));
        return Ok(());
    };
    if env.command == Ok(Command::Version) {
        let versions: Vec<_> = about.versions.iter().map(|v| v.as_str()).collect();
        let reply = json!({ "cniVersion": SpecVersion::CURRENT.as_str(), "supportedVersions": versions });
        return write(stdout, &format!("{reply}\n"));
    }
    let mut bytes = Vec::new();
    stdin
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io("error reading the network configuration from stdin", &e))?;
    let conf = Json::parse(&bytes).map_err(|e| e.doing("error unmarshall-ing network config"))?;
    let name = name(&conf)?;
    let command = env.command.clone();
    let command = command.map_err(|c| Error::new(Code::ENVIRONMENT, format!("unknown CNI_COMMAND: {c}")))?;
    let version = version(&conf, command, &about)?;
    let mut network = Network::new(name, version, conf, bytes);
    network.cni_path = env.cni_path.clone();
    network.args = env.args.clone();
    call(plugin, command, env, network, stdout)
}

fn about_text(about: &About) -> String {
    let versions: Vec<_> = about.versions.iter().map(|v| v.as_str()).collect();
    format!(
        "CNI {} plugin v{}\nCNI protocol versions supported: {}\n",
        about.name,
        env!("CARGO_PKG_VERSION"),
        versions.join(", ")
    )
}

fn name(conf: &Json) -> Result<NetworkName> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Probe {
        name: String,
    }
    NetworkName::new(&conf.decode::<Probe>()?.name)
}

/// The configuration's version, after the gate of the command: CHECK came with 0.4.0, GC and STATUS with 1.1.0.
fn version(conf: &Json, command: Command, about: &About) -> Result<SpecVersion> {
    #[derive(Default, serde::Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Probe {
        cni_version: String,
    }
    let text = conf.decode::<Probe>()?.cni_version;
    let gate = match command {
        Command::Check => Some(("CHECK", SpecVersion::V0_4_0)),
        Command::Gc => Some(("GC", SpecVersion::V1_1_0)),
        Command::Status => Some(("STATUS", SpecVersion::V1_1_0)),
        Command::Add | Command::Del | Command::Version => None,
    };
    if let Some((verb, first)) = gate {
        let given = Numbers::parse(&text)
            .ok_or_else(|| Error::decode("cniVersion is not a version number").because(excerpt(&text)))?;
        if given < first.into() {
            return Err(Error::new(
                Code::INCOMPATIBLE_VERSION,
                format!("config version does not allow {verb}"),
            )
            .because(format!("it is {text:?}; {verb} needs {first} or later")));
        }
        if !about.versions.iter().any(|v| Numbers::from(*v) >= given) {
            return Err(Error::new(
                Code::INCOMPATIBLE_VERSION,
                format!("plugin version does not allow {verb}"),
            ));
        }
    }
    let version = SpecVersion::find(&text).filter(|v| about.versions.contains(v));
    version.ok_or_else(|| {
        let supported =
            about.versions.iter().map(|v| format!("{:?}", v.as_str())).collect::<Vec<_>>().join(" ");
        let given = if text.is_empty() { SpecVersion::V0_1_0.as_str() } else { &text };
        Error::new(Code::INCOMPATIBLE_VERSION, "incompatible CNI versions")
            .because(format!("config is {}, plugin supports [{supported}]", excerpt(given)))
    })
}

fn call(
    plugin: &dyn Plugin,
    command: Command,
    env: Env,
    network: Network,
    stdout: &mut dyn Write,
) -> Result<()> {
    let (container_id, ifname) = match (command, env.container_id, env.ifname) {
        (Command::Gc, ..) => return plugin.gc(&network),
        (Command::Status, ..) => return plugin.status(&network),
        (_, Some(container_id), Some(ifname)) => (container_id, ifname),
        _ => return Err(Error::new(Code::ENVIRONMENT, "CNI_CONTAINERID or CNI_IFNAME is missing")),
    };
    if let Some(path) = env.netns.as_ref().filter(|_| command != Command::Check && !env.netns_override) {
        netns::refuse_own(path)?;
    }
    let id = AttachmentId { network: network.name.clone(), container_id, ifname };
    if command == Command::Del {
        return plugin.del(&Detachment { id, netns: env.netns, network });
    }
    let attachment = Attachment { id, netns: env.netns.unwrap_or_default(), network };
    if command == Command::Check {
        return plugin.check(&attachment);
    }
    let result = plugin.add(&attachment)?;
    let told = result.to_json(attachment.network.version).and_then(|text| write(stdout, &text));
    told.map_err(|error| take_back(plugin, attachment, error))
}

/// The attachment stands but the runtime cannot be told: remove it, since nobody would.
fn take_back(plugin: &dyn Plugin, attachment: Attachment, error: Error) -> Error {
    let Attachment { id, netns, network } = attachment;
    match plugin.del(&Detachment { id, netns: Some(netns), network }) {
        Ok(()) => error,
        Err(leftover) => error.because(format!("taking the attachment back failed too: {leftover}")),
    }
}

fn write(stdout: &mut dyn Write, text: &str) -> Result<()> {
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|e| Error::io("cannot write the result to stdout", &e))
}
