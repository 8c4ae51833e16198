//! What is shipped: packages, and the installer of cnitool.

mod install;
mod packaging;
