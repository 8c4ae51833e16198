//! One invocation, from the environment to the exit status (spec 1.1.0, section 2).

use std::any::Any;
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use cni_trace::{self as trace, phase};
use cni_types::{AttachmentId, Code, Error, Json, Network, Result, cut, errno_text};

use crate::answer::{Tracked, about_text, error_object, version_reply, write};
use crate::env::{self, Asked, Endpoint, Lookup, Request};
use crate::plugin::{Attachment, Delegates, Detachment, Plugin};
use crate::{gate, netns, privileges};

/// Largest configuration in bytes: a runaway stdin must not take the node's memory.
const CONFIG_MAX: u64 = 16 << 20;

/// Answers one invocation. Results and error objects go to `stdout` in one write, and never both; the return value is
/// the exit status, 0 or 1. A panic in the plugin becomes an error object of code 999. The invocation may be a process,
/// or a call by another plugin in one.
pub fn dispatch(
    plugin: &dyn Plugin,
    delegates: &Delegates,
    env: Lookup<'_>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let run = trace::Run::begin(plugin.about().name, env);
    let mut stdout = Tracked::new(stdout);
    let answer =
        catch_unwind(AssertUnwindSafe(|| answer(plugin, delegates, env, stdin, &mut stdout, stderr)));
    let error = match answer {
        Ok(Ok(())) => {
            run.end(Ok(()));
            return 0;
        }
        Ok(Err(error)) => privileges::explain(error),
        Err(panic) => defect(plugin, panic.as_ref()),
    };
    let written = if stdout.started {
        Err(io::Error::other("half a result is already there"))
    } else {
        stdout.write_all(error_object(&error).as_bytes()).and_then(|()| stdout.flush())
    };
    if let Err(e) = written {
        let _ = writeln!(stderr, "cannot write the error to stdout ({}): {error}", errno_text(&e));
    }
    run.end(Err(&error));
    1
}

fn defect(plugin: &dyn Plugin, panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
    Error::new(Code::INTERNAL, format!("{} failed: a defect of the plugin", plugin.about().name))
        .because(text)
}

fn answer(
    plugin: &dyn Plugin,
    delegates: &Delegates,
    lookup: Lookup<'_>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<()> {
    let about = plugin.about();
    let env = match env::read(lookup)? {
        Asked::About => {
            let _ = stderr.write_all(about_text(&about).as_bytes());
            return Ok(());
        }
        Asked::Version => return write(stdout, &version_reply(&about)),
        Asked::Verb(env) => env,
    };
    let reading = phase("configuration");
    let bytes = read_config(stdin)?;
    trace::stdin(lookup, &bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::decode("error unmarshall-ing network config: there is nothing on stdin").because(
            "a runtime writes the network's configuration there; by hand, give the file as stdin: < 10-net.conf",
        ));
    }
    let conf = Json::parse(&bytes).map_err(|e| e.doing("error unmarshall-ing network config"))?;
    let name = gate::name(&conf)?;
    trace::network(&name);
    let request = env.request.map_err(|c| {
        Error::new(Code::ENVIRONMENT, format!("unknown CNI_COMMAND: {}", cut(&c, 80)))
            .because("it must be ADD, DEL, CHECK, GC, STATUS or VERSION")
    })?;
    let version = gate::version(&conf, &request, &about)?;
    let mut network = Network::new(name, version, conf, bytes);
    network.cni_path = env.cni_path;
    network.args = env.args;
    let may_be_own = env.netns_override;
    drop(reading);
    let _working = phase("plugin");
    match request {
        Request::Gc => gc(plugin, delegates, &network, stderr),
        Request::Status => plugin.status(&network, delegates),
        Request::Check(endpoint, netns) => plugin.check(&attachment(endpoint, netns, network), delegates),
        Request::Del(endpoint, netns) => {
            netns.iter().filter(|_| !may_be_own).try_for_each(|path| netns::refuse_own(path))?;
            plugin.del(&Detachment { id: id(endpoint, &network), netns, network }, delegates)
        }
        Request::Add(endpoint, netns) => {
            if !may_be_own {
                netns::refuse_own(&netns)?;
            }
            add(plugin, delegates, attachment(endpoint, netns, network), stdout)
        }
    }
}

fn read_config(stdin: &mut dyn Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(8 << 10);
    stdin
        .take(CONFIG_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io("error reading the network configuration from stdin", &e))?;
    if bytes.len() as u64 > CONFIG_MAX {
        return Err(Error::decode(format!("the network configuration on stdin is over {CONFIG_MAX} bytes")));
    }
    Ok(bytes)
}

fn id(endpoint: Endpoint, network: &Network) -> AttachmentId {
    let Endpoint { container_id, ifname } = endpoint;
    AttachmentId { network: network.name.clone(), container_id, ifname }
}

fn attachment(endpoint: Endpoint, netns: PathBuf, network: Network) -> Attachment {
    Attachment { id: id(endpoint, &network), netns, network, is_repeated: Cell::default() }
}

fn add(
    plugin: &dyn Plugin,
    delegates: &Delegates,
    attachment: Attachment,
    stdout: &mut dyn Write,
) -> Result<()> {
    let result = plugin.add(&attachment, delegates)?;
    let text = result.to_json(attachment.network.version);
    let take_back = |result: Option<&str>, error| take_back(plugin, delegates, attachment, result, error);
    match text {
        Ok(text) => write(stdout, &text).map_err(|error| take_back(Some(&text), error)),
        Err(error) => Err(take_back(None, error)),
    }
}

/// An absent list is no empty one: nothing may be freed by it. libcni leaves it out when it is called without
/// arguments.
fn gc(plugin: &dyn Plugin, delegates: &Delegates, network: &Network, stderr: &mut dyn Write) -> Result<()> {
    if network.lists_valid_attachments() {
        return plugin.gc(network, delegates);
    }
    let _ = writeln!(
        stderr,
        "GC freed nothing: the configuration of network {} does not have the key \"cni.dev/valid-attachments\", the list \
         of attachments to keep",
        network.name
    );
    Ok(())
}

/// The attachment stands but the runtime cannot be told: remove it, since nobody would. DEL is told what ADD has made,
/// as a runtime tells it: without, a plugin that cannot tell two attachments of a container apart would remove both. Of
/// an attachment that an earlier ADD has made the runtime knows; it stays.
fn take_back(
    plugin: &dyn Plugin,
    delegates: &Delegates,
    attachment: Attachment,
    result: Option<&str>,
    error: Error,
) -> Error {
    let Attachment { id, netns, network, is_repeated } = attachment;
    if is_repeated.get() {
        return error;
    }
    let network = match result.and_then(|text| Json::parse(text.as_bytes()).ok()) {
        Some(result) => network.after(result),
        None => network,
    };
    match plugin.del(&Detachment { id, netns: Some(netns), network }, delegates) {
        Ok(()) => error,
        Err(leftover) => error.because(format!("taking the attachment back failed too: {leftover}")),
    }
}
