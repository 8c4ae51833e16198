//! The plugins that work on what another one made, and `flannel`, which has another one work.

mod bandwidth;
mod delegates;
mod flannel;
mod sbr;
mod tuning;
mod vrf;
