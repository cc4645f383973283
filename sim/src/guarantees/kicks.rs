//! Which kicks are excused: by the reason that the kick gives, and only by what calls for it.
//!
//! Three reasons say that a promise between servers broke, that a connector is the first to know
//! of a lease that ran out; nothing excuses them. Nor is there an excuse for a reason that is not
//! in the table.

mod at_once;

use std::time::Duration;

use cluster::chat::recovery::LOST;
use cluster::chat::remote::REPLACED;
use cluster::options::DuplicateLogin;
use loadgen::history::What;

use super::no_false_kill::was_out_of_touch;
use super::sessions::{Enter, Session};
use super::trouble;
use super::view::View;
use crate::fault::Fault;

/// What calls for a kick.
#[derive(Clone, Copy, Debug)]
enum Excuse {
    /// Nothing.
    None,
    /// The user did not read, or could not: it took only some bytes a second, or the way to its
    /// connector was cut, held or slow. Or more came at once than waits for one client.
    Unread,
    /// The link of some connector to the chat server of a room that the session was entering was in
    /// trouble, or either server was away: its `enter` had to wait for them.
    EnterHeld,
    /// The link to the chat server that the reason names was in trouble, or either of the two
    /// servers was away, and the session had asked for a room of that chat server.
    LinkDown,
    /// The connector was asked to stop.
    Stopped,
    /// Another login of its name asked for its room, where such a login replaces the first.
    Replaced,
}

/// What is in a reason, and what excuses a kick for it.
const REASONS: [(&str, Excuse); 8] = [
    (LOST, Excuse::None),
    (" had given up this connector", Excuse::None),
    (" went on without this connector", Excuse::None),
    ("too slow: ", Excuse::Unread),
    (
        "too much was said before the room could be entered",
        Excuse::EnterHeld,
    ),
    (UNREACHABLE, Excuse::LinkDown),
    ("the server is stopping", Excuse::Stopped),
    (REPLACED, Excuse::Replaced),
];

/// Follows the chat server's id.
const UNREACHABLE: &str = " could not be reached for ";

/// The reason of the kick that ended `session`.
pub fn reason_of<'a>(session: &Session<'a>) -> &'a str {
    let mut events = session.events.iter();
    let reason = events.find_map(|event| match &event.what {
        What::Kicked { reason } => Some(reason.as_str()),
        _ => None,
    });
    reason.unwrap_or_default()
}

/// Whether a kick that a user saw at `at` is excused.
pub fn is_excused(
    view: &View,
    session: &Session,
    connector: &str,
    connected_at: Duration,
    at: Duration,
) -> bool {
    let reason = reason_of(session);
    let row = REASONS.iter().find(|(part, _)| reason.contains(part));
    let from = issued_from(view, session, connector, at);
    match row.map_or(Excuse::None, |(_, excuse)| *excuse) {
        Excuse::None => false,
        Excuse::Unread => {
            session.deaf_at.is_some()
                || was_out_of_touch(view, session, connector, connected_at, at)
                || at_once::came(view, session, connector, from, at)
        }
        Excuse::EnterHeld => was_enter_held(view, session, from, at),
        Excuse::LinkDown => {
            let chat = reason.split(UNREACHABLE).next().unwrap_or_default();
            let mut enters = session.enters.iter();
            enters.any(|enter| view.chat_of(enter.room) == chat)
                && was_link_down(view, connector, chat, from, at)
        }
        Excuse::Stopped => {
            // One who was shaking hands still gets that far, and is told then.
            let since = session.login_at.unwrap_or(connected_at);
            was_stopped(view, connector, since, at)
        }
        Excuse::Replaced => was_replaced(view, session, from, at),
    }
}

/// When a kick that the user saw at `at` may have been issued: earlier than its way takes by as
/// long as the way was in trouble.
fn issued_from(view: &View, session: &Session, connector: &str, at: Duration) -> Duration {
    let usual = at.saturating_sub(view.bounds.one_way());
    let mut spans = view.trouble_of(session);
    spans.extend(view.trouble.slow_spans(session.host, connector));
    let on_the_way = spans.iter().filter(|span| span.touches(usual, at));
    on_the_way.map(|span| span.from).fold(usual, Duration::min)
}

/// Whether the lease of the link may have run out. That takes trouble not longer ago than the
/// cluster needs to recover: the way between the two was cut, however briefly (what was lost can
/// leave a connection that is dead in one direction only, which is found out when the lease runs
/// out), or one of them was away for so long that the lease can have run out meanwhile. A chat
/// server that was away for less, whether it has its memory or not, takes all sessions back.
/// Troubles with less than a lease between them count as one.
fn was_link_down(view: &View, connector: &str, chat: &str, from: Duration, at: Duration) -> bool {
    let recent = from.saturating_sub(view.bounds.recovery());
    let ends = [connector, chat];
    let cuts = view.trouble.between(&ends);
    let troubles = trouble::merged(&view.trouble.among(&ends), view.bounds.lease);
    let mut long = troubles
        .iter()
        .filter(|span| span.until.min(at).saturating_sub(span.from) >= view.bounds.breaks_lease());
    cuts.iter().any(|cut| cut.touches(recent, at)) || long.any(|span| span.touches(recent, at))
}

fn was_enter_held(view: &View, session: &Session, from: Duration, at: Duration) -> bool {
    let asked_from = from.saturating_sub(view.bounds.answer());
    let connectors = &view.record.topology.connectors;
    session.enters.iter().any(|enter| {
        connectors.iter().any(|connector| {
            let troubles = view
                .trouble
                .among(&[&connector.id, view.chat_of(enter.room)]);
            troubles.iter().any(|span| span.touches(asked_from, at))
        })
    })
}

fn was_stopped(view: &View, connector: &str, since: Duration, until: Duration) -> bool {
    let mut faults = view.record.faults.iter();
    faults.any(|planned| {
        let is_stop = matches!(&planned.fault, Fault::Stop { host } if host == connector);
        is_stop && (since..=until).contains(&planned.at)
    })
}

/// Whether a later login may have taken its name in a room that it asked for.
fn was_replaced(view: &View, session: &Session, from: Duration, at: Duration) -> bool {
    let asked_lately = from.saturating_sub(view.bounds.answer())..=at;
    let is_same = |one: &Enter, other: &Enter| (one.room, one.name) == (other.room, other.name);
    let others = view
        .sessions
        .iter()
        .filter(|other| (other.user, other.login) != (session.user, session.login));
    let mut rivals = others.flat_map(|other| &other.enters);
    view.bounds.duplicate_login == DuplicateLogin::Replace
        && rivals.any(|rival| {
            asked_lately.contains(&rival.asked_at)
                && session.enters.iter().any(|enter| is_same(enter, rival))
        })
}

#[cfg(test)]
mod tests {
    use super::super::no_false_kill::check;
    use super::*;
    use crate::guarantees::story::{
        ALICE, BOB, CHAT, CONNECTOR_1, CONNECTOR_2, Story, USERS, name, partition, pause,
        power_cut, repair, restart, resume, stop,
    };

    const CHAT_AWAY: &str = "chat-server-1 could not be reached for 2s";
    const TOO_SLOW: &str = "too slow: 4 messages were waiting";
    const STOPPING: &str = "the server is stopping";

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    fn alice() -> Story {
        Story::new().enters(100, ALICE, "red", &[ALICE])
    }

    /// All that can excuse some kick, just before 5 s.
    fn everything_at_once() -> Story {
        alice()
            .goes_deaf(1000, ALICE)
            .fault(1000, partition(CONNECTOR_1, CHAT))
            .fault(1000, partition(USERS, CONNECTOR_1))
            .fault(4900, repair(CONNECTOR_1, CHAT))
            .fault(4900, repair(USERS, CONNECTOR_1))
            .fault(4900, stop(CONNECTOR_1))
    }

    #[test]
    fn what_only_a_broken_invariant_explains_is_never_excused() {
        for reason in [
            "its place in the room was lost",
            "chat-server-1 had given up this connector",
            "chat-server-1 went on without this connector",
            "attack",
            "for a reason that nobody knows",
        ] {
            let story = everything_at_once().gets_kicked_for(5000, ALICE, reason);
            assert_eq!(findings(story), 1, "{reason}");
        }
        for reason in [CHAT_AWAY, TOO_SLOW, STOPPING] {
            let story = everything_at_once().gets_kicked_for(5000, ALICE, reason);
            assert_eq!(findings(story), 0, "{reason}");
        }
    }

    #[test]
    fn each_reason_needs_its_own_excuse() {
        let deaf = || alice().goes_deaf(1000, ALICE);
        let client_cut = || {
            alice()
                .fault(1000, partition(USERS, CONNECTOR_1))
                .fault(4900, repair(USERS, CONNECTOR_1))
        };
        let link_cut = || {
            alice()
                .fault(1000, partition(CONNECTOR_1, CHAT))
                .fault(4900, repair(CONNECTOR_1, CHAT))
        };
        let stopped = || alice().fault(4900, stop(CONNECTOR_1));
        let other_link_held = || {
            alice()
                .fault(4000, partition(CONNECTOR_2, CHAT))
                .fault(4900, repair(CONNECTOR_2, CHAT))
        };
        let entering = "too much was said before the room could be entered";
        for (reason, excused) in [
            (TOO_SLOW, [true, true, false, false, false]),
            (entering, [false, false, true, true, true]),
            (CHAT_AWAY, [false, false, true, false, false]),
            (STOPPING, [false, false, false, true, false]),
        ] {
            let stories = [
                deaf(),
                client_cut(),
                link_cut(),
                stopped(),
                other_link_held(),
            ];
            let kicked = stories.map(|story| story.gets_kicked_for(5000, ALICE, reason));
            assert_eq!(
                kicked.map(|story| findings(story) == 0),
                excused,
                "{reason}"
            );
        }
    }

    #[test]
    fn a_stop_is_told_to_one_whose_handshake_it_met() {
        let stopped = |at| alice().fault(at, stop(CONNECTOR_1));
        // The login began at 60, the handshake was done at 80.
        let kicked = |story: Story| findings(story.gets_kicked_for(5000, ALICE, STOPPING));
        assert_eq!(kicked(stopped(70)), 0);
        assert_eq!(kicked(stopped(50)), 1);
    }

    #[test]
    fn a_later_login_is_an_excuse_where_that_is_the_rule() {
        let rival = What::Entering {
            name: name(ALICE),
            room: String::from("red"),
        };
        let story = alice().logs_in(4980, BOB).note(4990, BOB, rival);
        let mut record = story.gets_kicked_for(5000, ALICE, REPLACED).record();
        assert_eq!(check(&View::new(&record)).len(), 1);
        record.bounds.duplicate_login = DuplicateLogin::Replace;
        assert_eq!(check(&View::new(&record)).len(), 0);
    }

    #[test]
    fn trouble_on_another_link_is_no_excuse() {
        let story = alice()
            .fault(1000, partition(CONNECTOR_2, CHAT))
            .fault(4000, repair(CONNECTOR_2, CHAT))
            .gets_kicked_for(5000, ALICE, CHAT_AWAY);
        assert_eq!(findings(story), 1);
        let story = alice()
            .fault(1000, partition(CONNECTOR_1, CHAT))
            .fault(4000, repair(CONNECTOR_1, CHAT))
            .gets_kicked_for(5000, ALICE, "chat-server-2 could not be reached for 2s");
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_chat_server_that_is_away_for_long_costs_its_sessions() {
        let away = |until| {
            alice()
                .fault(1000, power_cut(CHAT))
                .fault(until, restart(CHAT))
        };
        let kicked = |story: Story, at| findings(story.gets_kicked_for(at, ALICE, CHAT_AWAY));
        assert_eq!(kicked(away(2600), 2900), 0);
        assert_eq!(kicked(away(1500), 1800), 1);
    }

    #[test]
    fn a_chat_server_that_goes_again_and_again_counts_as_away_all_the_time() {
        let story = alice()
            .fault(1000, power_cut(CHAT))
            .fault(1200, restart(CHAT))
            .fault(2000, power_cut(CHAT))
            .fault(2200, restart(CHAT))
            .gets_kicked_for(3000, ALICE, CHAT_AWAY);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_cut_link_may_be_given_up_however_short_the_cut_was() {
        let story = |at| {
            alice()
                .fault(1000, partition(CONNECTOR_1, CHAT))
                .fault(1100, repair(CONNECTOR_1, CHAT))
                .gets_kicked_for(at, ALICE, CHAT_AWAY)
        };
        assert_eq!(findings(story(3000)), 0);
        assert_eq!(findings(story(30_000)), 1);
    }

    #[test]
    fn a_kick_may_be_long_on_its_way() {
        let story = || {
            alice()
                .fault(1000, partition(CONNECTOR_1, CHAT))
                .fault(1100, repair(CONNECTOR_1, CHAT))
        };
        let late = |story: Story| findings(story.gets_kicked_for(15_900, ALICE, CHAT_AWAY));
        assert_eq!(late(story()), 1);
        let held = story()
            .fault(4000, pause(CONNECTOR_1))
            .fault(15_880, resume(CONNECTOR_1));
        assert_eq!(late(held), 0);
    }
}
