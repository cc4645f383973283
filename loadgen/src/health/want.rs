//! What a machine may have none left of, so that a user can't even try to log in. That says nothing of
//! the cluster.

use std::error::Error;
use std::io;

use crate::login::LoginError;

/// What there was none left of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Ports of one's own for connections to one address.
    Ports,
    /// Files that may be open.
    Files,
}

impl Want {
    /// Whether that is why a login failed.
    pub fn behind(error: &LoginError) -> Option<Self> {
        let cause = match error {
            LoginError::Gate { cause, .. } | LoginError::Connector { cause, .. } => cause,
            _ => return None,
        };
        let mut cause: Option<&(dyn Error + 'static)> = Some(cause);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return Self::of(error);
            }
            cause = error.source();
        }
        None
    }

    /// As it is counted.
    pub const fn count(self) -> &'static str {
        match self {
            Self::Ports => "ports_exhausted",
            Self::Files => "files_exhausted",
        }
    }

    /// In words.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Ports => "this machine had no port left",
            Self::Files => "this process had no file left",
        }
    }

    fn of(error: &io::Error) -> Option<Self> {
        match error.kind() {
            // The first without an address of one's own, the second with one.
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => Some(Self::Ports),
            _ => is_of_files(error).then_some(Self::Files),
        }
    }
}

#[cfg(unix)]
fn is_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;

    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

/// Sockets are no files here.
#[cfg(not(unix))]
fn is_of_files(_error: &io::Error) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use cluster::client::ClientError;
    use rustix::io::Errno;

    use super::*;
    use crate::address::Address;

    #[test]
    fn what_the_machine_had_none_of_is_told_from_what_the_cluster_refused() {
        let gate = |errno: Errno| LoginError::Gate {
            gate: Address {
                host: "gate".to_owned(),
                port: 1,
            },
            cause: ClientError::Connect {
                host: "gate".to_owned(),
                port: 1,
                source: errno.into(),
            },
        };
        for (errno, want) in [
            (Errno::ADDRNOTAVAIL, Some(Want::Ports)),
            (Errno::ADDRINUSE, Some(Want::Ports)),
            (Errno::MFILE, Some(Want::Files)),
            (Errno::NFILE, Some(Want::Files)),
            (Errno::CONNREFUSED, None),
            (Errno::TIMEDOUT, None),
        ] {
            assert_eq!(Want::behind(&gate(errno)), want, "{errno:?}");
        }
        assert_eq!(
            Want::behind(&LoginError::Late(std::time::Duration::ZERO)),
            None
        );
    }
}
