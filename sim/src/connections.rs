//! The open connections of a run, so that those between two hosts can be reset: turmoil itself
//! resets none but those of a host that was down.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// All ends of connections that are open; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    ends: Arc<Mutex<BTreeMap<u32, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    host: Arc<str>,
    peer: String,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_reset: AtomicBool,
    waiting: Mutex<Waiting>,
}

/// Who waits for one end of a connection.
#[derive(Debug, Default)]
struct Waiting {
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Connections {
    /// Registers the end `number` of a connection, on `host`, until the end is dropped. No two ends
    /// of a run have one number.
    pub fn open(&self, number: u32, host: &Arc<str>, peer: String) -> End {
        let state = Arc::<State>::default();
        let entry = Entry {
            host: host.clone(),
            peer,
            state: state.clone(),
        };
        self.ends().insert(number, entry);
        End {
            connections: self.clone(),
            number,
            state,
        }
    }

    /// Resets whatever is open between two hosts, both ends, in the order in which they were
    /// opened. Tells whether there was anything.
    pub fn reset(&self, a: &str, b: &str) -> bool {
        let ends = self.ends();
        let between = ends.values().filter(|end| {
            let hosts = (&*end.host, end.peer.as_str());
            hosts == (a, b) || hosts == (b, a)
        });
        let states: Vec<_> = between.map(|end| end.state.clone()).collect();
        drop(ends);
        for state in &states {
            state.is_reset.store(true, Ordering::Relaxed);
            let Waiting { reader, writer } = std::mem::take(&mut *state.waiting());
            reader.into_iter().chain(writer).for_each(Waker::wake);
        }
        !states.is_empty()
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<u32, Entry>> {
        // Inserting and removing leave a whole map whatever panicked.
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Two wakers are whole whatever panicked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One end of an open connection.
#[derive(Debug)]
pub struct End {
    connections: Connections,
    number: u32,
    state: Arc<State>,
}

impl End {
    /// The number of this end.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// # Errors
    ///
    /// If the connection was reset.
    pub fn check(&self) -> io::Result<()> {
        if self.state.is_reset.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }

    /// A reset wakes whoever waits here to read.
    pub fn wait_to_read(&self, context: &Context<'_>) {
        remember(&mut self.state.waiting().reader, context);
    }

    /// A reset wakes whoever waits here to write.
    pub fn wait_to_write(&self, context: &Context<'_>) {
        remember(&mut self.state.waiting().writer, context);
    }
}

fn remember(waker: &mut Option<Waker>, context: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(context.waker()),
        None => *waker = Some(context.waker().clone()),
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.connections.ends().remove(&self.number);
    }
}
