//! Who came to a room and who went, and whether its members were told of each exactly once.
//!
//! Each coming and each going is news on its way, as a message is: due to all who were in the room
//! before it. Whoever enters meanwhile says by the list that it is given whether it is to be told
//! too. The going of who did not leave by itself may be known to others first: then it is a rumour,
//! until the user itself knows.
//!
//! Nothing is owed of a name that may be there twice, or of a user that went silent, for as long as
//! news may travel: nobody can tell which notice was for what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ledger::Ledger;
use super::limits::{LEAVE_SLACK, LOSS_SLACK, LOST_AFTER};
use super::order::{Happening, Order, Seen};
use super::room::{End, Slot};
use super::set::Set;
use super::{Login, seconds, who};

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody came (`onAdd`).
    Came,
    /// Somebody went (`onLeave`).
    Went,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Came => "came",
            Self::Went => "went",
        })
    }
}

/// Who comes and goes in one room, by name; only those who are there or of whom there is news.
#[derive(Debug, Default)]
pub struct Notices {
    names: BTreeMap<Arc<str>, Name>,
}

#[derive(Debug, Default)]
struct Name {
    /// How many have it who are inside or asked to be.
    holders: u32,
    /// Until when any notice of it may come and none is owed.
    unsure_until: Option<Duration>,
    /// Comings and goings, the oldest first.
    news: VecDeque<News>,
}

/// One coming or going.
#[derive(Debug)]
struct News {
    kind: Kind,
    /// When it was asked for, done, or first heard of.
    at: Duration,
    /// Since when it is true by the word of the user itself.
    true_since: Option<Duration>,
    /// Who has to be told.
    due: Set,
    /// Who can be told or not.
    may: Set,
    told: u32,
    /// When it was certainly true: by the user's own word that it is in, or by the first who was told.
    happened_by: Option<Duration>,
    seen: Option<Seen>,
}

/// A notice to one member.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// Whether somebody came or went.
    pub kind: Kind,
    /// The name.
    pub name: &'a str,
    /// The member.
    pub login: Login,
    /// Its stay.
    pub slot: u32,
    /// When it was told.
    pub at: Duration,
}

/// Where a notice is heard: parts of a room.
pub struct Place<'a> {
    /// The room's name.
    pub room: &'a str,
    /// All stays.
    pub slots: &'a mut [Slot],
    /// Who is there.
    pub inside: &'a Set,
    /// What all see, in order.
    pub order: &'a mut Order,
}

impl Notices {
    /// Notes that `name` asked to enter. From now on it may be told to those who are `inside`.
    pub fn ask(&mut self, name: &Arc<str>, at: Duration, inside: &Set) {
        let entry = self.names.entry(Arc::clone(name)).or_default();
        entry.holders += 1;
        if entry.holders > 1 {
            entry.be_unsure(at + LOST_AFTER);
        }
        entry
            .news
            .push_back(News::new(Kind::Came, at, inside.clone()));
    }

    /// Whether somebody else has this name, or asked to have it, than the one who asks.
    pub fn is_contested(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|entry| entry.holders > 1)
    }

    /// Notes that `name` has stopped reading: when the server will have enough of it, nobody knows.
    pub fn deafen(&mut self, name: &str) {
        if let Some(entry) = self.names.get_mut(name) {
            entry.be_unsure(Duration::MAX);
        }
    }

    /// Notes that `name`, which asked at this time, was let in, as stay `slot`, and given this list of
    /// members.
    pub fn enter(
        &mut self,
        name: &str,
        slot: u32,
        users: &[String],
        asked_at: Duration,
        at: Duration,
    ) {
        if let Some(news) = self.names.get_mut(name).and_then(|entry| {
            let news = &mut entry.news;
            news.iter_mut().find(|news| news.is_unconfirmed(Kind::Came))
        }) {
            news.true_since = Some(at);
            news.happened_by.get_or_insert(at);
        }
        let listed: BTreeSet<&str> = users.iter().map(String::as_str).collect();
        for (other, entry) in &mut self.names {
            if **other == *name {
                continue;
            }
            // What happened before it asked is no news to it.
            let is_news = |news: &&mut News| news.happened_by.is_none_or(|by| by > asked_at);
            let mut news = entry.news.iter_mut().filter(is_news);
            match (news.next(), news.next()) {
                (Some(news), None) => {
                    if listed.contains(&**other) == (news.kind == Kind::Went) {
                        news.due.insert(slot);
                    }
                }
                (Some(first), Some(second)) => {
                    for news in [first, second].into_iter().chain(news) {
                        news.may.insert(slot);
                    }
                }
                (None, _) => {}
            }
        }
    }

    /// Notes that `name` was not let in: it never came, unless nobody knows.
    pub fn refuse(&mut self, name: &str, at: Duration, is_sure: bool, ledger: &mut Ledger) {
        let Some(entry) = self.names.get_mut(name) else {
            return;
        };
        entry.holders = entry.holders.saturating_sub(1);
        if !is_sure {
            entry.be_unsure(at + LOST_AFTER);
        }
        let is_asked = |news: &News| news.is_unconfirmed(Kind::Came);
        if let Some(index) = entry.news.iter().position(is_asked)
            && let Some(news) = entry.news.remove(index)
            && !entry.is_unsure(at)
        {
            for _ in 0..news.told {
                ledger.fault("notices_doubled", at, || {
                    let at = seconds(at);
                    format!("somebody was told that {name} came, who was refused at {at}")
                });
            }
        }
    }

    /// Notes that a stay of `name` is over, and who is still `inside`. For `unsure_for` the server may
    /// not have learned of it.
    pub fn leave(&mut self, name: &Arc<str>, at: Duration, inside: &Set, unsure_for: Duration) {
        let entry = self.names.entry(Arc::clone(name)).or_default();
        entry.holders = entry.holders.saturating_sub(1);
        if entry.unsure_until == Some(Duration::MAX) {
            entry.unsure_until = Some(at + LOST_AFTER);
        }
        if !unsure_for.is_zero() {
            entry.be_unsure(at + unsure_for);
        }
        let mut news = entry.news.iter_mut();
        if let Some(rumour) = news.find(|news| news.is_unconfirmed(Kind::Went)) {
            rumour.true_since = Some(at);
            return;
        }
        let mut news = News::new(Kind::Went, at, inside.clone());
        news.true_since = Some(at);
        entry.news.push_back(news);
    }

    /// Notes that one member was told something; `true` if it is the first that is known of it.
    pub fn hear(&mut self, notice: Notice<'_>, mut place: Place<'_>, ledger: &mut Ledger) -> bool {
        let Notice {
            kind,
            name,
            slot,
            at,
            ..
        } = notice;
        ledger.count("notices_total");
        let Some(entry) = self.names.get_mut(name) else {
            one_too_many(&notice, ledger);
            return false;
        };
        let is_unsure = entry.is_unsure(at);
        let is_for = |news: &&mut News| {
            news.kind == kind && (news.due.contains(slot) || news.may.contains(slot))
        };
        if let Some(news) = entry.news.iter_mut().find(is_for) {
            news.tell(&notice, !is_unsure, &mut place, ledger);
            return false;
        }
        if is_unsure || place.slots[slot as usize].ended.is_some() {
            ledger.count("notices_unjudged");
            return false;
        }
        let is_told = entry
            .news
            .iter()
            .any(|news| news.is_unconfirmed(Kind::Went));
        if kind == Kind::Went && entry.holders > 0 && !is_told {
            let own = |number: &u32| *place.slots[*number as usize].name == *name;
            let others = place.inside.iter().filter(|number| !own(number)).collect();
            let mut rumour = News::new(Kind::Went, at, others);
            rumour.tell(&notice, true, &mut place, ledger);
            entry.news.push_back(rumour);
            return true;
        }
        one_too_many(&notice, ledger);
        false
    }

    /// Forgets news of `name` from `at` that all have been told; `false` if nothing of it is left.
    pub fn settle(&mut self, name: &str, at: Duration, order: &mut Order) -> bool {
        let Some(entry) = self.names.get_mut(name) else {
            return false;
        };
        entry.news.retain(|news| {
            let is_settled = news.at <= at
                && news.true_since.is_some()
                && news.due.is_empty()
                && news.may.is_empty();
            if let (true, Some(seen)) = (is_settled, news.seen) {
                order.forget(seen);
            }
            !is_settled
        });
        let rest = entry.news.iter().any(|news| news.at <= at);
        self.drop_if_gone(name, at);
        rest
    }

    /// Judges the news of `name` from `at`, which had its time, and forgets it.
    pub fn lose(&mut self, name: &str, at: Duration, place: &mut Place<'_>, ledger: &mut Ledger) {
        let Some(entry) = self.names.get_mut(name) else {
            return;
        };
        while let Some(news) = entry.news.front()
            && news.at <= at
        {
            if !entry.is_unsure(at) {
                news.judge(name, Duration::MAX, place.room, place.slots, ledger);
            }
            if let Some(seen) = news.seen {
                place.order.forget(seen);
            }
            entry.news.pop_front();
        }
        self.drop_if_gone(name, at + LOST_AFTER);
    }

    /// Judges all news when the run ends.
    pub fn finish(&self, until: Duration, room: &str, slots: &[Slot], ledger: &mut Ledger) {
        for (name, entry) in &self.names {
            for news in &entry.news {
                if !entry.is_unsure(news.at) {
                    news.judge(name, until, room, slots, ledger);
                }
            }
        }
    }

    /// How much news is remembered.
    pub fn len(&self) -> usize {
        self.names.values().map(|name| name.news.len()).sum()
    }

    fn drop_if_gone(&mut self, name: &str, now: Duration) {
        if let Some(entry) = self.names.get(name)
            && entry.holders == 0
            && entry.news.is_empty()
            && !entry.is_unsure(now)
        {
            self.names.remove(name);
        }
    }
}

impl Name {
    fn be_unsure(&mut self, until: Duration) {
        self.unsure_until = self.unsure_until.max(Some(until));
    }

    fn is_unsure(&self, at: Duration) -> bool {
        self.unsure_until.is_some_and(|until| at <= until)
    }
}

impl News {
    fn new(kind: Kind, at: Duration, due: Set) -> Self {
        Self {
            kind,
            at,
            true_since: None,
            due,
            may: Set::default(),
            told: 0,
            happened_by: None,
            seen: None,
        }
    }

    fn is_unconfirmed(&self, kind: Kind) -> bool {
        self.kind == kind && self.true_since.is_none()
    }

    fn tell(
        &mut self,
        notice: &Notice<'_>,
        is_sure: bool,
        place: &mut Place<'_>,
        ledger: &mut Ledger,
    ) {
        self.told += 1;
        self.happened_by.get_or_insert(notice.at);
        if self.due.remove(notice.slot) {
            ledger.count("notices_expected");
        }
        self.may.remove(notice.slot);
        if !is_sure {
            return;
        }
        let what = || match notice.kind {
            Kind::Came => Happening::Came(notice.name.into()),
            Kind::Went => Happening::Went(notice.name.into()),
        };
        let last = &mut place.slots[notice.slot as usize].last;
        let told = place.order.saw(notice.login, last, &mut self.seen, what);
        if let Some(told) = told {
            ledger.fault("reordered", notice.at, || {
                told.tell(notice.login, &what(), notice.at, place.room)
            });
        }
    }

    /// Says who was not told, or was told what is not true.
    fn judge(&self, name: &str, until: Duration, room: &str, slots: &[Slot], ledger: &mut Ledger) {
        let Self { kind, at, .. } = self;
        let Some(true_since) = self.true_since else {
            // Who still asks when the run ends has not been refused.
            let is_false = *kind == Kind::Went || *at + LOST_AFTER <= until;
            for _ in 0..if is_false { self.told } else { 0 } {
                ledger.fault("notices_doubled", *at, || {
                    let at = seconds(*at);
                    format!(
                        "somebody in {room} was told at {at} that {name} {kind}, which is not true"
                    )
                });
            }
            return;
        };
        for number in self.due.iter() {
            let slot = &slots[number as usize];
            let (gone_at, slack) = match slot.ended {
                None => (until, LEAVE_SLACK),
                Some((at, End::OwnWill)) => (at, LEAVE_SLACK),
                Some((at, End::Lost)) => (at, LOSS_SLACK),
            };
            if gone_at < true_since + slack {
                continue;
            }
            ledger.count("notices_expected");
            ledger.fault("notices_missing", *at, || {
                let (who, from) = (who(slot.login), seconds(slot.from));
                let at = seconds(*at);
                format!("{who}, in {room} since {from}, was never told that {name} {kind} at {at}")
            });
        }
    }
}

fn one_too_many(notice: &Notice<'_>, ledger: &mut Ledger) {
    ledger.fault("notices_doubled", notice.at, || {
        let Notice { kind, name, .. } = notice;
        let (who, at) = (who(notice.login), seconds(notice.at));
        format!("{who} was told at {at} that {name} {kind}: once too often, or not true")
    });
}
