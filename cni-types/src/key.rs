//! The keys of configurations. Each is declared once, by [`keys!`](crate::keys): decoding, the README's table and
//! programs that validate or complete configurations have it from there.

mod declare;
mod entry;
mod form;
mod text;
mod whole;

pub use entry::{Absent, Form, Formed, Key, PluginKeys};
pub use text::{FromText, Text, Words};
pub use whole::Whole;
