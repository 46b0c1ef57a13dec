//! A keep-alive HTTP/1.1 connection that costs next to nothing, so that the generator leaves the processors to what is
//! measured. Knows just enough of the protocol for answers with a length.

use std::{io, net::SocketAddr};

use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const HEAD_LIMIT: usize = 16 * 1024;

/// What the server said.
pub struct Answer<'buffer> {
    pub status: u16,
    pub body: &'buffer [u8],
}

impl Answer<'_> {
    /// The body of an answer that says 200; the body as it is in the error of any other.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        if self.status != 200 {
            let body = String::from_utf8_lossy(self.body);
            return Err(format!("a request was answered with {}: {body}", self.status));
        }
        serde_json::from_slice(self.body).map_err(|error| format!("an answer that is not understood: {error}"))
    }
}

/// One connection, used for one request at a time.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to a server on this machine.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// Sends a whole request and returns the answer.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if self.buffer.len() > HEAD_LIMIT || self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "no complete answer"));
            }
        };
        let (status, length) = read_head(&self.buffer[..head])?;
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let body = &self.buffer[head..head + length];
        Ok(Answer { status, body })
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn read_head(head: &[u8]) -> io::Result<(u16, usize)> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer");
    let text = std::str::from_utf8(head).map_err(|_| invalid())?;
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(invalid)?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    Ok((status, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_and_length() {
        assert_eq!(
            read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n").unwrap(),
            (200, 12)
        );
        assert_eq!(read_head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap(), (204, 0));
        assert!(read_head(b"hello\r\n\r\n").is_err());
    }
}
