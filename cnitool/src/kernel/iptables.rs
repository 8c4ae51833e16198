//! The rules of iptables, where it is installed: as the tool itself lists them.

use std::io;
use std::process::Command;

/// The rules of a table for both families, as `iptables -S` writes them.
///
/// # Errors
/// What the tool says, or that neither family's is there.
pub(crate) fn rules(table: &str) -> Result<Vec<String>, String> {
    let (mut rules, mut is_there) = (Vec::new(), false);
    for tool in ["iptables", "ip6tables"] {
        let failed = |why: String| format!("{tool} -t {table} -S: {why}");
        // Somebody else may be writing rules; a second is longer than any of them takes.
        match Command::new(tool).args(["-w", "1", "-t", table, "-S"]).output() {
            Ok(done) if done.status.success() => {
                is_there = true;
                rules.extend(String::from_utf8_lossy(&done.stdout).lines().map(ToOwned::to_owned));
            }
            Ok(done) => return Err(failed(String::from_utf8_lossy(&done.stderr).trim().to_owned())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e.to_string())),
        }
    }
    if is_there { Ok(rules) } else { Err("there is no iptables to ask".into()) }
}
