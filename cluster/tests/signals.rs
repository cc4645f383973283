//! Signals as a program meets them. One test, as they reach the whole process.

#![cfg(unix)]

use std::error::Error;
use std::process::{self, Command};
use std::time::Duration;

use cluster::signals::{Signal, Signals};
use tokio::time::timeout;

#[tokio::test(start_paused = true)]
async fn a_signal_that_comes_twice_at_once_is_one_and_a_later_one_is_another()
-> Result<(), Box<dyn Error>> {
    let mut signals = Signals::listen()?;
    raise("TERM")?;
    raise("HUP")?;
    assert_eq!(signals.next().await, Signal::Terminate);
    assert!(
        timeout(Duration::from_secs(1), signals.next())
            .await
            .is_err()
    );
    raise("INT")?;
    assert_eq!(signals.next().await, Signal::Interrupt);
    Ok(())
}

fn raise(name: &str) -> Result<(), Box<dyn Error>> {
    let mut kill = Command::new("kill");
    let sent = kill
        .arg(format!("-{name}"))
        .arg(process::id().to_string())
        .status()?;
    if sent.success() {
        Ok(())
    } else {
        Err("kill failed".into())
    }
}
