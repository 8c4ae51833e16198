//! What an ADD did beside making its own mappings.

use crate::flows::Gone;

/// What others, or an ADD before it, had to give up.
#[derive(Default)]
pub(crate) struct Taken {
    /// Where mappings led that are no more.
    pub(crate) gone: Vec<Gone>,
    /// Owners whose namespace is gone, and who held a port.
    pub(crate) yielded: Vec<String>,
}

impl Taken {
    pub(crate) fn extend(&mut self, other: Self) {
        self.gone.extend(other.gone);
        self.yielded.extend(other.yielded);
    }
}
