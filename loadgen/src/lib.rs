//! Virtual users of a Pomelo-style chat cluster.
//!
//! A virtual user does what a browser client does and writes down everything that it does and
//! sees. In reading order:
//!
//! - [`record`]: where users write that down, and [`history`]: all of it, kept with times;
//! - [`message_text`]: the content of a message, which says who sent it and when it was due;
//! - [`script`]: what one user is going to do, fixed ahead (in files with [`time_text`]);
//! - [`user`]: lives a script over any network (with [`login`], the way to a connector, and `sight`,
//!   what it makes of what it is sent);
//! - [`swarm`]: all users of a run, a task each;
//! - [`document`]: a TOML file whose mistakes are told with their places, with [`span`], numbers that
//!   are drawn, and [`quoted`], words as a shell takes them.
//!
//! The simulator uses these. A load test over real sockets adds:
//!
//! - [`plan`]: a load test, read from a file or made of options, from which the scripts follow;
//! - [`health`]: whether this machine can carry it;
//! - [`trial`]: one run of a plan, and what is looked at meanwhile: [`progress`], and
//!   [`prometheus`] for those who look from elsewhere;
//! - [`drive`]: its users from the first login to the last goodbye, in one process, and [`workers`]: in
//!   several;
//! - [`fanout`]: what users did and saw, made into figures as it happens, and what was promised
//!   against what was heard;
//! - [`status`]: what is known of a run while it goes on;
//! - [`verdicts`]: what had to hold, and whether it did, with the [`thresholds`] of the plan;
//! - [`outcome`]: all of it as the report of a run, with its [`environment`];
//! - [`ab`]: whether one build is slower than another;
//! - [`cli`] and [`program`]: the program `loadgen`.

pub mod ab;
pub mod address;
pub mod capacity;
pub mod cli;
pub mod document;
pub mod drive;
pub mod environment;
pub mod fanout;
pub mod health;
pub mod history;
pub mod login;
pub mod message_text;
pub mod outcome;
pub mod plan;
pub mod program;
pub mod progress;
pub mod prometheus;
pub mod quoted;
pub mod record;
pub mod script;
mod sight;
pub mod span;
pub mod status;
pub mod swarm;
pub mod thresholds;
pub mod time_text;
pub mod trial;
pub mod user;
pub mod verdicts;
pub mod workers;
