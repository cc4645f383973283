//! The verdicts against a second opinion: small stories of three users, told by a [`town`] that
//! knows, millisecond by millisecond, who was in which room and whom each message reached.

use std::collections::{BTreeMap, BTreeSet};

use loadgen::history::{Event, MessageId, Target, What};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::{Obligations, Verdict};
use crate::guarantees::story::{ms, name};
use crate::guarantees::view::View;
use crate::guarantees::{delivered, isolation};
use crate::record::Record;
use town::{Told, tell};

mod town;

const STORIES: u64 = 300;
/// Fewer, where each millisecond is looked at.
const STORIES_SLOW: u64 = 40;

/// One login of one user.
type Login = (u32, u32);

#[test]
fn what_must_be_was_and_what_must_not_be_was_not() {
    let mut seen = BTreeMap::new();
    for seed in 0..STORIES {
        let Told { record, reached } = tell(seed);
        let view = View::new(&record);
        Obligations::of(&view).each(|pair| {
            let login = (pair.session.user, pair.session.login);
            let came = reached.contains(&(pair.message, login));
            let what = format!("story {seed}: {} and {}", pair.message, pair.session);
            match pair.verdict {
                Verdict::Must => assert!(came && pair.heard, "{what}"),
                Verdict::May(_) => {}
                Verdict::MustNot(_) => assert!(!pair.heard, "{what}: {:?}", pair.verdict),
            }
            *seen.entry(format!("{:?}", pair.verdict)).or_insert(0) += 1;
        });
        assert_eq!(delivered::check(&view), [], "story {seed}");
        assert_eq!(isolation::check(&view), [], "story {seed}");
    }
    for verdict in [
        "Must",
        "May(Unanswered)",
        "May(Refused)",
        "May(Entering)",
        "May(Switching)",
        "May(Left)",
        "May(CutOff)",
        "May(Vanished)",
        "May(Deaf)",
        "May(Cut)",
        "MustNot(Private)",
        "MustNot(Over)",
        "MustNot(Later)",
    ] {
        assert!(
            seen.contains_key(verdict),
            "no story has {verdict}: {seen:?}"
        );
    }
}

#[test]
fn what_is_certain_from_one_millisecond_to_the_next_is_certain() {
    for seed in 0..STORIES_SLOW {
        let Told { record, .. } = tell(seed);
        let places = Places::of(&record);
        let view = View::new(&record);
        let one_way = view.bounds.one_way().as_millis();
        let is_quiet = record.faults.is_empty();
        let (mut sure, mut must) = (BTreeSet::new(), BTreeSet::new());
        Obligations::of(&view).each(|pair| {
            let (Some(place), Some(accepted_at)) = (pair.sent.place(), pair.sent.accepted_at())
            else {
                return;
            };
            let login = (pair.session.user, pair.session.login);
            let is_meant = match pair.sent.target {
                Target::Room => true,
                Target::User(target) => *target == name(login.0),
            };
            let (from, until) = (pair.sent.at.as_millis(), accepted_at.as_millis());
            let mut whole = from..=until + one_way;
            if is_quiet && is_meant && whole.all(|at| places.is_sure(at, login, place.room)) {
                sure.insert((pair.message, login));
            }
            if pair.verdict == Verdict::Must {
                must.insert((pair.message, login));
            }
            let mut effective = from..=until;
            if !is_meant || !effective.any(|at| places.is_possible(at, login, place.room)) {
                let what = format!("story {seed}: {} and {}", pair.message, pair.session);
                assert!(matches!(pair.verdict, Verdict::MustNot(_)), "{what}");
            }
        });
        let doubted: Vec<_> = sure.difference(&must).collect();
        assert_eq!(doubted, [] as [&(MessageId, Login); 0], "story {seed}");
    }
}

#[test]
fn a_delivery_that_is_missing_or_too_many_is_found() {
    for seed in 0..STORIES {
        let Told { record, .. } = tell(seed);
        let view = View::new(&record);
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut must, mut must_not) = (Vec::new(), Vec::new());
        Obligations::of(&view).each(|pair| {
            let login = (pair.session.user, pair.session.login);
            match pair.verdict {
                Verdict::Must => must.push((pair.message, login)),
                Verdict::May(_) => {}
                Verdict::MustNot(_) => must_not.push((pair.message, login, pair.stay.since)),
            }
        });
        for (message, sent) in &view.messages.sent {
            let is_there = |room| sent.places.iter().any(|place| place.room == room);
            for session in &view.sessions {
                let elsewhere = session.stays.iter().filter(|stay| !is_there(stay.room));
                let login = (session.user, session.login);
                must_not.extend(elsewhere.map(|stay| (*message, login, stay.since)));
            }
        }
        if let Some((message, login)) = must.choose(&mut rng) {
            let mut less = record.clone();
            less.history
                .retain(|event| !is_heard(event, *message, *login));
            let found = delivered::check(&View::new(&less));
            assert!(!found.is_empty(), "story {seed}: {message} to {login:?}");
        }
        if let Some((message, login, since)) = must_not.choose(&mut rng) {
            let mut more = record.clone();
            let entered = |event: &Event| {
                (event.user, event.login) == *login
                    && event.at == *since
                    && matches!(event.what, What::Entered { .. })
            };
            let behind = 1 + more.history.iter().position(entered).unwrap();
            let sent = &view.messages.sent[message];
            let heard = Event {
                what: What::Heard {
                    message: Some(*message),
                    from: name(message.user),
                    target: sent.target.clone(),
                },
                ..more.history[behind - 1].clone()
            };
            more.history.insert(behind, heard);
            let found = isolation::check(&View::new(&more));
            assert!(!found.is_empty(), "story {seed}: {message} to {login:?}");
        }
    }
}

fn is_heard(event: &Event, message: MessageId, login: Login) -> bool {
    let is_it = matches!(&event.what, What::Heard { message: Some(it), .. } if *it == message);
    is_it && (event.user, event.login) == login
}

/// Who is in which room, by millisecond.
type Sets = BTreeMap<u128, BTreeSet<(Login, String)>>;

/// Where each login is, as its user knows it. In a millisecond in which something happens that is
/// sure which was before and is after, and possible what was before or is after.
struct Places {
    sure: Sets,
    possible: Sets,
}

/// What one user knows of one login.
#[derive(Clone, Default)]
struct Known {
    room: Option<String>,
    asked: Vec<String>,
    is_over: bool,
    is_deaf: bool,
}

impl Places {
    fn of(record: &Record) -> Self {
        let mut known: BTreeMap<Login, Known> = BTreeMap::new();
        let mut events = record.history.iter().peekable();
        let (mut sure, mut possible) = (Sets::new(), Sets::new());
        for at in 0..town::ENDS_AT + 200 {
            let before = known.clone();
            while let Some(event) = events.next_if(|event| event.at <= ms(at)) {
                let login = (event.user, event.login);
                known.entry(login).or_default().learn(&event.what);
            }
            let (was, is) = (rooms(&before, Known::sure), rooms(&known, Known::sure));
            sure.insert(at.into(), was.intersection(&is).cloned().collect());
            let (was, is) = (
                rooms(&before, Known::possible),
                rooms(&known, Known::possible),
            );
            possible.insert(at.into(), was.union(&is).cloned().collect());
        }
        Self { sure, possible }
    }

    fn is_sure(&self, at: u128, login: Login, room: &str) -> bool {
        self.sure[&at].contains(&(login, room.to_owned()))
    }

    fn is_possible(&self, at: u128, login: Login, room: &str) -> bool {
        self.possible[&at].contains(&(login, room.to_owned()))
    }
}

fn rooms(
    known: &BTreeMap<Login, Known>,
    of: fn(&Known) -> Vec<String>,
) -> BTreeSet<(Login, String)> {
    let logins = known.iter();
    logins
        .flat_map(|(login, known)| of(known).into_iter().map(|room| (*login, room)))
        .collect()
}

impl Known {
    fn learn(&mut self, what: &What) {
        match what {
            What::Entering { room, .. } => self.asked.push(room.clone()),
            What::Entered { .. } => self.room = Some(self.asked.remove(0)),
            What::Refused { .. } => drop(self.asked.remove(0)),
            What::Deaf => self.is_deaf = true,
            What::Leaving { .. } | What::Vanished | What::Closed { .. } => self.is_over = true,
            _ => {}
        }
    }

    fn sure(&self) -> Vec<String> {
        let is_sure = self.asked.is_empty() && !self.is_over && !self.is_deaf;
        let room = self.room.iter().filter(|_| is_sure);
        room.cloned().collect()
    }

    fn possible(&self) -> Vec<String> {
        let rooms = self.room.iter().chain(&self.asked);
        rooms.filter(|_| !self.is_over).cloned().collect()
    }
}
