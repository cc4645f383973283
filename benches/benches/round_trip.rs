//! A client's send and its answer over loopback sockets, with everything between: the connector,
//! the link, the chat server, and the acknowledgements of the connectors with other members.

use std::time::Duration;

use benches::{CONTENT, ENTER, SEND};
use cluster::client::{Client, Event, Memory};
use cluster::connection::Transport;
use cluster::embedded::{self, Size};
use cluster::net::Tcp;
use cluster::options::Options;
use cluster::process::{Role, Running};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

fn round_trip(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("round_trip");
    let runtime = Runtime::new().expect("threads");
    // The bench's client is awaited only while it is measured: nobody may miss its heartbeats.
    let options = Options {
        heartbeat: Duration::from_secs(600),
        ..Options::default()
    };
    let size = Size {
        gates: 1,
        connectors: 3,
        chats: 1,
    };
    let rng = &mut StdRng::seed_from_u64(1);
    let cluster = runtime.block_on(embedded::start(size, options, rng));
    let cluster = cluster.expect("free ports");
    for transport in [Transport::Tcp, Transport::WebSocket] {
        for connectors in [1, 3] {
            let room = format!("{transport} {connectors}");
            let mut client = runtime.block_on(enter(&cluster, 0, transport, &room));
            let mut others = JoinSet::new();
            for connector in 1..connectors {
                let other = runtime.block_on(enter(&cluster, connector, transport, &room));
                others.spawn_on(listen(other), runtime.handle());
            }
            let line = json!({"content": CONTENT, "target": "*"});
            group.bench_function(format!("{transport}/connectors={connectors}"), |bencher| {
                bencher.iter(|| runtime.block_on(ask(&mut client, SEND, &line)));
            });
        }
    }
    runtime.block_on(cluster.stop()).expect("it stops");
}

/// A member of `room` through the connector with that index.
async fn enter(
    cluster: &Running,
    connector: usize,
    transport: Transport,
    room: &str,
) -> Client<TcpStream> {
    let mut connectors = cluster.addresses().filter(|a| a.role == Role::Connector);
    let address = connectors.nth(connector).expect("there are three");
    let network = Tcp::loopback();
    let memory = Memory::default();
    let client = Client::connect(&network, &address.host, address.port, transport, &memory);
    let mut client = client.await.expect("it listens");
    let body = json!({"username": format!("user {connector}"), "rid": room});
    // Until its link is up, a connector refuses.
    while ask(&mut client, ENTER, &body).await["users"].is_null() {}
    client
}

/// Sends a request and waits for its answer; what comes before it is read and dropped.
async fn ask(client: &mut Client<TcpStream>, route: &str, body: &Value) -> Value {
    client.request(route, body).expect("the body is JSON");
    loop {
        match client.next().await.expect("the connection stands") {
            Event::Response { body, .. } => return body,
            Event::Push { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn listen(mut client: Client<TcpStream>) {
    while client
        .next()
        .await
        .is_ok_and(|event| event != Event::Closed)
    {}
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    targets = round_trip
}
criterion_main!(benches);
