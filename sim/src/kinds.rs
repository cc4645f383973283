//! The kinds of trouble that a run can have, each with a name, whoever makes it: the fault plan, a
//! user's habit, two users of one name, or a vandal.

use std::collections::BTreeMap;
use std::fmt;

use cluster::chat::remote::REPLACED;
use loadgen::history::{Event, What};
use serde::{Deserialize, Serialize};

/// Declares the kinds and their table from one list: the name, and what happens, as a sentence.
macro_rules! kinds {
    ($($kind:ident = $name:literal, $about:literal;)*) => {
        /// A kind of trouble.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum FaultKind {
            $(
                #[doc = concat!($about, ".")]
                $kind,
            )*
        }

        /// All kinds: the kind, its name, and what happens.
        const KINDS: &[(FaultKind, &str, &str)] = &[$((FaultKind::$kind, $name, $about),)*];
    };
}

kinds! {
    Crash = "crash", "a process dies, and its peers read the end of their streams";
    Stop = "stop", "a process is asked to stop, says goodbye and ends";
    PowerCut = "power-cut", "a machine loses power, and its peers are not told";
    Pause = "pause", "a process stands still and goes on";
    Stutter = "stutter", "a process stands still again and again";
    SlowHost = "slow-host", "each thing that a process is woken for takes time";
    RollingRestart = "rolling-restart", "all servers are started anew, one after the other";
    Hold = "hold", "what is sent between two hosts waits, then comes";
    Cut = "cut", "what is sent between two hosts is lost, and neither is told";
    CutReset = "cut-reset", "what is sent between two hosts is lost, then their connections are reset";
    OneWay = "one-way", "what one server sends to another is lost";
    Reset = "reset", "every connection between two hosts is reset";
    SlowLink = "slow-link", "the way between two hosts takes long";
    Jitter = "jitter", "the way between two hosts takes now long, now short";
    Drift = "drift", "latencies change in the course of a run, as far as is usual";
    Flapping = "flapping", "what is sent between two hosts waits again and again";
    HalfOpen = "half-open", "between clients and a connector one direction is lost";
    ReconnectStorm = "reconnect-storm", "all clients of a connector are cut off at once and come back";
    SlowReader = "slow-reader", "a user takes only some bytes a second";
    DeafReader = "deaf-reader", "a user stops reading, and goes on writing";
    Gone = "gone", "a user who is in a room goes without goodbye";
    GoneEntering = "gone-entering", "a user goes without goodbye while it enters";
    Hasty = "hasty", "a user leaves while it enters";
    Eager = "eager", "a user speaks before it is let in";
    DuplicateLogin = "duplicate-login", "two users of one name race for it";
    Garbage = "garbage", "a client sends random bytes, or random messages";
    Truncated = "truncated", "a client sends a part of what it began or announced";
    UnfinishedHandshake = "unfinished-handshake", "a client never finishes its handshake";
    Stranger = "stranger", "who is no connector speaks as one, without the cluster's token";
    Nonsense = "nonsense", "a client asks what makes no sense, or in an order that makes none";
}

/// How often each kind happened; a kind that did not is not in it.
pub type Fired = BTreeMap<FaultKind, u32>;

impl FaultKind {
    /// All of them, processes first, then links, then clients.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|(kind, _, _)| *kind)
    }

    /// What it is called in plans and tables.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What happens, as a sentence.
    pub fn about(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (FaultKind, &'static str, &'static str) {
        let mut rows = KINDS.iter();
        let row = rows.find(|(kind, _, _)| *kind == self);
        row.expect("each kind has its row")
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// Adds what happened in one run to what happened in all.
pub fn add(all: &mut Fired, one: &Fired) {
    for (kind, count) in one {
        *all.entry(*kind).or_default() += count;
    }
}

/// The kinds that never happened.
pub fn never_fired(fired: &Fired) -> Vec<FaultKind> {
    FaultKind::all()
        .filter(|kind| !fired.contains_key(kind))
        .collect()
}

/// What users did to the cluster, read from their history.
pub fn of_history(history: &[Event]) -> Fired {
    let mut fired = Fired::new();
    let mut users: BTreeMap<u32, Whereabouts> = BTreeMap::new();
    for event in history {
        let user = users.entry(event.user).or_default();
        if let Some(kind) = user.take(&event.what) {
            *fired.entry(kind).or_default() += 1;
        }
    }
    fired
}

/// How far a user has come in its current login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Whereabouts {
    #[default]
    Away,
    Entering,
    InRoom,
}

impl Whereabouts {
    fn take(&mut self, what: &What) -> Option<FaultKind> {
        match what {
            What::Login { .. } | What::Entering { .. } => {
                *self = Whereabouts::Entering;
                None
            }
            What::Entered { .. } => {
                *self = Whereabouts::InRoom;
                None
            }
            What::Refused { duplicate } => {
                *self = Whereabouts::Away;
                duplicate.then_some(FaultKind::DuplicateLogin)
            }
            What::Kicked { reason } => {
                *self = Whereabouts::Away;
                (reason == REPLACED).then_some(FaultKind::DuplicateLogin)
            }
            What::Closed { .. } | What::LoginFailed { .. } => {
                *self = Whereabouts::Away;
                None
            }
            What::Leaving { .. } => self.goes(None, FaultKind::Hasty),
            What::Vanished => self.goes(Some(FaultKind::Gone), FaultKind::GoneEntering),
            What::Deaf => Some(FaultKind::DeafReader),
            What::Sending { .. } => (*self == Whereabouts::Entering).then_some(FaultKind::Eager),
            _ => None,
        }
    }

    fn goes(&mut self, from_room: Option<FaultKind>, entering: FaultKind) -> Option<FaultKind> {
        match std::mem::take(self) {
            Whereabouts::Away => None,
            Whereabouts::Entering => Some(entering),
            Whereabouts::InRoom => from_room,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use loadgen::history::{MessageId, Target};

    use super::*;

    #[test]
    fn every_kind_has_its_own_name_by_which_it_is_written_too() {
        let names: BTreeSet<_> = FaultKind::all().map(FaultKind::name).collect();
        assert_eq!(names.len(), FaultKind::all().count());
        for kind in FaultKind::all() {
            let written = serde_json::to_value(kind).unwrap();
            assert_eq!(written, kind.name());
        }
    }

    #[test]
    fn what_never_happened_is_named() {
        let mut all = Fired::new();
        for kind in FaultKind::all().skip(1) {
            add(&mut all, &Fired::from([(kind, 2)]));
        }
        assert_eq!(never_fired(&all), [FaultKind::Crash]);
    }

    #[test]
    fn what_users_do_to_a_cluster_is_counted() {
        let entered = || What::Entered { users: Vec::new() };
        let entering = || What::Entering {
            name: String::from("alice"),
            room: String::from("red"),
        };
        let login = || What::Login {
            due: Default::default(),
        };
        let leaving = || What::Leaving {
            due: Default::default(),
        };
        let sending = || What::Sending {
            message: MessageId {
                user: 1,
                login: 1,
                number: 1,
            },
            due: Default::default(),
            target: Target::Room,
        };
        let story = [
            (1, login()),
            (1, entering()),
            (1, sending()),
            (1, entered()),
            (1, sending()),
            (2, login()),
            (2, entering()),
            (2, leaving()),
            (2, login()),
            (2, What::Refused { duplicate: true }),
            // A refused user hangs up: that is no haste.
            (2, leaving()),
            (1, What::Deaf),
            (1, What::Vanished),
            (3, login()),
            (3, What::Vanished),
        ];
        let history: Vec<_> = story
            .into_iter()
            .map(|(user, what)| Event {
                at: Default::default(),
                user,
                login: 1,
                what,
            })
            .collect();
        let kinds = [
            FaultKind::DeafReader,
            FaultKind::Gone,
            FaultKind::GoneEntering,
            FaultKind::Hasty,
            FaultKind::Eager,
            FaultKind::DuplicateLogin,
        ];
        assert_eq!(of_history(&history), kinds.map(|kind| (kind, 1)).into());
    }

    #[test]
    fn a_login_that_takes_the_name_of_another_is_a_duplicate_one_too() {
        let kicked = |reason: &str| Event {
            at: Default::default(),
            user: 1,
            login: 1,
            what: What::Kicked {
                reason: reason.to_owned(),
            },
        };
        let history = [kicked(REPLACED), kicked("too slow")];
        let one = (FaultKind::DuplicateLogin, 1);
        assert_eq!(of_history(&history), [one].into());
    }
}
