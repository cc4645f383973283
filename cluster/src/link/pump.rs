//! Moves frames between one connection and the [`Half`](super::half::Half) behind it.

use std::future::Future;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::LinkError;
use super::frame::{self, Header};
use super::pace::Pace;
use crate::limits::{FRAME_LEN_MAX, HELLO_LEN_MAX};
use crate::marks::Mark;

/// Room for one read, in bytes: as much as the other end writes at once, see
/// [`Half::fill`](super::half::Half::fill).
const READ_LEN: usize = 64 * 1024;

/// What a server does with one connection of a link. All is called often and briefly.
pub trait Endpoint: Send + Sync {
    /// Takes a frame that arrived.
    ///
    /// # Errors
    ///
    /// The connection is ended with what is returned.
    fn arrived(&self, header: Header, payload: Bytes) -> Result<(), LinkError>;

    /// Appends what is to be sent now, and returns how many frames that are (see
    /// [`Half::fill`](super::half::Half::fill)).
    ///
    /// # Errors
    ///
    /// The connection is ended with what is returned.
    fn fill(&self, out: &mut BytesMut) -> Result<usize, LinkError>;

    /// Signalled when there may be something to send.
    fn wake(&self) -> &Notify;

    /// How long to wait before a frame with this payload is taken; `None` unless the server has a
    /// [drag](crate::drag).
    fn pause_before_taking(&self, _payload: &Bytes) -> Option<Duration> {
        None
    }

    /// How long to wait, when there is something to send, for more of it; `None` unless the server
    /// has a [drag](crate::drag).
    fn pause_before_writing(&self) -> Option<Duration> {
        None
    }
}

/// Runs one connection until it breaks or `stop` ends with a reason, and says why it ended.
/// `inbox` holds bytes that were read behind the hello; after `busy` frames in one
/// [`ROUND`](crate::limits::ROUND) what there is to write waits for more (see [`Pace`]).
pub async fn pump<S, E>(
    stream: S,
    mut inbox: BytesMut,
    endpoint: &E,
    busy: usize,
    stop: impl Future<Output = LinkError>,
) -> LinkError
where
    S: AsyncRead + AsyncWrite,
    E: Endpoint,
{
    let (reader, writer) = tokio::io::split(stream);
    tokio::select! {
        biased;
        error = stop => error,
        error = read(reader, &mut inbox, endpoint) => error,
        error = write(writer, endpoint, busy) => error,
    }
}

async fn read<S: AsyncRead + Unpin, E: Endpoint>(
    mut reader: S,
    inbox: &mut BytesMut,
    endpoint: &E,
) -> LinkError {
    loop {
        if let Err(error) = deliver(inbox, endpoint).await {
            return error;
        }
        // Whatever was in one read is acknowledged together.
        endpoint.wake().notify_one();
        inbox.reserve(READ_LEN);
        match reader.read_buf(inbox).await {
            Ok(0) => return LinkError::Closed,
            Ok(_) => {}
            Err(error) => return error.into(),
        }
    }
}

async fn deliver<E: Endpoint>(inbox: &mut BytesMut, endpoint: &E) -> Result<(), LinkError> {
    while let Some((header, payload)) = frame::take(inbox, FRAME_LEN_MAX)? {
        if let Some(pause) = endpoint.pause_before_taking(&payload) {
            sleep(pause).await;
        }
        endpoint.arrived(header, payload)?;
    }
    Ok(())
}

async fn write<S, E>(mut writer: S, endpoint: &E, busy: usize) -> LinkError
where
    S: AsyncWrite + Unpin,
    E: Endpoint,
{
    let mut out = BytesMut::new();
    let mut pace = Pace::new(busy, Instant::now());
    let mut has_paused = false;
    loop {
        out.clear();
        let frames = match endpoint.fill(&mut out) {
            Ok(frames) => frames,
            Err(error) => return error,
        };
        if frames == 0 {
            endpoint.wake().notified().await;
            let pause = pace.pause(Instant::now());
            has_paused = pause.is_some();
            match endpoint.pause_before_writing().or(pause) {
                Some(pause) => sleep(pause).await,
                // Whoever is ready to run goes first, and what it has to say goes out with the rest.
                None => tokio::task::yield_now().await,
            }
            continue;
        }
        if has_paused {
            Mark::LinkPaused.reached();
        }
        pace.wrote(frames, Instant::now());
        if let Err(error) = writer.write_all(&out).await {
            return error.into();
        }
    }
}

/// Sends one frame that opens a connection.
///
/// # Errors
///
/// [`LinkError::Silent`] after `patience`; or when the connection breaks.
pub async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    header: &Header,
    patience: Duration,
) -> Result<(), LinkError> {
    let mut out = BytesMut::new();
    frame::put(&mut out, header, &[]);
    let sent = tokio::time::timeout(patience, stream.write_all(&out)).await;
    let what = "room for the first frame";
    Ok(sent.map_err(|_| LinkError::Silent { what, patience })??)
}

/// Waits for the frame that opens a connection; what was read behind it stays in `inbox`.
///
/// # Errors
///
/// [`LinkError::Silent`] after `patience`; or when the connection breaks or carries no frame.
pub async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    inbox: &mut BytesMut,
    what: &'static str,
    patience: Duration,
) -> Result<Header, LinkError> {
    let first = async {
        loop {
            if let Some((header, _)) = frame::take(inbox, HELLO_LEN_MAX)? {
                return Ok(header);
            }
            if stream.read_buf(inbox).await? == 0 {
                return Err(LinkError::Closed);
            }
        }
    };
    tokio::time::timeout(patience, first)
        .await
        .unwrap_or(Err(LinkError::Silent { what, patience }))
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::{Mutex, MutexGuard};

    use tokio::io::duplex;
    use tokio::task::yield_now;

    use super::*;
    use crate::limits::{LINK_PAUSE, ROUND};
    use crate::link::half::Half;

    const BUSY: usize = 10;

    /// One end that only says something.
    #[derive(Default)]
    struct Speaker {
        half: Mutex<Half>,
        wake: Notify,
    }

    impl Speaker {
        fn half(&self) -> MutexGuard<'_, Half> {
            self.half.lock().expect("no test panics in here")
        }

        fn say(&self) {
            self.half().push(Bytes::from_static(b"said"));
            self.wake.notify_one();
        }
    }

    impl Endpoint for Speaker {
        fn arrived(&self, _: Header, _: Bytes) -> Result<(), LinkError> {
            Ok(())
        }

        fn fill(&self, out: &mut BytesMut) -> Result<usize, LinkError> {
            Ok(self.half().fill(out))
        }

        fn wake(&self) -> &Notify {
            &self.wake
        }
    }

    /// The numbers of the messages that come with the next read.
    async fn hear(listener: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u64>, LinkError> {
        let mut inbox = BytesMut::with_capacity(READ_LEN);
        listener.read_buf(&mut inbox).await?;
        let mut heard = Vec::new();
        while let Some((header, _)) = frame::take(&mut inbox, FRAME_LEN_MAX)? {
            if let Header::Data { seq, .. } = header {
                heard.push(seq);
            }
        }
        Ok(heard)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_said_waits_for_more_only_while_there_is_much_to_say() -> Result<(), LinkError>
    {
        let (near, mut far) = duplex(READ_LEN);
        let speaker = Speaker::default();
        let story = async {
            speaker.say();
            let begin = Instant::now();
            assert_eq!(hear(&mut far).await?, [1]);
            assert_eq!(
                begin.elapsed(),
                Duration::ZERO,
                "with little to say nothing waits"
            );
            (0..BUSY).for_each(|_| speaker.say());
            hear(&mut far).await?;
            sleep(ROUND).await;
            let begin = Instant::now();
            speaker.say();
            // As often as a write that did not wait would need to be done.
            for _ in 0..10 {
                yield_now().await;
            }
            speaker.say();
            let last = 1 + BUSY as u64;
            assert_eq!(hear(&mut far).await?, [last + 1, last + 2], "in one write");
            assert!(begin.elapsed() <= 2 * LINK_PAUSE);
            sleep(2 * ROUND).await;
            speaker.say();
            let begin = Instant::now();
            assert_eq!(hear(&mut far).await?, [last + 3]);
            assert_eq!(begin.elapsed(), Duration::ZERO, "nor after a silence");
            Ok(())
        };
        tokio::select! {
            biased;
            error = pump(near, BytesMut::new(), &speaker, BUSY, pending()) => Err(error),
            done = story => done,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_frame_comes_or_the_end_or_nothing_in_time() -> Result<(), LinkError> {
        let patience = Duration::from_secs(1);
        let (mut near, mut far) = duplex(64);
        let mut inbox = BytesMut::new();
        let silent = receive(&mut far, &mut inbox, "hello", patience).await;
        assert!(matches!(silent, Err(LinkError::Silent { .. })));
        send(&mut near, &Header::Goodbye, patience).await?;
        let first = receive(&mut far, &mut inbox, "hello", patience).await?;
        assert_eq!(first, Header::Goodbye);
        drop(near);
        let ended = receive(&mut far, &mut inbox, "hello", patience).await;
        assert!(matches!(ended, Err(LinkError::Closed)));
        Ok(())
    }
}
