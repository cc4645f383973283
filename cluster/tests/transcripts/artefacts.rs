//! What the original does by accident, and this cluster must not: it ends the connection or answers
//! with an error, where the original forgets its client. These rules hold for any recording.
//!
//! - A message that is cut short leaves the original's session half dead: it is never served again
//!   (PROTOCOL 5.3). Here the connection ends at once, as is recommended there, and the others are
//!   told then that the user has left.
//! - A request that the original never answers, because it stumbles over a name that every
//!   JavaScript object has or over a room that is no text (PROTOCOL 5.2 and 5.3, BEHAVIOUR 2.3 and
//!   3.8), is answered with `{"code":500}` here (G8, BEHAVIOUR 10). If the original's session is
//!   dead after it, its client asks nothing more in the replay either: what a living session would
//!   answer is not in the recording.
//! - What is said without text, or to no name, is refused here. The original answers with success
//!   and delivers nothing, or an `onChat` without a body (BEHAVIOUR 4.6).

use bytes::Bytes;

use crate::client::Client;
use crate::package::Kind;
use crate::payload::Payload;
use crate::request::{Asked, Request};
use crate::transcript::{Action, Event, Frame, Happened, REFUSAL, Seen, Transcript, Transport};

/// Expects of this cluster what is right, where the recording has an accident of the original.
pub fn mend(transcript: &mut Transcript) {
    let labels: Vec<String> = transcript.connections.keys().cloned().collect();
    for label in labels {
        let mut client = Client::new(transcript.connections[&label]);
        for step in 0..transcript.steps.len() {
            let mut index = 0;
            while let Some(event) = transcript.steps[step].events.get(index) {
                if event.connection == label {
                    for asked in client.notice(&event.happened) {
                        let place = Place {
                            label: &label,
                            step,
                            index,
                        };
                        place.mend(transcript, &client, &asked);
                        if matches!(asked, Asked::Cut) {
                            break;
                        }
                    }
                }
                index += 1;
            }
        }
    }
}

/// Where a client of a recording asked something.
struct Place<'a> {
    label: &'a str,
    step: usize,
    index: usize,
}

impl Place<'_> {
    fn mend(&self, transcript: &mut Transcript, client: &Client, asked: &Asked) {
        match asked {
            Asked::Nothing => {}
            Asked::Cut => self.end(transcript, client.name.as_deref()),
            Asked::Request(request) if request.is_known_to_all_objects() => {
                self.fall_silent(transcript)
            }
            Asked::Request(request) => {
                if request.says_no_text() {
                    self.refuse(transcript, request);
                } else if self.is_unanswered(transcript, request) {
                    self.fall_silent(transcript);
                    self.expect(transcript, vec![Seen::response(request.id, REFUSAL)]);
                }
            }
        }
    }

    /// The connection ends here, and others see it then.
    fn end(&self, transcript: &mut Transcript, name: Option<&str>) {
        let mut left = None;
        self.change_later(transcript, |step, event| {
            if event.is_end() {
                left.get_or_insert(step);
            }
            false
        });
        if let (Some(left), Some(name)) = (left, name)
            && left > self.step
        {
            let is_farewell = |event: &mut Event| {
                let package = event.seen().and_then(Seen::package);
                package.is_some_and(|package| package.is_news("onLeave", name))
            };
            let later = &mut transcript.steps[left].events;
            let farewells: Vec<Event> = later.extract_if(.., is_farewell).collect();
            transcript.steps[self.step].events.extend(farewells);
        }
        let mut end = vec![Seen::Closed];
        if transcript.connections[self.label].transport == Transport::WebSocket {
            let normal = Bytes::copy_from_slice(&1000_u16.to_be_bytes());
            let (frame, payload) = (Frame::Close, Payload::Whole(normal));
            end.insert(0, Seen::Message { frame, payload });
        }
        self.expect(transcript, end);
    }

    /// The client asks nothing more, if the original does not serve it any more.
    fn fall_silent(&self, transcript: &mut Transcript) {
        let mut is_served = false;
        self.change_later(transcript, |step, event| {
            let kind = event.seen().and_then(Seen::kind);
            let answer = matches!(kind, Some(Kind::Response(_) | Kind::Heartbeat | Kind::Kick));
            is_served |= answer && step > self.step;
            true
        });
        if is_served {
            return;
        }
        // Kept alive as the recorder kept it, this session would not end as the original's did.
        let leaves = transcript.auto_heartbeats;
        self.change_later(transcript, |_, event| match &event.happened {
            Happened::Client(Action::Send { .. }) => false,
            Happened::Server(Seen::Closed) if leaves => {
                event.happened = Happened::Client(Action::Close);
                true
            }
            Happened::Server(Seen::Message {
                frame: Frame::Close,
                ..
            }) => !leaves,
            _ => true,
        });
    }

    /// A message that goes to nobody.
    fn refuse(&self, transcript: &mut Transcript, request: &Request) {
        let step = &mut transcript.steps[self.step];
        if let Some(answer) = step.answer_mut(self.label, request.id) {
            *answer = Seen::response(request.id, REFUSAL);
        }
        let empty = Seen::push("onChat", b"");
        let later = step.events.split_off(self.index);
        let delivered = |event: &Event| event.seen() != Some(&empty);
        step.events.extend(later.into_iter().filter(delivered));
    }

    /// Whether a request that wants an answer got none, for a reason that is known, although its
    /// client waited.
    fn is_unanswered(&self, transcript: &Transcript, request: &Request) -> bool {
        let mut later = transcript.steps[self.step].events[self.index..].iter();
        let is_settled = later.any(|event| {
            let kind = event.seen().and_then(Seen::kind);
            let is_answer = matches!(kind, Some(Kind::Response(id)) if id == request.id);
            let settles = is_answer || kind == Some(Kind::Kick) || event.is_end();
            settles && event.connection == self.label
        });
        let is_lost = request.makes_handler_throw() || request.asks_for_inherited_method();
        request.id > 0 && is_lost && !is_settled
    }

    /// Puts what the server says behind what was asked.
    fn expect(&self, transcript: &mut Transcript, all: Vec<Seen>) {
        let events = &mut transcript.steps[self.step].events;
        let at = events[self.index].at;
        let all = all.into_iter().map(|seen| Event {
            at,
            connection: String::from(self.label),
            happened: Happened::Server(seen),
        });
        let next = self.index + 1;
        events.splice(next..next, all);
    }

    /// Goes through what happens later on this connection, until it is opened again; drops those
    /// for which `keeps` says false.
    fn change_later(
        &self,
        transcript: &mut Transcript,
        mut keeps: impl FnMut(usize, &mut Event) -> bool,
    ) {
        let mut is_over = false;
        for (number, step) in transcript.steps.iter_mut().enumerate().skip(self.step) {
            let mut index = 0;
            step.events.retain_mut(|event| {
                let is_later = number > self.step || index > self.index;
                index += 1;
                if !is_later || event.connection != self.label {
                    return true;
                }
                is_over |= matches!(event.happened, Happened::Client(Action::Open));
                is_over || keeps(number, event)
            });
        }
    }
}
