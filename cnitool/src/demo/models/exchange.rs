//! What pods send each other: a datagram of any size, and a stream.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use cni_net::Netns;
use cni_types::{Code, Doing, Error, Result};

/// Where the probe goes.
pub(super) const PORT: u16 = 4789 + 1;
const PATIENCE: Duration = Duration::from_secs(3);
/// What a stream carries, in bytes.
const STREAM: usize = 64 << 20;
/// An IPv4 and a UDP header.
const HEADERS: usize = 28;

/// Sends one IP packet of `size` bytes.
///
/// # Errors
/// Code 5 when it does not arrive whole.
pub(super) fn datagram(from: &Netns, to: &Netns, ip: IpAddr, size: usize) -> Result<()> {
    let doing = || format!("cannot send a packet of {size} bytes to {ip}");
    let receiver = to.enter(|| UdpSocket::bind((ip, PORT)))?.doing(doing())?;
    receiver.set_read_timeout(Some(PATIENCE)).doing(doing())?;
    let sender = from.enter(|| UdpSocket::bind("0.0.0.0:0"))?.doing(doing())?;
    let load = vec![0x2a; size.saturating_sub(HEADERS)];
    sender.send_to(&load, SocketAddr::new(ip, PORT)).doing(doing())?;
    let mut buffer = vec![0; load.len() + 1];
    let (length, _) = receiver.recv_from(&mut buffer).doing(format!("{}: nothing arrived", doing()))?;
    if length == load.len() { Ok(()) } else { Err(Error::new(Code::IO, doing())) }
}

/// Bytes per second of one TCP stream.
///
/// # Errors
/// Code 5 when it breaks.
pub(super) fn stream(from: &Netns, to: &Netns, ip: IpAddr) -> Result<f64> {
    let doing = || format!("cannot transfer to {ip}");
    let listener = to.enter(|| TcpListener::bind((ip, 0)))?.doing(doing())?;
    let address = listener.local_addr().doing(doing())?;
    let connect = || TcpStream::connect_timeout(&address, PATIENCE);
    let mut sender = from.enter(connect)?.doing(doing())?;
    let started = Instant::now();
    let received = thread::scope(|scope| {
        let receive = scope.spawn(move || -> io::Result<usize> {
            let (mut stream, _) = listener.accept()?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let (mut buffer, mut received) = (vec![0; 1 << 18], 0);
            loop {
                match stream.read(&mut buffer)? {
                    0 => return Ok(received),
                    length => received += length,
                }
            }
        });
        let block = vec![0x2a; 1 << 18];
        let sent = (0..STREAM / block.len()).try_for_each(|_| sender.write_all(&block));
        drop(sender);
        let received = receive.join().unwrap_or_else(|_| Err(io::Error::other("its thread ended early")));
        sent.and(received)
    });
    let received = received.doing(doing())?;
    if received != STREAM {
        return Err(Error::new(Code::IO, format!("{}: {received} of {STREAM} bytes arrived", doing())));
    }
    Ok(received as f64 / started.elapsed().as_secs_f64())
}
