//! Network sysctls of the namespace the thread is in. Names are paths below `/proc/sys/net` with `/` between their
//! parts, so that an interface name with a dot in it stays one part.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};

use cni_skel::tell;
use cni_trace::{Asked, phase};
use cni_types::{Code, Error, Result, errno_text};

use crate::link::Link;

pub(crate) fn path(name: &str) -> String {
    format!("/proc/sys/net/{name}")
}

/// Writes a value.
///
/// # Errors
/// Code 100 with the sysctl's path and the errno.
pub fn write(name: &str, value: &str) -> Result<()> {
    let _writing = phase("sysctl");
    // Not `fs::write`, which asks for the file to be made: the kernel then says EACCES where there is none.
    let written =
        OpenOptions::new().write(true).open(path(name)).and_then(|mut f| f.write_all(value.as_bytes()));
    note(name, value, &written);
    written.map_err(|e| {
        let error = Error::io(format!("cannot set {} to {value}", path(name)), &e).with_code(Code::KERNEL);
        if e.kind() != io::ErrorKind::NotFound {
            return error;
        }
        let details = format!(
            "{}; this kernel has no such sysctl: is the name right, the module loaded?",
            error.details
        );
        Error { details, ..error }
    })
}

/// Writes a value where the kernel has the sysctl; one built without IPv6, or a read-only `/proc/sys`, is no failure.
pub fn write_if_possible(name: &str, value: &str) {
    let _writing = phase("sysctl");
    note(name, value, &fs::write(path(name), value));
}

fn note(name: &str, value: &str, written: &io::Result<()>) {
    cni_trace::asked(|| Asked {
        whom: "sysctl",
        doing: format!("set {name}"),
        said: format!("echo {value} > {}", path(name)),
        answer: written.as_ref().map_or_else(errno_text, |()| "done".to_owned()),
        object: String::new(),
        is_inside: cni_trace::is_elsewhere(),
    });
}

/// Closes the host's ears on one of its links: whoever is at the other end must not be able to give the host addresses
/// and routes (CVE-2020-10749). To be called before anything can arrive by it. A bridge's port needs it too: frames to
/// the link-local group addresses, such as LLDP's, go to the port's own IPv6 and not to the bridge's.
pub(crate) fn ignore_router_advertisements(link: &Link) {
    if link.settings.accept_ra != Some(false) {
        write_if_possible(&format!("ipv6/conf/{}/accept_ra", link.name), "0");
    }
}

/// Reads a value, without the final newline.
///
/// # Errors
/// The errno; not found when the kernel has no such sysctl.
pub fn read(name: &str) -> io::Result<String> {
    let _reading = phase("sysctl");
    fs::read_to_string(path(name)).map(|text| text.trim_end().to_owned())
}

/// Enables IPv6 on a link where a sysctl has it off. A kernel that does not say is told on stderr: it may have no IPv6.
///
/// # Errors
/// Code 100 with the sysctl's path and the errno.
pub(crate) fn ensure_ipv6_by_name(link: &str) -> Result<()> {
    let name = format!("ipv6/conf/{link}/disable_ipv6");
    match read(&name) {
        Ok(value) if value == "0" => {}
        Ok(_) => write(&name, "0")?,
        Err(e) => tell(format_args!("cannot read {}: {e}; does the kernel have IPv6?", path(&name))),
    }
    Ok(())
}

/// The same for a link that the kernel has described.
///
/// # Errors
/// Code 100 with the sysctl's path and the errno.
pub fn ensure_ipv6(link: &Link) -> Result<()> {
    if link.settings.disable_ipv6 == Some(false) { Ok(()) } else { ensure_ipv6_by_name(&link.name) }
}
