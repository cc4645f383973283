//! A cluster inside the calling process, as load generators start it.

use std::error::Error;

use cluster::embedded::{self, Size};
use cluster::options::Options;
use cluster::process::{Running, addresses};
use rand::SeedableRng;
use rand::rngs::StdRng;
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
    let counted: Vec<String> = cluster.census().into_keys().collect();
    let mut ids: Vec<String> = all.into_iter().map(|server| server.id).collect();
    ids.sort();
    assert_eq!(counted, ids);
    cluster.stop().await?;
    Ok(())
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
