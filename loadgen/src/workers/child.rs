//! One worker as the process sees it that started it.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reports::hdr_log::LogError;
use reports::measured::Measured;
use serde::de::DeserializeOwned;
use tokio::io::BufReader;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::lines::{self, LineError, Lines};
use super::words::{Histogram, Order, Over, Word};
use crate::status::Status;

/// What the program is told to be a worker by.
pub const COMMAND: &str = "worker";

/// How long a worker may say nothing. It says how far it is every second; but it may have to wait for
/// a processor, and to sum up what it measured takes a second or two.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// How long a worker that has said all may take to end.
const EXIT_PATIENCE: Duration = Duration::from_secs(5);

/// Why a worker is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// The system started no process.
    #[error("it can't be started")]
    Start(#[source] io::Error),
    /// It said nothing for too long: it was stopped, or has nothing to run on.
    #[error("it said nothing for {0:?}")]
    Silent(Duration),
    /// It is no more.
    #[error("it ended too early ({0})")]
    Died(ExitStatus),
    /// It can't be told anything any more, but did not end.
    #[error("it can't be told anything")]
    Deaf(#[source] io::Error),
    /// What it said is of no use.
    #[error(transparent)]
    Line(LineError),
    /// It said something at the wrong time.
    #[error("it said {0} when it was time for something else")]
    Word(&'static str),
    /// A histogram has no place in what it measured.
    #[error(transparent)]
    Histogram(#[from] LogError),
    /// It measured by rows of another length.
    #[error("its figures have a row each {0:?}")]
    Rows(Duration),
    /// It does not hand over what it measured.
    #[error("it did not hand over what it measured within {0:?}")]
    Late(Duration),
}

/// A worker. Dropping it kills the process.
#[derive(Debug)]
pub struct Worker {
    process: Child,
    ear: ChildStdin,
    mouth: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts `program` as a worker.
    ///
    /// A signal of the terminal goes to a whole group of processes. A worker is in another one: whoever
    /// started it decides what becomes of the run, and tells it.
    ///
    /// # Errors
    ///
    /// If the system does not.
    pub fn start(program: &Path) -> Result<Self, ChildError> {
        let mut command = Command::new(program);
        command
            .arg(COMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut process = command.spawn().map_err(ChildError::Start)?;
        let ear = process.stdin.take().expect("it is piped");
        let mouth = process.stdout.take().expect("it is piped");
        Ok(Self {
            process,
            ear,
            mouth: Lines::new(BufReader::new(mouth)),
        })
    }

    /// Gives it its part, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// If it won't be.
    pub async fn prepare(&mut self, task: &Order) -> Result<(), ChildError> {
        self.tell(task).await?;
        match self.hear().await? {
            Word::Ready => Ok(()),
            Word::Status(_) => Err(ChildError::Word("how far it is")),
            Word::Over(_) => Err(ChildError::Word("that it is over")),
        }
    }

    /// Tells it something.
    ///
    /// # Errors
    ///
    /// If it does not listen.
    pub async fn tell(&mut self, order: &Order) -> Result<(), ChildError> {
        match timeout(SILENCE_MAX, lines::write(&mut self.ear, order)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.autopsy(ChildError::Deaf(error)).await),
            Err(_elapsed) => Err(ChildError::Silent(SILENCE_MAX)),
        }
    }

    /// What it says next. Cancel safe.
    ///
    /// # Errors
    ///
    /// If it says nothing, or nothing of use.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> Result<T, ChildError> {
        match timeout(SILENCE_MAX, self.mouth.next()).await {
            Ok(Ok(heard)) => Ok(heard),
            Ok(Err(error)) => Err(self.autopsy(ChildError::Line(error)).await),
            Err(_elapsed) => Err(ChildError::Silent(SILENCE_MAX)),
        }
    }

    /// Hears how far it is, which is told `listener`, until it is over. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`Worker::hear`].
    pub async fn hear_until_over(&mut self, listener: impl Fn(Status)) -> Result<Over, ChildError> {
        loop {
            match self.hear().await? {
                Word::Status(status) => listener(*status),
                Word::Over(over) => return Ok(over),
                Word::Ready => return Err(ChildError::Word("that it is ready")),
            }
        }
    }

    /// Hears what it measured.
    ///
    /// # Errors
    ///
    /// As [`Worker::hear`], or if it does not fit together.
    pub async fn hear_measured(&mut self, over: &Over) -> Result<Measured, ChildError> {
        let mut measured: Measured = self.hear().await?;
        for _ in 0..over.histograms {
            let histogram: Histogram = self.hear().await?;
            measured.place(histogram.into())?;
        }
        Ok(measured)
    }

    /// Lets it end, which it does when it has nobody to listen to; kills it if it does not.
    pub async fn dismiss(self) {
        let Self {
            mut process, ear, ..
        } = self;
        drop(ear);
        // Whether it ended well changes nothing: it has said all.
        let _ = timeout(EXIT_PATIENCE, process.wait()).await;
    }

    /// What it died of, if it is dead; else what was noticed.
    async fn autopsy(&mut self, noticed: ChildError) -> ChildError {
        match timeout(EXIT_PATIENCE, self.process.wait()).await {
            Ok(Ok(status)) => ChildError::Died(status),
            Ok(Err(_)) | Err(_) => noticed,
        }
    }
}
