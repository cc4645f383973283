//! `master.json`. There is no master here, so it is only checked: whoever goes back to Pomelo, or
//! runs both on one host, finds it sound.

use super::environment::Contents;
use super::fields::Fields;
use super::findings::Findings;
use super::json::{Node, Source};
use super::problem::What;
use super::server::IGNORED;
use super::servers::Ports;

const FIELDS: [&str; 3] = ["id", "host", "port"];

/// What stands in a `master.json`.
pub(super) const CONTENTS: Contents = Contents {
    members: &FIELDS,
    remedy: "environments such as \"development\"",
};

/// Checks the master at `path` beside the servers, whose `ports` come from the file `servers`.
pub(super) fn check(
    source: &Source<'_>,
    path: &str,
    node: Node<'_>,
    (servers, ports): (&str, &Ports),
    findings: &mut Findings,
) {
    let remedy = "the fields id, host and port in { }";
    let Some(mut fields) = Fields::open(source, path, node, remedy, findings) else {
        return;
    };
    fields.reject_unknown(&FIELDS, &IGNORED);
    let id = fields.id("a name such as \"master-server-1\"");
    let remedy = "add \"id\": \"master-server-1\"";
    fields.require("id", &id, remedy);
    let host = fields.host("host", "an address such as \"127.0.0.1\"");
    let remedy = "add \"host\": \"127.0.0.1\", where the master would run";
    fields.require("host", &host, remedy);
    let port = fields.port("port");
    let remedy = "add \"port\": 3005, where servers would reach the master";
    fields.require("port", &port, remedy);
    let (Some(host), Some(port)) = (host, port) else {
        return;
    };
    if let Some(first) = ports.owner(&host.value, port.value) {
        let what = What::PortOfServer {
            port: port.value,
            host: host.value,
            first: first.field.clone(),
            place: format!("{servers}:{}", first.line),
        };
        findings.problem(port.line, port.field, what);
    }
}
