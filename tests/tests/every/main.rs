//! What holds for every plugin, verb by verb and fault by fault.

mod bad_input;
mod budget;
mod check;
mod debug;
mod del;
mod differential;
mod examples;
mod faults;
mod gc;
mod matrix;
mod modes;
mod next_step;
mod races;
mod refused;
mod requests;
mod smoke;
mod status;
mod test_files;
mod trace;
mod upgrade;
mod validate_node;
mod words;
