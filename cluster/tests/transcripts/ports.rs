//! The ports in the answers to `queryEntry`, which are others here.

use cluster::topology::Topology;
use serde_json::Value;

use crate::package::{Body, Kind, Package};
use crate::transcript::{Happened, Seen, Server, Transcript};

/// The ports that clients of the original connected to.
const CONNECTOR_PORTS: [u16; 3] = [13050, 13051, 13052];

/// Puts the ports of `topology` in the place of the recorded ones.
pub fn translate(transcript: &mut Transcript, topology: &Topology) {
    let connections = transcript.connections.clone();
    for event in transcript.events_mut() {
        if connections[&event.connection].server == Server::Gate
            && let Happened::Server(seen) = &mut event.happened
            && let Some(translated) = translated(seen, topology)
        {
            *seen = translated;
        }
    }
}

fn translated(seen: &Seen, topology: &Topology) -> Option<Seen> {
    let Package {
        kind: Kind::Response(id),
        body: Body::Json(Value::Object(mut body)),
        ..
    } = seen.package()?
    else {
        return None;
    };
    let port = body.get_mut("port")?;
    let recorded = |known: &u16| *port == *known;
    let index = CONNECTOR_PORTS.iter().position(recorded)?;
    *port = topology.connectors[index].client_port.into();
    Some(Seen::response(id, &Value::Object(body).to_string()))
}
