//! Lines of JSON between a worker and who started it, none longer than there is reason for.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};

/// Longest line, in bytes. The longest are a plan, whose list of rooms has up to ten bytes for each of
/// ten million rooms, and the figures of two thousand rows.
const LINE_LEN_MAX: usize = 128 * 1024 * 1024;

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The other side wrote nothing more.
    #[error("it ended without a word")]
    Ended,
    /// Reading failed.
    #[error("it can't be read")]
    Unread(#[source] io::Error),
    /// The other side does not end its line.
    #[error("it wrote a line of more than {LINE_LEN_MAX} bytes")]
    TooLong,
    /// It is not what was agreed on.
    #[error("it wrote what nobody understands")]
    Strange(#[source] serde_json::Error),
}

/// What one side says.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    /// The beginning of the next line.
    begun: Vec<u8>,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Listens to `reader`.
    pub fn new(reader: R) -> Self {
        let begun = Vec::new();
        Self { reader, begun }
    }

    /// The next line. Cancel safe: nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// If there is none, or none that is a `T`.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<T, LineError> {
        loop {
            let bytes = self.reader.fill_buf().await.map_err(LineError::Unread)?;
            if bytes.is_empty() {
                return Err(LineError::Ended);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(bytes.len());
            if self.begun.len() + taken > LINE_LEN_MAX {
                return Err(LineError::TooLong);
            }
            self.begun.extend_from_slice(&bytes[..taken]);
            self.reader.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                // Lines differ much in length: the room of a long one is not kept.
                let line = std::mem::take(&mut self.begun);
                return serde_json::from_slice(&line).map_err(LineError::Strange);
            }
        }
    }
}

/// Writes `what` as a line, whole if the future is not dropped.
///
/// # Errors
///
/// If nobody reads it any more.
pub async fn write<T: Serialize>(
    writer: &mut (impl AsyncWrite + Unpin),
    what: &T,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.flush().await
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_line_by_line_up_to_the_end() -> Result<(), LineError> {
        let mut bytes = Vec::new();
        for text in ["a", "", "b\nc"] {
            let written = write(&mut bytes, &text).await;
            written.map_err(LineError::Unread)?;
        }
        // Three bytes at a time: lines come in pieces.
        let mut lines = Lines::new(BufReader::with_capacity(3, bytes.as_slice()));
        for text in ["a", "", "b\nc"] {
            assert_eq!(lines.next::<String>().await?, text);
        }
        assert!(matches!(
            lines.next::<String>().await,
            Err(LineError::Ended)
        ));
        Ok(())
    }

    #[tokio::test]
    async fn what_is_no_line_is_told() {
        let mut lines = Lines::new(&b"{]\n12"[..]);
        let said = lines.next::<String>().await;
        assert!(matches!(said, Err(LineError::Strange(_))), "{said:?}");
        // The end of a process in the middle of a line.
        let said = lines.next::<u32>().await;
        assert!(matches!(said, Err(LineError::Ended)), "{said:?}");
    }

    #[tokio::test]
    async fn a_line_without_end_is_given_up() {
        let endless = tokio::io::repeat(b' ');
        let said = Lines::new(BufReader::with_capacity(1 << 20, endless))
            .next::<u32>()
            .await;
        assert!(matches!(said, Err(LineError::TooLong)), "{said:?}");
    }
}
