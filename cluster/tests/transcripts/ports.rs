//! The ports in the answers to `queryEntry`, which are others here.

use bytes::Bytes;
use cluster::topology::Topology;
use serde_json::Value;

use crate::event::{Frame, Happened, Seen};
use crate::package::{self, Body, Kind, Package};
use crate::payload::Payload;
use crate::transcript::{CONNECTOR_PORTS, Server, Transcript};

/// Puts the ports of `topology` in the place of the recorded ones.
pub fn translate(transcript: &mut Transcript, topology: &Topology) {
    let connections = &transcript.connections;
    for event in transcript
        .steps
        .iter_mut()
        .flat_map(|step| &mut step.events)
    {
        if connections[&event.connection].server == Server::Gate
            && let Happened::Server(Seen::Message {
                frame: Frame::Binary,
                payload: Payload::Whole(payload),
            }) = &mut event.happened
            && let Some(translated) = translated(payload, topology)
        {
            *payload = translated;
        }
    }
}

fn translated(payload: &[u8], topology: &Topology) -> Option<Bytes> {
    let Package {
        kind: Kind::Response(id),
        body: Body::Json(Value::Object(mut body)),
        ..
    } = Package::decode(payload)
    else {
        return None;
    };
    let port = body.get_mut("port")?;
    let recorded = |known: &u16| *port == *known;
    let index = CONNECTOR_PORTS.iter().position(recorded)?;
    *port = topology.connectors[index].client_port.into();
    let body = Value::Object(body).to_string();
    Some(package::encode_response(id, &body).into())
}
