//! `cluster start`: from the command line to running servers, and to their end.

use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::ExitCode;

use cluster::config::{Config, ConfigError, Place};
use cluster::embedded::draw_token;
use cluster::net::Tcp;
use cluster::options::{Clash, LEASE_REMEDY, Options, written};
use cluster::process::{self, Address, BindError, Running, ServerError, addresses};
use cluster::signals::Signals;
use cluster::topology::Topology;
use rand::rngs::StdRng;

use crate::cli;
use crate::demo::{self, Demo, DemoError};
use crate::processes::{self, ProcessError};
use crate::token::{self, TokenError};

const DEFAULT_FOLDER: &str = "cluster/config";

/// Everything that `start` needs, checked.
pub struct Plan {
    /// The file as a message names it that says what to change there.
    file: String,
    topology: Topology,
    server_id: Option<String>,
    /// Each server is to be in a process of its own.
    processes: bool,
    /// This server belongs to a process that holds its standard input.
    attached: bool,
    bind: IpAddr,
    options: Options,
    /// `None`: all servers are in this process, and it draws one.
    token: Option<String>,
    demo: Option<Demo>,
}

/// Why the servers did not run, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("--server-id {id}: no such server in {environment} of {file}: choose one of {known}")]
    UnknownServer {
        id: String,
        environment: String,
        file: String,
        known: String,
    },
    #[error("{lease} is not shorter than {deadline}: {LEASE_REMEDY}")]
    Lease { lease: String, deadline: String },
    #[error("--{}: {clash}", clash.settings()[0])]
    Clash { clash: Clash },
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error("{cause}: {remedy}")]
    Bind { cause: BindError, remedy: String },
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("the system refuses threads or signals")]
    Runtime(#[source] io::Error),
}

impl StartError {
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Demo(error) => error.exit_status(),
            Self::Bind { .. } | Self::Server(_) | Self::Process(_) | Self::Runtime(_) => 3,
            _ => 2,
        }
    }
}

/// Reads all that the command line names. Log begins here.
pub fn plan(arguments: &cli::Start) -> Result<Plan, StartError> {
    log_to_stderr(arguments);
    let place = place(arguments);
    let Config {
        topology,
        options,
        servers_file,
        warnings,
        ..
    } = place.load(&arguments.environment)?;
    // Of an attached server, who started it has said them.
    for warning in warnings.iter().filter(|_| !arguments.attached) {
        tracing::warn!("{warning}");
    }
    let options = overridden(options, arguments)?;
    if let Some(id) = &arguments.server_id {
        require_server(id, &arguments.environment, &servers_file, &topology)?;
    }
    let bind = arguments.bind.unwrap_or_else(|| default_bind(&topology));
    let token = token::token(arguments, &topology, bind)?;
    let server_id = arguments.server_id.clone();
    let demo = arguments.demo.map(Demo::read).transpose()?;
    Ok(Plan {
        file: place_to_edit(&place, servers_file),
        topology,
        server_id,
        processes: arguments.processes,
        attached: arguments.attached,
        bind,
        options,
        token,
        demo,
    })
}

/// Runs the servers until Ctrl-C, SIGTERM or SIGHUP.
pub async fn run(plan: Plan, rng: &mut StdRng) -> Result<ExitCode, StartError> {
    // Before the ports are bound: a signal right after `ready` must not kill.
    let mut signals = Signals::listen().map_err(StartError::Runtime)?;
    let token = plan.token.unwrap_or_else(|| draw_token(rng));
    if plan.processes {
        let ids = addresses(&plan.topology).into_iter().map(|it| it.id);
        return Ok(processes::run(ids.collect(), &token, &mut signals).await?);
    }
    let options = Options {
        token,
        ..plan.options
    };
    let network = Tcp::bound_to(plan.bind);
    let mut running = process::bind(network, plan.topology, plan.server_id.as_deref())
        .await
        .map_err(|cause| StartError::Bind {
            remedy: cause.remedy(&plan.file),
            cause,
        })?
        .serve(&options, rng);
    let demo = match plan.demo {
        Some(demo) => Some(demo.bind(plan.bind, running.topology()).await?),
        None => None,
    };
    // Whoever closed standard output does not wait for `ready`.
    let _ = announce(&running, demo.as_ref());
    tokio::select! {
        error = running.ended() => return Err(error.into()),
        () = demo::serve(demo) => {}
        _ = signals.next() => {}
        () = let_go(plan.attached) => {}
    }
    tracing::info!("stopping; another signal ends at once");
    tokio::select! {
        stopped = running.stop() => {
            stopped?;
            Ok(ExitCode::SUCCESS)
        }
        signal = signals.next() => Ok(ExitCode::from(signal.exit_status())),
    }
}

/// Waits until standard input ends, if this server is attached to who holds it.
async fn let_go(attached: bool) {
    if !attached {
        return std::future::pending().await;
    }
    // One that can't be read has ended too.
    let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
}

fn log_to_stderr(arguments: &cli::Start) {
    tracing_subscriber::fmt()
        .with_max_level(arguments.log_level())
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        // A log that nobody reads any more must not end the servers.
        .log_internal_errors(false)
        .init();
}

/// Where the configuration is; said if it is nowhere.
fn place(arguments: &cli::Start) -> Place {
    match (&arguments.config, &arguments.servers) {
        (Some(folder), _) => Place::folder(folder),
        (None, Some(file)) => Place::servers(file),
        (None, None) if Path::new(DEFAULT_FOLDER).exists() => Place::folder(DEFAULT_FOLDER),
        (None, None) if arguments.attached => Place::built_in(),
        (None, None) => {
            crate::say(&format!(
                "note: there is no {DEFAULT_FOLDER} here: using the built-in copy"
            ));
            Place::built_in()
        }
    }
}

/// What the command line says goes before what the configuration says.
fn overridden(configured: Options, arguments: &cli::Start) -> Result<Options, StartError> {
    let &cli::Start {
        lease,
        request_deadline,
        heartbeat,
        duplicate_login,
        drag,
        ..
    } = arguments;
    let options = Options {
        lease: lease.unwrap_or(configured.lease),
        request_deadline: request_deadline.unwrap_or(configured.request_deadline),
        heartbeat: heartbeat.unwrap_or(configured.heartbeat),
        duplicate_login: duplicate_login.unwrap_or(configured.duplicate_login),
        drag,
        ..configured
    };
    let named = |flag, what, given: Option<_>, time| match given {
        Some(_) => format!("{flag} {}", written(time)),
        None => format!("the configured {what} of {}", written(time)),
    };
    // What is configured goes together: at least one of them is from a flag.
    match options.clashes().into_iter().next() {
        None => Ok(options),
        Some(Clash::Lease {
            lease: shorter,
            request_deadline: longer,
        }) => Err(StartError::Lease {
            lease: named("--lease", "lease", lease, shorter),
            deadline: named("--request-deadline", "deadline", request_deadline, longer),
        }),
        Some(clash) => Err(StartError::Clash { clash }),
    }
}

fn require_server(
    id: &str,
    environment: &str,
    file: &str,
    topology: &Topology,
) -> Result<(), StartError> {
    let known: Vec<String> = addresses(topology)
        .into_iter()
        .map(|server| server.id)
        .collect();
    if known.iter().any(|known| known == id) {
        return Ok(());
    }
    Err(StartError::UnknownServer {
        id: id.to_owned(),
        environment: environment.to_owned(),
        file: file.to_owned(),
        known: known.join(", "),
    })
}

fn place_to_edit(place: &Place, servers_file: String) -> String {
    if place.is_built_in() {
        String::from("a servers.json of your own (--servers)")
    } else {
        servers_file
    }
}

/// The loopback address if nothing else is ever connected to, else every address.
fn default_bind(topology: &Topology) -> IpAddr {
    let hosts = addresses(topology);
    let version_6 = |address: &Address| address.host.parse::<Ipv6Addr>().is_ok();
    match (hosts.iter().all(is_loopback), hosts.iter().any(version_6)) {
        (true, false) => Ipv4Addr::LOCALHOST.into(),
        (true, true) if hosts.iter().all(version_6) => Ipv6Addr::LOCALHOST.into(),
        (false, false) => Ipv4Addr::UNSPECIFIED.into(),
        // Takes connections of version 4 too.
        (_, true) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

pub fn is_loopback(address: &Address) -> bool {
    match address.host.parse::<IpAddr>() {
        Ok(host) => host.is_loopback(),
        Err(_) => address.host.eq_ignore_ascii_case("localhost"),
    }
}

fn announce(running: &Running, demo: Option<&demo::Bound>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for address in running.addresses() {
        writeln!(stdout, "{address}")?;
    }
    if let Some(demo) = demo {
        writeln!(stdout, "demo page {}", demo.address())?;
    }
    writeln!(stdout, "ready")?;
    stdout.flush()
}
