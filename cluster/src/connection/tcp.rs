//! Packages one after the other on a byte stream, and the reads and writes that WebSocket shares.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::ConnectionError;
use crate::wire::package::{self, Package};

/// Most bytes taken by one read. They land on the stack first, so that a connection whose client
/// is silent holds no memory for it.
const READ_LEN: usize = 8 * 1024;

/// Most packages handed to the system in one call.
const SLICES_MAX: usize = 64;

/// Room of an empty queue that is kept for the next packages, in packages.
const QUEUE_CAPACITY_KEPT: usize = 16;

/// A stream of packages without anything around them.
#[derive(Debug)]
pub(super) struct RawTcp<S> {
    stream: S,
    body_len_max: usize,
    /// What has arrived after the last package taken; without memory when there is nothing.
    received: BytesMut,
    /// What is to be written; the first may have been cut by a write.
    queued: VecDeque<Bytes>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawTcp<S> {
    pub(super) fn new(stream: S, received: BytesMut, body_len_max: usize) -> Self {
        Self {
            stream,
            body_len_max,
            received,
            queued: VecDeque::new(),
        }
    }

    pub(super) fn queue(&mut self, package: Bytes) {
        if !package.is_empty() {
            self.queued.push_back(package);
        }
    }

    /// The next package; `None` at the end of the stream, also if that cuts a package.
    pub(super) fn poll_package(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Package>, ConnectionError>> {
        loop {
            if let Some(package) = package::take(&mut self.received, self.body_len_max)? {
                self.release();
                return Poll::Ready(Ok(Some(package)));
            }
            if ready!(poll_read(&mut self.stream, context, &mut self.received))? == 0 {
                return Poll::Ready(Ok(None));
            }
        }
    }

    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.queued.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            for (slice, package) in slices.iter_mut().zip(&self.queued) {
                *slice = IoSlice::new(package);
            }
            let count = self.queued.len().min(SLICES_MAX);
            let written = ready!(poll_write(&mut self.stream, context, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.forget(written);
        }
        if self.queued.capacity() > QUEUE_CAPACITY_KEPT {
            self.queued = VecDeque::new();
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Writes what is queued, ends our side, and reads until the peer has ended its own.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_flush(context)).await?;
        self.stream.shutdown().await?;
        loop {
            self.received.clear();
            let read = poll_fn(|context| poll_read(&mut self.stream, context, &mut self.received));
            if read.await? == 0 {
                return Ok(());
            }
        }
    }

    /// Drops the first `written` bytes of the queue.
    fn forget(&mut self, mut written: usize) {
        while let Some(package) = self.queued.front_mut() {
            if written < package.len() {
                package.advance(written);
                return;
            }
            written -= package.len();
            self.queued.pop_front();
        }
        assert_eq!(written, 0, "more bytes were written than were queued");
    }

    /// Gives back the memory of an empty buffer.
    fn release(&mut self) {
        if self.received.is_empty() {
            self.received = BytesMut::new();
        }
    }
}

/// Waits for the first bytes of a connection, at least one.
pub(super) async fn read_first<S>(stream: &mut S) -> io::Result<BytesMut>
where
    S: AsyncRead + Unpin,
{
    let mut first_bytes = BytesMut::new();
    let count = poll_fn(|context| poll_read(stream, context, &mut first_bytes)).await?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(first_bytes)
}

/// Reads once, through the stack, onto the end of `buffer`. 0 bytes are the end of the stream.
pub(crate) fn poll_read<S>(
    stream: &mut S,
    context: &mut Context<'_>,
    buffer: &mut BytesMut,
) -> Poll<io::Result<usize>>
where
    S: AsyncRead + Unpin,
{
    let mut bytes = [MaybeUninit::uninit(); READ_LEN];
    let mut bytes = ReadBuf::uninit(&mut bytes);
    ready!(Pin::new(stream).poll_read(context, &mut bytes))?;
    buffer.extend_from_slice(bytes.filled());
    Poll::Ready(Ok(bytes.filled().len()))
}

/// Writes once, as much of `slices` as one call takes.
///
/// A stream without vectored writes gets what fits on the stack copied together, so that there
/// too many small packages are one write.
pub(crate) fn poll_write<S>(
    stream: &mut S,
    context: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>>
where
    S: AsyncWrite + Unpin,
{
    let stream = Pin::new(stream);
    if stream.is_write_vectored() {
        return stream.poll_write_vectored(context, slices);
    }
    let mut gathered = [0; GATHER_LEN];
    let mut len = 0;
    for slice in slices {
        let Some(room) = gathered.get_mut(len..len + slice.len()) else {
            break;
        };
        room.copy_from_slice(slice);
        len += slice.len();
    }
    match slices.first() {
        // The first alone is longer than the room for copies and needs none.
        Some(first) if len < first.len() => stream.poll_write(context, first),
        _ => stream.poll_write(context, &gathered[..len]),
    }
}

/// Most bytes copied together for one write.
const GATHER_LEN: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    const BODY_LEN_MAX: usize = 1000;

    #[tokio::test]
    async fn a_silent_connection_holds_no_memory() -> Result<(), ConnectionError> {
        let (mut peer, stream) = duplex(100_000);
        let mut tcp = RawTcp::new(stream, BytesMut::new(), BODY_LEN_MAX);
        let package = package::encode(package::PackageType::Data, &[0; BODY_LEN_MAX]);
        for _ in 0..50 {
            peer.write_all(&package).await?;
            tcp.queue(package.clone());
        }
        for _ in 0..50 {
            poll_fn(|context| tcp.poll_package(context)).await?;
        }
        poll_fn(|context| tcp.poll_flush(context)).await?;
        assert_eq!(tcp.received.capacity(), 0);
        assert!(tcp.queued.capacity() <= QUEUE_CAPACITY_KEPT);
        Ok(())
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_close_or_an_error_and_fill_no_buffer(
            pieces in vec(vec(prop_oneof![0..6_u8, any::<u8>()], 0..1500), 0..6),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            runtime.block_on(async {
                let (mut peer, stream) = duplex(100_000);
                let mut tcp = RawTcp::new(stream, BytesMut::new(), BODY_LEN_MAX);
                for piece in pieces {
                    peer.write_all(&piece).await?;
                }
                drop(peer);
                while let Ok(Some(_)) = poll_fn(|context| tcp.poll_package(context)).await {
                    prop_assert!(tcp.received.len() <= package::HEAD_LEN + BODY_LEN_MAX + READ_LEN);
                }
                Ok(())
            })?;
        }
    }
}
