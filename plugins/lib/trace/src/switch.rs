//! What is switched on, and by whom: the environment, or a file on the node, which works without touching the runtime.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::Lookup;

/// The file with the switches, a line each, as in an environment: `CNI_LOG=journal`. The superuser's alone.
pub const SWITCHES: &str = "/run/cni/log.conf";
/// No more of it is read, in bytes.
const SIZE_MAX: u64 = 4 << 10;
/// How large a file gets before it is put aside, in bytes, when `CNI_LOG_SIZE` does not say.
const LIMIT: u64 = 10 << 20;

/// Where a line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Stderr,
    Journal,
    File(PathBuf),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    /// `CNI_LOG`: the line of each run.
    pub(crate) log: Option<Destination>,
    /// `CNI_DEBUG`: with what was asked of the kernel.
    pub(crate) asks: bool,
    /// `CNI_RECORD`: what each run was given, to run it again.
    pub(crate) record: Option<PathBuf>,
    /// `CNI_LOG_SIZE`
    pub(crate) limit: u64,
}

impl Switches {
    /// The environment decides where it has `CNI_LOG`; the file is looked for where it has not.
    pub(crate) fn read(env: Lookup<'_>) -> Self {
        if env("CNI_LOG").is_some() { Self::of(env) } else { Self::of_file(Path::new(SWITCHES)) }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.log.is_some() || self.record.is_some()
    }

    /// Nothing is on where there is no file, or one that somebody else could have written.
    fn of_file(path: &Path) -> Self {
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
        let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(path) else {
            return Self::default();
        };
        let is_ours = |m: std::fs::Metadata| m.is_file() && m.uid() == 0 && m.mode() & 0o022 == 0;
        let mut text = String::new();
        if !file.metadata().is_ok_and(is_ours) || file.take(SIZE_MAX).read_to_string(&mut text).is_err() {
            return Self::default();
        }
        Self::of(&|name| value(&text, name).map(OsString::from))
    }

    fn of(value: Lookup<'_>) -> Self {
        let absolute = |text: &OsString| Path::new(text).is_absolute().then(|| PathBuf::from(text));
        let log = value("CNI_LOG").and_then(|text| match text.to_str() {
            Some("stderr") => Some(Destination::Stderr),
            Some("journal") => Some(Destination::Journal),
            _ => absolute(&text).map(Destination::File),
        });
        let asks = value("CNI_DEBUG").is_some_and(|text| !text.is_empty() && text != "0");
        let limit = value("CNI_LOG_SIZE").and_then(|text| text.to_str()?.parse().ok());
        let record = value("CNI_RECORD").as_ref().and_then(absolute);
        Self { log, asks, record, limit: limit.unwrap_or(LIMIT) }
    }
}

/// The value of the last line that sets `name`.
fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.rfind(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn words_paths_and_nothing_else() {
        let log = |text: &str| Switches::of(&|name| (name == "CNI_LOG").then(|| text.into())).log;
        assert_eq!(log("stderr"), Some(Destination::Stderr));
        assert_eq!(log("journal"), Some(Destination::Journal));
        assert_eq!(log("/a/b"), Some(Destination::File("/a/b".into())));
        for off in ["", "off", "a/b", "STDERR"] {
            assert_eq!(log(off), None, "{off}");
        }
    }

    #[test]
    fn a_file_that_others_may_write_switches_nothing() {
        let dir = std::env::temp_dir().join(format!("cni-trace-switch-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (file, link) = (dir.join("log.conf"), dir.join("link"));
        fs::write(&file, "# a note\nCNI_LOG = stderr\nCNI_DEBUG=1\nCNI_LOG=journal\nCNI_LOG_SIZE=5\n")
            .unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&file, &link).unwrap();
        let on = Switches { log: Some(Destination::Journal), asks: true, record: None, limit: 5 };
        // As somebody else the file is not the superuser's.
        let is_root = nix::unistd::geteuid().is_root();
        assert_eq!(Switches::of_file(&file), if is_root { on } else { Switches::default() });
        assert_eq!(Switches::of_file(&link), Switches::default());
        assert_eq!(Switches::of_file(&dir), Switches::default());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(Switches::of_file(&file), Switches::default());
        fs::remove_dir_all(&dir).unwrap();
    }
}
