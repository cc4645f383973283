//! The secret that servers show each other: where it comes from.

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cluster::options::Options;
use cluster::process::addresses;
use cluster::topology::Topology;

use crate::cli;
use crate::start::is_loopback;

/// What servers that other processes start read the token from.
pub const VARIABLE: &str = "POMELO_CLUSTER_TOKEN";

/// Longest token, in bytes. It is part of every hello between servers.
const LEN_MAX: usize = 1024;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    #[error(
        "--server-id needs a token that all servers of {environment} share: set {VARIABLE} \
         or --token-file (only development on loopback addresses does without)"
    )]
    Missing { environment: String },
    #[error("--token-file {} cannot be read", file.display())]
    Unreadable {
        file: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{from} has no usable token: write 1 to {LEN_MAX} bytes of text")]
    Unusable { from: String },
}

/// The token of the command line or the environment; `None` where none is needed, as all servers
/// are in this process.
pub fn token(
    arguments: &cli::Start,
    topology: &Topology,
    bind: IpAddr,
) -> Result<Option<String>, TokenError> {
    if let Some(file) = &arguments.token_file {
        return read_token(file).map(Some);
    }
    if let Some(text) = std::env::var_os(VARIABLE) {
        return usable(text.into_string().ok(), VARIABLE).map(Some);
    }
    if arguments.server_id.is_none() {
        return Ok(None);
    }
    let private = bind.is_loopback() && addresses(topology).iter().all(is_loopback);
    if arguments.environment == "development" && private {
        let token = Options::default().token;
        tracing::info!("no token given: using \"{token}\", as only this machine can connect");
        return Ok(Some(token));
    }
    let environment = arguments.environment.clone();
    Err(TokenError::Missing { environment })
}

fn read_token(path: &Path) -> Result<String, TokenError> {
    let mut bytes = Vec::new();
    File::open(path)
        // Room for a line end; more is too long whatever it is.
        .and_then(|file| file.take(LEN_MAX as u64 + 3).read_to_end(&mut bytes))
        .map_err(|cause| TokenError::Unreadable {
            file: path.to_owned(),
            cause,
        })?;
    let text = String::from_utf8(bytes).ok();
    usable(text, &format!("--token-file {}", path.display()))
}

fn usable(text: Option<String>, from: &str) -> Result<String, TokenError> {
    text.map(|text| text.trim_end().to_owned())
        .filter(|token| (1..=LEN_MAX).contains(&token.len()))
        .ok_or_else(|| TokenError::Unusable {
            from: from.to_owned(),
        })
}
