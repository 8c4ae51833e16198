//! The executable starts and speaks the protocol.

cni_tests::smoke!("vrf", ["0.3.1", "0.4.0", "1.0.0", "1.1.0"]);
