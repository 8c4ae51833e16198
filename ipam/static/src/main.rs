//! The `static` executable; see the library.

fn main() -> std::process::ExitCode {
    cni_types::run(&ipam_static::Static)
}
