//! An operation of cnitool as a run of its own, which the plugins' runs are part of.

use std::ffi::OsString;

use cni_trace::{Run, phase};
use cni_types::{NetworkName, Result};

use crate::invoke::RuntimeConf;

/// Does `act`, the operation `verb` on all plugins of the network, or of several without `network`.
///
/// # Errors
/// That of `act`.
pub(crate) fn operation<T>(
    verb: &str,
    network: Option<&NetworkName>,
    conf: Option<&RuntimeConf>,
    act: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let env = |name: &str| match name {
        "CNI_COMMAND" => Some(OsString::from(verb)),
        "CNI_CONTAINERID" => conf.map(|conf| conf.container_id.as_str().into()),
        "CNI_IFNAME" => conf.map(|conf| conf.ifname.as_str().into()),
        "CNI_NETNS" => conf.and_then(|conf| conf.netns.clone()).map(OsString::from),
        _ => std::env::var_os(name),
    };
    let run = Run::begin("cnitool", &env);
    if let Some(network) = network {
        cni_trace::network(network);
    }
    let working = phase("plugin");
    let done = act();
    drop(working);
    run.end(done.as_ref().map(drop));
    done
}
