//! G13: nobody who kept his heartbeats is cut off.
//!
//! Demanded: a connection that the server ended without a kick, of a user who wrote and read, has
//! an excuse:
//!
//! - its connector crashed since it was made;
//! - a fault touched the way to its connector (cut, held, or so slow that heartbeats come late),
//!   since it was made and not longer ago than a dead connection goes unnoticed. A connector that
//!   stood still meanwhile noticed later.
//!
//! And a kick has an excuse, one of these or one that comes with a reason:
//!
//! - the user did not read;
//! - not longer ago than the cluster needs to recover, the way from its connector to the chat
//!   server of a room that it asked for was cut: what was lost can leave a connection that is dead
//!   in one direction only, which is found out when the lease runs out;
//! - another login of its name asked for its room, where such a login replaces the first;
//! - or one of the two servers was away, for so long that the lease can have run out. A chat
//!   server that was away for less, whether it has its memory or not, takes all sessions back.
//!
//! That the connector stood still is no excuse in itself. But then it is the user who gives up,
//! after two heartbeats of silence: let pass, if the user saw nothing for that time, and only
//! while or just after the connector stood still. Also let pass: a user who gave up waiting for
//! an answer, which is G8's affair, and whatever ends before the handshake is done.

use std::time::Duration;

use cluster::options::DuplicateLogin;
use loadgen::history::What;

use super::sessions::{End, Enter, Session};
use super::trouble;
use super::view::View;
use super::{Findings, clock};

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let cut_off = view.sessions.iter().filter_map(|session| {
        let (at, end) = session.end?;
        if !matches!(end, End::Closed | End::Kicked) {
            return None;
        }
        let connected_at = session.connected_at?;
        let connector = session.connector?;
        let is_excused = session.deaf_at.is_some()
            || has_crashed(view, connector, connected_at, at)
            || was_out_of_touch(view, session, connector, connected_at, at)
            || match end {
                End::Kicked => {
                    was_replaced(view, session, at) || lost_its_room(view, session, connector, at)
                }
                _ => gave_up(view, session, connector, at) || gave_up_waiting(view, session, at),
            };
        if is_excused {
            return None;
        }
        let how = match end {
            End::Kicked => "kicked",
            _ => "cut off",
        };
        let what = format!(
            "{session}, connected to {connector} since {}, was {how} without a reason",
            clock(connected_at)
        );
        Some((at, what))
    });
    cut_off.collect()
}

fn has_crashed(view: &View, connector: &str, since: Duration, until: Duration) -> bool {
    let mut crashes = view.trouble.down_spans(connector).iter();
    crashes.any(|crash| crash.touches(since, until))
}

fn was_out_of_touch(
    view: &View,
    session: &Session,
    connector: &str,
    since: Duration,
    until: Duration,
) -> bool {
    let unnoticed = view.bounds.unnoticed();
    let mut spans = view.trouble.between(&[session.host, connector]);
    spans.extend(view.trouble.slow_spans(session.host, connector));
    let mut spans = spans.iter().filter(|span| span.touches(since, until));
    spans.any(|span| {
        let mut noticed_by = span.until + unnoticed;
        for pause in view.trouble.paused_spans(connector) {
            if pause.touches(span.from, noticed_by) {
                noticed_by = noticed_by.max(pause.until + unnoticed);
            }
        }
        until <= noticed_by
    })
}

/// Whether a later login may have taken its name in a room that it asked for.
fn was_replaced(view: &View, session: &Session, at: Duration) -> bool {
    let asked_lately = at.saturating_sub(view.bounds.answer())..=at;
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

/// Whether the lease of its connector at the chat server of its room may have run out. Troubles
/// with less than a lease between them count as one.
fn lost_its_room(view: &View, session: &Session, connector: &str, at: Duration) -> bool {
    let recent = at.saturating_sub(view.bounds.recovery());
    let mut enters = session.enters.iter();
    enters.any(|enter| {
        let ends = [connector, view.chat_of(enter.room)];
        let cuts = view.trouble.between(&ends);
        let troubles = trouble::merged(&view.trouble.among(&ends), view.bounds.lease);
        let mut long = troubles.iter().filter(|span| {
            span.until.min(at).saturating_sub(span.from) >= view.bounds.breaks_lease()
        });
        cuts.iter().any(|cut| cut.touches(recent, at)) || long.any(|span| span.touches(recent, at))
    })
}

/// Whether it may be the user who gave up, since its connector stood still.
fn gave_up(view: &View, session: &Session, connector: &str, at: Duration) -> bool {
    let silence = (2 * view.bounds.heartbeat).saturating_sub(view.bounds.one_way());
    let silent_from = at.saturating_sub(silence);
    let mut seen = session.events.iter();
    let was_silent =
        !seen.any(|event| event.at > silent_from && event.at < at && came(&event.what));
    let mut pauses = view.trouble.paused_spans(connector).iter();
    was_silent && pauses.any(|pause| pause.touches(silent_from, at))
}

/// Whether an event came from the server.
fn came(what: &What) -> bool {
    matches!(
        what,
        What::Connected
            | What::Entered { .. }
            | What::Refused { .. }
            | What::Answered { .. }
            | What::Heard { .. }
            | What::Added { .. }
            | What::Left { .. }
            | What::Unasked { .. }
            | What::Strange { .. }
    )
}

/// Whether a request of the session is waiting for longer than an answer may take.
fn gave_up_waiting(view: &View, session: &Session, at: Duration) -> bool {
    let asked_by = at.saturating_sub(view.bounds.answer());
    let mut enters = session.enters.iter();
    let mut sent = view.messages.sent.values();
    enters.any(|enter| enter.answer.is_none() && enter.asked_at < asked_by)
        || sent.any(|sent| {
            let sender = &view.sessions[sent.session];
            (sender.user, sender.login) == (session.user, session.login)
                && sent.answer.is_none()
                && sent.at < asked_by
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;
    use crate::guarantees::story::{
        ALICE, BOB, CHAT, CONNECTOR_1, Story, USERS, hold, ms, name, partition, pause, power_cut,
        release, repair, restart, resume, stop,
    };

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    fn alice() -> Story {
        Story::new().enters(100, ALICE, "red", &[ALICE])
    }

    #[test]
    fn a_kick_without_any_fault_is_found() {
        assert_eq!(findings(alice().gets_kicked(5000, ALICE)), 1);
        let deaf = alice().goes_deaf(4000, ALICE);
        assert_eq!(findings(deaf.gets_kicked(5000, ALICE)), 0);
    }

    #[test]
    fn a_kick_by_a_later_login_is_excused_where_that_is_the_rule() {
        let rival = What::Entering {
            name: name(ALICE),
            room: String::from("red"),
        };
        let story = alice().logs_in(4980, BOB).note(4990, BOB, rival);
        let mut record = story.gets_kicked(5000, ALICE).record();
        assert_eq!(check(&View::new(&record)).len(), 1);
        record.bounds.duplicate_login = DuplicateLogin::Replace;
        assert_eq!(check(&View::new(&record)).len(), 0);
    }

    #[test]
    fn a_user_who_reads_is_not_too_slow() {
        let kicked = |story: Story| {
            let reason = String::from("too slow: 4 messages were waiting");
            findings(story.note(5000, ALICE, What::Kicked { reason }))
        };
        assert_eq!(kicked(alice()), 1);
        assert_eq!(kicked(alice().goes_deaf(4000, ALICE)), 0);
    }

    #[test]
    fn a_kick_after_the_way_to_the_user_broke_is_excused() {
        let story = alice()
            .fault(1000, partition(USERS, CONNECTOR_1))
            .fault(1200, repair(USERS, CONNECTOR_1))
            .gets_kicked(5000, ALICE);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_chat_server_that_is_away_for_long_costs_its_sessions() {
        let away = |until| {
            alice()
                .fault(1000, power_cut(CHAT))
                .fault(until, restart(CHAT))
        };
        assert_eq!(findings(away(2600).gets_kicked(2900, ALICE)), 0);
        assert_eq!(findings(away(1500).gets_kicked(1800, ALICE)), 1);
    }

    #[test]
    fn a_chat_server_that_goes_again_and_again_counts_as_away_all_the_time() {
        let story = alice()
            .fault(1000, power_cut(CHAT))
            .fault(1200, restart(CHAT))
            .fault(2000, power_cut(CHAT))
            .fault(2200, restart(CHAT))
            .gets_kicked(3000, ALICE);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_cut_link_may_be_given_up_however_short_the_cut_was() {
        let story = alice()
            .fault(1000, partition(CONNECTOR_1, CHAT))
            .fault(1100, repair(CONNECTOR_1, CHAT))
            .gets_kicked(3000, ALICE);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_close_without_any_fault_is_found() {
        assert_eq!(findings(alice().closes(5000, ALICE)), 1);
    }

    #[test]
    fn a_crash_of_the_connector_ends_its_connections() {
        let story = || {
            alice()
                .fault(1000, power_cut(CONNECTOR_1))
                .fault(2000, restart(CONNECTOR_1))
        };
        assert_eq!(findings(story().closes(7000, ALICE)), 0);
        let since = story().enters(3000, ALICE, "red", &[ALICE]);
        assert_eq!(findings(since.closes(7000, ALICE)), 1);
    }

    #[test]
    fn a_connector_that_is_asked_to_stop_kicks_its_users() {
        let story = alice()
            .fault(1000, stop(CONNECTOR_1))
            .fault(2000, restart(CONNECTOR_1))
            .gets_kicked(1002, ALICE);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_crash_of_the_chat_server_ends_no_connection() {
        let story = alice()
            .fault(1000, power_cut(CHAT))
            .fault(2000, restart(CHAT))
            .closes(2100, ALICE);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_cut_way_ends_a_connection_within_three_heartbeats() {
        let story = || {
            alice()
                .fault(1000, partition(USERS, CONNECTOR_1))
                .fault(1200, repair(USERS, CONNECTOR_1))
        };
        assert_eq!(findings(story().closes(10_100, ALICE)), 0);
        assert_eq!(findings(story().closes(10_900, ALICE)), 1);
    }

    #[test]
    fn a_connector_that_stood_still_notices_a_cut_later() {
        let story = alice()
            .fault(1000, partition(USERS, CONNECTOR_1))
            .fault(1200, repair(USERS, CONNECTOR_1))
            .fault(2000, pause(CONNECTOR_1))
            .fault(9900, resume(CONNECTOR_1))
            // Alice was heard no more, but still could hear, so it was not she who gave up.
            .adds(9950, ALICE, BOB)
            .closes(10_500, ALICE);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_hold_and_a_great_latency_are_excuses_but_a_small_one_is_not() {
        let held = alice()
            .fault(1000, hold(USERS, CONNECTOR_1))
            .fault(7500, release(USERS, CONNECTOR_1))
            .closes(7000, ALICE);
        assert_eq!(findings(held), 0);
        let slow = |latency| {
            let (a, b) = (USERS.to_owned(), CONNECTOR_1.to_owned());
            let latency = ms(latency);
            alice()
                .fault(1000, Fault::Latency { a, b, latency })
                .closes(7000, ALICE)
        };
        assert_eq!(findings(slow(2000)), 0);
        assert_eq!(findings(slow(200)), 1);
    }

    /// Alice hears something just before her connector stands still for five seconds.
    fn a_stall() -> Story {
        alice()
            .says(1990, ALICE, 1)
            .gets_answer(1999, ALICE, 1, true)
            .fault(2000, pause(CONNECTOR_1))
            .fault(7000, resume(CONNECTOR_1))
    }

    #[test]
    fn a_connector_that_cuts_off_when_it_goes_on_is_found() {
        assert_eq!(findings(a_stall().closes(7010, ALICE)), 1);
    }

    #[test]
    fn a_user_may_give_up_a_connector_that_stands_still() {
        let story = alice()
            .says(1990, ALICE, 1)
            .gets_answer(1999, ALICE, 1, true)
            .fault(2000, pause(CONNECTOR_1))
            .fault(9000, resume(CONNECTOR_1))
            .closes(7999, ALICE);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_user_may_give_up_waiting_for_an_answer() {
        let story = alice().says(2000, ALICE, 1).closes(12_000, ALICE);
        assert_eq!(findings(story), 0);
    }
}
