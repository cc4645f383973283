//! A cluster inside the calling process, as load generators start it.

use std::error::Error;

use cluster::client::{Client, Event, Memory};
use cluster::connection::Transport;
use cluster::embedded::{self, Size};
use cluster::net::Tcp;
use cluster::options::Options;
use cluster::process::{Running, addresses};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::net::TcpStream;

async fn start(size: Size, seed: u64) -> Result<Running, Box<dyn Error>> {
    let mut rng = StdRng::seed_from_u64(seed);
    Ok(embedded::start(size, Options::default(), &mut rng).await?)
}

#[tokio::test]
async fn every_server_listens_on_the_port_that_the_topology_names() -> Result<(), Box<dyn Error>> {
    let cluster = start(Size::default(), 1).await?;
    let all = addresses(cluster.topology());
    assert_eq!(all.len(), 7);
    assert!(cluster.addresses().eq(&all));
    for server in &all {
        TcpStream::connect((server.host.as_str(), server.port)).await?;
    }
    assert_eq!(cluster.gate(), Some(("127.0.0.1", all[0].port)));
    let counted: Vec<String> = cluster.census().into_keys().collect();
    let mut ids: Vec<String> = all.into_iter().map(|server| server.id).collect();
    ids.sort();
    assert_eq!(counted, ids);
    cluster.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_user_enters_and_is_counted() -> Result<(), Box<dyn Error>> {
    let cluster = start(Size::default(), 1).await?;
    let (network, (host, port)) = (Tcp::loopback(), cluster.gate().ok_or("no gate")?);
    let memory = Memory::default();
    let mut gate = Client::connect(&network, host, port, Transport::Tcp, &memory).await?;
    gate.request("gate.gateHandler.queryEntry", &json!({"uid": "anna"}))?;
    let connector = answer(&mut gate).await?;
    let chosen = cluster
        .topology()
        .connector_of("anna")
        .ok_or("no connector")?;
    assert_eq!(connector["port"], chosen.client_port);

    let mut anna =
        Client::connect(&network, host, chosen.client_port, Transport::Tcp, &memory).await?;
    anna.request(
        "connector.entryHandler.enter",
        &json!({"username": "anna", "rid": "lobby"}),
    )?;
    assert_eq!(answer(&mut anna).await?, json!({"users": ["anna"]}));
    let mut census = cluster.census();
    let connector = census.remove(&chosen.id).ok_or("no census")?;
    let place = (String::from("lobby"), String::from("anna"));
    assert_eq!(connector.entered, [place]);
    assert_eq!((connector.sessions, connector.tasks), (1, 1));
    let owner = cluster.topology().chat_of("lobby").ok_or("no owner")?;
    let owner = &cluster.topology().chats[owner].id;
    let links = census.remove(owner).ok_or("no census")?.link_connections;
    assert!(links > 0, "who let her in is linked to her connector");

    let stopped = cluster.stop();
    let (stopped, kicked) = tokio::join!(stopped, anna.next());
    stopped?;
    assert!(
        matches!(kicked?, Event::Kicked { .. }),
        "a clean stop tells the users"
    );
    Ok(())
}

async fn answer(client: &mut Client<TcpStream>) -> Result<Value, Box<dyn Error>> {
    match client.next().await? {
        Event::Response { body, .. } => Ok(body),
        other => Err(format!("no answer, but {other:?}").into()),
    }
}

#[tokio::test]
async fn a_size_has_at_least_one_server_of_each_type() -> Result<(), Box<dyn Error>> {
    let none = Size {
        gates: 0,
        connectors: 0,
        chats: 0,
    };
    let cluster = start(none, 1).await?;
    assert_eq!(cluster.addresses().count(), 3);
    Ok(())
}

#[tokio::test]
async fn two_clusters_run_beside_each_other() -> Result<(), Box<dyn Error>> {
    let (first, second) = (
        start(Size::default(), 1).await?,
        start(Size::default(), 2).await?,
    );
    assert_ne!(first.gate(), second.gate());
    first.stop().await?;
    second.stop().await?;
    Ok(())
}

#[tokio::test]
async fn nobody_listens_after_a_stop_or_a_drop() -> Result<(), Box<dyn Error>> {
    for politely in [true, false] {
        let cluster = start(Size::default(), 1).await?;
        let all = addresses(cluster.topology());
        for server in &all {
            TcpStream::connect((server.host.as_str(), server.port)).await?;
        }
        if politely {
            cluster.stop().await?;
        } else {
            drop(cluster);
            // The tasks are dropped when the runtime next comes to them.
            tokio::task::yield_now().await;
        }
        for server in all {
            let refused = TcpStream::connect((server.host.as_str(), server.port)).await;
            assert!(refused.is_err(), "{server} still listens");
        }
    }
    Ok(())
}

#[test]
fn a_drawn_token_is_long_and_not_twice_the_same() {
    let mut rng = StdRng::seed_from_u64(7);
    let (first, second) = (
        embedded::draw_token(&mut rng),
        embedded::draw_token(&mut rng),
    );
    assert_eq!(first.len(), 32);
    assert_ne!(first, second);
}
