//! Which machine an executable is for, from its ELF header (elf(5)).

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The header's class, byte order and machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    bits: u8,
    number: u16,
}

/// The machine of an ELF file; `None` for anything else.
pub(super) fn machine(path: &Path) -> Option<Machine> {
    let mut header = [0; 20];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    let number = [header[18], header[19]];
    let number = match (header.starts_with(b"\x7fELF"), header[5]) {
        (true, 1) => u16::from_le_bytes(number),
        (true, 2) => u16::from_be_bytes(number),
        _ => return None,
    };
    Some(Machine { bits: header[4].saturating_mul(32), number })
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // linux/elf-em.h, with the names that releases have.
        match (self.number, self.bits) {
            (3, _) => f.write_str("386"),
            (21, _) => f.write_str("ppc64le"),
            (22, _) => f.write_str("s390x"),
            (40, _) => f.write_str("arm"),
            (62, _) => f.write_str("amd64"),
            (183, _) => f.write_str("arm64"),
            (243, 64) => f.write_str("riscv64"),
            (number, bits) => write!(f, "ELF machine {number}, {bits} bits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_of_this_test_and_of_a_script() {
        let own = machine(Path::new("/proc/self/exe")).unwrap();
        let name = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "x86" => "386",
            "aarch64" => "arm64",
            "powerpc64" => "ppc64le",
            other => other,
        };
        assert_eq!(own.to_string(), name);
        assert_eq!(machine(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))), None);
    }
}
