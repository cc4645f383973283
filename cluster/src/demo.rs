//! `cluster start --demo`: a chat page for browsers, with the original's own browser client.
//!
//! The page is in `cluster/demo`, and in this program. The client is not: npm fetches it, and it
//! is read at the start. Nothing else is ever served.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cluster::limits::HTTP_HEAD_LEN_MAX;
use cluster::net::{Listener, Network, Tcp};
use cluster::serving;
use cluster::topology::{Frontend, Topology};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// From the folder of the workspace.
const CLIENT: &str =
    "cluster/demo/node_modules/pomelo/template/web-server/public/js/lib/build/build.js";

/// Connections at once. A browser opens six; one more is closed at once.
const CONNECTIONS_MAX: usize = 64;

/// Fields in the head of a request. Browsers send twenty; more are refused.
const FIELDS_MAX: usize = 64;

/// Time for one request and its answer, which is all that a connection is for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(
        "--demo: {CLIENT} cannot be read: run `npm ci --prefix cluster/demo`, and this from the same folder"
    )]
    NoClient(#[source] io::Error),
    #[error("--demo: port {port} cannot be bound ({cause}): choose another with --demo=PORT")]
    Bind { port: u16, cause: io::Error },
}

impl DemoError {
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NoClient(_) => 2,
            Self::Bind { .. } => 3,
        }
    }
}

/// A page that could be served.
pub struct Demo {
    port: u16,
    client: Bytes,
}

impl Demo {
    /// Reads the client. Port 0 lets the system choose one.
    pub fn read(port: u16) -> Result<Self, DemoError> {
        let client = std::fs::read(Path::new(CLIENT)).map_err(DemoError::NoClient)?;
        Ok(Self {
            port,
            client: client.into(),
        })
    }

    pub async fn bind(self, bind: IpAddr, topology: &Topology) -> Result<Bound, DemoError> {
        let port = self.port;
        let gate = topology.gates.first().expect("a configuration has a gate");
        let config = json!({"gate": {"host": gate.client_host, "port": gate.client_port}});
        let network = Tcp::bound_to(bind);
        let listener = network
            .listen(port)
            .await
            .map_err(|cause| DemoError::Bind { port, cause })?;
        let address = SocketAddr::new(bind, listener.port());
        Ok(Bound {
            address: if bind.is_unspecified() {
                format!("http://localhost:{}/", address.port())
            } else {
                format!("http://{address}/")
            },
            network,
            listener,
            site: Arc::new(Site {
                policy: policy(topology),
                config: config.to_string().into(),
                client: self.client,
            }),
        })
    }
}

/// A page whose port is bound.
pub struct Bound {
    address: String,
    network: Tcp,
    listener: TcpListener,
    site: Arc<Site>,
}

impl Bound {
    /// Where a browser finds it.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// Serves the page for ever, or waits for ever if there is none. Dropping it ends it.
pub async fn serve(demo: Option<Bound>) {
    let Some(demo) = demo else {
        return std::future::pending().await;
    };
    let Bound {
        network,
        listener,
        site,
        ..
    } = demo;
    let mut tasks = JoinSet::new();
    serving::accept(&network, listener, &mut tasks, CONNECTIONS_MAX, |stream| {
        converse(stream, site.clone())
    })
    .await;
}

/// Answers one request.
async fn converse(stream: TcpStream, site: Arc<Site>) {
    let service = service_fn(|request| {
        let response = site.respond(&request);
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HTTP_HEAD_LEN_MAX)
        .max_headers(FIELDS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(PATIENCE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a request for the demo page failed"),
        Err(_) => tracing::debug!("a request for the demo page took too long"),
    }
}

/// All that is served.
struct Site {
    policy: HeaderValue,
    config: Bytes,
    client: Bytes,
}

impl Site {
    fn respond(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = self.response(
                StatusCode::METHOD_NOT_ALLOWED,
                TEXT,
                Bytes::from_static(b"only GET and HEAD\n"),
            );
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allowed);
            return response;
        }
        match self.file(request.uri().path()) {
            Some((kind, body)) => self.response(StatusCode::OK, kind, body),
            None => self.response(
                StatusCode::NOT_FOUND,
                TEXT,
                Bytes::from_static(b"no such page\n"),
            ),
        }
    }

    fn file(&self, path: &str) -> Option<(&'static str, Bytes)> {
        let embedded = |kind, text: &'static str| Some((kind, Bytes::from_static(text.as_bytes())));
        match path {
            "/" => embedded(
                "text/html; charset=utf-8",
                include_str!("../demo/index.html"),
            ),
            "/style.css" => embedded("text/css; charset=utf-8", include_str!("../demo/style.css")),
            "/chat.js" => embedded(SCRIPT, include_str!("../demo/chat.js")),
            "/icon.svg" => embedded("image/svg+xml", include_str!("../demo/icon.svg")),
            "/pomelo-client.js" => Some((SCRIPT, self.client.clone())),
            "/config.json" => Some(("application/json", self.config.clone())),
            _ => None,
        }
    }

    fn response(
        &self,
        status: StatusCode,
        kind: &'static str,
        body: Bytes,
    ) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        fields.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
        ] {
            fields.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page may do: its own files, connections to this cluster's frontends, no text as HTML.
fn policy(topology: &Topology) -> HeaderValue {
    let mut policy = String::from(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'; connect-src 'self'",
    );
    for frontend in topology.gates.iter().chain(&topology.connectors) {
        let Frontend {
            client_host: host,
            client_port: port,
            ..
        } = frontend;
        // The configuration has made sure that a host is nothing but a name or an address.
        match host.parse::<Ipv6Addr>() {
            // A policy cannot name an address of version 6.
            Ok(_) => policy.push_str(" ws:"),
            Err(_) => policy.push_str(&format!(" ws://{host}:{port}")),
        }
    }
    HeaderValue::try_from(policy).expect("hosts are names or addresses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_each_frontend_and_nothing_else() {
        let frontend = |client_host: &str, client_port| Frontend {
            id: String::from("f"),
            client_host: client_host.to_owned(),
            client_port,
        };
        let topology = Topology {
            gates: vec![frontend("127.0.0.1", 3014)],
            connectors: vec![frontend("chat-1.example", 3050), frontend("::1", 3051)],
            chats: Vec::new(),
        };
        let policy = policy(&topology);
        let policy = policy.to_str().expect("it is text");
        assert!(
            policy
                .ends_with("; connect-src 'self' ws://127.0.0.1:3014 ws://chat-1.example:3050 ws:"),
            "{policy}"
        );
    }
}
