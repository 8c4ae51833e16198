//! See the library.

use std::process::ExitCode;

cni_skel::notes!();

fn main() -> ExitCode {
    cnitool::main()
}
