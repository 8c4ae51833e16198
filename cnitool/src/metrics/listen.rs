//! HTTP for Prometheus: one resource, and bounds on everything a client may do.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::gather;

/// How long a client has for its request, and for taking the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Clients at once; the others wait in the kernel's queue.
const CLIENTS: usize = 16;
/// The longest request that is read.
const LONGEST: usize = 8 << 10;

/// Answers `GET /metrics` until the process is ended.
///
/// # Errors
/// When the address cannot be listened on.
pub(super) fn serve(address: SocketAddr) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        cni_skel::tell(format_args!("metrics on http://{}/metrics", listener.local_addr()?));
        let (clients, gathering) = (Arc::new(Semaphore::new(CLIENTS)), Arc::new(Mutex::new(())));
        loop {
            // The semaphore is never closed.
            let Ok(slot) = Arc::clone(&clients).acquire_owned().await else { return Ok(()) };
            let gathering = Arc::clone(&gathering);
            match listener.accept().await {
                Ok((client, _)) => {
                    tokio::spawn(async move {
                        // A client that goes away is no failure of ours.
                        let _ = answer(client, &gathering).await;
                        drop(slot);
                    });
                }
                // Such as too many open files: it passes.
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    })
}

async fn answer(mut client: TcpStream, gathering: &Mutex<()>) -> io::Result<()> {
    let request = timeout(PATIENCE, read(&mut client)).await??;
    let (status, body) = match request.as_deref() {
        None => ("400 Bad Request", "no HTTP request\n".to_owned()),
        Some(line) => respond(line, gathering).await,
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let text = if request.is_some_and(|line| line.starts_with("HEAD ")) { head } else { head + &body };
    timeout(PATIENCE, client.write_all(text.as_bytes())).await??;
    timeout(PATIENCE, client.shutdown()).await?
}

async fn respond(line: &str, gathering: &Mutex<()>) -> (&'static str, String) {
    let mut words = line.split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let path = target.unwrap_or_default().split('?').next().unwrap_or_default();
    match (method, path, version) {
        (_, _, None) => ("400 Bad Request", "no HTTP request\n".into()),
        (Some("GET" | "HEAD"), "/metrics", _) => {
            // One look at the node at once, however many ask.
            let _turn = gathering.lock().await;
            match spawn_blocking(gather::text).await {
                Ok(Ok(text)) => ("200 OK", text),
                Ok(Err(e)) => ("500 Internal Server Error", format!("{e}\n")),
                Err(_) => ("500 Internal Server Error", "the node could not be looked at\n".into()),
            }
        }
        (Some("GET" | "HEAD"), "/", _) => ("200 OK", "the metrics are under /metrics\n".into()),
        (Some("GET" | "HEAD"), _, _) => ("404 Not Found", "there is /metrics\n".into()),
        _ => ("405 Method Not Allowed", "there is GET\n".into()),
    }
}

/// The request's first line, when its head is complete; `None` for what is too long or none.
async fn read(client: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    loop {
        let count = client.read(&mut part).await?;
        head.extend_from_slice(&part[..count]);
        if head.windows(4).any(|four| four == b"\r\n\r\n") {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            return Ok(std::str::from_utf8(line).ok().map(ToOwned::to_owned));
        }
        if count == 0 || head.len() > LONGEST {
            return Ok(None);
        }
    }
}
