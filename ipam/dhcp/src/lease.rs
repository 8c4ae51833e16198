//! A lease: what it gives, how long, and its life as a pure state machine.

mod binding;
mod machine;
mod terms;

pub(crate) use binding::{Binding, Times};
pub(crate) use machine::{Act, End, Machine, Offer, Send};
pub(crate) use terms::Timing;
