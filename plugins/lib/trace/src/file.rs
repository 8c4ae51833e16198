//! A file of lines that processes append to, each in one write; when it is too large it is put aside as `.1`, in place
//! of the one before.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag};
use nix::sys::statvfs::fstatvfs;

/// Appends `lines`, the last of which ends in a newline, to the file at `path`: made where it is missing, mode 0600,
/// not through a symbolic link. Waits for nobody.
///
/// # Errors
/// When it is no regular file, cannot be written, or its file system is nearly full.
pub(crate) fn append(path: &Path, lines: &str, limit: u64) -> io::Result<()> {
    let (mut file, mut size) = open(path)?;
    if size > 0 && size + lines.len() as u64 > limit && put_aside(path, &file)? {
        (file, size) = open(path)?;
    }
    let space = fstatvfs(&file)?;
    // One part in twenty stays free: a trace never fills a disk.
    if space.blocks_available() < space.blocks() / 20 {
        return Err(io::Error::other("its file system is nearly full"));
    }
    // The disk may have been full in the middle of the line before.
    let mut last = [b'\n'];
    if size > 0 {
        file.read_exact_at(&mut last, size - 1)?;
    }
    let ended = if last == *b"\n" { Cow::Borrowed(lines) } else { Cow::Owned(format!("\n{lines}")) };
    if file.write(ended.as_bytes())? < ended.len() {
        return Err(io::Error::other("the line was cut off"));
    }
    Ok(())
}

/// The file, and how large it is, in bytes.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true).mode(0o600).custom_flags(flags.bits());
    let file = options.open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok((file, about.len()))
}

/// Whether the name is free for a new file. Of all processes that find the file too large, the one that has its lock
/// renames it, and only while it has the name.
#[allow(deprecated, reason = "nix's guard panics when it cannot unlock")]
fn put_aside(path: &Path, file: &File) -> io::Result<bool> {
    match nix::fcntl::flock(file.as_raw_fd(), FlockArg::LockExclusiveNonblock) {
        Err(Errno::EWOULDBLOCK) => return Ok(false),
        locked => locked?,
    }
    // Another one has renamed it just now, and the new one is not there yet.
    let Some(named) = fs::symlink_metadata(path).map(Some).or_else(|e| match e.kind() {
        io::ErrorKind::NotFound => Ok(None),
        _ => Err(e),
    })?
    else {
        return Ok(true);
    };
    let own = file.metadata()?;
    if (own.dev(), own.ino()) == (named.dev(), named.ino()) {
        fs::rename(path, aside(path))?;
    }
    Ok(true)
}

/// The name of what is put aside.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn lines_of_many_threads_are_whole_and_the_size_is_bounded() {
        let dir = std::env::temp_dir().join(format!("cni-trace-file-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("log");
        let line = format!("{}\n", "x".repeat(99));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..200).for_each(|_| append(&path, &line, 2000).unwrap()));
            }
        });
        for path in [&path, &aside(&path)] {
            let text = fs::read_to_string(path).unwrap();
            // What had it open while it was put aside still writes there: at most one line each.
            assert!(text.len() <= 2000 + 8 * line.len(), "{}", text.len());
            assert!(text.lines().all(|read| read == line.trim_end()), "{text}");
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_is_no_file_is_refused_and_a_broken_line_ended() {
        let dir = std::env::temp_dir().join(format!("cni-trace-kinds-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (link, fifo, file) = (dir.join("link"), dir.join("fifo"), dir.join("file"));
        symlink(&file, &link).unwrap();
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for wrong in [&link, &fifo, &dir, Path::new("/dev/null"), &dir.join("missing/log")] {
            assert!(append(wrong, "a\n", 100).is_err(), "{wrong:?}");
        }
        assert!(!file.exists());
        fs::write(&file, "half a l").unwrap();
        append(&file, "whole\n", 100).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "half a l\nwhole\n");
        fs::remove_dir_all(&dir).unwrap();
    }
}
