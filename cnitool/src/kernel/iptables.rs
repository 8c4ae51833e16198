//! The rules of iptables, where it is installed: as the tool itself lists them.

use crate::tool::{Unsaid, said};

/// The rules of a table for both families, as `iptables -S` writes them.
///
/// # Errors
/// What the tool says, or that neither family's is there.
pub(crate) fn rules(table: &str) -> Result<Vec<String>, String> {
    let (mut rules, mut is_there) = (Vec::new(), false);
    for tool in ["iptables", "ip6tables"] {
        // Somebody else may be writing rules; a second is longer than any of them takes.
        match said(tool, &["-w", "1", "-t", table, "-S"]) {
            Ok(listed) => {
                is_there = true;
                rules.extend(listed.lines().map(ToOwned::to_owned));
            }
            Err(Unsaid::Failed(why)) => return Err(format!("{tool} -t {table} -S: {why}")),
            Err(Unsaid::Missing) => {}
        }
    }
    if is_there { Ok(rules) } else { Err("there is no iptables to ask".into()) }
}
