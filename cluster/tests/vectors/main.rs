//! Golden vectors of the original libraries (crc 0.2.0, pomelo-protocol 0.1.6, pomelo-protobuf
//! 0.4.0), and the few places where this cluster is stricter on purpose.
//!
//! More files of the same layout are read from the folder that the environment variable
//! `POMELO_VECTORS` names.

mod file;
#[path = "../support/hex.rs"]
mod hex;
mod protobuf;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use cluster::gate;
use cluster::topology::{Backend, Frontend, Topology};
use cluster::wire::message::{self, MessageError, MessageKind, Route, RouteRef};
use cluster::wire::package::{self, BODY_LEN_LIMIT, HEAD_LEN, Package, PackageError, PackageType};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use file::{each, unhex};

#[test]
fn packages_are_written_and_read_as_by_the_original() {
    each("/packages", |vector: PackageVector| {
        let kind = kind(vector.kind);
        let body = vector.body();
        let package = package::encode(kind, &body);
        assert_eq!(package[..HEAD_LEN], unhex(&vector.head_hex)[..]);
        assert_eq!(package.len(), vector.encoded_length);
        if let Some(digest) = vector.sha256 {
            assert_eq!(Sha256::digest(&package)[..], unhex(&digest)[..]);
        }
        assert_eq!(package[HEAD_LEN..], body[..]);
        if let Some(hex) = vector.hex {
            assert_eq!(package[..], unhex(&hex)[..]);
        }

        let mut buffer = BytesMut::from(package);
        let taken = package::take(&mut buffer, BODY_LEN_LIMIT);
        assert_eq!(taken, Ok(Some(Package { kind, body })));
        assert!(buffer.is_empty());
    });
}

#[test]
fn the_longest_body_is_written_and_one_more_byte_refused() {
    each("/package_limits", |vector: LimitVector| {
        let (kind, body) = (kind(vector.kind), vector.body.bytes());
        if body.len() <= BODY_LEN_LIMIT {
            let package = package::encode(kind, &body);
            assert_eq!(package[..HEAD_LEN], unhex(&vector.head_hex)[..]);
        } else {
            // The original writes the low 24 bits of the length, and its peer loses the thread.
            assert!(std::panic::catch_unwind(|| package::encode(kind, &body)).is_err());
        }
    });
}

#[test]
fn several_packages_in_one_buffer_come_out_one_by_one() {
    each("/package_streams", |vector: BytesVector| {
        let mut buffer = BytesMut::from(&unhex(&vector.hex)[..]);
        for expected in vector.packages.expect("streams always hold packages") {
            let package = package::take(&mut buffer, BODY_LEN_LIMIT).unwrap().unwrap();
            assert_eq!(package.kind as u8, expected.kind);
            assert_eq!(package.body, unhex(&expected.body_hex));
        }
        assert!(buffer.is_empty());
    });
}

#[test]
fn short_websocket_messages_are_filled_up_and_long_ones_refused() {
    each("/package_decode_quirks", |vector: BytesVector| {
        let package = package::whole(unhex(&vector.hex), BODY_LEN_LIMIT);
        match vector.packages.as_deref() {
            // The original goes on with a type that it does not know, and closes one layer above.
            Some([unknown]) if unknown.kind == 0 => {
                assert_eq!(package, Err(PackageError::UnknownType(0)));
            }
            Some([expected]) => {
                let package = package.unwrap();
                assert_eq!(package.kind as u8, expected.kind);
                assert_eq!(package.body, unhex(&expected.body_hex));
            }
            // The original throws and leaves the session deaf; here the connection ends.
            None => assert!(matches!(package, Err(PackageError::Trailing(_)))),
            Some(_) => panic!("a quirk holds one package"),
        }
    });
}

#[test]
fn messages_are_read_as_by_the_original() {
    each("/messages", |vector: MessageVector| {
        vector.assert_decoded();
    });
}

#[test]
fn messages_are_written_as_by_the_original() {
    each("/messages", |vector: MessageVector| {
        let body = unhex(&vector.body_hex);
        let route = match (&vector.route, vector.route_code) {
            (Some(name), None) => RouteRef::Name(name),
            (None, Some(code)) => RouteRef::Code(code),
            _ => RouteRef::Name(""),
        };
        let package = match vector.kind {
            0 => message::encode_request(vector.id, route, &body),
            1 => message::encode_notify(route, &body),
            2 => message::encode_response(vector.id, &body),
            3 => message::encode_push(route, &body),
            kind => panic!("there is no message type {kind}"),
        };
        let mut expected = BytesMut::from(&unhex(&vector.hex)[..]);
        // Two flags are never written here: "gzip", which means nothing, and "the route is a code"
        // on a response, which has no route.
        expected[0] &= !0x10;
        if vector.kind == 2 {
            expected[0] &= !1;
        }
        let expected = package::encode(PackageType::Data, &expected);
        assert_eq!(package, expected, "{}", vector.hex);
    });
}

#[test]
fn what_the_original_cannot_write_cannot_be_written_here() {
    // The last three have no words here: a code is a `u16`, a route is either name or code, and
    // there is no function for a fifth type.
    let known = [
        "route of 256 bytes, not compressed",
        "route code 65536",
        "compressed flag with a string route",
        "message type 4",
    ];
    each("/message_encode_errors", |what: String| {
        assert!(known.contains(&what.as_str()), "{what}");
    });
    let route = "r".repeat(256);
    let push = || message::encode_push(RouteRef::Name(&route), b"{}");
    assert!(std::panic::catch_unwind(push).is_err());
}

#[test]
fn odd_messages_are_read_as_by_the_original_and_cut_ones_are_errors() {
    each("/message_decode_only", |vector: OddMessage| {
        match vector {
            OddMessage::Read(vector) => vector.assert_decoded(),
            // The original throws here and leaves the session deaf; here the connection ends.
            OddMessage::Throws { hex, .. } => assert!(
                matches!(
                    message::decode(unhex(&hex)),
                    Err(MessageError::Truncated(_))
                ),
                "{hex}"
            ),
        }
    });
}

#[test]
fn ids_over_31_bits_are_refused() {
    each("/message_id_overflow", |vector: BytesVector| {
        // The original takes them modulo 2^32 and never returns from the negative ones.
        let message = message::decode(unhex(&vector.hex));
        assert_eq!(message, Err(MessageError::IdTooLarge), "{}", vector.hex);
    });
}

#[test]
fn rooms_go_to_the_chat_server_that_the_original_picks() {
    each("/crc/strings", |vector: CrcVector| {
        // A string that is null has a lone surrogate. Rust's strings cannot hold one, and no
        // decoder here lets one in.
        let Some(room) = vector.s else {
            return;
        };
        for (servers, index) in vector.index {
            let chat = topology_of(servers).chat_of(&room);
            assert_eq!(chat, Some(index), "{room:?} among {servers}");
            let by_crc = vector.crc32.unsigned_abs() as usize % servers;
            assert_eq!(chat, Some(by_crc), "{room:?} among {servers}");
        }
    });
}

// BEHAVIOUR 2.1 and 2.3: the gate takes nothing that is false, and says so instead of throwing.
#[test]
fn whoever_asks_with_no_string_is_sent_where_the_original_sends_him() {
    each("/crc/non_string", |vector: OddCrcVector| {
        let is_false = vector.json == json!(0) || vector.json == json!(false);
        for (servers, index) in vector.index {
            let topology = topology_of(servers);
            let connector = gate::connector_of(&topology, &vector.json);
            let expected = (!is_false).then(|| &topology.connectors[index]);
            assert_eq!(connector, expected, "{} among {servers}", vector.json);
        }
    });
    each("/crc/throws", |vector: OddCrcVector| {
        let connector = gate::connector_of(&topology_of(3), &vector.json).cloned();
        assert_eq!(connector, None, "{}", vector.json);
    });
}

fn topology_of(servers: usize) -> Topology {
    let connector = |number| Frontend {
        id: format!("connector-server-{number}"),
        client_host: String::from("127.0.0.1"),
        client_port: 3050,
    };
    let chat = |number| Backend {
        id: format!("chat-server-{number}"),
        host: String::from("127.0.0.1"),
        port: 6050,
    };
    Topology {
        gates: Vec::new(),
        connectors: (1..=servers).map(connector).collect(),
        chats: (1..=servers).map(chat).collect(),
    }
}

#[derive(Deserialize)]
struct CrcVector {
    s: Option<String>,
    /// Signed, as JavaScript has it.
    crc32: i32,
    /// Number of servers to the index of the one that is picked.
    index: BTreeMap<usize, usize>,
}

#[derive(Deserialize)]
struct OddCrcVector {
    /// Missing where it is `undefined`.
    #[serde(default)]
    json: Value,
    #[serde(default)]
    index: BTreeMap<usize, usize>,
}

#[derive(Deserialize)]
struct PackageVector {
    #[serde(rename = "type")]
    kind: u8,
    body: Option<Fill>,
    body_utf8: Option<String>,
    sha256: Option<String>,
    head_hex: String,
    encoded_length: usize,
    hex: Option<String>,
}

#[derive(Deserialize)]
struct LimitVector {
    #[serde(rename = "type")]
    kind: u8,
    body: Fill,
    head_hex: String,
}

#[derive(Deserialize)]
struct Fill {
    fill_byte: u8,
    length: usize,
}

#[derive(Deserialize)]
struct BytesVector {
    hex: String,
    packages: Option<Vec<DecodedPackage>>,
}

#[derive(Deserialize)]
struct DecodedPackage {
    #[serde(rename = "type")]
    kind: u8,
    body_hex: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OddMessage {
    Throws {
        hex: String,
        #[serde(rename = "throws")]
        _throws: String,
    },
    Read(MessageVector),
}

#[derive(Deserialize)]
struct MessageVector {
    #[serde(rename = "type")]
    kind: u8,
    id: u32,
    route: Option<String>,
    route_code: Option<u16>,
    body_hex: String,
    hex: String,
}

impl PackageVector {
    fn body(&self) -> Bytes {
        match (&self.body, &self.body_utf8) {
            (Some(fill), None) => fill.bytes(),
            (None, Some(text)) => text.clone().into(),
            _ => panic!("a package has one body"),
        }
    }
}

impl Fill {
    fn bytes(&self) -> Bytes {
        vec![self.fill_byte; self.length].into()
    }
}

impl MessageVector {
    fn assert_decoded(&self) {
        let message = message::decode(unhex(&self.hex)).expect(&self.hex);
        let kind = match self.kind {
            0 => MessageKind::Request,
            1 => MessageKind::Notify,
            2 => MessageKind::Response,
            3 => MessageKind::Push,
            other => MessageKind::Other(other),
        };
        let route = match (&self.route, self.route_code) {
            (Some(name), None) => Some(Route::Name(name.clone())),
            (None, Some(code)) => Some(Route::Code(code)),
            _ => None,
        };
        assert_eq!(message.kind, kind, "{}", self.hex);
        assert_eq!(message.id, self.id, "{}", self.hex);
        assert_eq!(message.route, route, "{}", self.hex);
        assert_eq!(message.body, unhex(&self.body_hex), "{}", self.hex);
    }
}

fn kind(number: u8) -> PackageType {
    PackageType::try_from(number).expect("the original wrote known types only")
}
