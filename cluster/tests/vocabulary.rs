//! A cluster whose every route has a schema, and a client that writes its bytes by hand.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cluster::client::{Client, Event, Memory};
use cluster::connection::{Connection, Incoming, Transport};
use cluster::dispatch::{ENTER, HANDLERS, QUERY_ENTRY, SEND};
use cluster::embedded::{self, Size};
use cluster::limits::JSON_LEN_MAX;
use cluster::net::{Network, Tcp};
use cluster::options::Options;
use cluster::process::{Role, Running};
use cluster::wire::dictionary::Dictionary;
use cluster::wire::handshake;
use cluster::wire::message::{self, MessageKind, Route, RouteRef};
use cluster::wire::package::{self, PackageType};
use cluster::wire::protobuf::{Protos, Schema};
use cluster::wire::vocabulary::Vocabulary;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

// By PROTOCOL 3.1: the handlers' routes sorted, then the user's.
const SEND_CODE: u16 = 1;
const ENTER_CODE: u16 = 2;
const QUERY_ENTRY_CODE: u16 = 3;
const ON_CHAT_CODE: u16 = 4;

const SERVER_PROTOS: &str = r#"{
    "onChat": {"required string msg": 1, "required string from": 2, "required string target": 3},
    "gate.gateHandler.queryEntry": {"required uInt32 code": 1, "optional string host": 2, "optional uInt32 port": 3},
    "connector.entryHandler.enter": {"optional uInt32 code": 1, "repeated string users": 2},
    "chat.chatHandler.send": {"optional uInt32 code": 1}
}"#;

const CLIENT_PROTOS: &str = r#"{
    "gate.gateHandler.queryEntry": {"required string uid": 1},
    "connector.entryHandler.enter": {"required string username": 1, "required string rid": 2},
    "chat.chatHandler.send": {"required string content": 1, "required string target": 2}
}"#;

#[tokio::test]
async fn routes_travel_as_numbers_and_bodies_by_their_schemas() -> Result {
    let cluster = start().await?;
    let connector = address(&cluster, Role::Connector)?;

    // A gate has no dictionary.
    let mut gate = Raw::connect(address(&cluster, Role::Gate)?).await?;
    gate.request(1, RouteRef::Name(QUERY_ENTRY), b"\x0a\x03ann");
    let mut expected = b"\x08\xc8\x01\x12\x09127.0.0.1\x18".to_vec();
    expected.extend([
        connector as u8 | 0x80,
        (connector >> 7) as u8 | 0x80,
        (connector >> 14) as u8,
    ]);
    assert_eq!(gate.next().await?, response(1, &expected));

    let mut ann = Raw::connect(connector).await?;
    ann.request(1, RouteRef::Code(ENTER_CODE), b"\x0a\x03ann\x12\x05lobby");
    assert_eq!(ann.next().await?, response(1, b"\x12\x03ann"));
    // By name as well: a client need not know the dictionary.
    for (id, route) in [(2, RouteRef::Code(SEND_CODE)), (3, RouteRef::Name(SEND))] {
        ann.request(id, route, b"\x0a\x02hi\x12\x01*");
        let on_chat = b"\x0a\x02hi\x12\x03ann\x1a\x01*";
        assert_eq!(ann.next().await?, push(ON_CHAT_CODE, on_chat));
        // `{}`: an object without fields has no bytes.
        assert_eq!(ann.next().await?, response(id, b""));
    }
    ann.request(4, RouteRef::Code(SEND_CODE), b"\x0a\x02hi\x12\x03bob");
    assert_eq!(ann.next().await?, response(4, b"\x08\xf4\x03"));
    // Those without a schema are JSON.
    ann.request(5, RouteRef::Name("chat.chatHandler.none"), b"{}");
    assert_eq!(ann.next().await?, response(5, br#"{"code":500}"#));
    Ok(cluster.stop().await?)
}

#[tokio::test]
async fn a_number_that_is_no_route_is_passed_over() -> Result {
    let cluster = start().await?;
    for (role, answered) in [
        (Role::Gate, QUERY_ENTRY),
        (Role::Connector, "no.such.route"),
    ] {
        let mut client = Raw::connect(address(&cluster, role)?).await?;
        // A gate has no dictionary, and takes none of its numbers.
        let known = (role == Role::Gate).then_some(QUERY_ENTRY_CODE);
        for code in [0, ON_CHAT_CODE + 1, u16::MAX].into_iter().chain(known) {
            client.request(1, RouteRef::Code(code), b"\x0a\x03ann");
        }
        client.request(2, RouteRef::Name(answered), b"\x0a\x03ann");
        assert_eq!(client.next().await?.1, 2, "{role:?} answers no other");
    }
    Ok(cluster.stop().await?)
}

#[tokio::test]
async fn a_body_that_its_schema_cannot_read_ends_the_connection() -> Result {
    let cluster = start().await?;
    for (role, route) in [(Role::Gate, QUERY_ENTRY), (Role::Connector, ENTER)] {
        for body in [&b"{}"[..], b"\x0a\xff", b"\xff"] {
            let mut client = Raw::connect(address(&cluster, role)?).await?;
            client.request(1, RouteRef::Name(route), body);
            let end = client.next().await.expect_err("nothing is answered");
            assert_eq!(end.to_string(), CLOSED, "{role:?} {body:?}");
        }
    }
    Ok(cluster.stop().await?)
}

#[tokio::test]
async fn a_body_that_is_very_long_as_json_ends_its_connection_and_no_other() -> Result {
    // Four bytes for each message in the list, and its field's name in JSON.
    let name = "n".repeat(200);
    let client = format!(
        r#"{{"message M": {{"optional uInt32 {name}": 1}}, "{SEND}": {{"repeated M list": 1}}}}"#
    );
    let cluster = start_with("{}", &client).await?;
    let connector = address(&cluster, Role::Connector)?;
    let mut ann = Raw::connect(connector).await?;
    ann.request(
        1,
        RouteRef::Name(ENTER),
        br#"{"username":"ann","rid":"lobby"}"#,
    );
    assert_eq!(ann.next().await?, response(1, br#"{"users":["ann"]}"#));
    let mut bob = Raw::connect(connector).await?;
    bob.request(
        1,
        RouteRef::Name(ENTER),
        br#"{"username":"bob","rid":"lobby"}"#,
    );
    bob.next().await?;
    assert_eq!(ann.next().await?.0, MessageKind::Push, "bob has come");

    let count = JSON_LEN_MAX / name.len();
    bob.request(2, RouteRef::Name(SEND), &b"\x0a\x02\x08\x01".repeat(count));
    let end = bob.next().await.expect_err("nothing is answered");
    assert_eq!(end.to_string(), CLOSED);
    assert_eq!(ann.next().await?.0, MessageKind::Push, "bob has gone");
    // Its link stands: this goes to the chat server and back.
    ann.request(2, RouteRef::Name(SEND), b"\x0a\x02\x08\x01");
    assert_eq!(ann.next().await?, response(2, br#"{"code":500}"#));
    Ok(cluster.stop().await?)
}

#[tokio::test]
async fn the_client_speaks_it_too() -> Result {
    let cluster = start().await?;
    let memory = Memory::default();
    let port = address(&cluster, Role::Gate)?;
    // The second time it knows all of it beforehand.
    for name in ["ann", "bob"] {
        let (network, transport) = (Tcp::loopback(), Transport::WebSocket);
        let mut gate = Client::connect(&network, "127.0.0.1", port, transport, &memory).await?;
        gate.request(QUERY_ENTRY, &json!({"uid": name}))?;
        let connector = address(&cluster, Role::Connector)?;
        let body = json!({"code": 200, "host": "127.0.0.1", "port": connector});
        assert_eq!(gate.next().await?, Event::Response { id: 1, body });

        let mut user =
            Client::connect(&network, "127.0.0.1", connector, transport, &memory).await?;
        user.request(ENTER, &json!({"username": name, "rid": name}))?;
        let body = json!({"users": [name]});
        assert_eq!(user.next().await?, Event::Response { id: 1, body });
        user.notify(SEND, &json!({"content": "héllo", "target": name}))?;
        let body = json!({"msg": "héllo", "from": name, "target": name});
        match user.next().await? {
            Event::Push {
                route,
                body: pushed,
            } => assert_eq!((&*route, pushed.value()?), ("onChat", body)),
            other => panic!("a push was expected, not {other:?}"),
        }

        let error = user.request(SEND, &json!({"content": "no target"}));
        let error = error.expect_err("a required field is missing").to_string();
        assert_eq!(
            error,
            format!("the server's schema for {SEND} does not hold the body")
        );
    }
    Ok(cluster.stop().await?)
}

async fn start() -> Result<Running> {
    start_with(SERVER_PROTOS, CLIENT_PROTOS).await
}

async fn start_with(server_protos: &str, client_protos: &str) -> Result<Running> {
    let schema = |text| Schema::from_text(text).map(|(schema, _)| schema);
    let dictionary = Dictionary::new(&HANDLERS, &[String::from("onChat")])?;
    let protos = Protos::new(schema(server_protos)?, schema(client_protos)?);
    let options = Options {
        vocabulary: Vocabulary {
            dictionary: Some(Arc::new(dictionary)),
            protos: Some(Arc::new(protos)),
        },
        ..Options::default()
    };
    let size = Size {
        gates: 1,
        connectors: 1,
        chats: 1,
    };
    Ok(embedded::start(size, options, &mut StdRng::seed_from_u64(1)).await?)
}

fn address(cluster: &Running, role: Role) -> Result<u16> {
    let found = cluster.addresses().find(|address| address.role == role);
    Ok(found.ok_or("there is one of each")?.port)
}

/// A client that has shaken hands, and does nothing by itself.
struct Raw(Connection<TcpStream>);

type Said = (MessageKind, u32, Option<Route>, Vec<u8>);

const CLOSED: &str = "the server has closed";

fn response(id: u32, body: &[u8]) -> Said {
    (MessageKind::Response, id, None, body.to_vec())
}

fn push(code: u16, body: &[u8]) -> Said {
    (MessageKind::Push, 0, Some(Route::Code(code)), body.to_vec())
}

impl Raw {
    async fn connect(port: u16) -> Result<Self> {
        let stream = Tcp::loopback().connect("127.0.0.1", port).await?;
        let mut connection = Connection::connect(stream, Transport::Tcp, "", 4096).await?;
        connection.queue(handshake::encode_request(&Vocabulary::default()));
        while !matches!(connection.next().await?, Incoming::Package(_)) {}
        connection.queue(package::handshake_ack());
        Ok(Self(connection))
    }

    fn request(&mut self, id: u32, route: RouteRef<'_>, body: &[u8]) {
        self.0.queue(message::encode_request(id, route, body));
    }

    /// The next message; heartbeats are passed over.
    async fn next(&mut self) -> Result<Said> {
        loop {
            match timeout(PATIENCE, self.0.next()).await?? {
                Incoming::Package(package) if package.kind == PackageType::Data => {
                    let said = message::decode(package.body)?;
                    return Ok((said.kind, said.id, said.route, said.body.to_vec()));
                }
                Incoming::Package(_) | Incoming::Flushed => {}
                Incoming::Closed => return Err(CLOSED.into()),
            }
        }
    }
}
