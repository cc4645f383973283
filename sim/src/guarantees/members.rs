//! Who must be in a room, and who may be, as far as the users know.

use std::collections::BTreeSet;
use std::time::Duration;

use super::sessions::{End, EnterAnswer, Session, Stay};
use super::view::View;

impl<'a> View<'a> {
    /// The names that are in `room` all the time `from..=until`: entered by then, and not known
    /// to go before.
    pub fn must_be_in(&self, room: &str, from: Duration, until: Duration) -> BTreeSet<&'a str> {
        let sure = self.stays_in(room).filter(|(session, stay)| {
            stay.since <= from && self.sure_until(session, stay) >= until
        });
        sure.map(|(_, stay)| stay.name).collect()
    }

    /// The names that may be in `room` at some time in `from..=until`, once faults are over:
    /// asked to enter by then, and not known to be gone before.
    pub fn may_be_in(&self, room: &str, from: Duration, until: Duration) -> BTreeSet<&'a str> {
        self.may_hold(room, from, until, Duration::ZERO)
            .map(|(_, name)| name)
            .collect()
    }

    /// The sessions that may be in `room`, each with its name there, if the cluster takes `late`
    /// longer than usual to notice that one has gone.
    pub fn may_hold(
        &self,
        room: &str,
        from: Duration,
        until: Duration,
        late: Duration,
    ) -> impl Iterator<Item = (&Session<'a>, &'a str)> {
        self.sessions.iter().flat_map(move |session| {
            let enters = session.enters.iter().enumerate();
            enters
                .filter(move |(number, enter)| {
                    enter.room == room
                        && enter.asked_at <= until
                        && self.gone_by(session, *number).saturating_add(late) >= from
                })
                .map(move |(_, enter)| (session, enter.name))
        })
    }

    /// Until when a stay is certain. The server decides to kick or to close a little before the
    /// user sees it; a user who asked for another room may be there already; one who does not
    /// read may be kicked at any time.
    pub fn sure_until(&self, session: &Session, stay: &Stay) -> Duration {
        let switching_at = stay.switching_at.unwrap_or(Duration::MAX);
        let deaf_at = session.deaf_at.unwrap_or(Duration::MAX);
        let end = match session.end {
            Some((at, End::Kicked | End::Closed)) => at.saturating_sub(self.bounds.news()),
            Some((at, End::Left | End::Vanished | End::Failed)) => at,
            None => Duration::MAX,
        };
        switching_at.min(deaf_at).min(end)
    }

    /// When the cluster must have forgotten what the session's `enter` with this number did.
    fn gone_by(&self, session: &Session, number: usize) -> Duration {
        let news = self.bounds.news();
        let end = match session.end {
            Some((at, End::Vanished)) => at + self.bounds.unnoticed(),
            // What it says when it hangs up may be stuck behind what it did not read.
            Some((at, _)) if session.deaf_at.is_some() => at + self.bounds.unnoticed(),
            Some((at, _)) => at + news,
            None => Duration::MAX,
        };
        let enter = &session.enters[number];
        let refused = match enter.answer {
            Some((at, EnterAnswer::Duplicate | EnterAnswer::Failed)) => at + news,
            Some((_, EnterAnswer::Entered)) | None => Duration::MAX,
        };
        let mut later = session.enters[number + 1..].iter();
        let switched = later.find_map(|next| match next.answer {
            Some((at, EnterAnswer::Entered)) => Some(at + news),
            _ => None,
        });
        end.min(refused).min(switched.unwrap_or(Duration::MAX))
    }
}
