//! Messages, and the JSON in them.

use bytes::Bytes;
use cluster::wire::body;
use cluster::wire::message::{self, ID_MAX, Message, MessageKind, Route, RouteRef};
use cluster::wire::package::HEAD_LEN;

/// All bytes are one message.
pub fn run(bytes: &[u8]) {
    let object = body::decode(bytes);
    assert!(object.is_object(), "the body of a message is no object");
    assert_eq!(body::decode(object.to_string().as_bytes()), object);

    let Ok(message) = message::decode(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    assert!(message.id <= ID_MAX);
    assert!(bytes.ends_with(&message.body));
    let Some(package) = encode(&message) else {
        return;
    };
    let again = message::decode(package.slice(HEAD_LEN..));
    assert_eq!(
        again.as_ref(),
        Ok(&message),
        "what is written is not what was read"
    );
}

/// The message as its sender would write it; `None` if nobody would.
fn encode(message: &Message) -> Option<Bytes> {
    // What was not UTF-8 has become longer.
    let route = match &message.route {
        Some(Route::Name(name)) if name.len() > message::ROUTE_LEN_MAX => return None,
        Some(Route::Name(name)) => Some(RouteRef::Name(name)),
        Some(Route::Code(code)) => Some(RouteRef::Code(*code)),
        None => None,
    };
    match (message.kind, route) {
        (MessageKind::Request, Some(route)) => {
            Some(message::encode_request(message.id, route, &message.body))
        }
        (MessageKind::Notify, Some(route)) => Some(message::encode_notify(route, &message.body)),
        (MessageKind::Push, Some(route)) => Some(message::encode_push(route, &message.body)),
        (MessageKind::Response, None) => Some(message::encode_response(message.id, &message.body)),
        (MessageKind::Other(_), None) => None,
        (kind, route) => panic!("a {kind:?} with the route {route:?}"),
    }
}
