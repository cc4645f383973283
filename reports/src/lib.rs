//! What a run leaves behind, and how it is shown.
//!
//! A load test and a simulation write the same folder: `run.json`, which holds plain values
//! and can always be read again, and `latencies.hdr`, which holds every histogram whole. In
//! reading order:
//!
//! - [`run`]: the data model of `run.json`, its version, and what reading it can object to;
//! - [`measured`]: what one process measured, and how what several measured becomes one;
//! - [`latency`]: histograms of latencies and the figures that are taken from them;
//! - [`buckets`]: the same histograms without their empty buckets, to keep many;
//! - [`json`]: what is wrong with a file of JSON;
//! - [`hdr_log`]: the histograms as a log that other HDR readers take;
//! - [`run_folder`]: the folder of one run;
//! - [`merge`]: parts of a run as the run that they are;
//! - [`text`]: the summary that is printed;
//! - [`csv`]: tables for spreadsheets;
//! - [`page`]: a run, a search or a comparison as a page for any browser;
//! - [`capacity`]: how much a cluster carries, from load tests at many rates;
//! - [`ab`]: whether one build is slower than another, from pairs of load tests;
//! - [`ways`]: the ways that messages took in simulated runs, and [`compare`]: whether they are the
//!   same on two builds;
//! - [`escaped`]: text on a page, which is never read as HTML;
//! - [`junit`]: the report that CI servers read;
//! - [`output`]: where programs print, which may be closed or full.
//!
//! This crate knows nothing of clusters, users or the network.

pub mod ab;
pub mod buckets;
pub mod capacity;
pub mod compare;
pub mod csv;
pub mod escaped;
pub mod hdr_log;
pub mod json;
pub mod junit;
pub mod latency;
pub mod measured;
pub mod merge;
pub mod output;
pub mod page;
pub mod run;
pub mod run_folder;
pub mod text;
pub mod ways;
