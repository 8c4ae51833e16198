//! The answer of an executable that is no plugin at all.

use std::io::Write;

use cni_types::Error;

use crate::answer::error_object;
use crate::stdio::Stdout;
use crate::tell;

/// Answers a runtime (there is a `CNI_COMMAND`) with the error object on stdout, a person with the text on stderr. The
/// return value is the exit status.
pub fn refuse(error: &Error) -> u8 {
    let told =
        std::env::var_os("CNI_COMMAND").is_some() && Stdout.write_all(error_object(error).as_bytes()).is_ok();
    if !told {
        tell(error);
    }
    1
}
