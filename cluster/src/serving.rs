//! What all servers do with a listener: accept, one task per connection, none of them detached.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::{JoinError, JoinSet};

use crate::limits::ACCEPT_PAUSE;
use crate::net::{Listener, Network};

/// Accepts connections for ever and runs `serve` for each as a task of `tasks`. With more than
/// `tasks_max` tasks a new connection is closed at once.
///
/// # Panics
///
/// With the panic of a task: a mistake of ours must not go unseen.
pub async fn accept<N, F, Fut>(
    network: &N,
    mut listener: N::Listener,
    tasks: &mut JoinSet<()>,
    tasks_max: usize,
    serve: F,
) where
    N: Network,
    F: Fn(N::Stream) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    // Whether it was logged that connections fail, as one after the other may.
    let mut was_told = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(_) if tasks.len() >= tasks_max => {
                    if !was_told {
                        tracing::warn!("{tasks_max} connections are all there may be: new ones are closed");
                    }
                    was_told = true;
                }
                Ok(stream) => {
                    was_told = false;
                    tasks.spawn(network.task(serve(stream)));
                }
                Err(error) => {
                    if !was_told {
                        tracing::warn!(%error, "could not accept a connection");
                    }
                    was_told = true;
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => surface(ended),
        }
    }
}

/// Waits until all tasks have ended.
///
/// # Panics
///
/// As [`accept`].
pub async fn drain(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        surface(ended);
    }
}

fn surface(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Counts a task for as long as it lives, however it ends.
pub struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    /// One more, until this is dropped.
    pub fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }

    /// Counts it for ever.
    pub fn leak(self) {
        std::mem::forget(self);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
