//! In what the cluster may be worse than it is: the flaws of the original, and of clusters like it, one switch
//! each.
//!
//! With none of them ([`Policy::hardened`], the default) the cluster keeps its promises. With those
//! that the original was observed to have ([`Policy::pomelo`]) it shows what a cluster of the
//! original does in the same place. Each alone shows whether a promise is really watched: a check
//! that does not see the flaw is no check. A switch is a small branch where the behaviour differs.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::nearest;

/// With [`Flaw::RequestHangs`], the longest time until a request is answered: the original's time for
/// a call between servers.
pub const HANGING_REQUEST_DEADLINE: Duration = Duration::from_secs(30);

/// Declares the flaws from one list: the variant, the name that users call it by, what goes wrong,
/// and where it is described, if it is one of the original.
macro_rules! flaws {
    ($($flaw:ident = $name:literal, $about:literal, $paragraphs:expr;)*) => {
        /// One way in which a chat cluster breaks its promises.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        pub enum Flaw {
            $(
                #[doc = concat!("`", $name, "`: ", $about, ".")]
                #[serde(rename = $name)]
                $flaw,
            )*
        }

        impl Flaw {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$flaw),*];

            const NAMES: &[&'static str] = &[$($name),*];
            const ABOUT: &[&'static str] = &[$($about),*];
            const PARAGRAPHS: &[Option<&'static str>] = &[$($paragraphs),*];
        }
    };
}

flaws! {
    GhostAfterConnectorCrash = "ghost-after-connector-crash",
        "the members of a connector that died or lost its lease stay in their rooms for ever",
        Some("BEHAVIOUR 7.10");
    KickLost = "kick-lost",
        "that a session went is lost if the link to its chat server is down at that moment",
        Some("BEHAVIOUR 7.9");
    DoubleDeliveryAfterReentry = "double-delivery-after-reentry",
        "a name that is still listed through the same connector is listed once more, and hears all \
         that is said once for each listing",
        Some("BEHAVIOUR 7.12");
    LateCloseRemovesNewSession = "late-close-removes-new-session",
        "a session that goes takes its name out of the room, whoever holds it by now",
        Some("BEHAVIOUR 3.5, 7.4");
    DuplicateLoginAcrossConnectors = "duplicate-login-across-connectors",
        "only each connector sees to it that a name is in a room once, so two connectors let it in \
         twice",
        Some("BEHAVIOUR 3.4, 3.5");
    DeadRoomAfterChatRestart = "dead-room-after-chat-restart",
        "a chat server that starts again is not told who is in its rooms, and nobody is told that \
         they are gone",
        Some("BEHAVIOUR 7.2 to 7.5");
    SplitRoomByRegistrationOrder = "split-room-by-registration-order",
        "rooms are shared out among the chat servers in the order in which they were linked, anew \
         for each message",
        Some("BEHAVIOUR 1.3, 1.4, 7.2 to 7.6");
    GhostAfterCloseWhileEntering = "ghost-after-close-while-entering",
        "a session that goes while it is being let in is let in all the same",
        None;
    RequestHangs = "request-hangs",
        "what a dead chat server was asked is answered after 30 s, whatever the deadline",
        Some("BEHAVIOUR 7.1, 7.7");
    FalseSuccessOfEnter = "false-success-of-enter",
        "an enter that failed is answered with an empty list, as if it had succeeded",
        Some("BEHAVIOUR 7.7, 7.8");
    RefusalsSwallowed = "refusals-swallowed",
        "a message from outside of any room, or to a user who is not there, is never answered",
        None;
    HeartbeatCutAfterStall = "heartbeat-cut-after-stall",
        "a connector that stood still cuts its clients off before it reads what they have sent",
        Some("BEHAVIOUR 7.16, PROTOCOL 4");
    SlowReaderUnbounded = "slow-reader-unbounded",
        "what waits for a client that does not read grows without a bound",
        Some("BEHAVIOUR 7.17");
    ConnectionCounterLeak = "connection-counter-leak",
        "a connection that ends before its handshake is done is counted for ever",
        Some("its source");
    HandshakeKeptForEver = "handshake-kept-for-ever",
        "a connection may take for ever to shake hands",
        Some("PROTOCOL 1");
    ResendKeepsDoubles = "resend-keeps-doubles",
        "a link that is up again says once more what had arrived and not been acknowledged, and the \
         other end takes it",
        None;
    StarInName = "star-in-name",
        "names may hold `*`, and a private message goes to whoever has the same `name*room`",
        Some("BEHAVIOUR 3.9");
    DeadSession = "dead-session",
        "a client that sends what is no message is not answered any more, and not cut off either",
        Some("PROTOCOL 5.3");
    AnswerBeforePushIsSafe = "answer-before-push-is-safe",
        "a message is answered with success when it is on its way, not when it has arrived",
        Some("BEHAVIOUR 1.5, 6.3");
    OwnMembersFirst = "own-members-first",
        "a connector hands a message to its own members of the room before the room's chat server has \
         put it in its place",
        None;
    KickedLingers = "kicked-lingers",
        "a session that is kicked stays in its room until its client has hung up",
        None;
    LeaseIgnored = "lease-ignored",
        "a connector keeps its sessions in their rooms though their chat server has given them up",
        None;
    NeverDialledAgain = "never-dialled-again",
        "a connector that could not reach a chat server for a lease does not try any more",
        None;
    LeftStaysListed = "left-stays-listed",
        "who left stays on the room's list until somebody else comes or goes",
        None;
}

impl Flaw {
    /// What users call it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// What goes wrong, in a sentence without its full stop.
    pub fn about(self) -> &'static str {
        Self::ABOUT[self as usize]
    }

    /// The paragraphs that describe what was observed of it; `None` if the original does not have it,
    /// though clusters like it may.
    pub fn paragraphs(self) -> Option<&'static str> {
        Self::PARAGRAPHS[self as usize]
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

const _: () = assert!(Flaw::ALL.len() <= u32::BITS as usize);

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// No flaw is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no flaw is called `{name}`{}", did_you_mean(*nearest))]
pub struct UnknownFlaw {
    name: String,
    nearest: Option<&'static str>,
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| {
        format!("; did you mean `{nearest}`?")
    })
}

impl FromStr for Flaw {
    type Err = UnknownFlaw;

    fn from_str(name: &str) -> Result<Self, UnknownFlaw> {
        let known = Self::ALL.iter().find(|flaw| flaw.name() == name);
        known.copied().ok_or_else(|| UnknownFlaw {
            name: name.to_owned(),
            nearest: nearest(name, Self::NAMES),
        })
    }
}

/// A set of flaws. In files it is the list of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Flaw>", into = "Vec<Flaw>")]
pub struct Policy(u32);

impl Policy {
    /// Without any.
    pub const fn hardened() -> Self {
        Self(0)
    }

    /// Those of the original.
    pub fn pomelo() -> Self {
        let flaws = Flaw::ALL.iter().copied();
        flaws.filter(|flaw| flaw.paragraphs().is_some()).collect()
    }

    /// Whether it has this one.
    pub const fn has(self, flaw: Flaw) -> bool {
        self.0 & flaw.bit() != 0
    }

    /// Whether it has one of these.
    pub const fn has_any(self, these: Self) -> bool {
        self.0 & these.0 != 0
    }

    /// The same with this one.
    #[must_use]
    pub const fn with(self, flaw: Flaw) -> Self {
        Self(self.0 | flaw.bit())
    }

    /// The same without this one.
    #[must_use]
    pub const fn without(self, flaw: Flaw) -> Self {
        Self(self.0 & !flaw.bit())
    }

    /// Its flaws, in the order of [`Flaw::ALL`].
    pub fn flaws(self) -> impl Iterator<Item = Flaw> {
        let all = Flaw::ALL.iter().copied();
        all.filter(move |flaw| self.has(*flaw))
    }
}

impl FromIterator<Flaw> for Policy {
    fn from_iter<I: IntoIterator<Item = Flaw>>(flaws: I) -> Self {
        let hardened = Self::hardened();
        flaws
            .into_iter()
            .fold(hardened, |policy, flaw| policy.with(flaw))
    }
}

impl From<Vec<Flaw>> for Policy {
    fn from(flaws: Vec<Flaw>) -> Self {
        flaws.into_iter().collect()
    }
}

impl From<Policy> for Vec<Flaw> {
    fn from(policy: Policy) -> Self {
        policy.flaws().collect()
    }
}

/// `hardened`, `pomelo`, or the names of its flaws.
impl fmt::Display for Policy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::hardened() {
            return out.write_str("hardened");
        }
        if *self == Self::pomelo() {
            return out.write_str("pomelo");
        }
        let names: Vec<&str> = self.flaws().map(Flaw::name).collect();
        out.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_is_found_by_its_name_and_a_slip_of_the_pen_is_answered_with_it() {
        for flaw in Flaw::ALL {
            assert_eq!(flaw.name().parse(), Ok(*flaw));
        }
        let said = |name: &str| name.parse::<Flaw>().unwrap_err().to_string();
        assert_eq!(
            said("kick-los"),
            "no flaw is called `kick-los`; did you mean `kick-lost`?"
        );
        assert_eq!(said("nope"), "no flaw is called `nope`");
    }

    #[test]
    fn a_policy_has_what_was_added_and_not_taken_away() {
        let policy = Policy::hardened()
            .with(Flaw::KickLost)
            .with(Flaw::StarInName)
            .without(Flaw::KickLost);
        assert!(policy.has(Flaw::StarInName));
        assert!(!policy.has(Flaw::KickLost));
        assert_eq!(Vec::from(policy), [Flaw::StarInName]);
        assert_eq!(Policy::default(), Policy::hardened());
    }

    #[test]
    fn the_originals_flaws_are_those_that_were_observed() {
        let pomelo = Policy::pomelo();
        assert!(pomelo.has(Flaw::DuplicateLoginAcrossConnectors));
        // BEHAVIOUR 5.2: 20 of 20 sessions that closed while they entered left no ghost.
        assert!(!pomelo.has(Flaw::GhostAfterCloseWhileEntering));
    }

    #[test]
    fn a_policy_is_written_as_the_list_of_its_flaws_and_read_back() -> serde_json::Result<()> {
        let policy = Policy::hardened()
            .with(Flaw::RequestHangs)
            .with(Flaw::KickLost);
        let text = serde_json::to_string(&policy)?;
        assert_eq!(text, r#"["kick-lost","request-hangs"]"#);
        assert_eq!(serde_json::from_str::<Policy>(&text)?, policy);
        assert_eq!(policy.to_string(), "kick-lost, request-hangs");
        assert_eq!(Policy::hardened().to_string(), "hardened");
        assert_eq!(Policy::pomelo().to_string(), "pomelo");
        Ok(())
    }
}
