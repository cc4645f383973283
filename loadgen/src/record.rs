//! Where users write down what they do and see, while they live.

use std::borrow::Cow;
use std::time::Duration;

use cluster::dispatch::EVERYBODY;
use tokio::time::Instant;

use crate::health::want::Want;
use crate::history::{MessageId, Target, What};

/// Takes down what the users of one run do and see; clones share it.
///
/// [`history::Recorder`](crate::history::Recorder) keeps every event, [`fanout`](crate::fanout) makes
/// figures of each at once. What a user is pushed comes borrowed: it is by far the most, and a
/// record that keeps none of it need not copy it.
pub trait Record: Clone + Send + Sync + 'static {
    /// The start of the run, from which its times count.
    fn started_at(&self) -> Instant;

    /// Takes down that `user`, in this login of it, did or saw `what` now.
    fn note(&self, user: u32, login: u32, what: What);

    /// Takes down that `user` was pushed something of the chat now.
    fn hear(&self, user: u32, login: u32, push: Push<'_>);

    /// Takes down that `user` could not try this login, for want of something that its own machine has
    /// to have.
    fn prevented(&self, user: u32, login: u32, _want: Want, reason: String) {
        self.note(user, login, What::LoginFailed { reason });
    }

    /// The time since the start of the run.
    fn now(&self) -> Duration {
        self.started_at().elapsed()
    }
}

/// What a user of a chat is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Push<'a> {
    /// `onChat`.
    Heard {
        /// Which message, as far as a virtual user sent it.
        message: Option<MessageId>,
        /// The name it claims to come from.
        from: Cow<'a, str>,
        /// To whom it was addressed, as on the wire: a name, or `*`.
        target: Cow<'a, str>,
    },
    /// `onAdd` of a name.
    Added(Cow<'a, str>),
    /// `onLeave` of a name.
    Left(Cow<'a, str>),
}

impl From<Push<'_>> for What {
    fn from(push: Push<'_>) -> Self {
        match push {
            Push::Heard {
                message,
                from,
                target,
            } => Self::Heard {
                message,
                from: from.into_owned(),
                target: if target == EVERYBODY {
                    Target::Room
                } else {
                    Target::User(target.into_owned())
                },
            },
            Push::Added(name) => Self::Added {
                name: name.into_owned(),
            },
            Push::Left(name) => Self::Left {
                name: name.into_owned(),
            },
        }
    }
}
