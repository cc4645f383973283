//! The cluster in a simulated network, with faults and checks.
//!
//! One seed decides everything in a run: the same seed gives the same run, event by event, on
//! any machine. In reading order:
//!
//! - [`scenario`]: what kind of cluster, users and faults, with which [`settings`] (and [`bodies`]);
//!   the built-in ones;
//! - [`seeds`]: the streams that one seed is split into;
//! - [`case`]: one run, drawn from a scenario and a seed: [`workload`] draws what users do,
//!   [`chaos`] draws [`incident`]s, which are lists of [`fault`]s; a [`vandal`] sends bad bytes;
//!   [`kinds`] names every kind of trouble that can come of it, of which [`swarm`] draws some;
//! - [`run`]: runs it and has it checked: a [`deployment`] of the production servers on the
//!   simulated [`net`], with the faults put in by [`inject`] (a [`process`] stands still or is slow,
//!   [`connections`] are reset, a [`throttle`] holds a reader back), at their times or when an
//!   [`anchor`] is met; [`yields`] put tasks off by chance;
//! - [`trace`]: the ordered record of everything that happened, and its hash, event by event a
//!   [`chain`]; [`passages`]: where each message passed, of which [`ways`] are made; [`marks`]: which rare paths were taken;
//! - [`record`]: what the checks read; [`guarantees`] and [`quiet`]: the checks;
//! - [`sweep`]: many runs on many threads, until they are done or a signal ends them, first fixed
//!   seeds, then [`fresh`] ones; [`failures`] of one [`cause`] (by the
//!   [`shape`] of what is said) are one; [`coverage`] and [`matrix`]:
//!   what they have tested; [`detect`]: many until one fails, with servers that have a flaw
//!   ([`policy`]);
//! - [`capsule`]: one failed run in one file; [`capsules`]: where they are kept; [`replay`]: whether
//!   it is still the same run; [`shrink`]: as small as it can be; [`smallest`]: for each flaw;
//!   [`explain`]: its story as a page;
//! - [`certify`]: whether the same seeds give the same runs in every way;
//! - [`workers`]: threads for long work that a signal ends;
//! - [`cli`], [`commands`] (to copy: `loadgen::quoted`), [`report`], [`table`] and [`grid`] (what is printed), [`progress`]
//!   (meanwhile), [`gather`], [`kept`] and [`summary`] (what is written, into which [`files`]): the
//!   program.

#[cfg(not(tokio_unstable))]
compile_error!(
    "sim needs `--cfg tokio_unstable` (set in .cargo/config.toml; RUSTFLAGS in the environment \
     replaces it): without it `select!` is not seeded and a panic in a task is lost"
);

pub mod anchor;
pub mod bodies;
pub mod capsule;
pub mod capsules;
pub mod case;
pub mod cause;
pub mod certify;
pub mod chain;
pub mod chaos;
pub mod cli;
mod clock;
pub mod commands;
pub mod connections;
pub mod coverage;
mod cpu;
pub mod deployment;
pub mod detect;
pub mod explain;
pub mod failures;
pub mod fault;
pub mod files;
pub mod fresh;
pub mod gather;
pub mod grid;
pub mod guarantees;
pub mod incident;
pub mod inject;
pub mod kept;
pub mod kinds;
pub mod marks;
pub mod matrix;
pub mod net;
mod panics;
pub mod passages;
pub mod policy;
pub mod process;
pub mod progress;
pub mod quiet;
pub mod record;
pub mod replay;
pub mod report;
pub mod run;
pub mod scenario;
pub mod seeds;
pub mod settings;
pub mod shape;
pub mod shrink;
pub mod smallest;
pub mod summary;
pub mod swarm;
pub mod sweep;
pub mod table;
pub mod throttle;
pub mod trace;
pub mod vandal;
mod versions;
pub mod ways;
pub mod workers;
pub mod workload;
pub mod yields;
