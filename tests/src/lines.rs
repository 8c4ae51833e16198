//! Two lists of lines, compared.

/// The lines of `one` that are not in `other`.
pub fn only_in(one: &[String], other: &[String]) -> Vec<String> {
    one.iter().filter(|line| !other.contains(line)).cloned().collect()
}
