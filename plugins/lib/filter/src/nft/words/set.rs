//! Sets and maps.

use super::super::lookup::number;
use super::super::set::{DATA_TYPE, DataType, FLAGS, INTERVAL, KEY_TYPE};

/// A new set of this name.
pub(super) fn words(attrs: &[u8], name: &str) -> Option<String> {
    let key = types(number(attrs, KEY_TYPE)?)?;
    let (what, data) = match number(attrs, DATA_TYPE) {
        None => ("set", String::new()),
        Some(data) => ("map", format!(" : {}", types(data)?)),
    };
    let flags = if number(attrs, FLAGS)? & INTERVAL == 0 { "" } else { " flags interval;" };
    Some(format!("add {what} {name} {{ type {key}{data};{flags} }}"))
}

/// The types of a key or of data, as they are numbered together.
fn types(number: u32) -> Option<String> {
    let mut names: Vec<&str> = DataType::split(number).map(|of| Some(of?.name)).collect::<Option<_>>()?;
    names.reverse();
    Some(names.join(" . "))
}
