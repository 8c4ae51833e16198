//! Where the executables under test are.

use std::path::{Path, PathBuf};

/// The directory of the reference plugins as Debian's package `containernetworking-plugins` installs them.
const REFERENCE: &str = "/usr/lib/cni";

/// Root of the repository: `tests/..`.
pub const ANCHOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The names of the suite's plugins: each is a package of its own below `plugins/` or `ipam/`.
pub fn plugins() -> Vec<String> {
    let packages = ["plugins", "ipam"].into_iter().flat_map(|group| {
        let entries = std::fs::read_dir(format!("{ANCHOR}/{group}")).unwrap();
        entries.map(|entry| entry.unwrap().path()).filter(|package| package.join("Cargo.toml").exists())
    });
    let mut names: Vec<_> =
        packages.map(|package| package.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(names.contains(&"bridge".to_owned()), "the packages are not where they should be: {names:?}");
    names.sort();
    names
}

/// Whose executables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// The ones under test.
    Ours,
    /// Debian's build of the reference.
    Reference,
}

impl Suite {
    /// Name of the suite's directory on a test's host.
    pub(crate) const fn dir(self) -> &'static str {
        match self {
            Self::Ours => "/run/cni-tests/ours",
            Self::Reference => "/run/cni-tests/reference",
        }
    }

    /// Where the suite's executables are on the machine: for ours `CNI_TEST_BIN_DIR` or else where cargo put them,
    /// beside the running test.
    pub fn source(self) -> PathBuf {
        match self {
            Self::Reference => PathBuf::from(REFERENCE),
            Self::Ours => std::env::var_os("CNI_TEST_BIN_DIR").map_or_else(beside_the_test, PathBuf::from),
        }
    }
}

/// `target/debug/deps/<test>` → `target/debug`.
fn beside_the_test() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).map(Path::to_path_buf).unwrap()
}
