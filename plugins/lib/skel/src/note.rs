//! What an executable says of itself in its ELF file (elf(5), "Notes"): of which build it is, and its name.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::{AccessFlags, access};

/// The identity of this build, 32 hex digits: the same in all its executables, another in those of any other.
pub(crate) const THIS_BUILD: &str = env!("CNI_BUILD");

/// The executable that is the plugin it is called as.
const EVERY_PLUGIN: &str = "cni-plugins";

/// A note as it lies in the file, `SIZE` bytes: three numbers, whose it is, and its value.
#[doc(hidden)]
#[repr(C, align(4))]
#[derive(Debug)]
pub struct Note<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> Note<SIZE> {
    const fn new(kind: u32, value: &str) -> Self {
        const OWNER: &[u8; 4] = b"CNI\0";
        const HEAD: usize = 16;
        assert!(SIZE % 4 == 0 && SIZE < 256 && HEAD + value.len() <= SIZE, "a value has room in its note");
        let mut note = [0; SIZE];
        #[allow(clippy::cast_possible_truncation, reason = "see above")]
        let numbers = [OWNER.len() as u32, (SIZE - HEAD) as u32, kind];
        let mut at = 0;
        while at < HEAD {
            note[at] = if at < 12 { numbers[at / 4].to_ne_bytes()[at % 4] } else { OWNER[at - 12] };
            at += 1;
        }
        while at < HEAD + value.len() {
            note[at] = value.as_bytes()[at - HEAD];
            at += 1;
        }
        Self(note)
    }
}

impl Note<48> {
    /// That of the build.
    pub const fn of_build() -> Self {
        Self::new(1, THIS_BUILD)
    }
}

impl Note<32> {
    /// That of an executable of this name, at most 16 bytes.
    pub const fn of_name(name: &str) -> Self {
        Self::new(2, name)
    }
}

/// Puts the notes into an executable: a section for the build's, which is the same in all, and one for the name's.
#[macro_export]
macro_rules! notes {
    () => {
        $crate::notes!(env!("CARGO_BIN_NAME"));
    };
    ($name:expr) => {
        // Reason for `unsafe`: sections of these names are nobody else's, and what is in them is a note.
        #[used]
        #[unsafe(link_section = ".note.cni")]
        static BUILD_NOTE: $crate::Note<48> = $crate::Note::<48>::of_build();
        #[used]
        #[unsafe(link_section = ".note.cni.name")]
        static NAME_NOTE: $crate::Note<32> = $crate::Note::<32>::of_name($name);
    };
}

/// Whether running `program` is running this build's plugin `name`: it has the notes, and the kernel would run it.
pub(crate) fn is_of_this_build(program: &Path, name: &str) -> bool {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(program);
    let Some(notes) = file.ok().as_ref().and_then(notes) else { return false };
    let has = |note: &[u8]| notes.windows(note.len()).step_by(4).any(|there| there == note);
    let is_named = |name: &str| name.len() <= 16 && has(&Note::<32>::new(2, name).0);
    has(&Note::of_build().0)
        && (is_named(name) || is_named(EVERY_PLUGIN))
        && access(program, AccessFlags::X_OK).is_ok()
}

/// The bytes of a file's notes; `None` for what is no ELF file for this machine.
fn notes(file: &File) -> Option<Vec<u8>> {
    /// Bytes from the beginning of a file in which linkers put headers and notes.
    const HEAD: usize = 4096;
    let mut head = [0; HEAD];
    let length = file.read_at(&mut head, 0).ok()?;
    let head = &head[..length];
    let mut notes = Vec::new();
    for (at, size) in note_segments(head)? {
        if let Some(segment) = at.checked_add(size).and_then(|end| head.get(at..end)) {
            notes.extend_from_slice(segment);
            continue;
        }
        let mut segment = vec![0; size.min(HEAD)];
        let length = file.read_at(&mut segment, u64::try_from(at).ok()?).ok()?;
        notes.extend_from_slice(&segment[..length]);
    }
    Some(notes)
}

/// Where a file that begins with `head` has its notes, and how many bytes of them (elf(5), `Ehdr` and `Phdr`).
fn note_segments(head: &[u8]) -> Option<Vec<(usize, usize)>> {
    const PT_NOTE: u32 = 4;
    const WORD: usize = size_of::<usize>();
    let (class, order) = (WORD / 4, if cfg!(target_endian = "little") { 1 } else { 2 });
    if !head.starts_with(&[0x7f, b'E', b'L', b'F', u8::try_from(class).ok()?, order]) {
        return None;
    }
    let half = |at: usize| Some(usize::from(u16::from_ne_bytes(head.get(at..at + 2)?.try_into().ok()?)));
    let word = |at: usize| Some(usize::from_ne_bytes(head.get(at..at + WORD)?.try_into().ok()?));
    // Where the fields are with addresses of four and of eight bytes.
    let field = |narrow: usize, wide: usize| if WORD == 4 { narrow } else { wide };
    let (table, size, count) = (word(field(28, 32))?, half(field(42, 54))?, half(field(44, 56))?);
    let mut segments = Vec::new();
    for header in (0..count).map(|n| table + n * size) {
        let kind = u32::from_ne_bytes(head.get(header..header + 4)?.try_into().ok()?);
        if kind == PT_NOTE {
            segments.push((word(header + field(4, 8))?, word(header + field(16, 32))?));
        }
    }
    Some(segments)
}
