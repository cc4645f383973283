//! G13: nobody who kept his heartbeats is cut off.
//!
//! Demanded: a connection that the server ended without a kick, of a user who wrote and read, has
//! an excuse:
//!
//! - its connector crashed since it was made;
//! - a fault touched the way to its connector (cut, held, reset, or so slow that heartbeats come
//!   late), or the user took only some bytes a second, since it was made and not longer ago than a
//!   dead connection goes unnoticed. A connector that stood still meanwhile noticed later.
//!
//! And a kick has the excuse that belongs to its reason, see `kicks`.
//!
//! That the connector stood still is no excuse in itself. But then it is the user who gives up,
//! after two heartbeats of silence: let pass, if the user saw nothing for that time, and only
//! while or just after the connector stood still. Also let pass: a user who gave up waiting for
//! an answer, which is G8's affair, and whatever ends before the handshake is done.

use std::time::Duration;

use loadgen::history::What;

use super::sessions::{End, Session};
use super::view::View;
use super::{Findings, clock, kicks};

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let cut_off = view.sessions.iter().filter_map(|session| {
        let (at, end) = session.end?;
        if !matches!(end, End::Closed | End::Kicked) {
            return None;
        }
        let connected_at = session.connected_at?;
        let connector = session.connector?;
        // That the handshake is done was said earlier than it was seen: the connector may have died
        // in between.
        let said_at = connected_at.saturating_sub(view.bounds.one_way());
        let is_excused = if end == End::Kicked {
            kicks::is_excused(view, session, connector, connected_at, at)
        } else {
            session.deaf_at.is_some()
                || has_crashed(view, connector, said_at, at)
                || was_out_of_touch(view, session, connector, connected_at, at)
                || gave_up(view, session, connector, at)
                || gave_up_waiting(view, session, at)
        };
        if is_excused {
            return None;
        }
        let how = match end {
            End::Kicked => format!(
                "was kicked without an excuse: {}",
                kicks::reason_of(session)
            ),
            _ => String::from("was cut off without a reason"),
        };
        let what = format!(
            "{session}, connected to {connector} since {}, {how}",
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

/// Whether the way between the user and its connector was in trouble, not longer ago than a dead
/// connection goes unnoticed.
pub fn was_out_of_touch(
    view: &View,
    session: &Session,
    connector: &str,
    since: Duration,
    until: Duration,
) -> bool {
    let unnoticed = view.bounds.unnoticed();
    let mut spans = view.trouble.between(&[session.host, connector]);
    spans.extend(view.trouble.slow_spans(session.host, connector));
    spans.extend(view.trouble.resets_among(&[session.host, connector]));
    spans.extend(view.trouble.throttled_spans(session.user));
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
        ALICE, BOB, CHAT, CONNECTOR_1, Story, USERS, hold, ms, partition, pause, power_cut,
        release, repair, restart, resume,
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
    fn a_connector_may_die_while_its_last_words_are_on_their_way() {
        // The handshake is done at 80.
        let story = |crashed_at| {
            alice()
                .fault(crashed_at, power_cut(CONNECTOR_1))
                .fault(crashed_at + 1, restart(CONNECTOR_1))
                .closes(101, ALICE)
        };
        assert_eq!(findings(story(75)), 0);
        assert_eq!(findings(story(5)), 1);
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

    #[test]
    fn a_reset_ends_a_connection_and_only_on_its_own_link() {
        let reset = |a: &str, b: &str| {
            let (a, b) = (a.to_owned(), b.to_owned());
            alice().fault(1000, Fault::Reset { a, b })
        };
        assert_eq!(findings(reset(USERS, CONNECTOR_1).closes(1001, ALICE)), 0);
        assert_eq!(findings(reset(USERS, CONNECTOR_1).closes(10_900, ALICE)), 1);
        assert_eq!(findings(reset(CHAT, CONNECTOR_1).closes(1001, ALICE)), 1);
    }

    #[test]
    fn a_slow_reader_may_lose_its_connection_and_nobody_else_for_it() {
        let throttled = |user| {
            alice()
                .fault(
                    1000,
                    Fault::Throttle {
                        user,
                        bytes_per_s: 10,
                    },
                )
                .fault(3000, Fault::Unthrottle { user })
        };
        assert_eq!(findings(throttled(ALICE).closes(4000, ALICE)), 0);
        assert_eq!(findings(throttled(BOB).closes(4000, ALICE)), 1);
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
