//! Protobuf bodies, as pomelo-protobuf 0.4.0 writes and reads them.
//!
//! A [`Schema`] is what a `serverProtos.json` or `clientProtos.json` holds: the routes whose bodies
//! are protobuf, and their fields. It comes from the text of such a file ([`Schema::from_text`]) or,
//! for clients, from the handshake ([`Schema::from_parsed`]).
//!
//! This is not Google's protobuf, though near: numbers of a `repeated` field follow one tag and a
//! count of *elements*, `int32` is zigzag, the wire type in a tag is written and never read, and the
//! fields stand in the order of the object's keys.
//!
//! # What is taken as JavaScript takes it
//!
//! - Keys that are array indices (`"7"`) come first, in ascending order, then the others.
//! - Integers are what `parseInt` makes of the value: `7.9` is 7, `" 42 "` is 42, `"0x1F"` is 31, and
//!   `"12abc"` is 12. They may exceed 32 bits; beyond 2^53 they are as exact as an `f64`.
//! - Floats and doubles are what `Number` makes of it: `""`, `null` and `false` are 0, `"1e3"` is 1000.
//!   A number too large for a float becomes infinite.
//! - `null`, a truth value, a number, `""` or an object in place of an array is an empty array.
//! - NaN and the infinities, which JSON does not have, are decoded as `null`.
//!
//! # What is refused here
//!
//! The original writes something else than what it was given, or does not return, for
//!
//! - integers from 10^21 on (5 * 10^20 if the type has a sign), or between 0 and 10^-6, of whose text
//!   (`1e+21`) it takes the first digit;
//! - texts that are infinite as an integer, on which it never returns;
//! - arrays and objects in place of a number (`[5, 6]` is 5 to it), and texts in place of an array;
//! - floats and doubles that are no number (`"abc"`);
//! - texts, numbers, truth values and arrays in place of a message;
//! - fields of a type that is not there, or with a tag that is no whole number from 0 to 2^28 - 1.
//!
//! It also gives its output twice as many bytes as the JSON text has UTF-16 units. What is longer,
//! such as a line of some twenty Chinese characters, it cuts off or throws on; here it is whole.
//! Of messages nested deeper than [`DEPTH_MAX`] it makes what the stack holds, and of values that take
//! more than [`DECODED_LEN_MAX`] what the memory holds; here they are refused.

mod decode;
mod duplicates;
mod encode;
mod parse;
mod problem;
mod schema;

use super::javascript;

pub use decode::{DecodeError, Layout};
pub use encode::EncodeError;
pub use problem::{Problem, SchemaError, What};
pub use schema::Schema;

/// Most messages within each other in one body, the outermost included. As JSON they fit into the
/// 128 levels that `serde_json` reads, also if each is in an array.
pub const DEPTH_MAX: usize = 60;

/// Most memory that the values of one body may take, in bytes: what each has besides its name and text
/// counts as 64. Few bytes can stand for many values, each with a long name.
pub const DECODED_LEN_MAX: usize = 16 * 1024 * 1024;

/// Most message types within each other in one schema, the outermost included. In the handshake
/// each takes two levels of JSON.
pub const DEFINITIONS_DEPTH_MAX: usize = 32;

/// Largest tag of a field: with the wire type it fills 31 bits.
pub const TAG_MAX: u32 = (1 << 28) - 1;

/// Both schemas of a server: of what it sends, and of what its clients send.
#[derive(Clone, Debug, PartialEq)]
pub struct Protos {
    server: Schema,
    client: Schema,
    version: String,
}

impl Protos {
    /// Puts together what `serverProtos.json` and `clientProtos.json` say.
    pub fn new(server: Schema, client: Schema) -> Self {
        let version = javascript::digest(&[client.to_parsed(), server.to_parsed()]);
        Self {
            server,
            client,
            version,
        }
    }

    /// Takes what a server sent under a version of its own making.
    pub fn with_version(server: Schema, client: Schema, version: String) -> Self {
        Self {
            server,
            client,
            version,
        }
    }

    /// Bodies of the server's messages.
    pub fn server(&self) -> &Schema {
        &self.server
    }

    /// Bodies of the clients' messages.
    pub fn client(&self) -> &Schema {
        &self.client
    }

    /// By which a client that knows both need not be sent them: the MD5 of the JSON text of both
    /// parsed forms, the client's first, in base64.
    pub fn version(&self) -> &str {
        &self.version
    }
}
