//! What makes messages short: numbers for routes, protobuf for bodies. The server says in the
//! handshake what it has. A client may use the numbers or not; a body with a schema is protobuf
//! whether the client has looked at the schemas or not (PROTOCOL 5.1).

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::dictionary::Dictionary;
use super::message::{self, Route, RouteRef};
use super::protobuf::{DecodeError, EncodeError, Layout, Protos, Schema};
use crate::limits::JSON_LEN_MAX;

/// The route dictionary and the schemas of a connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    /// The numbers of routes; `None`: all travel as names.
    pub dictionary: Option<Arc<Dictionary>>,
    /// Which bodies are protobuf; `None`: all are JSON.
    pub protos: Option<Arc<Protos>>,
}

impl Vocabulary {
    /// How `route` is written: as its number if it has one.
    pub fn route<'a>(&self, route: &'a str) -> RouteRef<'a> {
        let code = self.dictionary.as_ref().and_then(|d| d.code(route));
        code.map_or(RouteRef::Name(route), RouteRef::Code)
    }

    /// The name of a route that was read.
    ///
    /// # Errors
    ///
    /// It is a number that stands for nothing.
    pub fn name<'a>(&'a self, route: &'a Route) -> Result<&'a str, UnknownCode> {
        match (route, &self.dictionary) {
            (Route::Name(name), _) => Ok(name),
            (Route::Code(code), None) => Err(UnknownCode(*code)),
            (Route::Code(code), Some(dictionary)) => {
                dictionary.route(*code).ok_or(UnknownCode(*code))
            }
        }
    }

    /// The same, of a route that nobody needs any more.
    ///
    /// # Errors
    ///
    /// As [`Self::name`].
    pub fn into_name(&self, route: Route) -> Result<Cow<'_, str>, UnknownCode> {
        match route {
            Route::Name(name) => Ok(Cow::Owned(name)),
            Route::Code(code) => {
                let dictionary = self.dictionary.as_ref();
                let name = dictionary.and_then(|dictionary| dictionary.route(code));
                name.map(Cow::Borrowed).ok_or(UnknownCode(code))
            }
        }
    }

    /// The body of a client's message to `route` as JSON text, which it is already if the route is
    /// not protobuf.
    ///
    /// # Errors
    ///
    /// The route is protobuf and the body is not; or the text would be longer than
    /// [`JSON_LEN_MAX`].
    pub fn json_from_client(&self, route: &str, body: &Bytes) -> Result<Bytes, BodyError> {
        let Some(schema) = self.client_schema(route) else {
            return Ok(body.clone());
        };
        let json = schema.decode(route, body)?.to_string();
        if json.len() > JSON_LEN_MAX {
            return Err(BodyError::TooLong { len: json.len() });
        }
        Ok(json.into())
    }

    /// Whether what the server sends of `route`, or as answer to it, is protobuf.
    pub fn is_protobuf_from_server(&self, route: &str) -> bool {
        self.server_schema(route).is_some()
    }

    /// Writes a push as a whole package.
    pub fn push(&self, route: &str, body: &impl Serialize) -> Bytes {
        message::encode_push(self.route(route), &self.write_to_client(route, body))
    }

    /// Writes the answer to the request `id`, which was of `route`, as a whole package.
    pub fn response(&self, id: u32, route: &str, body: &impl Serialize) -> Bytes {
        message::encode_response(id, &self.write_to_client(route, body))
    }

    /// What the route's schema does not hold goes out with an empty body, as from the original if a
    /// field is missing. Where that throws and says nothing, the client would wait.
    fn write_to_client(&self, route: &str, body: &impl Serialize) -> Bytes {
        const SERIALIZES: &str = "bodies are objects of texts, numbers and lists";
        let Some(schema) = self.server_schema(route) else {
            return serde_json::to_vec(body).expect(SERIALIZES).into();
        };
        let body = serde_json::to_value(body).expect(SERIALIZES);
        schema.encode(route, &body).unwrap_or_else(|error| {
            if error != EncodeError::Empty {
                tracing::debug!(route, %error, "sent with an empty body");
            }
            Bytes::new()
        })
    }

    /// Writes the body of a client's message to `route`.
    ///
    /// # Errors
    ///
    /// The route is protobuf and its schema does not hold this body.
    pub fn write_to_server(&self, route: &str, body: &Value) -> Result<Bytes, EncodeError> {
        match self.client_schema(route) {
            None => Ok(body.to_string().into()),
            Some(schema) => match schema.encode(route, body) {
                // Nothing to say is an empty body.
                Err(EncodeError::Empty) => Ok(Bytes::new()),
                written => written,
            },
        }
    }

    /// Reads the body of a server's message of `route`, or of the answer to a request of that
    /// route.
    ///
    /// # Errors
    ///
    /// It is not what the route says.
    pub fn read_from_server(&self, route: &str, body: &[u8]) -> Result<Value, BodyError> {
        match self.layout_from_server(route) {
            None => Ok(serde_json::from_slice(body)?),
            Some(layout) => Ok(layout.decode(body)?),
        }
    }

    /// How the bodies of the server's messages of `route` are written; `None`: as JSON.
    pub fn layout_from_server(&self, route: &str) -> Option<Layout<'_>> {
        self.protos.as_ref()?.server().layout(route)
    }

    fn server_schema(&self, route: &str) -> Option<&Schema> {
        let schema = self.protos.as_ref()?.server();
        schema.encodes(route).then_some(schema)
    }

    fn client_schema(&self, route: &str) -> Option<&Schema> {
        let schema = self.protos.as_ref()?.client();
        schema.encodes(route).then_some(schema)
    }
}

/// A number that is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the route code {0} is not in the dictionary")]
pub struct UnknownCode(pub u16);

/// Why the body of a message cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// A client's protobuf is too much as JSON.
    #[error("{len} bytes as JSON, more than {JSON_LEN_MAX}")]
    TooLong {
        /// Its length then, in bytes.
        len: usize,
    },
    /// It should be JSON.
    #[error("not JSON")]
    Json(#[from] serde_json::Error),
    /// It should be protobuf.
    #[error("not protobuf")]
    Protobuf(#[from] DecodeError),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SEND: &str = "chat.chatHandler.send";

    fn vocabulary(server: &str, client: &str) -> Vocabulary {
        let schema = |text| Schema::from_text(text).expect("it is an object").0;
        let dictionary = Dictionary::new(&[SEND], &[]).expect("one route");
        Vocabulary {
            dictionary: Some(Arc::new(dictionary)),
            protos: Some(Arc::new(Protos::new(schema(server), schema(client)))),
        }
    }

    #[test]
    fn a_route_is_its_number_if_it_has_one() {
        let vocabulary = vocabulary("{}", "{}");
        assert_eq!(vocabulary.route(SEND), RouteRef::Code(1));
        assert_eq!(vocabulary.route("onChat"), RouteRef::Name("onChat"));
        assert_eq!(vocabulary.name(&Route::Code(1)), Ok(SEND));
        assert_eq!(vocabulary.name(&Route::Code(2)), Err(UnknownCode(2)));
        assert_eq!(vocabulary.name(&Route::Name("a".into())), Ok("a"));
        let none = Vocabulary::default();
        assert_eq!(none.route(SEND), RouteRef::Name(SEND));
        assert_eq!(none.name(&Route::Code(1)), Err(UnknownCode(1)));
    }

    // The bytes of PROTOCOL 7.
    #[test]
    fn each_direction_has_its_schema_and_other_routes_are_json() -> Result<(), BodyError> {
        let fields = r#"{"required string msg": 1, "required string from": 2}"#;
        let vocabulary = vocabulary(
            &format!(r#"{{"onChat": {fields}}}"#),
            &format!(r#"{{"{SEND}": {fields}}}"#),
        );
        let value = json!({"msg": "hi", "from": "alice"});
        let bytes = Bytes::from_static(b"\x0a\x02hi\x12\x05alice");
        assert_eq!(vocabulary.write_to_client("onChat", &value), bytes);
        assert_eq!(vocabulary.read_from_server("onChat", &bytes)?, value);
        assert_eq!(vocabulary.write_to_server(SEND, &value), Ok(bytes.clone()));
        let json = value.to_string();
        assert_eq!(vocabulary.json_from_client(SEND, &bytes)?, json);

        assert_eq!(vocabulary.write_to_client(SEND, &value), json.as_bytes());
        assert_eq!(vocabulary.read_from_server(SEND, json.as_bytes())?, value);
        let written = vocabulary.write_to_server("onChat", &value);
        assert_eq!(written, Ok(json.clone().into()));
        let body = Bytes::from(json.clone());
        assert_eq!(vocabulary.json_from_client("onChat", &body)?, json);
        Ok(())
    }

    #[test]
    fn what_a_schema_does_not_hold_is_an_empty_body_to_clients_and_an_error_to_servers() {
        let fields = r#"{"required uInt32 number": 1}"#;
        let vocabulary = vocabulary(
            &format!(r#"{{"onChat": {fields}}}"#),
            &format!(r#"{{"{SEND}": {fields}}}"#),
        );
        for body in [json!({}), json!({"number": "abc"})] {
            assert_eq!(vocabulary.write_to_client("onChat", &body), "", "{body}");
            assert!(vocabulary.write_to_server(SEND, &body).is_err(), "{body}");
        }
        let cut = Bytes::from_static(b"\x08");
        assert!(vocabulary.json_from_client(SEND, &cut).is_err());
        assert!(vocabulary.read_from_server("onChat", &cut).is_err());
        assert!(vocabulary.read_from_server(SEND, b"{").is_err());
    }

    #[test]
    fn a_message_without_fields_is_an_empty_body() {
        let vocabulary = vocabulary("{}", &format!(r#"{{"{SEND}": {{}}}}"#));
        let written = vocabulary.write_to_server(SEND, &json!({"unknown": 1}));
        assert_eq!(written, Ok(Bytes::new()));
    }
}
