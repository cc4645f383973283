//! Where a client's message goes, by its route.

use crate::wire::message::Route;

/// Where a route leads on a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    /// `connector.entryHandler.enter`.
    Enter,
    /// `chat.<file>.<method>`: to the chat server that owns the session's room.
    Chat(&'a str),
    /// A route that nobody has: an error.
    Nowhere,
    /// No route at all: the original says nothing (PROTOCOL 5.2), not even an error.
    Silence,
    /// A method called `constructor`: the original's kick for an attack.
    Attack,
}

/// Finds where `route` leads on a connector.
pub fn destination(route: Option<&Route>) -> Destination<'_> {
    let Some([server_type, file, method]) = route.and_then(parts) else {
        return nowhere(route);
    };
    match (server_type, file, method) {
        ("", _, _) => Destination::Silence,
        (_, _, "constructor") => Destination::Attack,
        ("connector", "entryHandler", "enter") => Destination::Enter,
        ("chat", _, _) => match route {
            Some(Route::Name(name)) => Destination::Chat(name),
            _ => Destination::Nowhere,
        },
        _ => Destination::Nowhere,
    }
}

/// Whether `route` is `gate.gateHandler.queryEntry`, the only one a gate has.
pub fn is_query_entry(route: Option<&Route>) -> bool {
    route.and_then(parts) == Some(["gate", "gateHandler", "queryEntry"])
}

/// The three parts of a route: server type, file, method.
fn parts(route: &Route) -> Option<[&str; 3]> {
    // Codes belong to the route dictionary, which this server does not hand out yet.
    let Route::Name(name) = route else {
        return None;
    };
    let mut parts = name.split('.');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

/// Tells a wrong route (an error) from none (silence).
fn nowhere(route: Option<&Route>) -> Destination<'static> {
    match route {
        Some(Route::Name(name)) if name.contains('.') && !name.starts_with('.') => {
            Destination::Nowhere
        }
        _ => Destination::Silence,
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
            ("chat.chatHandler.send", Chat("chat.chatHandler.send")),
            ("chat.no.such", Chat("chat.no.such")),
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
            let route = Route::Name(name.into());
            assert_eq!(destination(Some(&route)), expected, "{name}");
        }
        assert_eq!(destination(Some(&Route::Code(1))), Silence);
        assert_eq!(destination(None), Silence);
    }
}
