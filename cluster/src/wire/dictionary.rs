//! The route dictionary: numbers that stand for routes on the wire.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::javascript;

/// Most routes of a dictionary: a code is written in two bytes, and 0 is none.
pub const ROUTES_MAX: usize = u16::MAX as usize;

/// The numbers of routes, in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dictionary {
    codes: BTreeMap<String, u16>,
    names: BTreeMap<u16, String>,
    version: String,
}

/// Why there is no dictionary.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DictionaryError {
    /// Too many routes.
    #[error("{0} routes do not fit: a dictionary has at most {ROUTES_MAX}")]
    TooMany(usize),
    /// A code that a server sent is no number from 1 to 65,535.
    #[error("{code} is not the code of a route")]
    Code {
        /// What it sent.
        code: String,
    },
    /// A route that a server sent is no text.
    #[error("the code {code} stands for {route}, which is no route")]
    Route {
        /// The code.
        code: u16,
        /// What it sent.
        route: String,
    },
}

impl Dictionary {
    /// Numbers routes from 1 on as the original does: those of the `handlers` of all server types
    /// first, sorted by their UTF-16 units, then `user_routes` in their order. Of a route that is
    /// there twice the last number is written; each is read.
    ///
    /// # Errors
    ///
    /// [`DictionaryError::TooMany`].
    pub fn new(handlers: &[&str], user_routes: &[String]) -> Result<Self, DictionaryError> {
        let mut sorted = handlers.to_vec();
        sorted.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
        let routes = sorted
            .into_iter()
            .chain(user_routes.iter().map(String::as_str));
        let count = handlers.len() + user_routes.len();
        if count > ROUTES_MAX {
            return Err(DictionaryError::TooMany(count));
        }
        let names: BTreeMap<u16, String> = (1..=u16::MAX).zip(routes.map(str::to_owned)).collect();
        let codes = names
            .iter()
            .map(|(code, name)| (name.clone(), *code))
            .collect();
        let mut dictionary = Self {
            codes,
            names,
            version: String::new(),
        };
        dictionary.version = javascript::digest(&[&dictionary.route_to_code()]);
        Ok(dictionary)
    }

    /// Takes what a server's handshake carries as `routeToCode`, `codeToRoute` and `dictVersion`.
    ///
    /// # Errors
    ///
    /// If a code is no number of two bytes, or a route no text.
    pub fn from_parts(
        route_to_code: &Map<String, Value>,
        code_to_route: &Map<String, Value>,
        version: String,
    ) -> Result<Self, DictionaryError> {
        let no_code = |code: &dyn ToString| DictionaryError::Code {
            code: code.to_string(),
        };
        let mut codes = BTreeMap::new();
        for (route, code) in route_to_code {
            let number = code.as_u64().and_then(|code| u32::try_from(code).ok());
            let number = number.and_then(code_of).ok_or_else(|| no_code(code))?;
            codes.insert(route.clone(), number);
        }
        let mut names = BTreeMap::new();
        for (code, route) in code_to_route {
            let number = javascript::whole(code).and_then(code_of);
            let code = number.ok_or_else(|| no_code(code))?;
            let route = route.as_str().ok_or_else(|| DictionaryError::Route {
                code,
                route: route.to_string(),
            })?;
            names.insert(code, route.to_owned());
        }
        Ok(Self {
            codes,
            names,
            version,
        })
    }

    /// The code of a route, if it has one.
    pub fn code(&self, route: &str) -> Option<u16> {
        self.codes.get(route).copied()
    }

    /// The route of a code, if it stands for one.
    pub fn route(&self, code: u16) -> Option<&str> {
        self.names.get(&code).map(String::as_str)
    }

    /// By which a client that knows this dictionary need not be sent it: the MD5 of the JSON text of
    /// [`Self::route_to_code`], in base64.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The object that the handshake carries as `dict` and again as `routeToCode`, in the
    /// original's order.
    pub fn route_to_code(&self) -> Map<String, Value> {
        // A route that is there twice keeps its first place and takes the last code, as a key of a
        // JavaScript object does.
        let codes = self.names.iter();
        javascript::ordered(
            codes
                .map(|(code, route)| (route.clone(), (*code).into()))
                .collect(),
        )
    }

    /// The object that the handshake carries as `codeToRoute`.
    pub fn code_to_route(&self) -> Map<String, Value> {
        let names = self.names.iter();
        names
            .map(|(code, route)| (code.to_string(), route.as_str().into()))
            .collect()
    }
}

/// The code that `number` is; 0 is none.
fn code_of(number: u32) -> Option<u16> {
    u16::try_from(number).ok().filter(|code| *code != 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dictionary(handlers: &[&str], user_routes: &[&str]) -> Dictionary {
        let user_routes: Vec<_> = user_routes
            .iter()
            .map(|route| (*route).to_owned())
            .collect();
        Dictionary::new(handlers, &user_routes).expect("few routes")
    }

    // PROTOCOL 3.1.
    #[test]
    fn handlers_are_sorted_and_the_users_routes_follow() {
        let dictionary = dictionary(&["gate.g.b", "chat.c.a"], &["onChat", "a.b.c"]);
        for (code, route) in [
            (1, "chat.c.a"),
            (2, "gate.g.b"),
            (3, "onChat"),
            (4, "a.b.c"),
        ] {
            assert_eq!(dictionary.code(route), Some(code), "{route}");
            assert_eq!(dictionary.route(code), Some(route), "{code}");
        }
        assert_eq!(dictionary.code("nobody"), None);
        assert_eq!(dictionary.route(0), None);
        assert_eq!(dictionary.route(5), None);
    }

    #[test]
    fn the_order_is_that_of_utf_16() {
        // U+1F600 is D83D DE00 in UTF-16, before U+FFFD.
        let dictionary = dictionary(&["\u{FFFD}", "\u{1F600}"], &[]);
        assert_eq!(dictionary.code("\u{1F600}"), Some(1));
    }

    // As lib/components/dictionary.js of Pomelo 2.2.7 was seen to do.
    #[test]
    fn a_route_that_is_there_twice_is_written_with_its_last_code_and_read_with_both() {
        let dictionary = dictionary(&["a.b.c", "d.e.f"], &["a.b.c", "7"]);
        let written = Value::from(dictionary.route_to_code()).to_string();
        assert_eq!(written, r#"{"7":4,"a.b.c":3,"d.e.f":2}"#);
        let read = Value::from(dictionary.code_to_route()).to_string();
        assert_eq!(read, r#"{"1":"a.b.c","2":"d.e.f","3":"a.b.c","4":"7"}"#);
        assert_eq!(dictionary.route(1), dictionary.route(3));
    }

    #[test]
    fn a_client_makes_the_same_dictionary_of_what_it_is_sent() {
        let dictionary = dictionary(&["a.b.c", "d.e.f"], &["a.b.c", "7"]);
        let sent = Dictionary::from_parts(
            &dictionary.route_to_code(),
            &dictionary.code_to_route(),
            dictionary.version().to_owned(),
        );
        assert_eq!(sent, Ok(dictionary));
    }

    #[test]
    fn codes_and_routes_that_are_none_are_named() {
        let made = |codes: Value, routes: Value| {
            let (codes, routes) = (codes.as_object().cloned(), routes.as_object().cloned());
            Dictionary::from_parts(
                &codes.expect("an object"),
                &routes.expect("an object"),
                String::new(),
            )
            .map_err(|error| error.to_string())
        };
        for (codes, routes, expected) in [
            (
                json!({"a": 65536}),
                json!({}),
                "65536 is not the code of a route",
            ),
            (
                json!({"a": "1"}),
                json!({}),
                "\"1\" is not the code of a route",
            ),
            (
                json!({}),
                json!({"-1": "a"}),
                "-1 is not the code of a route",
            ),
            (
                json!({}),
                json!({"1": 2}),
                "the code 1 stands for 2, which is no route",
            ),
        ] {
            assert_eq!(made(codes, routes), Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_dictionary_holds_as_many_routes_as_there_are_codes() {
        let routes = vec![String::from("a"); ROUTES_MAX];
        assert!(Dictionary::new(&[], &routes).is_ok());
        let error = Dictionary::new(&["b"], &routes);
        assert_eq!(error, Err(DictionaryError::TooMany(ROUTES_MAX + 1)));
    }
}
