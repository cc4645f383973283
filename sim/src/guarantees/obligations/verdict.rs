//! What can be said of one message and one stay.

use std::fmt;

/// What is known of one message and one stay before it is looked whether it was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It must be heard.
    Must,
    /// It may be heard or not.
    May(Doubt),
    /// It must not be heard.
    MustNot(Ban),
}

/// Why nothing can be demanded of a message and a stay. Of several reasons the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// The send was never answered.
    Unanswered,
    /// The send was answered with an error, which does not undo it.
    Refused,
    /// The sender was between two rooms, and it never came out into which it spoke.
    SenderSwitching,
    /// The receiver was entering.
    Entering,
    /// The receiver asked for another room before the message had come for certain.
    Switching,
    /// The receiver went, as too soon.
    Left,
    /// The receiver lost its connection, as too soon.
    CutOff,
    /// The receiver went silent, as too soon.
    Vanished,
    /// The receiver did not read, or took only some bytes a second.
    Deaf,
    /// The run ended, as too soon.
    Over,
    /// A server on the receiver's way was down.
    Down,
    /// A way between two hosts on the receiver's way was cut, held or reset.
    Cut,
    /// A server on the receiver's way stood still.
    Paused,
}

/// Completes "may, since".
impl fmt::Display for Doubt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Unanswered => "the send was never answered",
            Self::Refused => "the send was answered with an error",
            Self::SenderSwitching => "the sender was between two rooms",
            Self::Entering => "the receiver was entering",
            Self::Switching => "the receiver was leaving for another room",
            Self::Left => "the receiver went",
            Self::CutOff => "the receiver lost its connection",
            Self::Vanished => "the receiver went silent",
            Self::Deaf => "the receiver did not read",
            Self::Over => "the run was over",
            Self::Down => "a server on the way was down",
            Self::Cut => "the way was cut, held or reset",
            Self::Paused => "a server on the way stood still",
        })
    }
}

/// Why a message must not be heard in a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ban {
    /// It was sent to no room, or to another.
    OtherRoom,
    /// It is for another name.
    Private,
    /// The stay was over when it was sent.
    Over,
    /// The stay was asked for after the message had had its effect.
    Later,
}
