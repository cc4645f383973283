//! A user in the cluster: one session, from the login to the end of the connection.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use cluster::causes;
use cluster::client::{Client, ClientError, Event};
use cluster::dispatch::{ENTER, SEND};
use cluster::net::Network;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use super::{Ending, User, Vanished};
use crate::history::{MessageId, Target, What};
use crate::login;
use crate::message_text;
use crate::record::Record;
use crate::script::{Action, Do};
use crate::sight;

/// What a connected user keeps in mind.
#[derive(Debug, Default)]
struct Session {
    /// In a room: entered, and not on the way to another.
    entered: bool,
    deaf: bool,
    /// Messages sent.
    sent: u32,
    /// Unanswered requests by their id, which rises; so the first is the oldest.
    asked: BTreeMap<u32, Asked>,
}

#[derive(Debug)]
struct Asked {
    what: Question,
    answer_by: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Question {
    Enter,
    Send(MessageId),
}

impl<N: Network, R: Record, Actions: Iterator<Item = Action>> User<N, R, Actions> {
    /// Enters the room and follows the script until the connection ends.
    pub(super) async fn stay(
        &mut self,
        mut client: Client<N::Stream>,
        vanished: &mut Vanished<N::Stream>,
    ) -> Ending {
        let mut session = Session::default();
        let mut alarm = pin!(sleep_until(Instant::now()));
        let words = self.first_words.take();
        let mut ended = words
            .and_then(|target| self.send(&mut session, &mut client, self.recorder.now(), target))
            .or_else(|| self.enter(&mut session, &mut client));
        let ending = loop {
            if let Some(ending) = ended {
                break ending;
            }
            let next = self.due_at().into_iter().chain(session.answer_by()).min();
            // An alarm that rings too early is set again, so most events set none.
            if let Some(next) = next
                && (alarm.is_elapsed() || next < alarm.deadline())
            {
                alarm.as_mut().reset(next);
            }
            // What is due goes first: a busy room must not keep a user from sending.
            ended = tokio::select! {
                biased;
                () = alarm.as_mut(), if next.is_some() => self.ring(&mut session, &mut client),
                event = listen(&mut client, session.deaf) => self.see(&mut session, event),
            };
        };
        match ending {
            Ending::Vanished => vanished.push(client),
            Ending::Left | Ending::Lost => {
                Box::pin(login::say_goodbye(client, self.access.patience.close)).await;
            }
        }
        ending
    }

    /// Does all that is due by now.
    fn ring(&mut self, session: &mut Session, client: &mut Client<N::Stream>) -> Option<Ending> {
        let now = Instant::now();
        while self.due_at().is_some_and(|due| due <= now) {
            let ending = self.act(session, client);
            if ending.is_some() {
                return ending;
            }
        }
        let is_late = session.answer_by().is_some_and(|by| by <= now);
        is_late.then(|| self.no_answer())
    }

    /// Does what is due next.
    fn act(&mut self, session: &mut Session, client: &mut Client<N::Stream>) -> Option<Ending> {
        let Action { at: due, what } = self.take_due();
        match what {
            Do::Send(target) if session.entered => {
                return self.send(session, client, due, target);
            }
            Do::Send(_) => self.note(What::Unsent { due }),
            Do::SendAtOnce(target) => return self.send(session, client, due, target),
            Do::Enter { room } => {
                self.room = room;
                return self.enter(session, client);
            }
            Do::Leave => {
                self.note(What::Leaving { due });
                return Some(Ending::Left);
            }
            Do::Vanish => {
                self.note(What::Vanished);
                return Some(Ending::Vanished);
            }
            Do::Deafen => {
                self.note(What::Deaf);
                session.deaf = true;
            }
            Do::Listen => session.listen(self.access.patience.answer),
            Do::Login => {}
        }
        None
    }

    fn enter(&mut self, session: &mut Session, client: &mut Client<N::Stream>) -> Option<Ending> {
        let body = json!({ "username": self.name, "rid": self.room });
        self.note(What::Entering {
            name: self.name.clone(),
            room: self.room.clone(),
        });
        session.entered = false;
        let asked = client.request(ENTER, &body);
        self.expect_answer(session, asked, Question::Enter)
    }

    fn send(
        &mut self,
        session: &mut Session,
        client: &mut Client<N::Stream>,
        due: Duration,
        target: Target,
    ) -> Option<Ending> {
        session.sent += 1;
        let message = MessageId {
            user: self.user,
            login: self.login,
            number: session.sent,
        };
        let body = json!({
            "content": message_text::compose(message, due, self.message_len),
            "target": sight::target_name(&target),
        });
        // Noted first: no receiver may have heard it before it was sent.
        self.note(What::Sending {
            message,
            due,
            target,
        });
        let asked = client.request(SEND, &body);
        self.expect_answer(session, asked, Question::Send(message))
    }

    /// Notes what was asked. A cluster whose schemas have no room for it is of no use.
    fn expect_answer(
        &mut self,
        session: &mut Session,
        asked: Result<u32, ClientError>,
        what: Question,
    ) -> Option<Ending> {
        match asked {
            Ok(id) => {
                let answer_by = Instant::now() + self.access.patience.answer;
                session.asked.insert(id, Asked { what, answer_by });
                None
            }
            Err(error) => Some(self.lose(causes::sentence(&error))),
        }
    }

    /// Notes what came from the connector.
    fn see(
        &mut self,
        session: &mut Session,
        event: Result<Event<'_>, ClientError>,
    ) -> Option<Ending> {
        match event {
            Ok(Event::Response { id, body }) => {
                let Some(asked) = session.asked.remove(&id) else {
                    self.note(What::Unasked { id });
                    return None;
                };
                self.see_answer(session, asked.what, &body)
            }
            Ok(Event::Push { route, body }) => {
                match sight::of_push(&route, &body) {
                    Ok(Some(push)) => self.recorder.hear(self.user, self.login, push),
                    Ok(None) => {
                        tracing::debug!(user = self.user, %route, ?body, "strange push");
                        let route = route.into_owned();
                        self.note(What::Strange { route });
                    }
                    Err(error) => {
                        let error = ClientError::from(error);
                        return Some(self.lose(causes::sentence(&error)));
                    }
                }
                None
            }
            Ok(Event::Kicked { reason }) => {
                self.note(What::Kicked { reason });
                Some(Ending::Lost)
            }
            Ok(Event::Closed) => Some(self.lose("the server ended the connection".to_owned())),
            Err(error) => Some(self.lose(causes::sentence(&error))),
        }
    }

    fn see_answer(
        &mut self,
        session: &mut Session,
        question: Question,
        body: &Value,
    ) -> Option<Ending> {
        match question {
            Question::Send(message) => {
                let ok = sight::is_success(body);
                self.note(What::Answered { message, ok });
                None
            }
            Question::Enter => match sight::users(body) {
                Some(users) => {
                    // On the way to yet another room, the answer to the last question counts.
                    session.entered = !session.is_entering();
                    self.failures = 0;
                    self.login_due = None;
                    self.note(What::Entered { users });
                    None
                }
                None => {
                    let duplicate = sight::is_duplicate(body);
                    self.note(What::Refused { duplicate });
                    let due = self.recorder.now();
                    self.note(What::Leaving { due });
                    Some(Ending::Lost)
                }
            },
        }
    }

    fn no_answer(&mut self) -> Ending {
        let patience = self.access.patience.answer;
        self.lose(format!("no answer to a request within {patience:?}"))
    }

    fn lose(&mut self, reason: String) -> Ending {
        self.note(What::Closed { reason });
        Ending::Lost
    }
}

impl Session {
    /// Reads again; what was not read while nobody listened is no answer that was late.
    fn listen(&mut self, patience: Duration) {
        if std::mem::take(&mut self.deaf) {
            let answer_by = Instant::now() + patience;
            self.asked
                .values_mut()
                .for_each(|asked| asked.answer_by = answer_by);
        }
    }

    /// When the oldest unanswered request is given up. One who does not listen does not wait.
    fn answer_by(&self) -> Option<Instant> {
        if self.deaf {
            return None;
        }
        let (_id, oldest) = self.asked.first_key_value()?;
        Some(oldest.answer_by)
    }

    fn is_entering(&self) -> bool {
        self.asked
            .values()
            .any(|asked| matches!(asked.what, Question::Enter))
    }
}

/// The next event; for one who is deaf, only an error.
async fn listen<S>(client: &mut Client<S>, deaf: bool) -> Result<Event<'_>, ClientError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    if deaf {
        client.write_only().await?;
    }
    client.next().await
}
