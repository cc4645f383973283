//! `dictionary.json`: the routes that get a number besides those of the handlers.

use std::collections::BTreeMap;

use super::fields::or_the_file;
use super::findings::Findings;
use super::json::{Kind, Node, Source};
use super::problem::What;
use super::words::quoted;
use crate::dispatch::HANDLERS;
use crate::wire::dictionary::ROUTES_MAX;
use crate::wire::message::ROUTE_LEN_MAX;

const REMEDY: &str = "a route such as \"onChat\"";

/// Reads the routes in their order; incomplete where problems are found. `{}`, which the chat example
/// has, is no route.
pub(super) fn read(source: &Source<'_>, root: Node<'_>, findings: &mut Findings) -> Vec<String> {
    if root.members().is_some_and(|members| members.is_empty()) {
        return Vec::new();
    }
    let Some(items) = root.items() else {
        let what = What::wrong_type("a list of routes in [ ]", Kind::Array, root);
        findings.problem(source.line(root), or_the_file(""), what);
        return Vec::new();
    };
    let count = items.len() + HANDLERS.len();
    if let Some(first) = items.get(ROUTES_MAX - HANDLERS.len()) {
        let field = format!("[{}]", ROUTES_MAX - HANDLERS.len());
        findings.problem(source.line(*first), field, What::TooManyRoutes { count });
        return Vec::new();
    }
    let mut routes = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let line = source.line(item);
        match route(item) {
            Ok(route) => routes.push((index, line, route)),
            Err(what) => findings.problem(line, format!("[{index}]"), what),
        }
    }
    if findings.is_sound() {
        warn_of_duplicates(&routes, findings);
    }
    routes.into_iter().map(|(_, _, route)| route).collect()
}

fn route(item: Node<'_>) -> Result<String, What> {
    let remedy = REMEDY.to_owned();
    match item.text() {
        None => Err(What::wrong_type(REMEDY, Kind::String, item)),
        Some(route) if route.is_empty() => Err(What::Empty { remedy }),
        Some(route) if route.len() > ROUTE_LEN_MAX => Err(What::TooLong {
            value: quoted(&route),
            len: route.len(),
            max: ROUTE_LEN_MAX,
            remedy,
        }),
        Some(route) => Ok(route),
    }
}

/// A route with two codes is read by each and written with the last, as in Pomelo.
fn warn_of_duplicates(routes: &[(usize, usize, String)], findings: &mut Findings) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for handler in HANDLERS {
        seen.insert(handler, String::from("the route of a handler"));
    }
    for (index, line, route) in routes {
        let field = format!("[{index}]");
        if let Some(first) = seen.get(route.as_str()) {
            let (route, code) = (quoted(route), HANDLERS.len() + index + 1);
            let what = format_args!(
                "{route} is {first} already: it is written as {code}, and read by both its codes"
            );
            findings.warning(*line, &field, what);
        }
        seen.insert(route, format!("{field} (line {line})"));
    }
}
