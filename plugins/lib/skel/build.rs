//! Gives a build its identity, `CNI_BUILD`: what all that could make its executables do something else comes down to.
//!
//! In a release that is every source, the versions of dependencies, the compiler and the machine. Of a build for
//! development it is the sources that a change of compiles every package anew already: this package's and the
//! protocol's.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Where the executables' sources are, below the workspace's root.
const SOURCES: [&str; 5] = ["Cargo.lock", "cni-types", "plugins", "ipam", "suite"];
const SOURCES_FOR_DEVELOPMENT: [&str; 3] = ["Cargo.lock", "cni-types/src", "plugins/lib/skel/src"];

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../../..");
    let sources = if variable("PROFILE") == "release" { &SOURCES[..] } else { &SOURCES_FOR_DEVELOPMENT[..] };
    let mut files = Vec::new();
    for source in sources {
        println!("cargo:rerun-if-changed={}", root.join(source).display());
        list(&root.join(source), &mut files)?;
    }
    let mut hash = Hash::new();
    for name in ["CARGO_PKG_VERSION", "TARGET", "OPT_LEVEL"] {
        hash.field(variable(name).as_bytes());
    }
    hash.field(&Command::new(variable("RUSTC")).arg("-V").output()?.stdout);
    // The same order, and the same names, wherever the sources are.
    let mut files: Vec<_> =
        files.iter().filter_map(|file| Some((file.strip_prefix(&root).ok()?, file))).collect();
    files.sort_unstable();
    for (name, file) in files {
        hash.field(name.as_os_str().as_encoded_bytes());
        hash.field(&fs::read(file)?);
    }
    println!("cargo:rustc-env=CNI_BUILD={:032x}", hash.0);
    Ok(())
}

/// All that is compiled below `path`.
fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        return fs::read_dir(path)?.try_for_each(|entry| list(&entry?.path(), files));
    }
    if path
        .extension()
        .is_some_and(|extension| ["rs", "toml", "lock"].map(AsRef::as_ref).contains(&extension))
    {
        files.push(path.to_owned());
    }
    Ok(())
}

/// FNV-1a of 128 bits. Nobody is kept out by it: whoever can write executables into `CNI_PATH` need not forge one.
struct Hash(u128);

impl Hash {
    const fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    /// Its length goes before it, so that no two fields are another pair's.
    fn field(&mut self, bytes: &[u8]) {
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}
