//! The story in words: what happened to those whom a broken promise concerns, in the order of time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loadgen::history::{Event, MessageId, Target, What};

use super::wires::host_in;
use super::{Explained, trouble, way, words};
use crate::clock::clock;
use crate::fault::Planned;

pub use marks::{about, marks};

mod marks;

/// Longer times between two sentences are filled with what is said meanwhile.
const PAUSE: Duration = Duration::from_millis(800);
/// A login that comes to nothing so soon is told at once.
const AT_ONCE: Duration = Duration::from_secs(1);
/// As many sentences are told, the last ones.
const SENTENCES_MAX: usize = 120;

/// One thing that happened.
pub struct Sentence {
    /// When.
    pub at: Duration,
    /// What kind of thing.
    pub kind: Kind,
    /// In words.
    pub text: String,
}

/// What kind of thing happened; in the order of what happens at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A fault began or ended.
    Fault,
    /// A server took a rare path.
    Mark,
    /// A user did or saw something.
    User,
    /// A message went on its way.
    Way,
    /// A message went on its way and did not arrive.
    Lost,
    /// What was said meanwhile.
    Meanwhile,
    /// The promise was seen to be broken.
    Wrong,
}

impl Kind {
    /// Its name, which is its class in the page too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Mark => "server",
            Self::User => "user",
            Self::Way => "way",
            Self::Lost => "lost",
            Self::Meanwhile => "meanwhile",
            Self::Wrong => "broken",
        }
    }
}

/// The story, and how many sentences of it are left out at its beginning.
pub fn tell(explained: &Explained) -> (Vec<Sentence>, usize) {
    let mut sentences = faults(explained);
    sentences.extend(
        marks(explained)
            .into_iter()
            .map(|group| marks::told(&group)),
    );
    sentences.extend(users(explained));
    sentences.extend(repeats(explained));
    for message in &explained.focus.messages {
        sentences.extend(way(explained, *message));
        sentences.extend(reach(explained, *message));
    }
    sentences.sort_by_key(|sentence| (sentence.at, sentence.kind));
    let left_out = sentences.len().saturating_sub(SENTENCES_MAX);
    sentences.drain(..left_out);
    fill_pauses(explained, &mut sentences);
    let wrong = Sentence {
        at: explained.focus.at,
        kind: Kind::Wrong,
        text: format!("{}: {}", explained.title(), explained.wrong()),
    };
    let place = sentences.partition_point(|it| (it.at, it.kind) <= (wrong.at, wrong.kind));
    sentences.insert(place, wrong);
    (sentences, left_out + explained.focus.left_out)
}

fn faults(explained: &Explained) -> Vec<Sentence> {
    let shown: Vec<_> = explained.troubles_shown().cloned().collect();
    let mut sentences = Vec::new();
    for group in trouble::grouped(&shown) {
        let (first, last) = (group[0], group[group.len() - 1]);
        let what = words::fault(&first.planned);
        let until = clock(last.until);
        let text = match group.len() {
            _ if first.until == first.planned.at => format!("{what}."),
            1 => format!(
                "{what} (for {}, until {until}).",
                words::span(last.until - first.planned.at)
            ),
            count => format!("{what} ({count} times, until {until})."),
        };
        let mut add = |at, text: &str| {
            sentences.push(Sentence {
                at,
                kind: Kind::Fault,
                text: capitalised(text),
            });
        };
        add(first.planned.at, &text);
        let heal = last.planned.fault.heal();
        if let Some(heal) = heal.filter(|_| explained.is_shown(last.until)) {
            let what = words::fault(&Planned::new(last.until, heal));
            add(last.until, &format!("{what}."));
        }
    }
    sentences
}

fn users(explained: &Explained) -> Vec<Sentence> {
    let history = &explained.record.history;
    let shown = history
        .iter()
        .enumerate()
        .filter(|(_, event)| explained.is_shown(event.at) && explained.focus.is_moment(event));
    // Logins that came to nothing at once.
    let mut failed = BTreeSet::new();
    let mut sentences = Vec::new();
    for (index, event) in shown {
        let login = (event.user, event.login);
        let who = explained.session(event.user, event.login);
        let text = match &event.what {
            What::Login { .. } => {
                let later = of_session(&history[index..], event);
                let end = failure(later.clone());
                failed.extend(end.map(|_| login));
                format!("{who} logs in{}.", how(later, end))
            }
            // Told with the login.
            What::Located { .. } | What::Connected => continue,
            What::Entering { .. } if is_first_enter(&history[..index], event) => continue,
            What::Refused { .. } | What::LoginFailed { .. } | What::Leaving { .. }
                if failed.contains(&login) =>
            {
                continue;
            }
            What::Sending {
                message, target, ..
            } => {
                let to = match target {
                    Target::Room => "everybody in its room".to_owned(),
                    Target::User(name) => format!("{name} alone"),
                };
                format!("{who} sends message {message} to {to}.")
            }
            What::Answered { message, ok: true } => format!(
                "{who} is told that {message} succeeded: from now on the cluster owes it to every member."
            ),
            what => format!("{who} {}.", words::told(what)),
        };
        sentences.push(Sentence {
            at: event.at,
            kind: Kind::User,
            text,
        });
    }
    sentences
}

/// The events of the session of `first`, itself included.
fn of_session<'a>(later: &'a [Event], first: &'a Event) -> impl Iterator<Item = &'a Event> + Clone {
    let login = (first.user, first.login);
    later.iter().filter(move |it| (it.user, it.login) == login)
}

/// How a login came to nothing, if it did at once.
fn failure<'a>(session: impl Iterator<Item = &'a Event>) -> Option<&'a Event> {
    let mut began_at = None;
    for event in session {
        let began_at = *began_at.get_or_insert(event.at);
        match event.what {
            What::Refused { .. } | What::LoginFailed { .. } => {
                return (event.at < began_at + AT_ONCE).then_some(event);
            }
            What::Entered { .. } => return None,
            _ => {}
        }
    }
    None
}

fn repeats(explained: &Explained) -> Vec<Sentence> {
    let shown = explained.focus.repeats.iter();
    let shown = shown.filter(|repeat| explained.is_shown(repeat.from));
    let sentences = shown.map(|repeat| {
        let (user, logins) = (repeat.user, &repeat.logins);
        let name = explained.name(user);
        let until = clock(repeat.until);
        let end = words::told(&repeat.end);
        let text = match logins.clone().count() {
            1 => format!("{} tries again, and {end}.", explained.session(user, *logins.start())),
            count => format!(
                "{name} tries again {count} times (u{user}.{} to u{user}.{}, until {until}), and {end} each time.",
                logins.start(),
                logins.end()
            ),
        };
        Sentence {
            at: repeat.from,
            kind: Kind::User,
            text,
        }
    });
    sentences.collect()
}

/// How a message went from server to server.
fn way(explained: &Explained, message: MessageId) -> Vec<Sentence> {
    let steps = way::first_steps(explained, message);
    let steps = steps
        .into_iter()
        .map(|step| &explained.wires.messages[step]);
    let sentences = steps.enumerate().map(|(number, step)| {
        let arrival = match step.read_at {
            Some(at) => format!("it is read {} later", words::span(at - step.sent_at)),
            None => String::from("it is never read"),
        };
        let (from, to) = (&step.from, &step.to);
        let text = match number {
            0 => format!("{message} goes to {to}, where {arrival}."),
            _ => format!("{from} passes {message} on to {to}, where {arrival}."),
        };
        Sentence {
            at: step.sent_at,
            kind: if step.read_at.is_some() {
                Kind::Way
            } else {
                Kind::Lost
            },
            text,
        }
    });
    sentences.filter(|it| explained.is_shown(it.at)).collect()
}

/// Through which connector, into which room, and to what end if that came at once.
fn how<'a>(session: impl Iterator<Item = &'a Event>, end: Option<&Event>) -> String {
    let mut told = String::new();
    for event in session {
        match &event.what {
            What::Located { connector } => told += &format!(" through {}", host_in(connector)),
            What::Entering { name, room } => {
                told += &format!(" and asks to enter {room} as {name}");
                break;
            }
            What::Login { .. } | What::Connected => {}
            _ => break,
        }
    }
    if let Some(end) = end {
        told += &format!("; {} ({})", words::told(&end.what), clock(end.at));
    }
    told
}

fn is_first_enter(before: &[Event], enter: &Event) -> bool {
    let mut same = before
        .iter()
        .rev()
        .filter(|it| (it.user, it.login) == (enter.user, enter.login));
    let connected = same.next().is_some_and(|it| it.what == What::Connected);
    connected && same.any(|it| matches!(it.what, What::Login { .. }))
}

/// Who else heard a message.
fn reach(explained: &Explained, message: MessageId) -> Option<Sentence> {
    let heard = explained.record.history.iter().filter(|event| {
        let is_it = matches!(event.what, What::Heard { message: Some(it), .. } if it == message);
        is_it && !explained.focus.users.contains(&event.user)
    });
    let times: Vec<_> = heard.map(|event| event.at).collect();
    let at = times.iter().max().filter(|at| explained.is_shown(**at))?;
    let others = match times.len() {
        1 => String::from("one other session"),
        count => format!("{count} other sessions"),
    };
    Some(Sentence {
        at: *at,
        kind: Kind::User,
        text: format!("{message} has been heard by {others}."),
    })
}

/// Between sentences that are far apart, how much the users concerned said and heard.
fn fill_pauses(explained: &Explained, sentences: &mut Vec<Sentence>) {
    let mut filled = Vec::new();
    let mut before: Option<Duration> = None;
    for sentence in sentences.drain(..) {
        if let Some(from) = before.filter(|from| sentence.at - *from > PAUSE)
            && let Some(text) = said_between(explained, from, sentence.at)
        {
            filled.push(Sentence {
                at: from,
                kind: Kind::Meanwhile,
                text,
            });
        }
        before = Some(sentence.at);
        filled.push(sentence);
    }
    *sentences = filled;
}

fn said_between(explained: &Explained, from: Duration, until: Duration) -> Option<String> {
    let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    let history = explained.record.history.iter();
    for event in history.filter(|event| event.at > from && event.at < until) {
        if explained.focus.users.contains(&event.user) {
            let (sent, heard) = counts.entry(event.user).or_default();
            match event.what {
                What::Sending { .. } => *sent += 1,
                What::Heard { .. } => *heard += 1,
                _ => {}
            }
        }
    }
    let told = counts.iter().filter(|(_, counts)| **counts != (0, 0));
    let told: Vec<_> = told
        .map(|(user, (sent, heard))| {
            let name = explained.name(*user);
            let sent = match sent {
                0 => String::from("nothing"),
                1 => String::from("one message"),
                count => format!("{count} messages"),
            };
            format!("{name} sends {sent} and hears {heard}")
        })
        .collect();
    let time = words::span(until - from);
    (!told.is_empty()).then(|| format!("In the next {time} {}.", told.join(", ")))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    // The names of servers are no words.
    match letters.next() {
        Some(first)
            if text.starts_with("what ")
                || text.starts_with("the ")
                || text.starts_with("every ") =>
        {
            first.to_uppercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
