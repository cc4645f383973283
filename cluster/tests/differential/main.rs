//! The same clients, doing the same to the byte, at Pomelo's own chat cluster and at this one: they
//! are told the same, but for the differences that are listed in `differences.rs`.
//!
//! The original needs Node and `npm ci --prefix cluster/tests/originals`.

mod client;
mod compare;
mod differences;
mod order;
mod player;
#[path = "../support/program.rs"]
mod program;
mod scenes;
mod script;
mod servers;
mod transcript;

use cluster::connection::Transport;

use compare::compare;
use differences::DIFFERENCES;
use player::play;
use program::Result;
use servers::Servers;
use transcript::Transcript;

#[tokio::test]
async fn clients_on_websockets_are_told_the_same_as_by_the_original() -> Result {
    agree(Transport::WebSocket).await
}

// The original can only write on raw TCP if it runs on an old Node.
#[tokio::test]
async fn clients_on_raw_tcp_are_told_the_same_as_by_the_original() -> Result {
    agree(Transport::Tcp).await
}

async fn agree(transport: Transport) -> Result {
    let original = async {
        let servers = Servers::original(transport == Transport::Tcp).await?;
        played("the original", &servers, transport).await
    };
    let ours = async {
        let servers = Servers::ours().await?;
        played("this cluster", &servers, transport).await
    };
    let (original, ours) = tokio::try_join!(original, ours)?;
    if let Err(difference) = compare(&original, &ours, DIFFERENCES) {
        // Not returned: an error would be printed in one line.
        panic!("{difference}");
    }
    order::check(&ours);
    Ok(())
}

async fn played(who: &str, servers: &Servers, transport: Transport) -> Result<Transcript> {
    let played = play(scenes::all(), servers, transport).await;
    played.map_err(|error| format!("at {who}: {error}").into())
}
