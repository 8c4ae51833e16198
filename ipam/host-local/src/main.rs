//! The `host-local` executable; see the library.

fn main() -> std::process::ExitCode {
    cni_types::run(&ipam_host_local::HostLocal)
}
