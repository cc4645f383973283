//! A stream that counts its writes and is strict about its end.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Counts, says what it is told about vectored writes, and can be ended once.
#[derive(Debug)]
pub struct Counting<S> {
    stream: S,
    is_vectored: bool,
    writes: Writes,
    has_ended: bool,
}

/// The number of writes so far.
#[derive(Clone, Debug, Default)]
pub struct Writes(Arc<AtomicUsize>);

impl Writes {
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<S> Counting<S> {
    pub fn new(stream: S, is_vectored: bool) -> (Self, Writes) {
        let writes = Writes::default();
        let counting = Self {
            stream,
            is_vectored,
            writes: writes.clone(),
            has_ended: false,
        };
        (counting, writes)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counting<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.count();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        assert!(self.is_vectored, "a stream that cannot was asked to");
        self.writes.count();
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.is_vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_ended {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        let ended = Pin::new(&mut self.stream).poll_shutdown(context);
        self.has_ended = ended.is_ready();
        ended
    }
}
