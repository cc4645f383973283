//! Hostile and odd bytes from clients, against servers: each row of `cluster/HOSTILE.md` is a test
//! here of the same name.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod bytes;
mod http;
#[path = "../../fuzz/src/network.rs"]
mod memory;
mod messages;
mod packages;
mod peer;
mod place;
mod silence;
mod table;
mod virtual_gate;
mod websocket;

use std::error::Error;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Tests, and their names for the comparison with the table.
macro_rules! rows {
    ($($name:ident => $story:expr;)*) => {
        pub const ROWS: &[&str] = &[$(stringify!($name)),*];

        $(
            #[tokio::test]
            async fn $name() -> crate::Result {
                $story.await
            }
        )*
    };
}

use rows;
