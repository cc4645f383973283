//! A network in memory, for servers that all live in one task.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use cluster::net::{self, Network};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

/// Bytes under way between two ends. Small, so that large answers do not fit and writers wait.
const PIPE_LEN: usize = 8 * 1024;

type Ports = BTreeMap<u16, mpsc::UnboundedSender<DuplexStream>>;

/// Ports that are bound. Each connection is a pipe, and there is nothing between its ends.
#[derive(Clone, Default)]
pub struct Memory {
    ports: Arc<Mutex<Ports>>,
}

/// A bound port.
pub struct Listener {
    port: u16,
    accepted: mpsc::UnboundedReceiver<DuplexStream>,
}

impl Network for Memory {
    type Stream = DuplexStream;
    type Listener = Listener;

    async fn listen(&self, port: u16) -> io::Result<Listener> {
        let (dialled, accepted) = mpsc::unbounded_channel();
        let mut ports = self.ports.lock().expect("nothing panics in here");
        ports.insert(port, dialled);
        Ok(Listener { port, accepted })
    }

    async fn connect(&self, _host: &str, port: u16) -> io::Result<DuplexStream> {
        let ports = self.ports.lock().expect("nothing panics in here");
        let (near, far) = duplex(PIPE_LEN);
        match ports.get(&port).map(|port| port.send(far)) {
            Some(Ok(())) => Ok(near),
            _ => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

impl net::Listener for Listener {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> io::Result<DuplexStream> {
        match self.accepted.recv().await {
            Some(stream) => Ok(stream),
            None => std::future::pending().await,
        }
    }

    fn port(&self) -> u16 {
        self.port
    }
}
