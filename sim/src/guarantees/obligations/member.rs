//! One stay of one session, as the verdicts look at it.

use std::collections::BTreeSet;
use std::time::Duration;

use loadgen::history::{MessageId, Target, What};

use super::ban;
use super::verdict::{Doubt, Verdict};
use crate::guarantees::messages::Sent;
use crate::guarantees::sessions::{End, Session, Stay};
use crate::guarantees::trouble::{self, Span};
use crate::guarantees::view::View;

/// One stay of one session.
pub struct Member<'v, 'a> {
    /// Whose it is.
    pub session: &'v Session<'a>,
    /// The stay.
    pub stay: &'v Stay<'a>,
    /// What it heard during the stay.
    pub heard: BTreeSet<MessageId>,
    /// When the youngest thing was sent that certainly passed through this stay.
    proved_until: Duration,
    /// The hosts from the user to the room's chat server.
    way: [&'v str; 3],
    /// What touched them or the ways between them.
    trouble: Vec<Span>,
}

impl<'v, 'a> Member<'v, 'a> {
    /// Reads what the session did in it.
    pub fn new(view: &'v View<'a>, session: &'v Session<'a>, stay: &'v Stay<'a>) -> Self {
        let connector = session.connector.unwrap_or_default();
        let way = [session.host, connector, view.chat_of(stay.room)];
        let mut member = Self {
            session,
            stay,
            heard: BTreeSet::new(),
            proved_until: Duration::ZERO,
            way,
            trouble: view.trouble_on(session, &way),
        };
        for event in session.events_of(stay) {
            let passed = match &event.what {
                What::Heard {
                    message: Some(message),
                    target,
                    ..
                } => {
                    member.heard.insert(*message);
                    (*target == Target::Room).then_some(message)
                }
                What::Answered { message, ok: true } => Some(message),
                _ => None,
            };
            // An answer for a send from an earlier stay, or from between two, proves nothing.
            if let Some(sent) = passed.and_then(|message| view.messages.sent.get(message))
                && sent.place().is_some_and(|place| place.room == stay.room)
                && sent.at >= stay.since
            {
                member.proved_until = member.proved_until.max(sent.at);
            }
        }
        member
    }

    /// What is known of it and of a message.
    pub fn verdict(&self, view: &View, sent: &Sent) -> Verdict {
        if let Some(ban) = ban(view, sent, self.stay) {
            return Verdict::MustNot(ban);
        }
        let accepted_at = match sent.answer {
            None => return Verdict::May(Doubt::Unanswered),
            Some((_, false)) => return Verdict::May(Doubt::Refused),
            Some((at, true)) => at,
        };
        if sent.place().is_none() {
            return Verdict::May(Doubt::SenderSwitching);
        }
        if self.stay.since > sent.at && !self.is_let_in_for(view, sent, accepted_at) {
            return Verdict::May(Doubt::Entering);
        }
        // What came before the answer to `enter` follows it.
        let due_at = accepted_at.max(self.stay.since);
        self.doubt(view, due_at).map_or(Verdict::Must, Verdict::May)
    }

    /// Whether a private message is for it although it was only about to be in the room: it had
    /// asked, it was let in, and there is no other `enter` under that name that the cluster may
    /// have taken for the receiver.
    fn is_let_in_for(&self, view: &View, sent: &Sent, accepted_at: Duration) -> bool {
        let room = self.stay.room;
        let holders = view.may_hold(room, sent.at, accepted_at, view.bounds.recovery());
        matches!(sent.target, Target::User(_))
            && self.stay.asked_at <= sent.at
            && holders.filter(|(_, name)| *name == self.stay.name).count() == 1
    }

    /// Why it is not proved that it went on reading in the room after this, if it is not.
    fn doubt(&self, view: &View, due_at: Duration) -> Option<Doubt> {
        if self.proved_until >= due_at {
            return None;
        }
        let usual = due_at + view.bounds.one_way();
        let (there_until, why) = self.there_until(view);
        let recovered_at = view.recovered_after(&self.trouble, due_at);
        if there_until < usual {
            Some(why)
        } else if recovered_at.is_some_and(|recovered_at| there_until < recovered_at) {
            Some(self.touched_by(view, due_at))
        } else {
            None
        }
    }

    /// Until when it was there and read, and what ended that.
    fn there_until(&self, view: &View) -> (Duration, Doubt) {
        let end = self.session.end.map(|(at, end)| match end {
            End::Vanished => (at, Doubt::Vanished),
            End::Kicked | End::Closed => (at, Doubt::CutOff),
            End::Left | End::Failed => (at, Doubt::Left),
        });
        let ends = [
            self.session.deaf_at.map(|at| (at, Doubt::Deaf)),
            self.stay.switching_at.map(|at| (at, Doubt::Switching)),
            end,
        ];
        let over = (view.record.ended_at, Doubt::Over);
        ends.into_iter().flatten().fold(over, Ord::min)
    }

    /// What kind of fault was near, where one was.
    fn touched_by(&self, view: &View, at: Duration) -> Doubt {
        let is_near =
            |spans: &[Span]| trouble::calm_after(spans, at, view.bounds.recovery()).is_some();
        let mut hosts = self.way.iter();
        if hosts.any(|host| is_near(view.trouble.down_spans(host))) {
            Doubt::Down
        } else if is_near(&view.trouble.between(&self.way))
            || is_near(&view.trouble.resets_among(&self.way))
        {
            Doubt::Cut
        } else if is_near(view.trouble.throttled_spans(self.session.user)) {
            Doubt::Deaf
        } else {
            Doubt::Paused
        }
    }
}
