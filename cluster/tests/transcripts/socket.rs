//! A client's socket that writes exactly the bytes of a recording, whatever they are, and says
//! what comes back. Nothing of the cluster's own client is in it.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::frames;
use crate::package::body_len;
use crate::payload::Payload;
use crate::transcript::{Frame, Seen, Transport};

/// A connected client.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    transport: Transport,
    received: BytesMut,
    /// A close frame was sent.
    said_goodbye: bool,
}

impl Socket {
    /// Connects to a server on this machine.
    ///
    /// # Errors
    ///
    /// The connection or the WebSocket upgrade was refused.
    pub async fn open(transport: Transport, port: u16) -> io::Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut received = BytesMut::new();
        if transport == Transport::WebSocket {
            stream.write_all(frames::UPGRADE.as_bytes()).await?;
            while !frames::take_upgraded(&mut received)? {
                if stream.read_buf(&mut received).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        Ok(Self {
            stream,
            transport,
            received,
            said_goodbye: false,
        })
    }

    /// Writes a message or, on TCP, bytes. A server that has ended the connection does not matter
    /// here: what it has said and that it has ended are read next.
    pub async fn send(&mut self, frame: Frame, payload: &[u8], fragments: &[usize]) {
        let bytes = match self.transport {
            Transport::Tcp => payload.to_vec(),
            Transport::WebSocket => frames::encode(frame, payload, fragments),
        };
        self.said_goodbye |= frame == Frame::Close;
        let _ = self.stream.write_all(&bytes).await;
    }

    /// Says goodbye: by a close frame, or by ending this side on TCP.
    pub async fn close(&mut self) {
        match self.transport {
            Transport::WebSocket if !self.said_goodbye => {
                let normal = 1000_u16.to_be_bytes();
                self.send(Frame::Close, &normal, &[]).await;
            }
            // The server may be gone already.
            _ => drop(self.stream.shutdown().await),
        }
    }

    /// Waits for what comes next. A server's close frame is answered, as every client does.
    ///
    /// Cancel safe: nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Seen {
        loop {
            if let Some(seen) = self.take() {
                return seen;
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(0) if self.received.is_empty() => return Seen::Closed,
                Ok(0) => {
                    let cut = std::mem::take(&mut self.received);
                    return Seen::Broken(format!("{} bytes and then the end", cut.len()));
                }
                Ok(_) => {}
                Err(error) => return Seen::Broken(error.to_string()),
            }
        }
    }

    /// What has come already.
    pub fn next_now(&mut self) -> Option<Seen> {
        while let Ok(1..) = self.stream.try_read_buf(&mut self.received) {}
        self.take()
    }

    /// Takes what is there as a whole.
    fn take(&mut self) -> Option<Seen> {
        let (frame, payload) = match self.transport {
            Transport::Tcp => (Frame::Binary, take_package(&mut self.received)?),
            Transport::WebSocket => match frames::take(&mut self.received)? {
                Ok(message) => message,
                Err(broken) => return Some(Seen::Broken(broken)),
            },
        };
        if frame == Frame::Close && !self.said_goodbye {
            self.said_goodbye = true;
            // A few bytes always fit; and a server that is gone needs no answer.
            let _ = self.stream.try_write(&frames::encode(frame, &payload, &[]));
        }
        let payload = Payload::Whole(payload);
        Some(Seen::Message { frame, payload })
    }
}

/// One whole package off the front of `received`.
fn take_package(received: &mut BytesMut) -> Option<Bytes> {
    let [_, len @ ..] = *received.first_chunk::<4>()?;
    let len = 4 + body_len(len);
    (received.len() >= len).then(|| received.copy_to_bytes(len))
}
