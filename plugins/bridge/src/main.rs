//! The `bridge` executable.

use std::process::ExitCode;

fn main() -> ExitCode {
    cni_types::run(&plugin_bridge::Bridge)
}
