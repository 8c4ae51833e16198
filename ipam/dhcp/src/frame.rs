//! IPv4 and UDP around a DHCP message (RFC 791, RFC 768), as a packet socket takes and gives them: without the link's
//! own header.

use std::net::Ipv4Addr;

use crate::message::reply::Ignored;

/// The client's and the server's port.
pub(crate) const CLIENT: u16 = 68;
pub(crate) const SERVER: u16 = 67;

const IP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const UDP: u8 = 17;
/// As the kernel's own packets.
const TTL: u8 = 64;

/// A packet from the client's port to the server's.
pub(crate) fn encode(source: Ipv4Addr, destination: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let length = |header: usize| u16::try_from(header + message.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = vec![0x45, 0];
    packet.extend(length(IP_HEADER + UDP_HEADER));
    packet.extend([0, 0, 0, 0, TTL, UDP, 0, 0]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    let sum = checksum(0, &packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());

    packet.extend(CLIENT.to_be_bytes());
    packet.extend(SERVER.to_be_bytes());
    packet.extend(length(UDP_HEADER));
    packet.extend([0, 0]);
    packet.extend(message);
    // The checksum covers both addresses, the protocol and the length beside UDP itself.
    let [high, low] = length(UDP_HEADER);
    let pseudo = u32::from(UDP) + u32::from(u16::from_be_bytes([high, low]));
    let sum = checksum(pseudo, &packet[12..]);
    // Zero would mean that there is none.
    let sum = if sum == 0 { u16::MAX } else { sum };
    packet[IP_HEADER + 6..IP_HEADER + 8].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The payload of a packet to the client's port. Checksums are not looked at: a server on this machine leaves them to a
/// device that never comes (`CHECKSUM_PARTIAL`), and the link has its own.
///
/// # Errors
/// Why there is none.
pub(crate) fn decode(packet: &[u8]) -> Result<&[u8], Ignored> {
    let &[first, _, high, low, ..] = packet else { return Err(Ignored::Truncated) };
    let total = usize::from(u16::from_be_bytes([high, low]));
    let header = usize::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header < IP_HEADER {
        return Err(Ignored::NotDhcp);
    }
    // Behind the packet there may be the padding of a short frame.
    let packet = packet.get(..total).ok_or(Ignored::Truncated)?;
    let udp = packet.get(header..).ok_or(Ignored::Truncated)?;
    let &[_, _, port_high, port_low, high, low, _, _, ..] = udp else { return Err(Ignored::Truncated) };
    if packet[9] != UDP || u16::from_be_bytes([port_high, port_low]) != CLIENT {
        return Err(Ignored::NotDhcp);
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    udp.get(UDP_HEADER..length).ok_or(Ignored::Truncated)
}

/// The Internet checksum (RFC 1071) of `bytes`, starting from `sum`.
fn checksum(sum: u32, bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|word| match *word {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    let mut sum = words.fold(sum, u32::wrapping_add);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A packet the other way round.
    fn to_client(message: &[u8]) -> Vec<u8> {
        let mut packet = encode(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::BROADCAST, message);
        packet[IP_HEADER..IP_HEADER + 4].copy_from_slice(&[0, 67, 0, 68]);
        packet
    }

    #[test]
    fn checksums_are_those_of_the_rfcs() {
        assert_eq!(
            checksum(0, &[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
            !0xddf2,
            "RFC 1071, section 3"
        );
        let packet = encode(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), b"odd");
        assert_eq!(checksum(0, &packet[..IP_HEADER]), 0);
        assert_eq!(checksum(u32::from(UDP) + 11, &packet[12..]), 0);
    }

    #[test]
    fn the_payload_comes_back_without_the_frame_s_padding() {
        let mut packet = to_client(b"hello");
        assert_eq!(decode(&packet), Ok(&b"hello"[..]));
        packet.extend([0; 20]);
        assert_eq!(decode(&packet), Ok(&b"hello"[..]));
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let packet = to_client(b"hello");
        for cut in 0..packet.len() {
            assert_eq!(decode(&packet[..cut]), Err(Ignored::Truncated), "{cut} bytes");
        }
        for (at, byte, why) in [
            (0, 0x44, Ignored::NotDhcp),
            (0, 0x65, Ignored::NotDhcp),
            (0, 0x4f, Ignored::Truncated),
            (3, 4, Ignored::Truncated),
            (9, 6, Ignored::NotDhcp),
            (23, 67, Ignored::NotDhcp),
            (25, 7, Ignored::Truncated),
            (25, 200, Ignored::Truncated),
        ] {
            let mut bad = packet.clone();
            bad[at] = byte;
            assert_eq!(decode(&bad), Err(why), "byte {at} is {byte}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
        }
    }
}
