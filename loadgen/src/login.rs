//! The way into the cluster: ask the gate for a connector, connect to it.

use std::time::Duration;

use cluster::causes;
use cluster::client::{Client, ClientError, Event};
use cluster::dispatch::QUERY_ENTRY;
use cluster::net::Network;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::address::Address;
use crate::sight;
use crate::user::Access;

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The gate can't be reached, or does not speak as one.
    #[error("gate {gate}: {}", causes::sentence(.cause))]
    Gate {
        /// Which gate.
        gate: Address,
        /// What went wrong with it.
        cause: ClientError,
    },
    /// The gate hung up.
    #[error("gate {gate} closed the connection before it answered")]
    GateClosed {
        /// Which gate.
        gate: Address,
    },
    /// The gate answered with an error, or with no address.
    #[error("gate {gate} named no connector: {answer}")]
    NoConnector {
        /// Which gate.
        gate: Address,
        /// Its answer.
        answer: Value,
    },
    /// The connector can't be reached, or does not speak as one.
    #[error("connector {connector}: {}", causes::sentence(.cause))]
    Connector {
        /// Which connector.
        connector: Address,
        /// What went wrong with it.
        cause: ClientError,
    },
    /// All of it took too long.
    #[error("no handshake with a connector within {0:?}")]
    Late(Duration),
}

/// Asks the gate which connector serves `key`, and hands back the connection to it too: whoever is
/// in a hurry says goodbye later. The caller bounds the time.
pub(crate) async fn ask_gate<N: Network>(
    network: &N,
    access: &Access,
    key: &str,
) -> Result<(Address, Client<N::Stream>), LoginError> {
    let gate = &access.gate;
    let failed = |cause| LoginError::Gate {
        gate: gate.clone(),
        cause,
    };
    let mut client = dial(network, access, gate).await.map_err(failed)?;
    let asked = client
        .request(QUERY_ENTRY, &json!({ "uid": key }))
        .map_err(failed)?;
    let answer = loop {
        match client.next().await.map_err(failed)? {
            Event::Response { id, body } if id == asked => break body,
            Event::Response { .. } | Event::Push { .. } => {}
            Event::Kicked { .. } | Event::Closed => {
                return Err(LoginError::GateClosed { gate: gate.clone() });
            }
        }
    };
    match sight::connector(&answer) {
        Some(connector) => Ok((connector, client)),
        None => Err(LoginError::NoConnector {
            gate: gate.clone(),
            answer,
        }),
    }
}

/// Connects to `connector`, up to the finished handshake. The caller bounds the time.
pub(crate) async fn connect<N: Network>(
    network: &N,
    access: &Access,
    connector: Address,
) -> Result<Client<N::Stream>, LoginError> {
    dial(network, access, &connector)
        .await
        .map_err(|cause| LoginError::Connector { connector, cause })
}

async fn dial<N: Network>(
    network: &N,
    access: &Access,
    to: &Address,
) -> Result<Client<N::Stream>, ClientError> {
    Client::connect(network, &to.host, to.port, access.transport, &access.memory).await
}

/// Closes `client` as a client does.
pub(crate) async fn say_goodbye<S>(client: Client<S>, patience: Duration)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // A peer that does not take the goodbye finds the connection closed all the same.
    let _ = timeout(patience, client.close()).await;
}
