//! `Client` against a server whose every package is scripted.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod poll;

use std::time::Duration;

use bytes::Bytes;
use cluster::client::{Client, ClientError, Event, Memory};
use cluster::connection::{Connection, Incoming, Transport};
use cluster::dispatch::SEND;
use cluster::net::{Listener, Network, Tcp};
use cluster::options::Options;
use cluster::wire::body;
use cluster::wire::handshake::{self, Answers, Request};
use cluster::wire::message::{self, Message, MessageKind, Route, RouteRef};
use cluster::wire::package::{self, BODY_LEN_LIMIT, Package, PackageType};
use cluster::wire::vocabulary::{UnknownCode, Vocabulary};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::io::{DuplexStream, duplex};
use tokio::time::{Instant, sleep, timeout};

use self::poll::poll_few;

type TestClient = Client<DuplexStream>;
type TestServer = Connection<DuplexStream>;

/// Short, because these tests run on the real clock; it is only ever checked from below.
const INTERVAL: Duration = Duration::from_millis(50);

#[tokio::test]
async fn the_handshake_comes_first_then_its_acknowledgement() {
    for transport in [Transport::Tcp, Transport::WebSocket] {
        let (near, far) = duplex(1000);
        let server = async {
            let mut server = Connection::accept(far, 1000).await.unwrap();
            let hello = next_package(&mut server).await;
            assert_eq!(hello.kind, PackageType::Handshake);
            let expected = r#"{"sys":{"type":"rust-client","version":"0.1.0","rsa":{}},"user":{}}"#;
            assert_eq!(hello.body, expected);
            server.queue(welcome(None));
            let ack = next_package(&mut server).await;
            assert_eq!(ack.kind, PackageType::HandshakeAck);
        };
        let (client, ()) = tokio::join!(start(near, transport), server);
        client.unwrap();
    }
}

#[tokio::test]
async fn requests_are_numbered_and_answers_carry_their_number() {
    let (mut client, mut server) = logged_in(None).await;
    assert_eq!(client.request("a.b.c", &json!({ "x": 1 })).unwrap(), 1);
    assert_eq!(client.request("a.b.d", &json!({})).unwrap(), 2);
    client.notify("a.b.e", &json!([])).unwrap();
    let script = async {
        let mut asked = Vec::new();
        for _ in 0..3 {
            asked.push(next_message(&mut server).await);
        }
        assert_eq!(
            asked[0],
            message(MessageKind::Request, 1, "a.b.c", r#"{"x":1}"#)
        );
        assert_eq!(asked[1], message(MessageKind::Request, 2, "a.b.d", "{}"));
        assert_eq!(asked[2], message(MessageKind::Notify, 0, "a.b.e", "[]"));
        server.queue(message::encode_response(2, b"{\"code\":500}"));
        server.queue(message::encode_push(
            RouteRef::Name("onAdd"),
            b"{\"user\":\"u\"}",
        ));
        server.queue(body::encode_kick("the end"));
        server.close().await;
    };
    let story = async {
        let answer = Event::Response {
            id: 2,
            body: json!({ "code": 500 }),
        };
        assert_eq!(client.next().await.unwrap(), answer);
        let pushed = (String::from("onAdd"), json!({ "user": "u" }));
        assert_eq!(next_push(&mut client).await, pushed);
        let expected = [
            Event::Kicked {
                reason: String::from("the end"),
            },
            Event::Closed,
        ];
        for event in expected {
            assert_eq!(client.next().await.unwrap(), event);
        }
        client.close().await;
    };
    tokio::join!(script, story);
}

#[tokio::test]
async fn a_handshake_that_is_turned_down_says_how() {
    let refused = start_against(&[handshake::encode_failure()]).await;
    assert!(matches!(refused, ClientError::Refused { code: 500 }));
    let nonsense = start_against(&[package::encode(PackageType::Handshake, b"{")]).await;
    assert!(matches!(nonsense, ClientError::Handshake(_)));
    let silence = start_against(&[package::heartbeat()]).await;
    assert!(matches!(silence, ClientError::ClosedEarly));
}

#[tokio::test]
async fn what_a_client_has_learnt_it_says_the_next_time() {
    let memory = Memory::default();
    let connector = Options::default().vocabulary;
    let gate = Vocabulary {
        dictionary: None,
        ..connector.clone()
    };
    // What a gate does not use is not forgotten.
    for (known, server, route) in [
        (Vocabulary::default(), &connector, Route::Code(1)),
        (connector.clone(), &gate, Route::Name(SEND.to_owned())),
        (connector.clone(), &connector, Route::Code(1)),
    ] {
        let (near, far) = duplex(2000);
        let answers = Answers::new(None, server.clone()).unwrap();
        let server = async {
            let mut server = Connection::accept(far, 1000).await.unwrap();
            let hello = next_package(&mut server).await;
            let expected = package::whole(handshake::encode_request(&known), 1000);
            assert_eq!(Ok(&hello), expected.as_ref());
            server.queue(answers.answer(&Request::read(&hello.body).unwrap()));
            next_package(&mut server).await;
            // A push as the chat example sends it, and a request as its clients do.
            let body = Bytes::from_static(b"\x0a\x02hi\x12\x05alice\x1a\x01*");
            server.queue(message::encode_push(RouteRef::Name("onChat"), &body));
            next_message(&mut server).await
        };
        let client = async {
            let client = Client::start(near, "localhost", Transport::Tcp, &memory).await;
            let mut client = client.unwrap();
            client.request(SEND, &json!({})).unwrap();
            next_push(&mut client).await
        };
        let (request, heard) = tokio::join!(within(server), client);
        assert_eq!(request.route, Some(route));
        let body = json!({"msg": "hi", "from": "alice", "target": "*"});
        assert_eq!(heard, (String::from("onChat"), body));
    }
}

#[tokio::test]
async fn nobody_at_the_port_is_an_error_that_names_it() -> std::io::Result<()> {
    let network = Tcp::loopback();
    let port = Listener::port(&network.listen(0).await?);
    let memory = Memory::default();
    let error = Client::connect(&network, "127.0.0.1", port, Transport::Tcp, &memory)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("no connection to 127.0.0.1:{port}")
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_understood_is_an_error() {
    let code = message::encode_push(RouteRef::Code(7), b"{}");
    assert!(matches!(
        after(code).await,
        ClientError::RouteCode(UnknownCode(7))
    ));
    let not_json = message::encode_response(1, b"");
    assert!(matches!(after(not_json).await, ClientError::Body(_)));
    let no_message = package::encode(PackageType::Data, b"");
    assert!(matches!(after(no_message).await, ClientError::Message(_)));
}

#[tokio::test]
async fn each_heartbeat_of_the_server_is_answered_one_interval_later() {
    let (mut client, mut server) = logged_in(Some(INTERVAL)).await;
    let script = async {
        for _ in 0..3 {
            let sent_at = Instant::now();
            // The second one, sent too early, changes nothing.
            server.queue(package::heartbeat());
            server.queue(package::heartbeat());
            let package = next_package(&mut server).await;
            assert_eq!(package.kind, PackageType::Heartbeat);
            assert!(
                sent_at.elapsed() >= INTERVAL,
                "after {:?}",
                sent_at.elapsed()
            );
            let more = timeout(INTERVAL, next_package(&mut server)).await;
            assert!(more.is_err(), "one heartbeat was expected, not two");
        }
    };
    while_running(&mut client, script).await;
}

#[tokio::test]
async fn heartbeats_go_out_while_pushes_come_without_end() {
    let (mut client, mut server) = logged_in(Some(INTERVAL)).await;
    server.queue(package::heartbeat());
    let script = async {
        loop {
            server.queue(message::encode_push(RouteRef::Name("onChat"), b"{}"));
            match server.next().await.unwrap() {
                Incoming::Package(package) => break package.kind,
                Incoming::Flushed => tokio::task::yield_now().await,
                Incoming::Closed => panic!("the client is still there"),
            }
        }
    };
    assert_eq!(
        while_running(&mut client, script).await,
        PackageType::Heartbeat
    );
}

#[tokio::test]
async fn two_intervals_of_silence_after_its_own_heartbeat_end_the_client() {
    let (mut client, mut server) = logged_in(Some(INTERVAL)).await;
    let begun_at = Instant::now();
    server.queue(package::heartbeat());
    server.flush().await.unwrap();
    let error = within(client.next()).await.unwrap_err();
    assert!(matches!(error, ClientError::Silent { silence } if silence == 2 * INTERVAL));
    assert!(begun_at.elapsed() >= 3 * INTERVAL);
}

#[tokio::test]
async fn any_package_puts_the_end_off() {
    let (mut client, mut server) = logged_in(Some(INTERVAL)).await;
    server.queue(package::heartbeat());
    let script = async {
        let heartbeat = next_package(&mut server).await;
        assert_eq!(heartbeat.kind, PackageType::Heartbeat);
        for _ in 0..12 {
            sleep(INTERVAL / 2).await;
            server.queue(message::encode_push(RouteRef::Name("onChat"), b"{}"));
            server.flush().await.unwrap();
        }
    };
    while_running(&mut client, script).await;
}

#[tokio::test]
async fn a_client_that_stood_still_reads_before_it_gives_up() {
    let (mut client, mut server) = logged_in(Some(INTERVAL)).await;
    server.queue(package::heartbeat());
    let script = async {
        next_package(&mut server).await;
    };
    while_running(&mut client, script).await;
    server.queue(message::encode_push(RouteRef::Name("onChat"), b"{}"));
    server.flush().await.unwrap();
    sleep(4 * INTERVAL).await;
    assert!(matches!(client.next().await, Ok(Event::Push { .. })));
}

#[tokio::test]
async fn without_heartbeats_silence_means_nothing() {
    let (mut client, mut server) = logged_in(None).await;
    server.queue(package::heartbeat());
    server.flush().await.unwrap();
    assert!(timeout(4 * INTERVAL, client.next()).await.is_err());
    let sent = timeout(INTERVAL, next_package(&mut server)).await;
    assert!(sent.is_err(), "the gate wants no heartbeats");
}

#[tokio::test]
async fn a_deaf_client_writes_and_keeps_its_heartbeats_up() {
    let (mut client, mut server) = logged_in(Some(INTERVAL)).await;
    client.notify("a.b.c", &json!({})).unwrap();
    let push = message::encode_push(RouteRef::Name("onChat"), b"{}");
    server.queue(push.clone());
    server.flush().await.unwrap();
    let begun_at = Instant::now();
    let script = async {
        assert_eq!(next_package(&mut server).await.kind, PackageType::Data);
        for _ in 0..3 {
            assert_eq!(next_package(&mut server).await.kind, PackageType::Heartbeat);
        }
        assert!(begun_at.elapsed() >= 3 * INTERVAL);
        // What it does not read stays in the pipe, which holds 1000 bytes.
        for _ in 0..1000 {
            server.queue(push.clone());
        }
        assert!(timeout(INTERVAL, server.flush()).await.is_err());
    };
    tokio::select! {
        end = client.write_only() => panic!("it writes for ever: {end:?}"),
        () = within(script) => {}
    }
    assert!(matches!(client.next().await, Ok(Event::Push { .. })));
}

#[tokio::test]
async fn a_dropped_next_loses_no_event() {
    let mut rng = StdRng::seed_from_u64(11);
    let (mut client, mut server) = logged_in(Some(INTERVAL)).await;
    let count = 500;
    for _ in 0..count {
        client.request("a.b.c", &json!({})).unwrap();
    }
    let script = async {
        for _ in 0..count {
            let id = next_message(&mut server).await.id;
            server.queue(message::encode_response(id, b"{}"));
        }
        server.flush().await.unwrap();
    };
    let story = async {
        let mut answered = Vec::new();
        while answered.len() < count {
            match poll_few(rng.random_range(1..4), client.next()).await {
                Some(Ok(Event::Response { id, .. })) => answered.push(id),
                Some(other) => panic!("a response was expected, not {other:?}"),
                None => {}
            }
        }
        assert!(answered.into_iter().eq(1..=count as u32));
    };
    tokio::join!(script, story);
}

async fn start(stream: DuplexStream, transport: Transport) -> Result<TestClient, ClientError> {
    Client::start(stream, "localhost", transport, &Memory::default()).await
}

/// The answer to a handshake of a server without a vocabulary.
fn welcome(heartbeat: Option<Duration>) -> Bytes {
    let answers = Answers::new(heartbeat, Vocabulary::default()).unwrap();
    answers.answer(&Request::default())
}

/// A client and its server after the handshake, over a pipe of 1000 bytes.
async fn logged_in(heartbeat: Option<Duration>) -> (TestClient, TestServer) {
    let (near, far) = duplex(1000);
    let server = async {
        let mut server = Connection::accept(far, BODY_LEN_LIMIT).await.unwrap();
        next_package(&mut server).await;
        server.queue(welcome(heartbeat));
        next_package(&mut server).await;
        server
    };
    let (client, server) = tokio::join!(start(near, Transport::Tcp), server);
    (client.unwrap(), server)
}

/// How a client fails whose server answers the handshake with `packages` and closes.
async fn start_against(packages: &[Bytes]) -> ClientError {
    let (near, far) = duplex(1000);
    let server = async {
        let mut server = Connection::accept(far, BODY_LEN_LIMIT).await.unwrap();
        next_package(&mut server).await;
        packages
            .iter()
            .for_each(|package| server.queue(package.clone()));
        server.flush().await.unwrap();
    };
    let (client, ()) = tokio::join!(start(near, Transport::Tcp), server);
    client.unwrap_err()
}

/// How a client fails that is sent `package`.
async fn after(package: Bytes) -> ClientError {
    let (mut client, mut server) = logged_in(None).await;
    server.queue(package);
    server.flush().await.unwrap();
    within(client.next()).await.unwrap_err()
}

/// The route and the body of what the client is pushed next.
async fn next_push(client: &mut TestClient) -> (String, Value) {
    match client.next().await.unwrap() {
        Event::Push { route, body } => (route.into_owned(), body.value().unwrap()),
        other => panic!("a push was expected, not {other:?}"),
    }
}

/// Lets the client read everything while the script runs.
async fn while_running<T>(client: &mut TestClient, script: impl Future<Output = T>) -> T {
    let read = async {
        loop {
            client.next().await.unwrap();
        }
    };
    tokio::select! {
        output = within(script) => output,
        never = read => never,
    }
}

/// A test that hangs should say where.
async fn within<T>(future: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(20);
    timeout(patience, future)
        .await
        .expect("it did not happen within 20 s")
}

async fn next_package(server: &mut TestServer) -> Package {
    loop {
        match server.next().await.unwrap() {
            Incoming::Package(package) => return package,
            Incoming::Flushed => {}
            Incoming::Closed => panic!("a package was expected, the client has closed"),
        }
    }
}

async fn next_message(server: &mut TestServer) -> Message {
    let package = next_package(server).await;
    assert_eq!(package.kind, PackageType::Data);
    message::decode(package.body).unwrap()
}

fn message(kind: MessageKind, id: u32, route: &str, body: &'static str) -> Message {
    Message {
        kind,
        id,
        route: Some(Route::Name(route.to_owned())),
        body: body.into(),
    }
}
