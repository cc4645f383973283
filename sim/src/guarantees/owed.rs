//! What one message owed to whom, in words: for people who look at one failure.

use loadgen::history::MessageId;

use super::obligations::{Ban, Obligations, Verdict};
use super::view::View;
use crate::record::Record;

/// What one message owed to one stay of one session in its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The session, as broken promises call it.
    pub session: String,
    /// Whether it had to be heard.
    pub demand: Demand,
    /// Why.
    pub reason: String,
    /// Whether it was heard.
    pub heard: bool,
}

/// Whether a message had to be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// It had to be.
    Must,
    /// It could be or not.
    May,
    /// It was not for this one.
    MustNot,
}

impl Owed {
    /// Whether it is as it had to be.
    pub fn is_kept(&self) -> bool {
        match self.demand {
            Demand::Must => self.heard,
            Demand::May => true,
            Demand::MustNot => !self.heard,
        }
    }
}

/// What `message` owed to everybody who was in the room, or in one of the rooms, that it may have
/// been sent to.
pub fn owed(record: &Record, message: MessageId) -> Vec<Owed> {
    let view = View::new(record);
    let mut owed = Vec::new();
    Obligations::of(&view).each(|pair| {
        if pair.message == message {
            let (demand, reason) = told(pair.verdict);
            owed.push(Owed {
                session: pair.session.to_string(),
                demand,
                reason,
                heard: pair.heard,
            });
        }
    });
    owed
}

fn told(verdict: Verdict) -> (Demand, String) {
    let (demand, reason) = match verdict {
        Verdict::Must => (
            Demand::Must,
            "it was answered with success, and this session was there before it was sent and went on reading",
        ),
        Verdict::May(doubt) => return (Demand::May, doubt.to_string()),
        Verdict::MustNot(Ban::OtherRoom) => (Demand::MustNot, "it was sent to another room"),
        Verdict::MustNot(Ban::Private) => (Demand::MustNot, "it is private, for another name"),
        Verdict::MustNot(Ban::Over) => (Demand::MustNot, "the stay was over when it was sent"),
        Verdict::MustNot(Ban::Later) => (
            Demand::MustNot,
            "the session asked to enter only when the message had had its effect",
        ),
    };
    (demand, String::from(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{ALICE, BOB, Story};

    #[test]
    fn who_had_to_hear_a_message_and_did_not_is_told() {
        let record = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .says(5000, ALICE, 1)
            .hears(5009, ALICE, ALICE, 1)
            .gets_answer(5010, ALICE, 1, true)
            .record();
        let message = MessageId {
            user: ALICE,
            login: 1,
            number: 1,
        };
        let owed = owed(&record, message);
        let told: Vec<_> = owed
            .iter()
            .map(|it| (&*it.session, it.demand, it.heard, it.is_kept()))
            .collect();
        let expected = [
            ("alice (u1.1)", Demand::Must, true, true),
            ("bob (u2.1)", Demand::Must, false, false),
        ];
        assert_eq!(told, expected);
    }
}
