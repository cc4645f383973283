//! For how long what is heard still counts, and how much is remembered of it.
//!
//! Every row (a message on its way, or the news of who came and went) lives for a bounded time, so
//! that what is remembered follows from the rate and not from the length of a run:
//!
//! ```text
//! sent                 SETTLED_AFTER              LOST_AFTER            FORGOTTEN_AFTER
//! | heard, answered    | all heard it: forgotten  | not heard: lost     | forgotten
//! |                    | no answer: given up      |                     |
//! ```

use std::time::Duration;

/// A member that leaves this soon after the answer is owed nothing: the message may still be on
/// its way from the connector, which has acknowledged it.
pub const LEAVE_SLACK: Duration = Duration::from_secs(1);

/// The same for a connection that was lost: it may have been dead for as long as the heartbeats
/// allow (two intervals of 3 s by default) before anybody noticed.
pub const LOSS_SLACK: Duration = Duration::from_secs(10);

/// A send that has waited for so long counts as unanswered. The cluster answers within 3 s by
/// default.
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// From a send to the first look at what became of it. No answer comes later: a user gives its
/// connection up after ten seconds. What all have heard by then is forgotten.
pub const SETTLED_AFTER: Duration = Duration::from_secs(15);

/// From a send to when it is lost for those who have not heard it. Three times the deadline of a
/// request and the lease of a link together; a queue that holds a client's messages for longer is
/// one of a client that does not read.
pub const LOST_AFTER: Duration = Duration::from_secs(45);

/// From a send to when nothing is known of it any more, if it was not settled earlier.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// Messages that are remembered at once, settled or not: 260,000 of rooms of a hundred take about
/// 100 MiB. At the bound the oldest is judged as if the run had ended, counted as
/// `broadcasts_unjudged` unless it was settled, and forgotten.
pub const ROWS_MAX: usize = 1 << 18;

/// Pushes that are kept for a user who is still waiting for the answer to its enter, until it is
/// known whether they were for it. Further ones count as of a wrong room.
pub const EARLY_MAX: usize = 256;

/// Different reasons why a step of a user's way failed; further ones are `other`.
pub const REASONS_MAX: usize = 20;
