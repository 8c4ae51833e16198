//! The rules of iptables, where it is installed.

/// The rules of a table for both families, as `iptables -S` writes them.
///
/// # Errors
/// What the tool says, or that neither family's is there.
pub(crate) fn rules(table: &str) -> Result<Vec<String>, String> {
    let tools: Vec<_> = [false, true].into_iter().filter_map(|is_ipv6| iptables::new(is_ipv6).ok()).collect();
    if tools.is_empty() {
        return Err("there is no iptables to ask".into());
    }
    let mut rules = Vec::new();
    for tool in tools {
        rules.extend(tool.list_table(table).map_err(|e| format!("{} -t {table} -S: {e}", tool.cmd))?);
    }
    Ok(rules)
}
