//! `--metrics`: where a Prometheus server finds how a run is, while it goes on.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use cluster::limits::HTTP_HEAD_LEN_MAX;
use cluster::net::{Listener, Network, Tcp};
use cluster::serving;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::exposition;
use crate::status::Live;

/// Where it is found.
const PATH: &str = "/metrics";

/// The type of the text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Connections at once. A server asks over one; one more is closed at once.
const CONNECTIONS_MAX: usize = 8;

/// Fields in the head of a request. A server sends ten; more are refused.
const FIELDS_MAX: usize = 64;

/// Time for one request and its answer, which is all that a connection is for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where to listen: a port of the loopback interface, unless an address is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(SocketAddr);

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = text
            .parse()
            .map(|port| (IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        let address = port.map(SocketAddr::from).or_else(|_| text.parse());
        address.map(Self).map_err(|_| {
            format!(
                "`{text}` is neither a port nor an address with a port: write such as 9464, 0.0.0.0:9464 or \
                 [::]:9464"
            )
        })
    }
}

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
#[error("--metrics: {address} cannot be bound: choose another")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

/// An endpoint whose port is bound.
#[derive(Debug)]
pub struct Endpoint {
    network: Tcp,
    listener: TcpListener,
    address: SocketAddr,
}

impl Endpoint {
    /// Binds it. Port 0 lets the system choose one.
    ///
    /// # Errors
    ///
    /// If the port is taken, or the address is none of this machine.
    pub async fn bind(At(address): At) -> Result<Self, BindError> {
        let network = Tcp::bound_to(address.ip());
        let bound = network.listen(address.port()).await;
        let listener = bound.map_err(|source| BindError { address, source })?;
        let address = SocketAddr::new(address.ip(), listener.port());
        Ok(Self {
            network,
            listener,
            address,
        })
    }

    /// Where a server finds it.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Tells how a run is to whoever asks, until this future is dropped.
    pub async fn serve(self, live: &Live, has_cluster: bool) {
        let Self {
            network, listener, ..
        } = self;
        let mut tasks = JoinSet::new();
        let converse = |stream| converse(stream, live.clone(), has_cluster);
        serving::accept(&network, listener, &mut tasks, CONNECTIONS_MAX, converse).await;
    }
}

/// Answers one request.
async fn converse(stream: TcpStream, live: Live, has_cluster: bool) {
    let service = service_fn(|request| {
        let response = respond(&request, &live, has_cluster);
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HTTP_HEAD_LEN_MAX)
        .max_headers(FIELDS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(PATIENCE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a request for metrics failed"),
        Err(_) => tracing::debug!("a request for metrics took too long"),
    }
}

fn respond(request: &Request<Incoming>, live: &Live, has_cluster: bool) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".into());
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(header::ALLOW, allowed);
        return response;
    }
    match request.uri().path() {
        PATH => text(StatusCode::OK, exposition(&live.now(), has_cluster)),
        _ => text(
            StatusCode::NOT_FOUND,
            format!("what there is is at {PATH}\n"),
        ),
    }
}

fn text(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(EXPOSITION));
    let no_store = HeaderValue::from_static("no-store");
    fields.insert(header::CACHE_CONTROL, no_store);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_the_loopback_interface() -> Result<(), String> {
        for (text, address) in [
            ("9464", "127.0.0.1:9464"),
            ("0.0.0.0:9464", "0.0.0.0:9464"),
            ("[::1]:0", "[::1]:0"),
        ] {
            let At(read) = text.parse()?;
            assert_eq!(read.to_string(), address);
        }
        for text in ["", "70000", "localhost:9464", "127.0.0.1"] {
            let said = text.parse::<At>().expect_err(text);
            assert!(said.contains("such as 9464"), "{said}");
        }
        Ok(())
    }
}
