//! The `loopback` executable.

use std::process::ExitCode;

fn main() -> ExitCode {
    cni_types::run(&plugin_loopback::Loopback)
}
