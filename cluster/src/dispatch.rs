//! Where a client's message goes, by its route.

/// Answered by the gate.
pub const QUERY_ENTRY: &str = "gate.gateHandler.queryEntry";

/// Answered by the connector.
pub const ENTER: &str = "connector.entryHandler.enter";

/// Answered by the chat server that owns the session's room.
pub const SEND: &str = "chat.chatHandler.send";

/// The target of a [`SEND`] that means everybody in the room.
pub const EVERYBODY: &str = "*";

/// The routes of all handlers, which the route dictionary numbers.
pub const HANDLERS: [&str; 3] = [QUERY_ENTRY, ENTER, SEND];

/// Where a route leads on a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// [`ENTER`].
    Enter,
    /// `chat.<file>.<method>`: to the chat server that owns the session's room.
    Chat,
    /// A route that nobody has: an error.
    Nowhere,
    /// No route at all: the original says nothing (PROTOCOL 5.2), not even an error.
    Silence,
    /// A method called `constructor`: the original's kick for an attack.
    Attack,
}

/// Finds where `route` leads on a connector.
pub fn destination(route: &str) -> Destination {
    let Some((server_type, rest)) = route.split_once('.') else {
        return Destination::Silence;
    };
    match (server_type, rest.split_once('.')) {
        ("", _) => Destination::Silence,
        (_, Some((_file, method))) if method.contains('.') => Destination::Nowhere,
        (_, Some((_file, "constructor"))) => Destination::Attack,
        _ if route == ENTER => Destination::Enter,
        ("chat", Some(_)) => Destination::Chat,
        _ => Destination::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // PROTOCOL 5.2.
    #[test]
    fn routes_lead_where_the_original_leads_them() {
        use Destination::{Attack, Chat, Enter, Nowhere, Silence};
        for (name, expected) in [
            ("connector.entryHandler.enter", Enter),
            ("chat.chatHandler.send", Chat),
            ("chat.no.such", Chat),
            ("connector.entryHandler.nosuch", Nowhere),
            ("connector.nosuchHandler.x", Nowhere),
            ("nosuch.handler.method", Nowhere),
            ("gate.gateHandler.queryEntry", Nowhere),
            ("a.b", Nowhere),
            ("a.b.c.d", Nowhere),
            ("noDots", Silence),
            ("", Silence),
            (".a", Silence),
            (".a.b", Silence),
            (".a.b.c", Silence),
            ("chat.chatHandler.constructor", Attack),
        ] {
            assert_eq!(destination(name), expected, "{name}");
        }
    }
}
