//! Where administrators' tools are.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

/// Where they are when `PATH` does not say so: runtimes, systemd and cron start programs with a short one, or none.
const SYSTEM_DIRS: [&str; 5] = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/// The executable `name` of `PATH`, else of the system's directories. What `PATH` has of relative directories is passed
/// over: a plugin's own is the runtime's affair.
pub fn find_tool(name: &str) -> Option<PathBuf> {
    find(name, &std::env::var_os("PATH").unwrap_or_default())
}

fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    let named = path.as_bytes().split(|&b| b == b':').map(OsStr::from_bytes);
    let dirs = named.chain(SYSTEM_DIRS.map(OsStr::new)).map(Path::new);
    let mut files = dirs.filter(|dir| dir.is_absolute()).map(|dir| dir.join(name));
    files.find(|file| access(file, AccessFlags::X_OK).is_ok() && file.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_tool_is_an_executable_file_of_path_or_of_the_systems_directories() {
        let dir = std::env::temp_dir().join(format!("cni-find-tool-{}", std::process::id()));
        let [first, second] = ["first", "second"].map(|name| dir.join(name));
        // The first has a directory and a file that is no program; the second a program of each name.
        fs::create_dir_all(first.join("a-directory")).unwrap();
        fs::create_dir_all(&second).unwrap();
        fs::write(first.join("a-text"), "").unwrap();
        for name in ["a-directory", "a-text", "sh"] {
            fs::write(second.join(name), "").unwrap();
            fs::set_permissions(second.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}::relative:{}", first.display(), second.display());
        for name in ["a-directory", "a-text", "sh"] {
            assert_eq!(find(name, path.as_ref()), Some(second.join(name)), "{name}");
        }
        assert_eq!(find("no-such-tool", path.as_ref()), None);
        fs::remove_dir_all(&dir).unwrap();
        // A shell is in one of the last two directories, whatever the node.
        for path in ["", "bin:.", "/nonexistent"] {
            let found = find("sh", path.as_ref()).unwrap();
            assert!(["/usr/bin/sh", "/bin/sh"].contains(&found.to_str().unwrap()), "{path:?}: {found:?}");
        }
    }
}
