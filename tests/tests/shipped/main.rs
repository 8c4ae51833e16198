//! What is shipped: packages, and the verbs of cnitool that install and that look.

mod debian;
mod install;
mod packaging;
mod rpm;
mod seen;
