//! The figures and the audit of a load test, made event by event, on small histories that are written
//! by hand, on many that are drawn, and on a long one.

mod agreement;
mod audit;
mod memory;
mod notices;
mod oracle;
mod order;
mod presence;
mod status;
mod story;
