//! A reader that takes only so many bytes a second, as a phone on a bad line does: what it does not
//! take waits in the stream, and then in the server.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How often a second a throttled reader takes something.
const READS_PER_S: u32 = 20;

/// What holds back the streams of one reader; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    bytes_per_s: Option<u32>,
    /// The streams that are open.
    streams: u32,
    /// Who waits for its next turn, by the number of the connection.
    waiting: BTreeMap<u32, Waker>,
}

impl Throttle {
    /// From now on each stream takes no more than so many bytes a second.
    ///
    /// # Panics
    ///
    /// If that is none.
    pub fn limit(&self, bytes_per_s: u32) {
        assert!(bytes_per_s > 0, "a reader that takes nothing is deaf");
        self.state().bytes_per_s = Some(bytes_per_s);
    }

    /// Ends the limit: whoever waits for its turn has it now.
    pub fn lift(&self) {
        let mut state = self.state();
        state.bytes_per_s = None;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    /// Whether the reader has a stream.
    pub fn is_reading(&self) -> bool {
        self.state().streams > 0
    }

    /// Where a new stream of the reader begins.
    pub fn turns(&self) -> Turns {
        self.state().streams += 1;
        Turns {
            throttle: self.clone(),
            pause: None,
        }
    }

    fn bytes_per_s(&self) -> Option<u32> {
        self.state().bytes_per_s
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Numbers and a map are whole whatever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one stream of a throttled reader stands.
#[derive(Debug)]
pub struct Turns {
    throttle: Throttle,
    /// Until its next turn.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Turns {
    /// Reads from `stream`, the connection `number`, as the throttle allows.
    pub fn poll_read(
        &mut self,
        number: u32,
        stream: Pin<&mut impl AsyncRead>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(bytes_per_s) = self.throttle.bytes_per_s() else {
            self.pause = None;
            return stream.poll_read(context, buffer);
        };
        if let Some(pause) = &mut self.pause {
            if pause.as_mut().poll(context).is_pending() {
                let waker = context.waker().clone();
                self.throttle.state().waiting.insert(number, waker);
                return Poll::Pending;
            }
            self.throttle.state().waiting.remove(&number);
            self.pause = None;
        }
        let most = (bytes_per_s / READS_PER_S).max(1) as usize;
        let mut bytes = vec![0; most.min(buffer.remaining())];
        let mut part = ReadBuf::new(&mut bytes);
        let read = ready!(stream.poll_read(context, &mut part));
        buffer.put_slice(part.filled());
        if !part.filled().is_empty() {
            let us = part.filled().len() as u64 * 1_000_000 / u64::from(bytes_per_s);
            self.pause = Some(Box::pin(sleep(Duration::from_micros(us))));
        }
        Poll::Ready(read)
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.throttle.state().streams -= 1;
    }
}
