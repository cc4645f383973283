//! One virtual user: asks the gate, connects, enters a room, sends when due, disconnects.
//!
//! The user is one task and knows nothing of its network: the same code runs over real sockets and
//! in simulation. Everything that it does and sees is recorded.

use std::collections::BTreeMap;
use std::future;
use std::iter::Peekable;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cluster::causes;
use cluster::client::{Client, ClientError, Event, Memory};
use cluster::connection::Transport;
use cluster::dispatch::{ENTER, SEND};
use cluster::net::Network;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};

use crate::address::Address;
use crate::health::want::Want;
use crate::history::{MessageId, Target, What};
use crate::login::{self, LoginError};
use crate::message_text;
use crate::record::Record;
use crate::script::{Action, Do, Reconnect, Script};
use crate::sight;

/// How the users of one run reach the cluster.
#[derive(Clone, Debug)]
pub struct Access {
    /// The gate that is asked for a connector.
    pub gate: Address,
    /// What the bytes travel in, to the gate and to the connector.
    pub transport: Transport,
    /// What they remember of servers. If all users share one, only the first is sent the route
    /// dictionary and the schemas.
    pub memory: Arc<Memory>,
    /// How long a user waits for its peers.
    pub patience: Patience,
}

/// How long a user waits for a peer before it gives the connection up.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From asking the gate to the connector's finished handshake.
    pub login: Duration,
    /// From a request to its answer. Longer than the cluster's own request deadline, so that a
    /// late answer is seen as what it is.
    pub answer: Duration,
    /// For the goodbye of a connection that the user closes.
    pub close: Duration,
}

impl Default for Patience {
    /// Ten seconds for a login, ten for an answer (three times the cluster's default request
    /// deadline), one for a goodbye.
    fn default() -> Self {
        Self {
            login: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            close: Duration::from_secs(1),
        }
    }
}

/// Connections of a user that vanished: open, but neither read nor written. They end when
/// this is dropped.
pub type Vanished<S> = Vec<Client<S>>;

/// Lives `script`, whose times count from the start of `recorder`. `rng` decides what the script
/// leaves open: the waits before coming back.
///
/// It ends when the script has nothing left to do and the user is not connected; a user that is
/// connected stays, until this future is dropped. The connections that it vanished from are
/// handed back, to be kept until the end of the run.
pub async fn run<N, R, Actions>(
    script: Script<Actions>,
    network: N,
    access: Access,
    recorder: R,
    rng: StdRng,
) -> Vanished<N::Stream>
where
    N: Network,
    R: Record,
    Actions: IntoIterator<Item = Action>,
{
    let mut user = User {
        user: script.user,
        name: script.name,
        gate_key: script.gate_key,
        room: script.room,
        message_len: script.message_len,
        actions: script.actions.into_iter().peekable(),
        reconnect: script.reconnect,
        network,
        access,
        recorder,
        rng,
        login: 0,
        login_due: None,
        failures: 0,
        retry_at: None,
        first_words: None,
    };
    let mut vanished = Vec::new();
    while user.wait_for_login().await {
        // What is needed for a moment only has memory of its own, which is free again when it is over: in
        // place, each of many thousand users would have room for it all its life.
        let ending = match Box::pin(user.log_in()).await {
            Ok((client, gate)) => {
                // A user does not wait for the gate's goodbye, but neither leaves it hanging.
                let goodbye = Box::pin(login::say_goodbye(gate, user.access.patience.close));
                tokio::join!(user.stay(client, &mut vanished), goodbye).0
            }
            Err(error) => user.fail(&error),
        };
        user.retry_at = match ending {
            Ending::Lost => user.back_off(),
            Ending::Left | Ending::Vanished => None,
        };
    }
    vanished
}

struct User<N: Network, R, Actions: Iterator> {
    user: u32,
    name: String,
    gate_key: Option<String>,
    room: String,
    message_len: usize,
    actions: Peekable<Actions>,
    reconnect: Option<Reconnect>,
    network: N,
    access: Access,
    recorder: R,
    rng: StdRng,
    /// The number of the current or last login.
    login: u32,
    /// When the login that has yet to lead into a room was first due, since the start of the run.
    login_due: Option<Duration>,
    /// Logins in a row that came to nothing.
    failures: u32,
    retry_at: Option<Instant>,
    /// To whom it speaks in the next session before it enters a room.
    first_words: Option<Target>,
}

/// How a connection of this user ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It went, as it wanted to.
    Left,
    /// It went silent.
    Vanished,
    /// Against its will: no login, not let in, kicked, cut off.
    Lost,
}

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

/// Out of the cluster.
impl<N: Network, R: Record, Actions: Iterator<Item = Action>> User<N, R, Actions> {
    /// Waits until the script or a retry asks for a login; `false` if the script is over.
    async fn wait_for_login(&mut self) -> bool {
        loop {
            let due_at = self.due_at();
            if due_at.is_none() && self.retry_at.is_none() {
                return false;
            }
            tokio::select! {
                biased;
                () = at(due_at) => {
                    let Action { at: due, what } = self.take_due();
                    match what {
                        Do::Login => {
                            // Who is about to try again has waited since the first time.
                            if self.retry_at.is_none() {
                                self.login_due = Some(due);
                            }
                            return true;
                        }
                        Do::Send(_) => self.note(What::Unsent { due }),
                        Do::SendAtOnce(target) => self.first_words = Some(target),
                        Do::Enter { room } => self.room = room,
                        Do::Leave => self.retry_at = None,
                        Do::Vanish | Do::Deafen | Do::Listen => {}
                    }
                }
                () = at(self.retry_at) => return true,
            }
        }
    }

    /// Begins a login: asks the gate, connects to the connector it names. Hands back the connection
    /// to the connector, and the one to the gate, which is of no more use.
    async fn log_in(&mut self) -> Result<(Client<N::Stream>, Client<N::Stream>), LoginError> {
        self.login += 1;
        let due = self.login_due;
        let due = due.expect("who logs in was told to by the script or by its back-off");
        self.note(What::Login { due });
        let key = self.gate_key.as_ref().unwrap_or(&self.name);
        let patience = self.access.patience.login;
        timeout(patience, async {
            let (connector, gate) = login::ask_gate(&self.network, &self.access, key).await?;
            self.note(What::Located {
                connector: connector.to_string(),
            });
            let client = login::connect(&self.network, &self.access, connector).await?;
            self.note(What::Connected);
            Ok((client, gate))
        })
        .await
        .unwrap_or(Err(LoginError::Late(patience)))
    }

    fn fail(&mut self, error: &LoginError) -> Ending {
        let reason = error.to_string();
        match Want::behind(error) {
            Some(want) => self.recorder.prevented(self.user, self.login, want, reason),
            None => self.note(What::LoginFailed { reason }),
        }
        Ending::Lost
    }

    fn back_off(&mut self) -> Option<Instant> {
        self.failures = self.failures.saturating_add(1);
        let wait = self.reconnect?.wait(self.failures, &mut self.rng);
        self.login_due.get_or_insert(self.recorder.now() + wait);
        Some(Instant::now() + wait)
    }
}

/// In the cluster.
impl<N: Network, R: Record, Actions: Iterator<Item = Action>> User<N, R, Actions> {
    /// Enters the room and follows the script until the connection ends.
    async fn stay(
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

/// The script.
impl<N: Network, R: Record, Actions: Iterator<Item = Action>> User<N, R, Actions> {
    /// When the next action is due.
    fn due_at(&mut self) -> Option<Instant> {
        let next = self.actions.peek()?;
        Some(self.recorder.started_at() + next.at)
    }

    fn take_due(&mut self) -> Action {
        self.actions
            .next()
            .expect("an action is due only while there is one")
    }

    fn note(&self, what: What) {
        self.recorder.note(self.user, self.login, what);
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

/// Waits until `when`; for ever, if there is no such time.
async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => future::pending().await,
    }
}
