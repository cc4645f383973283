//! A whole cluster inside the calling process, on free ports of the loopback interface: for load
//! generators and tests that want real sockets without a configuration.
//!
//! ```no_run
//! use cluster::{embedded, options::Options};
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut rng = StdRng::from_os_rng();
//! let cluster = embedded::start(embedded::Size::default(), Options::default(), &mut rng).await?;
//! let (host, port) = cluster.gate().expect("a size has at least one gate");
//! println!("clients ask the gate at {host}:{port}");
//! cluster.stop().await?;
//! # Ok(())
//! # }
//! ```

use rand::Rng;
use rand::distr::Alphanumeric;
use rand::rngs::StdRng;

use crate::net::Tcp;
use crate::options::Options;
use crate::process::{self, BindError, Running};
use crate::topology::{Backend, Frontend, Topology};

const HOST: &str = "127.0.0.1";

/// Characters of a drawn token: six bits each, more than anybody guesses.
const TOKEN_LEN: usize = 32;

/// How many servers of each type; at least one is made of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Gates.
    pub gates: usize,
    /// Connectors.
    pub connectors: usize,
    /// Chat servers.
    pub chats: usize,
}

impl Default for Size {
    /// As the shipped `servers.json`: one gate, three connectors, three chat servers.
    fn default() -> Self {
        Self {
            gates: 1,
            connectors: 3,
            chats: 3,
        }
    }
}

/// Starts a cluster. Its token is drawn from `rng`, whatever `options` has: nobody else is meant
/// to join it. [`Running::stop`] ends it cleanly, dropping it ends it at once.
///
/// # Errors
/// If the system has no free port.
pub async fn start(size: Size, options: Options, rng: &mut StdRng) -> Result<Running, BindError> {
    let token = draw_token(rng);
    let bound = process::bind(Tcp::loopback(), on_free_ports(size), None).await?;
    Ok(bound.serve(&Options { token, ..options }, rng))
}

/// A token that nobody guesses, for servers that all live in this process.
pub fn draw_token(rng: &mut StdRng) -> String {
    rng.sample_iter(Alphanumeric)
        .take(TOKEN_LEN)
        .map(char::from)
        .collect()
}

/// Servers named as the shipped ones, each on port 0: the system chooses when it is bound.
fn on_free_ports(size: Size) -> Topology {
    let frontends = |server_type: &str, count: usize| {
        (1..=count.max(1))
            .map(|number| Frontend {
                id: format!("{server_type}-server-{number}"),
                client_host: String::from(HOST),
                client_port: 0,
            })
            .collect()
    };
    Topology {
        gates: frontends("gate", size.gates),
        connectors: frontends("connector", size.connectors),
        chats: (1..=size.chats.max(1))
            .map(|number| Backend {
                id: format!("chat-server-{number}"),
                host: String::from(HOST),
                port: 0,
            })
            .collect(),
    }
}
