//! Asking the reference's daemon, which may still be running when this plugin is installed.

use std::path::Path;
use std::time::Duration;

use cni_types::{AttachmentId, CniResult, Code, Doing, Error, Network, Result};

use super::socket::{Connection, Failure};
use crate::place::whole;
use crate::rpc::{Client, CmdArgs, Method};

/// One call.
///
/// # Errors
/// Code 102 with the daemon's own words; code 11 when it does not answer.
pub(super) fn call(
    socket: &Path,
    method: Method,
    id: &AttachmentId,
    netns: Option<&Path>,
    network: &Network,
    patience: Duration,
) -> Result<CniResult> {
    let calling = format!("error calling {}", method.name());
    let args = CmdArgs {
        container_id: id.container_id.to_string(),
        netns: netns.map(whole).transpose()?.unwrap_or_default().to_string_lossy().into_owned(),
        ifname: id.ifname.to_string(),
        args: network.args.as_str().to_owned(),
        stdin_data: network.bytes().to_vec(),
        ..CmdArgs::default()
    };
    let mut client = Client::default();
    client.request(method, &args);
    let answer = exchange(socket, &mut client, patience).doing(&calling)?;
    answer.map_err(|words| Error::new(Code::DELEGATE, format!("{calling}: {words}")))
}

fn exchange(
    socket: &Path,
    client: &mut Client,
    patience: Duration,
) -> Result<std::result::Result<CniResult, String>> {
    let silent = |failure: Failure| failure.error(socket);
    let nonsense = |error| Error::decode("the daemon's answer makes no sense").because(error);
    let mut connection = Connection::open(socket, patience).map_err(silent)?;
    let mut buffer = [0; 4096];
    loop {
        let output = client.output();
        if !output.is_empty() {
            connection.send(&output).map_err(silent)?;
            continue;
        }
        let bytes = connection.receive(&mut buffer).map_err(silent)?;
        if bytes.is_empty() {
            return Err(Error::decode("the daemon's answer ends in the middle"));
        }
        client.feed(bytes).map_err(&nonsense)?;
        if let Some(reply) = client.next_reply().map_err(&nonsense)? {
            return Ok(reply.result);
        }
    }
}
