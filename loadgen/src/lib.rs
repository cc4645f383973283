//! Virtual users of a Pomelo-style chat cluster.
//!
//! A virtual user does what a browser client does and writes down everything that it does and
//! sees. In reading order:
//!
//! - [`history`]: what users did and saw, with times; all checks and figures are read from it;
//! - [`message_text`]: the content of a message, which says who sent it and when it was due;
//! - [`script`]: what one user is going to do, fixed ahead;
//! - [`plan`]: a load test as a few numbers, from which the scripts follow;
//! - [`user`]: lives a script over any network;
//! - [`swarm`]: all users of a run;
//! - [`audit`]: what was promised against what was heard, over the [`presence`] of users in rooms.

pub mod address;
pub mod audit;
pub mod drive;
pub mod figures;
pub mod health;
pub mod history;
mod login;
pub mod message_text;
pub mod outcome;
pub mod plan;
pub mod presence;
pub mod script;
mod sight;
pub mod swarm;
pub mod user;
