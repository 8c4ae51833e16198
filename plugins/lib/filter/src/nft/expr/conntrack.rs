//! The packet's connection.

use super::{Compare, Expr, Register};

/// `NFT_CT_STATE` (`enum nft_ct_keys`).
const STATE: u32 = 0;
/// `NF_CT_STATE_BIT` of `IP_CT_ESTABLISHED` and of `IP_CT_RELATED`.
const ESTABLISHED_OR_RELATED: u32 = 1 << 1 | 1 << 2;

impl Expr {
    /// Goes on only if the packet belongs to a known connection: `ct state established,related`. Uses `R1`.
    pub fn known_connection() -> [Self; 3] {
        let register = Register::R1;
        [
            Self::numbers("ct", &[(1, register.0), (2, STATE)]),
            // Unlike most numbers here, the state is in host byte order.
            Self::mask(register, &ESTABLISHED_OR_RELATED.to_ne_bytes()),
            Self::cmp(register, Compare::NotEqual, &[0; 4]),
        ]
    }
}
