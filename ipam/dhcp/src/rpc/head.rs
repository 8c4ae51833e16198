//! The HTTP head that opens a connection, in either direction.

use super::Error;

/// What the client opens with.
pub(super) const CONNECT: &[u8] = b"CONNECT /_goRPC_ HTTP/1.0\n\n";
/// What the server answers.
pub(super) const CONNECTED: &[u8] = b"HTTP/1.0 200 Connected to Go RPC\n\n";

/// Longest head in bytes; the reference sends 33 at most.
const HEAD_MAX: usize = 4096;
/// How much of a wrong head is told.
const QUOTE_MAX: usize = 80;

/// The bytes until the empty line.
#[derive(Debug, Default)]
pub(super) struct Head(Vec<u8>);

impl Head {
    /// Takes bytes that have arrived; what follows the empty line once that has arrived.
    ///
    /// # Errors
    /// When the first line is not as `is_expected` wants it, or no empty line comes.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        is_expected: impl Fn(&str) -> bool,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.0.extend_from_slice(bytes);
        let lines_end = |pattern: &[u8]| {
            let at = self.0.windows(pattern.len()).position(|window| window == pattern)?;
            Some(at + pattern.len())
        };
        let end = [lines_end(b"\n\n"), lines_end(b"\n\r\n")].into_iter().flatten().min();
        if end.unwrap_or(self.0.len()) > HEAD_MAX {
            return Err(self.unexpected());
        }
        let Some(end) = end else { return Ok(None) };
        let line = self.0.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| self.unexpected())?;
        if !is_expected(line.trim_end()) {
            return Err(self.unexpected());
        }
        let rest = self.0.split_off(end);
        Ok(Some(rest))
    }

    fn unexpected(&self) -> Error {
        let line = self.0.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Error::Handshake(String::from_utf8_lossy(&line[..line.len().min(QUOTE_MAX)]).trim_end().to_owned())
    }
}
