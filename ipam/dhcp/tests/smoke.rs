//! The executable starts and speaks the protocol.

cni_tests::smoke!("dhcp");
