//! Names for the rare paths of the servers, so that who tests them can tell which were taken.
//!
//! A path says that it is taken with [`Mark::reached`]. Nobody listens in production, where that
//! costs a look at a variable of the thread, on paths that are rare; a simulation listens with
//! [`listen`]. What is reached does not change what a server does.
//!
//! The idea is that of "sometimes" assertions: a test that never makes a link resend anything says
//! nothing about resending, however often it passes.

use std::cell::RefCell;
use std::fmt;

/// Declares the marks from one list: the name and what was reached; before it which of them are second
/// lines of defence.
macro_rules! marks {
    (
        second lines: $($second:ident),*;
        $($mark:ident = $name:literal, $about:literal;)*
    ) => {
        /// A rare path.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mark {
            $(
                #[doc = concat!("`", $name, "`: ", $about, ".")]
                $mark,
            )*
        }

        impl Mark {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$mark,)*];

            /// Whether it is a second line of defence: what leads there is kept from happening
            /// already. Whoever tests the servers need not reach it, and looks closer when it is
            /// reached.
            pub fn is_second_line(self) -> bool {
                [$(Self::$second),*].contains(&self)
            }

            /// What it is called in reports.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$mark => $name,)*
                }
            }

            /// What was reached, in a few words.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$mark => $about,)*
                }
            }
        }
    };
}

marks! {
    // A connector's lease begins earlier than what the chat server counts, and ends earlier: it gives up
    // the link, and its sessions, before the chat server does or goes on without it. And a chat
    // server that starts again goes on from the latest event that any connector reported.
    second lines: LinkForgotten, ReportTooLate, EventToldBefore;

    // A client's connection.
    HandshakeTimedOut = "handshake-timed-out", "a client did not finish its handshake in time";
    HandshakeRefused = "handshake-refused", "a client's handshake made no sense";
    HandshakeBroken = "handshake-broken", "a client's first bytes were bad, or it went amid them";
    BadBytes = "bad-bytes", "a client sent what no client may send";
    ClientSilent = "client-silent", "a client's heartbeats stopped";
    StallForgiven = "stall-forgiven", "heartbeats were late because the server itself stood still";
    OpenedWhileStopping = "opened-while-stopping", "a client came while the server was stopping";
    StoppedWithSessions = "stopped-with-sessions", "a server was asked to stop with clients on it";
    WaitsForRound = "waits-for-round", "a package waited for others to be written with";
    KickedTooSlow = "kicked-too-slow", "a client did not read and was kicked";

    // Requests.
    WaitsBehindEnter = "waits-behind-enter", "a message waited for an answer to `enter`";
    EnterWaitsForAnswers = "enter-waits-for-answers", "an `enter` waited for earlier answers";
    AnswerWaitsForEarlier = "answer-waits-for-earlier", "an answer waited for an earlier one";
    RequestExpired = "request-expired", "a request was refused at its deadline";
    EnterAbandoned = "enter-abandoned", "an `enter` that a chat server works on was given up";
    AnswerTooLate = "answer-too-late", "an answer came for a request that was refused before";
    EnteredAlready = "entered-already", "a session asked to enter the room that it is in";
    EnterUnreachable = "enter-unreachable", "an `enter` was refused: no link to the chat server";
    SentFromNowhere = "sent-from-nowhere", "a session sent before it was in a room";
    SendUnreachable = "send-unreachable", "a send was refused: no link to the chat server";
    RequestsRefused = "requests-refused", "open requests were refused: the chat server forgot them";

    // Sessions that come and go.
    ClosedWhileEntering = "closed-while-entering", "a session ended while a chat server let it in";
    ClosedBeforeAsking = "closed-before-asking", "a session ended before its `enter` was passed on";
    AddedTooLate = "added-too-late", "a session was let in that had gone or given up";
    SwitchedRoom = "switched-room", "a session went from one room to another";
    EventWaitsForEnter = "event-waits-for-enter", "an event waited for the answer to `enter`";
    EventToldBefore = "event-told-before", "an event came that had been told";
    EventForNobody = "event-for-nobody", "an event came for a room that nobody here is in any more";
    PrivateForNobody = "private-for-nobody", "a private message came for a session that had gone";
    Evicted = "evicted", "a session was kicked because a chat server said so";
    EvictedTooLate = "evicted-too-late", "a session was to be kicked that had gone";

    // A connector's links.
    LinkResumed = "link-resumed", "a link went on over a new connection";
    Resent = "resent", "a link sent again what was not acknowledged";
    ChatRestarted = "chat-restarted", "a connector found its chat server without memory";
    LinkForgotten = "link-forgotten", "a connector found that its chat server had given it up";
    SaidBeforeLinked = "said-before-linked", "something was said before the first connection";
    LeaseRanOut = "lease-ran-out", "a connector gave up a link whose lease had run out";
    SessionsGivenUp = "sessions-given-up", "sessions were kicked with a link that was given up";
    PingUnanswered = "ping-unanswered", "a connection was given up because a ping had no answer";
    DialHung = "dial-hung", "a dial, or the welcome after it, took too long";
    ReportHoldsLease = "report-holds-lease", "an answer did not renew a lease, for a report was open";

    // A chat server's links.
    ConnectorRestarted = "connector-restarted", "a chat server found its connector without memory";
    OldDialRefused = "old-dial-refused", "a hello came after one that was sent later";
    OldProcessRefused = "old-process-refused", "a hello came of a process that has a successor";
    CutOffRefused = "cut-off-refused", "a connector that was cut off dialled before its lease was over";
    ConnectorExpired = "connector-expired", "a chat server gave up a connector that was silent";
    ConnectorSaidGoodbye = "connector-said-goodbye", "a connector said that it stops";
    LinkPaused = "link-paused", "frames of a link waited for others to be written with";
    FellBehind = "fell-behind", "a link had more to send than it may hold for long";
    CaughtUp = "caught-up", "a link that had fallen behind caught up";
    CutOff = "cut-off", "a link stayed too far behind and was cut off";
    AnsweredWithoutDead = "answered-without-dead", "what waited for a connector that died went on";

    // Rooms.
    NameTaken = "name-taken", "an `enter` was refused because the name is in the room";
    NameReplaced = "name-replaced", "a login took the place of an earlier one";
    OldLeaveIgnored = "old-leave-ignored", "a leave came whose name was gone or held by another";
    SenderGone = "sender-gone", "a send came from a session that is not in the room";
    TargetUnknown = "target-unknown", "a private message was for nobody in the room";

    // After a restart of a chat server.
    AllReported = "all-reported", "a chat server that restarted had heard all connectors";
    ReportsOverdue = "reports-overdue", "a chat server that restarted went on without a connector";
    ReportTooLate = "report-too-late", "a connector reported when the rooms had gone on";
    ReportForgotten = "report-forgotten", "a connector was lost after it had reported";
    NoticesRepeated = "notices-repeated", "a connector was told what it had missed of a room";
    WentMeanwhile = "went-meanwhile", "a room was told of who went while its chat server was down";
    WaitedForReports = "waited-for-reports", "a message waited until the rooms were known";
}

type Listener = Box<dyn FnMut(Mark)>;

thread_local! {
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

impl Mark {
    /// Says that the path is taken.
    pub fn reached(self) {
        LISTENER.with_borrow_mut(|listener| {
            if let Some(listener) = listener {
                listener(self);
            }
        });
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Ends the listening when it is dropped.
#[must_use = "what is dropped listens no more"]
#[derive(Debug)]
pub struct Listening(());

/// Tells `listener` of every mark that is reached on this thread, in order, until what is returned
/// is dropped. The latest listener counts. It must not reach a mark itself.
pub fn listen(listener: impl FnMut(Mark) + 'static) -> Listening {
    LISTENER.set(Some(Box::new(listener)));
    Listening(())
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENER.set(None);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn who_listens_is_told_until_it_stops() {
        let heard = Rc::new(RefCell::new(Vec::new()));
        Mark::Resent.reached();
        let listening = listen({
            let heard = heard.clone();
            move |mark| heard.borrow_mut().push(mark)
        });
        Mark::CutOff.reached();
        Mark::CaughtUp.reached();
        drop(listening);
        Mark::Resent.reached();
        assert_eq!(*heard.borrow(), [Mark::CutOff, Mark::CaughtUp]);
    }

    #[test]
    fn every_mark_has_its_own_name() {
        let names: BTreeSet<_> = Mark::ALL.iter().map(|mark| mark.name()).collect();
        assert_eq!(names.len(), Mark::ALL.len());
    }
}
