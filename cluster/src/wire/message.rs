//! The inner layer, the body of a data package: flag byte, id, route, body.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::package::{self, PackageType};

/// Largest id of a request. The original loops for ever on larger ones.
pub const ID_MAX: u32 = i32::MAX as u32;

/// Longest route name, in bytes: its length is written in one.
pub const ROUTE_LEN_MAX: usize = u8::MAX as usize;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the peer wants with it.
    pub kind: MessageKind,
    /// Ties a response to its request, 1 to [`ID_MAX`]. 0 is no id: a request with it is carried
    /// out and not answered. Notifies and pushes have none.
    pub id: u32,
    /// Names the handler, or the event of a push. Responses and kinds not known have none.
    pub route: Option<Route>,
    /// The rest, for the handler.
    pub body: Bytes,
}

/// What the sender of a message wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A client asks and wants an answer.
    Request,
    /// A client tells something. No answer.
    Notify,
    /// A server's answer. From a client it means nothing and is ignored.
    Response,
    /// A server tells something. From a client it is handled like a notify.
    Push,
    /// 4 to 7, which mean nothing and are ignored. All that follows the flag is the body.
    Other(u8),
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Such as `chat.chatHandler.send`, at most [`ROUTE_LEN_MAX`] bytes.
    Name(String),
    /// A number of the route dictionary.
    Code(u16),
}

/// A route that is lent to an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteRef<'a> {
    /// See [`Route::Name`].
    Name(&'a str),
    /// See [`Route::Code`].
    Code(u16),
}

/// Why the body of a data package is no message.
///
/// The original falls silent on all of these and leaves the session half alive; no correct
/// client depends on that, so the connection is to be closed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// The message ends inside the named part.
    #[error("the message ends inside its {0}")]
    Truncated(&'static str),
    /// The id is over [`ID_MAX`].
    #[error("the message id is larger than {ID_MAX}")]
    IdTooLarge,
}

/// Reads the body of a data package. The message's body shares its memory.
///
/// # Errors
///
/// It ends too early or its id is too large.
pub fn decode(mut bytes: Bytes) -> Result<Message, MessageError> {
    let flag = bytes
        .try_get_u8()
        .map_err(|_| MessageError::Truncated("flag"))?;
    let kind = MessageKind::of(flag);
    let id = if kind.has_id() {
        take_id(&mut bytes)?
    } else {
        0
    };
    let route = if kind.has_route() {
        Some(take_route(&mut bytes, flag & ROUTE_IS_CODE != 0)?)
    } else {
        None
    };
    Ok(Message {
        kind,
        id,
        route,
        body: bytes,
    })
}

/// Writes a request as a whole data package, in one allocation.
///
/// # Panics
///
/// `id` is over [`ID_MAX`], the route over [`ROUTE_LEN_MAX`], or all of it too long for a package.
pub fn encode_request(id: u32, route: RouteRef<'_>, body: &[u8]) -> Bytes {
    encode(MessageKind::Request, id, Some(route), body)
}

/// Writes a notify as a whole data package, in one allocation.
///
/// # Panics
///
/// The route is over [`ROUTE_LEN_MAX`], or all of it too long for a package.
pub fn encode_notify(route: RouteRef<'_>, body: &[u8]) -> Bytes {
    encode(MessageKind::Notify, 0, Some(route), body)
}

/// Writes the answer to the request `id` as a whole data package, in one allocation.
///
/// # Panics
///
/// `id` is over [`ID_MAX`], or all of it too long for a package.
pub fn encode_response(id: u32, body: &[u8]) -> Bytes {
    encode(MessageKind::Response, id, None, body)
}

/// Writes a push as a whole data package, in one allocation. A broadcast is written once and
/// shared by all its sessions.
///
/// # Panics
///
/// The route is over [`ROUTE_LEN_MAX`], or all of it too long for a package.
pub fn encode_push(route: RouteRef<'_>, body: &[u8]) -> Bytes {
    encode(MessageKind::Push, 0, Some(route), body)
}

// Bits of the flag byte. Bit 4 says "gzip", which neither side does; the rest mean nothing.
const ROUTE_IS_CODE: u8 = 1;
const KIND_SHIFT: u32 = 1;
const KIND_BITS: u8 = 0b111;

fn encode(kind: MessageKind, id: u32, route: Option<RouteRef<'_>>, body: &[u8]) -> Bytes {
    assert!(id <= ID_MAX, "the id {id} cannot be written");
    let id_len = if kind.has_id() { id_len(id) } else { 0 };
    let route_len = route.map_or(0, RouteRef::encoded_len);
    let len = 1 + id_len + route_len + body.len();

    let mut package = package::with_head(PackageType::Data, len);
    let route_is_code = matches!(route, Some(RouteRef::Code(_)));
    package.put_u8(kind.number() << KIND_SHIFT | u8::from(route_is_code));
    if kind.has_id() {
        put_id(&mut package, id);
    }
    match route {
        Some(RouteRef::Code(code)) => package.put_u16(code),
        Some(RouteRef::Name(name)) => {
            let len = u8::try_from(name.len()).expect("a route name has at most 255 bytes");
            package.put_u8(len);
            package.put_slice(name.as_bytes());
        }
        None => {}
    }
    package.put_slice(body);
    package.freeze()
}

/// Base 128, least significant group first, bit 7 set on all but the last.
fn take_id(bytes: &mut Bytes) -> Result<u32, MessageError> {
    let mut id = 0_u64;
    let mut shift = 0;
    loop {
        let byte = bytes
            .try_get_u8()
            .map_err(|_| MessageError::Truncated("id"))?;
        let group = u64::from(byte & 0x7F);
        // Empty groups above the largest id are only a long way to write a small one.
        if shift < u32::BITS {
            id |= group << shift;
        } else if group != 0 {
            return Err(MessageError::IdTooLarge);
        }
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    match u32::try_from(id) {
        Ok(id) if id <= ID_MAX => Ok(id),
        _ => Err(MessageError::IdTooLarge),
    }
}

fn put_id(package: &mut BytesMut, mut id: u32) {
    while id >= 0x80 {
        package.put_u8((id & 0x7F) as u8 | 0x80);
        id >>= 7;
    }
    package.put_u8(id as u8);
}

fn id_len(id: u32) -> usize {
    let bits = u32::BITS - id.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}

fn take_route(bytes: &mut Bytes, is_code: bool) -> Result<Route, MessageError> {
    const TRUNCATED: MessageError = MessageError::Truncated("route");
    if is_code {
        return bytes.try_get_u16().map(Route::Code).map_err(|_| TRUNCATED);
    }
    let len = usize::from(bytes.try_get_u8().map_err(|_| TRUNCATED)?);
    if bytes.len() < len {
        return Err(TRUNCATED);
    }
    // Bad UTF-8 makes a name that no handler has, which is answered as such.
    let name = String::from_utf8_lossy(&bytes.split_to(len)).into_owned();
    Ok(Route::Name(name))
}

impl MessageKind {
    fn of(flag: u8) -> Self {
        match flag >> KIND_SHIFT & KIND_BITS {
            0 => Self::Request,
            1 => Self::Notify,
            2 => Self::Response,
            3 => Self::Push,
            other => Self::Other(other),
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Request => 0,
            Self::Notify => 1,
            Self::Response => 2,
            Self::Push => 3,
            Self::Other(number) => number,
        }
    }

    fn has_id(self) -> bool {
        matches!(self, Self::Request | Self::Response)
    }

    fn has_route(self) -> bool {
        matches!(self, Self::Request | Self::Notify | Self::Push)
    }
}

impl RouteRef<'_> {
    fn encoded_len(self) -> usize {
        match self {
            Self::Name(name) => 1 + name.len(),
            Self::Code(_) => 2,
        }
    }
}

impl<'a> From<&'a Route> for RouteRef<'a> {
    fn from(route: &'a Route) -> Self {
        match route {
            Route::Name(name) => Self::Name(name),
            Route::Code(code) => Self::Code(*code),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_cut_in_its_head_is_an_error_and_in_its_body_a_shorter_body() {
        let route = RouteRef::Name("chat.chatHandler.send");
        let whole = body_of(encode_request(300, route, b"{}"));
        let head_len = 1 + 2 + 1 + 21;
        for cut in 0..head_len {
            let error = decode(whole.slice(..cut)).unwrap_err();
            let part = match cut {
                0 => "flag",
                1..3 => "id",
                _ => "route",
            };
            assert_eq!(error, MessageError::Truncated(part), "cut at {cut}");
        }
        for cut in head_len..=whole.len() {
            let message = decode(whole.slice(..cut)).unwrap();
            assert_eq!(message.body, whole[head_len..cut], "cut at {cut}");
        }
    }

    #[test]
    fn a_route_code_cut_short_is_an_error() {
        let whole = body_of(encode_push(RouteRef::Code(0x0102), b""));
        assert_eq!(
            decode(whole.clone()).unwrap().route,
            Some(Route::Code(0x0102))
        );
        let error = decode(whole.slice(..2)).unwrap_err();
        assert_eq!(error, MessageError::Truncated("route"));
    }

    #[test]
    fn the_largest_id_is_read_and_the_next_refused() {
        let id_of = |id: &[u8]| {
            let bytes = [&[0], id, &[1, b'a']].concat();
            decode(bytes.into()).map(|message| message.id)
        };
        assert_eq!(id_of(&[0xFF, 0xFF, 0xFF, 0xFF, 0x07]), Ok(ID_MAX));
        assert_eq!(
            id_of(&[0x80, 0x80, 0x80, 0x80, 0x08]),
            Err(MessageError::IdTooLarge)
        );
        // Longer than it needs to be, also longer than 64 bits.
        assert_eq!(id_of(&[0x81, 0]), Ok(1));
        assert_eq!(id_of(&[&[0x81][..], &[0x80; 20], &[0]].concat()), Ok(1));
        assert_eq!(
            id_of(&[&[0x81][..], &[0x80; 20], &[1]].concat()),
            Err(MessageError::IdTooLarge)
        );
    }

    #[test]
    fn a_route_that_is_not_utf8_is_a_name_that_no_handler_has() {
        let message = decode(Bytes::from_static(b"\x02\x02a\xFF{}")).unwrap();
        assert_eq!(message.route, Some(Route::Name(String::from("a\u{FFFD}"))));
    }

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_was(
            kind in prop_oneof![
                Just(MessageKind::Request),
                Just(MessageKind::Notify),
                Just(MessageKind::Response),
                Just(MessageKind::Push),
            ],
            id in prop_oneof![0..300_u32, 0..=ID_MAX],
            route in prop_oneof![
                "[a-z.é]{0,100}".prop_map(Route::Name),
                any::<u16>().prop_map(Route::Code),
            ],
            body in vec(any::<u8>(), 0..300),
        ) {
            let package = encode(kind, id, kind.has_route().then(|| (&route).into()), &body);
            let expected = Message {
                kind,
                id: if kind.has_id() { id } else { 0 },
                route: kind.has_route().then_some(route),
                body: body.into(),
            };
            prop_assert_eq!(decode(body_of(package))?, expected);
        }

        #[test]
        fn any_bytes_give_a_message_or_an_error(bytes in vec(any::<u8>(), 0..300)) {
            let len = bytes.len();
            if let Ok(message) = decode(bytes.into()) {
                prop_assert!(message.id <= ID_MAX);
                prop_assert!(message.body.len() < len);
            }
        }
    }

    fn body_of(package: Bytes) -> Bytes {
        package::whole(package, package::BODY_LEN_LIMIT)
            .unwrap()
            .body
    }
}
