//! Whether there is a gate at all.

use std::time::Duration;

use cluster::net::Network;
use tokio::time::timeout;

use super::HealthError;
use crate::login;
use crate::user::Access;

/// How long the gate may take to answer the question before a run.
pub(super) const GATE_PATIENCE: Duration = Duration::from_secs(5);

/// Asks the gate for a connector once, so that a wrong address is told at once and not by every
/// user.
///
/// # Errors
///
/// If the gate can't be reached, or names no connector.
pub async fn ask_gate<N: Network>(network: &N, access: &Access) -> Result<(), HealthError> {
    let asked = login::ask_gate(network, access, "anybody");
    match timeout(GATE_PATIENCE, asked).await {
        Ok(Ok((_connector, client))) => {
            login::say_goodbye(client, access.patience.close).await;
            Ok(())
        }
        Ok(Err(error)) => Err(HealthError::Gate(error)),
        Err(_elapsed) => Err(HealthError::GateSilent {
            gate: access.gate.to_string(),
        }),
    }
}
