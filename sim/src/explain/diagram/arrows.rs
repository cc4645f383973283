//! Which messages are drawn: those of the users concerned, those that carried a message that is
//! named, and of the rest between the servers what is near to something that matters.

use std::time::Duration;

use super::Lane;
use crate::explain::scale::Scale;
use crate::explain::wires::Message;
use crate::explain::{Explained, way};
use crate::guarantees::Guarantee;

/// As many are drawn.
const ARROWS_MAX: usize = 3000;
/// What servers say to each other is drawn so near to a moment; it is of all users.
const NEAR_SERVERS: Duration = Duration::from_millis(30);
/// What users and servers say to each other.
const NEAR_USERS: Duration = Duration::from_millis(150);

/// Those that are drawn.
pub struct Arrows<'a> {
    /// In the order of drawing: what matters last, so that it is on top.
    pub drawn: Vec<Arrow<'a>>,
    left_out: usize,
}

/// A message between two lanes.
pub struct Arrow<'a> {
    /// The number of the lane that it is from.
    pub from: usize,
    /// Of the lane that it is for.
    pub to: usize,
    /// The message.
    pub message: &'a Message,
    /// What it is to the story.
    pub kind: Kind,
}

/// What a message is to the story; what matters most last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Between servers.
    Servers,
    /// From or to a user concerned.
    User,
    /// It carried a message that is named, by its times.
    Way,
    /// It brought what should not have been.
    Offending,
}

impl Kind {
    /// Its class in the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Servers => "servers",
            Self::User => "users",
            Self::Way => "way",
            Self::Offending => "offending",
        }
    }
}

impl Arrows<'_> {
    /// What is drawn and what is not, in words.
    pub fn note(&self) -> String {
        let left_out = match self.left_out {
            0 => String::from("All that passed between these lanes in this time is drawn."),
            1 => String::from(
                "One message between these lanes, far from all that matters, is left out.",
            ),
            count => format!(
                "{count} more between these lanes, far from all that matters (such as heartbeats), are left out."
            ),
        };
        format!("{} messages are drawn. {left_out}", self.drawn.len())
    }
}

/// Chooses them.
pub fn choose<'a>(explained: &'a Explained, scale: &Scale, lanes: &[Lane]) -> Arrows<'a> {
    let way = way::all(explained);
    let is_missing = explained
        .violation
        .is_some_and(|violation| violation.guarantee == Guarantee::Delivered);
    let offending = way::offending(explained).filter(|_| !is_missing);
    let users = explained.wires.users();
    let lane_of = |host: &str, connection: u32| {
        lanes.iter().position(|lane| match lane {
            Lane::Host(id) => id == host,
            Lane::User(user) => {
                let home = explained.record.user_hosts.get(user);
                home.is_some_and(|home| home == host) && users.get(&connection) == Some(user)
            }
        })
    };
    let mut left_out = 0;
    let mut drawn = Vec::new();
    let shown = explained.wires.messages.iter().enumerate();
    for (index, message) in shown.filter(|(_, message)| explained.is_shown(message.sent_at)) {
        let connection = message.connection;
        let ends = [&message.from, &message.to].map(|host| lane_of(host, connection));
        let [Some(from), Some(to)] = ends else {
            continue;
        };
        let of_user = [from, to]
            .iter()
            .any(|lane| matches!(lanes[*lane], Lane::User(_)));
        let distance = scale.distance(message.sent_at);
        let (kind, near) = match of_user {
            _ if offending == Some(index) => (Kind::Offending, Duration::MAX),
            _ if way.contains(&index) => (Kind::Way, Duration::MAX),
            true => (Kind::User, NEAR_USERS),
            false => (Kind::Servers, NEAR_SERVERS),
        };
        if distance <= near {
            drawn.push(Arrow {
                from,
                to,
                message,
                kind,
            });
        } else {
            left_out += 1;
        }
    }
    // The nearest to the broken promise, if there are too many.
    let far = |arrow: &Arrow| arrow.message.sent_at.abs_diff(explained.focus.at);
    drawn.sort_by_key(|arrow| (std::cmp::Reverse(arrow.kind), far(arrow)));
    left_out += drawn.len().saturating_sub(ARROWS_MAX);
    drawn.truncate(ARROWS_MAX);
    drawn.sort_by_key(|arrow| (arrow.kind, arrow.message.sent_at));
    Arrows { drawn, left_out }
}
