//! What gate and connector do with a new client: transport, handshake, all within a deadline.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::causes;
use crate::connection::{Connection, ConnectionError, Incoming};
use crate::limits::CLOSE_PATIENCE;
use crate::marks::Mark;
use crate::options::Options;
use crate::policy::Flaw;
use crate::wire::handshake::{self, Answers};
use crate::wire::package::PackageType;

/// Why the answers to handshakes can be written.
pub(crate) const HANDSHAKE_FITS: &str = "who makes options sees to it that the vocabulary fits";

/// Greets a client: tells the transport, answers its handshake, waits for its acknowledgement.
/// `None` if it does not get that far within the handshake patience; then the connection is closed.
pub async fn greet<S>(stream: S, answers: &Answers, options: &Options) -> Option<Connection<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeting = async {
        let mut connection = Connection::accept(stream, options.package_body_len_max).await?;
        let is_greeted = shake_hands(&mut connection, answers).await;
        if let Ok(true) = is_greeted {
            return Ok(Some(connection));
        }
        // Also after bad bytes: a WebSocket's close frame says whose fault it was.
        let _ = tokio::time::timeout(CLOSE_PATIENCE, connection.close()).await;
        is_greeted.map(|_| None)
    };
    let patience = match options.policy.has(Flaw::HandshakeKeptForEver) {
        true => Duration::MAX,
        false => options.handshake_patience,
    };
    match tokio::time::timeout(patience, greeting).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            Mark::HandshakeBroken.reached();
            let why = causes::sentence(&error);
            tracing::debug!(why, "a client did not shake hands");
            None
        }
        Err(_) => {
            Mark::HandshakeTimedOut.reached();
            tracing::debug!("a client took too long to shake hands");
            None
        }
    }
}

/// PROTOCOL 2.1: what comes out of turn is ignored, except a kick. False if the connection is to
/// be closed, after what is queued has been written.
async fn shake_hands<S>(
    connection: &mut Connection<S>,
    answers: &Answers,
) -> Result<bool, ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut is_answered = false;
    loop {
        let package = match connection.next().await? {
            Incoming::Package(package) => package,
            Incoming::Flushed => continue,
            Incoming::Closed => {
                tracing::debug!("a client went before it had shaken hands");
                return Ok(false);
            }
        };
        match package.kind {
            PackageType::Handshake if !is_answered => {
                let Some(request) = handshake::Request::read(&package.body) else {
                    Mark::HandshakeRefused.reached();
                    tracing::debug!("a client's handshake cannot be read");
                    connection.queue(handshake::encode_failure());
                    return Ok(false);
                };
                connection.queue(answers.answer(&request));
                is_answered = true;
            }
            PackageType::HandshakeAck if is_answered => return Ok(true),
            PackageType::Kick => {
                tracing::debug!("a client kicked before it had shaken hands");
                return Ok(false);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::timeout;

    use super::*;
    use crate::policy::Policy;
    use crate::wire::vocabulary::Vocabulary;

    #[tokio::test(start_paused = true)]
    async fn handshake_kept_for_ever() -> Result<(), tokio::time::error::Elapsed> {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let answers = Answers::new(None, Vocabulary::default()).expect(HANDSHAKE_FITS);
        let mut options = Options::default();
        let (_silent, stream) = duplex(64);
        let greeted = timeout(
            options.handshake_patience,
            greet(stream, &answers, &options),
        );
        assert!(greeted.await?.is_none());

        options.policy = Policy::hardened().with(Flaw::HandshakeKeptForEver);
        let (_silent, stream) = duplex(64);
        let greeted = timeout(DAY, greet(stream, &answers, &options));
        assert!(greeted.await.is_err(), "it is still waited for");
        Ok(())
    }
}
