//! What happened, in words.

use std::time::Duration;

use loadgen::history::{Target, What};

use crate::fault::{Fault, Planned};
use crate::guarantees::Guarantee;

/// As many names of one list are told.
const NAMES_MAX: usize = 8;

/// Whether the user did it, and not the cluster to the user.
pub fn is_deed(what: &What) -> bool {
    matches!(
        what,
        What::Login { .. }
            | What::Entering { .. }
            | What::Sending { .. }
            | What::Unsent { .. }
            | What::Leaving { .. }
            | What::Vanished
            | What::Deaf
    )
}

/// Whether it is of a session's life, and not of what is said in a room.
pub fn is_of_life(what: &What) -> bool {
    !matches!(
        what,
        What::Sending { .. }
            | What::Unsent { .. }
            | What::Answered { .. }
            | What::Heard { .. }
            | What::Added { .. }
            | What::Left { .. }
    )
}

/// What a user did or saw; completes the user's name.
pub fn told(what: &What) -> String {
    match what {
        What::Login { .. } => String::from("logs in: asks the gate for a connector"),
        What::Located { connector } => format!("is sent to {connector}"),
        What::Connected => String::from("has shaken hands with its connector"),
        What::Entering { name, room } => format!("asks to enter {room} as {name}"),
        What::Entered { users } => {
            let are = if users.len() > 1 { "are" } else { "is" };
            format!("is let in; there {are} {}", list(users))
        }
        What::Refused { duplicate: true } => String::from("is not let in: the name is taken"),
        What::Refused { duplicate: false } => String::from("is not let in: an error"),
        What::Sending {
            message,
            target: Target::Room,
            ..
        } => format!("sends {message} to its room"),
        What::Sending {
            message,
            target: Target::User(name),
            ..
        } => format!("sends {message} to {name} alone"),
        What::Unsent { .. } => String::from("would send, but is in no room"),
        What::Answered { message, ok: true } => format!("is told that {message} succeeded"),
        What::Answered { message, ok: false } => format!("is told that {message} failed"),
        What::Heard {
            message,
            from,
            target,
        } => {
            let message = message.map_or(String::from("something"), |it| it.to_string());
            let privately = match target {
                Target::Room => String::new(),
                Target::User(name) => format!(" (private, to {name})"),
            };
            format!("hears {message} from {from}{privately}")
        }
        What::Added { name } => format!("is told that {name} came"),
        What::Left { name } => format!("is told that {name} went"),
        What::Unasked { id } => format!("gets an answer to request {id}, which is not open"),
        What::Strange { route } => format!("is pushed {route}, which means nothing"),
        What::Leaving { .. } => String::from("leaves: closes its connection"),
        What::Vanished => String::from("goes silent without a goodbye"),
        What::Deaf => String::from("stops reading"),
        What::Kicked { reason } => format!("is kicked: {reason}"),
        What::Closed { reason } => format!("loses its connection: {reason}"),
        What::LoginFailed { reason } => format!("can't log in: {reason}"),
    }
}

/// The same for a label.
pub fn label(what: &What) -> String {
    match what {
        What::Login { .. } => String::from("logs in"),
        What::Located { .. } => String::from("located"),
        What::Connected => String::from("connected"),
        What::Entering { room, .. } => format!("enter {room}"),
        What::Entered { users } => format!("entered ({})", users.len()),
        What::Refused { duplicate: true } => String::from("refused: taken"),
        What::Refused { duplicate: false } => String::from("refused"),
        What::Sending { message, .. } => format!("sends {message}"),
        What::Unsent { .. } => String::from("unsent"),
        What::Answered { message, ok: true } => format!("{message} ok"),
        What::Answered { message, ok: false } => format!("{message} failed"),
        What::Heard { message, from, .. } => {
            let message = message.map_or_else(|| from.clone(), |it| it.to_string());
            format!("hears {message}")
        }
        What::Added { name } => format!("+ {name}"),
        What::Left { name } => format!("− {name}"),
        What::Unasked { id } => format!("unasked answer {id}"),
        What::Strange { route } => format!("strange {route}"),
        What::Leaving { .. } => String::from("leaves"),
        What::Vanished => String::from("goes silent"),
        What::Deaf => String::from("stops reading"),
        What::Kicked { .. } => String::from("kicked"),
        What::Closed { .. } => String::from("connection lost"),
        What::LoginFailed { .. } => String::from("login failed"),
    }
}

/// Names in a row; of many the first.
pub fn list(names: &[String]) -> String {
    match names.len() {
        0 => String::from("nobody"),
        len if len > NAMES_MAX => format!(
            "{} and {} more",
            names[..NAMES_MAX].join(", "),
            len - NAMES_MAX
        ),
        _ => names.join(", "),
    }
}

/// What a fault does, as a sentence without its stop.
pub fn fault(planned: &Planned) -> String {
    match &planned.fault {
        Fault::Crash {
            host,
            goodbye: true,
        } => {
            format!("the process on {host} dies; its peers read the end of their streams")
        }
        Fault::Crash {
            host,
            goodbye: false,
        } => {
            format!("{host} loses power; its peers are not told")
        }
        Fault::Stop { host } => format!("{host} is asked to stop, says goodbye and ends"),
        Fault::Restart { host } => format!("{host} starts again, without memory"),
        Fault::Pause { host } => format!("{host} stands still; its sockets stay open"),
        Fault::Resume { host } => format!("{host} goes on"),
        Fault::Hold { a, b } => format!("what {a} and {b} send to each other waits"),
        Fault::Release { a, b } => format!("what waited between {a} and {b} is delivered"),
        Fault::Partition { a, b } => {
            format!(
                "the way between {a} and {b} is cut: what they send is lost, and neither is told"
            )
        }
        Fault::PartitionOneway { from, to } => format!("what {from} sends to {to} is lost"),
        Fault::Repair { a, b } => {
            format!("the way between {a} and {b} carries again; what was lost stays lost")
        }
        Fault::Latency { a, b, latency } => {
            format!("the way between {a} and {b} takes {latency:?} from now on")
        }
        Fault::Reset { a, b } => format!("every connection between {a} and {b} is reset"),
        Fault::Slow { host, delay } => {
            format!("{host} is slow: it gets to what it is woken for only after {delay:?}")
        }
        Fault::Quick { host } => format!("{host} is as quick as ever"),
        Fault::Throttle { user, bytes_per_s } => {
            format!("user {user} takes no more than {bytes_per_s} bytes a second")
        }
        Fault::Unthrottle { user } => format!("user {user} takes what comes"),
    }
}

/// What a fault is called in the diagram.
pub fn fault_label(planned: &Planned) -> String {
    let text = planned.fault.to_string();
    let name = text.split_whitespace().next().unwrap_or_default();
    match &planned.fault {
        Fault::Latency { latency, .. } => format!("{name} {latency:?}"),
        Fault::PartitionOneway { from, .. } => format!("lost from {from}"),
        _ => name.to_owned(),
    }
}

/// What should have been instead of a broken promise.
pub fn instead(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::Isolation => {
            "A session hears what is said in the room that it is in, from when its enter was answered \
             until it leaves, and private messages to its name there. This one saw something else: it \
             should never have been sent to it."
        }
        Guarantee::NoDuplicates => {
            "However often a link breaks and sends again, the receiving end drops what it has seen: the \
             second copy should have been dropped, or never been made."
        }
        Guarantee::OneOrder => {
            "One chat server owns the room and puts its events in one order. Every member should have \
             seen them in that order, though each may have missed some."
        }
        Guarantee::Delivered => {
            "A success answer means that every connector with members in the room has the message. So each \
             member who was there before it was sent, and who stayed, should have heard it; if the cluster \
             could not keep that, it should have answered with an error, or closed that member's session."
        }
        Guarantee::Membership => {
            "A while after the last fault was healed the list of a room should be the set of its live \
             sessions: a session that went is taken out of it, and one that lives is in it."
        }
        Guarantee::OneLogin => {
            "The chat server that owns a room lets a name in once. The second enter should have been \
             refused, or should have replaced the first session, which is kicked then."
        }
        Guarantee::TrueNotices => {
            "Members should be told once of everybody who came and once of everybody who went, so that \
             the list that they were given and the notices since add up to who is there."
        }
        Guarantee::Answered => {
            "A request should have been answered once, with success or a clear error, before its deadline, \
             or its connection should have been closed."
        }
        Guarantee::Bounded => {
            "What waits for a client or a link should have stayed within its bound: a client that does not \
             read is kicked, a link that falls too far behind is cut off."
        }
        Guarantee::Liveness => {
            "A while after the last fault was healed everybody who wants should be in a room, new users \
             should be let in, and what they say should be answered with success."
        }
        Guarantee::Clean => {
            "When all users have gone, no server should hold anything of them: no session, no member, \
             nothing that waits to be sent."
        }
        Guarantee::BadInput => {
            "Bytes that make no sense should be refused at the door: with an error or a closed connection, \
             without a trace in any room and without harm to the server."
        }
        Guarantee::NoFalseKill => {
            "A client whose heartbeats came in time, and whom no fault concerns, should have kept its \
             connection."
        }
    }
}

/// A span of time, short.
pub fn span(time: Duration) -> String {
    match time.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        ms => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}
