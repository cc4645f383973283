//! Everything that a connector knows, and the ways in which it changes: a client says something
//! or goes, a chat server says something, a link comes or goes, a deadline passes. No IO and no
//! waiting in here; what is to be written goes to the sessions' queues and the links' outboxes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::link::Link;
use super::room::Room;
use super::rounds::Rounds;
use crate::census::Census;
use crate::limits::REQUESTS_IN_FLIGHT;
use crate::link::message::{self, RequestId, SessionId, ToChat};
use crate::marks::Mark;
use crate::options::Options;
use crate::policy::Flaw;
use crate::queue::{Queue, TooSlow};
use crate::topology::Topology;
use crate::wire::body;
use crate::wire::message::encode_response;

/// A chat server's place in the configured list.
pub type ChatIndex = usize;

/// What a connector knows.
pub struct State {
    pub(super) id: String,
    pub(super) topology: Arc<Topology>,
    pub(super) options: Options,
    pub(super) incarnation: u64,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) rooms: BTreeMap<Arc<str>, Room>,
    pub(super) rounds: Rounds,
    /// One per chat server, in configuration order.
    pub(super) links: Vec<Link>,
    /// The chat servers in the order in which they were linked, without those that are not.
    pub(super) registered: Vec<ChatIndex>,
    is_stopping: bool,
    sessions_ever: SessionId,
    requests_ever: RequestId,
    queue_len_max: usize,
}

/// Why all sessions end when the server does.
const STOPPING: &str = "the server is stopping";

/// One client connection that has shaken hands.
pub struct Session {
    pub(super) queue: Arc<Queue>,
    /// The room it is in.
    pub(super) place: Option<Place>,
    /// The room it is about to be in.
    pub(super) entering: Option<Entering>,
    /// Requests in the order in which they came; they are answered in this order.
    requests: VecDeque<Request>,
}

/// A session's room, and its name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The room.
    pub room: Arc<str>,
    /// The name.
    pub name: Arc<str>,
    /// The chat server that owns the room.
    pub chat: ChatIndex,
}

/// An `enter` that is not answered yet.
pub struct Entering {
    pub(super) request: RequestId,
    pub(super) place: Place,
    /// Whether the chat server has been asked. It is once all earlier requests are answered.
    asked: bool,
    /// The members, once the chat server has taken it in.
    pub(super) users: Option<Vec<Arc<str>>>,
    /// What has come from the new room, and follows the answer.
    pub(super) events: Arc<Queue>,
}

struct Request {
    number: RequestId,
    /// The chat server that is to answer it, if it has been passed on.
    chat: Option<ChatIndex>,
    /// What the client calls it; 0: it wants no answer.
    id: u32,
    /// Its route, if that decides how the answer is written.
    route: Option<Box<str>>,
    deadline: Instant,
    answer: Option<Bytes>,
}

impl State {
    /// Begins without sessions and links.
    pub fn new(
        topology: Arc<Topology>,
        id: &str,
        options: Options,
        incarnation: u64,
        now: Instant,
    ) -> Self {
        let chats = topology.chats.iter().enumerate();
        let links: Vec<Link> = chats
            .map(|(chat, server)| Link::new(chat, &server.id, now))
            .collect();
        let rounds = Rounds::new(options.busy_round);
        Self {
            id: id.to_owned(),
            topology,
            options,
            incarnation,
            sessions: BTreeMap::new(),
            rooms: BTreeMap::new(),
            rounds,
            registered: (0..links.len()).collect(),
            links,
            is_stopping: false,
            sessions_ever: 0,
            requests_ever: 0,
            queue_len_max: 0,
        }
    }

    /// Adds a session that has shaken hands. Its packages are to be taken from the queue.
    pub fn open(&mut self) -> (SessionId, Arc<Queue>) {
        self.sessions_ever += 1;
        let queue = Arc::new(self.new_queue());
        if self.is_stopping {
            Mark::OpenedWhileStopping.reached();
            queue.kick(STOPPING);
        }
        let session = Session {
            queue: queue.clone(),
            place: None,
            entering: None,
            requests: VecDeque::new(),
        };
        self.sessions.insert(self.sessions_ever, session);
        (self.sessions_ever, queue)
    }

    /// Forgets a session, and tells the chat servers that it has left its room.
    pub fn close(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        self.queue_len_max = self.queue_len_max.max(session.queue.longest());
        match &session.entering {
            Some(entering) if entering.asked => Mark::ClosedWhileEntering.reached(),
            Some(_) => Mark::ClosedBeforeAsking.reached(),
            None => {}
        }
        let asked = session.entering.filter(|entering| entering.asked);
        let mut entering = asked.map(|entering| entering.place);
        let policy = self.options.policy;
        if let Some(place) = entering.take_if(|_| policy.has(Flaw::GhostAfterCloseWhileEntering)) {
            self.part(id, &place);
        }
        for place in session.place.into_iter().chain(entering) {
            self.leave(id, &place);
        }
    }

    /// Whether [`Self::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    /// Ends all sessions, and those that still come: the server stops.
    pub fn stop(&mut self) {
        self.is_stopping = true;
        let all: Vec<SessionId> = self.sessions.keys().copied().collect();
        if !all.is_empty() {
            Mark::StoppedWithSessions.reached();
        }
        for id in all {
            self.kick(id, STOPPING);
        }
        for link in &mut self.links {
            link.say_goodbye();
        }
    }

    /// Ends a session with a kick that tells the client `reason`.
    pub(super) fn kick(&mut self, id: SessionId, reason: &str) {
        if let Some(session) = self.sessions.get(&id) {
            session.queue.kick(reason);
        }
        if !self.options.policy.has(Flaw::KickedLingers) {
            self.close(id);
        }
    }

    /// Takes a session out of a room and tells the chat server.
    pub(super) fn leave(&mut self, id: SessionId, place: &Place) {
        self.part(id, place);
        let (room, name) = (place.room.clone(), place.name.clone());
        let Some(chat) = self.owner_of(place) else {
            return;
        };
        if !self.links[chat].is_up && self.options.policy.has(Flaw::KickLost) {
            return;
        }
        self.send(
            chat,
            &ToChat::Remove {
                session: id,
                room,
                name,
            },
        );
    }

    /// Takes a session out of this connector's view of a room.
    pub(super) fn part(&mut self, id: SessionId, place: &Place) {
        let room = self.rooms.get_mut(&place.room);
        if room.is_some_and(|room| room.part(id)) {
            self.rooms.remove(&place.room);
        }
    }

    /// Puts a message on the link to `chat`, unless that was given up; then the chat server knows
    /// nothing of this connector's sessions anyway.
    pub(super) fn send(&mut self, chat: ChatIndex, message: &ToChat) {
        self.links[chat].send(message::encode(message));
    }

    /// The room of a session.
    pub(super) fn place_of(&self, id: SessionId) -> Option<Place> {
        self.sessions.get(&id)?.place.clone()
    }

    /// Whether another session of this connector has the name in that room, or is about to.
    pub(super) fn is_taken(&self, wanted: &Place) -> bool {
        let places = self.sessions.values().flat_map(|session| {
            let entering = session.entering.as_ref().map(|entering| &entering.place);
            session.place.iter().chain(entering)
        });
        let mut taken = places.map(|place| (&place.room, &place.name));
        taken.any(|taken| taken == (&wanted.room, &wanted.name))
    }

    /// Notes that a session wants to be let into `place`. Its client's next messages wait meanwhile.
    pub(super) fn begin_enter(&mut self, id: SessionId, request: RequestId, place: Place) {
        let events = Arc::new(self.new_queue());
        if let Some(session) = self.sessions.get_mut(&id) {
            session.entering = Some(Entering {
                request,
                place,
                asked: false,
                users: None,
                events,
            });
            session.update_hold();
        }
        self.ask_to_enter(id);
    }

    fn new_queue(&self) -> Queue {
        if self.options.policy.has(Flaw::SlowReaderUnbounded) {
            return Queue::new(usize::MAX, usize::MAX);
        }
        Queue::new(
            self.options.session_queue_len,
            self.options.session_queue_bytes,
        )
    }

    /// Asks the chat server to let a session in, once all its earlier requests are answered: the
    /// answer to `enter` must not wait behind others, because the room's events follow it.
    fn ask_to_enter(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let first = session.requests.front().map(|request| request.number);
        let Some(entering) = &mut session.entering else {
            return;
        };
        if entering.asked {
            return;
        }
        if first != Some(entering.request) {
            Mark::EnterWaitsForAnswers.reached();
            return;
        }
        entering.asked = true;
        let chat = entering.place.chat;
        let add = ToChat::Add {
            session: id,
            request: entering.request,
            room: entering.place.room.clone(),
            name: entering.place.name.clone(),
        };
        self.send(chat, &add);
    }

    /// Ends an `enter` that has failed, if `request` is one. True if it is.
    pub(super) fn end_enter(&mut self, id: SessionId, request: RequestId) -> bool {
        let entering = self.take_entering(id, request);
        if let Some(entering) = &entering {
            self.part(id, &entering.place);
        }
        entering.is_some()
    }

    fn take_entering(&mut self, id: SessionId, request: RequestId) -> Option<Entering> {
        let session = self.sessions.get_mut(&id)?;
        session
            .entering
            .take_if(|entering| entering.request == request)
    }

    /// Notes a request, which `chat` is to answer if it is passed on, and returns its number. It is
    /// answered within the request deadline.
    pub(super) fn open_request(
        &mut self,
        session: SessionId,
        id: u32,
        route: &str,
        chat: Option<ChatIndex>,
        now: Instant,
    ) -> RequestId {
        self.requests_ever += 1;
        let number = self.requests_ever;
        let deadline = now + self.options.answer_within();
        let vocabulary = &self.options.vocabulary;
        let is_protobuf = vocabulary.is_protobuf_from_server(route);
        if let Some(session) = self.sessions.get_mut(&session) {
            let answer = None;
            session.requests.push_back(Request {
                number,
                chat,
                id,
                route: is_protobuf.then(|| route.into()),
                deadline,
                answer,
            });
            session.update_hold();
        }
        number
    }

    /// Answers a request with a JSON `body`: at once, or after those that came before it. Nothing
    /// happens if it has been answered already, because its deadline had passed.
    pub(super) fn answer(&mut self, id: SessionId, number: RequestId, body: &[u8]) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let request = session.requests.iter_mut().find(|r| r.number == number);
        let Some(request) = request.filter(|request| request.answer.is_none()) else {
            Mark::AnswerTooLate.reached();
            return;
        };
        // A request without an id is carried out and not answered.
        let response = match (request.id, &request.route) {
            (0, _) => Bytes::new(),
            // By a flaw of the chat server, which answers with JSON.
            _ if body.is_empty() => Bytes::new(),
            (id, None) => encode_response(id, body),
            (id, Some(route)) => {
                let body = body::decode(body);
                self.options.vocabulary.response(id, route, &body)
            }
        };
        request.answer = Some(response);
        let first = session.requests.front();
        if first.is_some_and(|first| first.number != number) {
            Mark::AnswerWaitsForEarlier.reached();
        }
        let answered = session.take_answered();
        session.update_hold();
        for response in answered {
            self.push(id, response);
        }
        self.ask_to_enter(id);
    }

    /// Answers a request with `{"code":500}`.
    pub(super) fn refuse(&mut self, id: SessionId, number: RequestId) {
        self.answer_json(id, number, &json!({"code": 500}));
    }

    /// Answers an `enter` that failed for what is not the client's fault.
    pub(super) fn fail_enter(&mut self, id: SessionId, number: RequestId) {
        if self.options.policy.has(Flaw::FalseSuccessOfEnter) {
            return self.answer_json(id, number, &json!({"users": {}}));
        }
        self.refuse(id, number);
    }

    /// Answers an `enter` whose name is taken, as the original does.
    pub(super) fn refuse_duplicate(&mut self, id: SessionId, number: RequestId) {
        self.answer_json(id, number, &json!({"code": 500, "error": true}));
    }

    /// Answers a request with a JSON body.
    pub(super) fn answer_json(&mut self, id: SessionId, number: RequestId, body: &Value) {
        self.answer(id, number, body.to_string().as_bytes());
    }

    /// Puts a package into a session's queue. One that is full ends the session.
    pub(super) fn push(&mut self, id: SessionId, package: Bytes) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        if self.rounds.push(&session.queue, package) == Err(TooSlow) {
            self.close_too_slow(id);
        }
    }

    /// Ends a session whose queue has run over, and which says so to its client.
    pub(super) fn close_too_slow(&mut self, id: SessionId) {
        Mark::KickedTooSlow.reached();
        tracing::info!(server = self.id, session = id, "kicked: too slow");
        self.close(id);
    }

    /// Ends the round, see [`Rounds::end`].
    pub fn end_round(&mut self) -> bool {
        self.rounds.end()
    }

    /// Signalled when a round begins that has to be ended.
    pub fn round_begun(&self) -> Arc<Notify> {
        self.rounds.begun()
    }

    /// Refuses the requests of a session whose deadline has passed. Returns when to look again.
    pub fn expire_requests(&mut self, id: SessionId, now: Instant) -> Option<Instant> {
        while let Some(number) = self.sessions.get(&id)?.late_request(now) {
            Mark::RequestExpired.reached();
            match self.abandon_enter(id, number) {
                true => self.fail_enter(id, number),
                false => self.refuse(id, number),
            }
        }
        let requests = &self.sessions.get(&id)?.requests;
        requests
            .iter()
            .find(|r| r.answer.is_none())
            .map(|request| request.deadline)
    }

    /// Undoes an `enter` that is about to be refused, if `number` is one. True if it is.
    fn abandon_enter(&mut self, id: SessionId, number: RequestId) -> bool {
        let entering = self.take_entering(id, number);
        if let Some(entering) = entering.as_ref().filter(|entering| entering.asked) {
            Mark::EnterAbandoned.reached();
            self.leave(id, &entering.place);
        }
        entering.is_some()
    }

    /// What the tables hold now.
    pub fn census(&self) -> Census {
        let place = |session: &Session| session.place.clone();
        let places = self.sessions.values().filter_map(place);
        let queues = || self.sessions.values().map(|session| &session.queue);
        Census {
            sessions: self.sessions.len(),
            entered: places
                .map(|p| (p.room.to_string(), p.name.to_string()))
                .collect(),
            in_flight: self
                .sessions
                .values()
                .map(|session| session.requests.len())
                .sum(),
            outbox_len: self.links.iter().map(Link::outbox_len).sum(),
            outbox_len_max: self
                .links
                .iter()
                .map(Link::outbox_len_max)
                .max()
                .unwrap_or(0),
            queued: queues().map(|queue| queue.len()).sum(),
            queue_len_max: queues()
                .map(|queue| queue.longest())
                .fold(self.queue_len_max, usize::max),
            views: self.rooms.len(),
            ..Census::default()
        }
    }
}

impl Session {
    /// Requests that wait for `chat`, oldest first.
    pub(super) fn unanswered_by(&self, chat: ChatIndex) -> Vec<RequestId> {
        let waits = |request: &&Request| request.answer.is_none() && request.chat == Some(chat);
        let waiting = self.requests.iter().filter(waits);
        waiting.map(|request| request.number).collect()
    }

    fn late_request(&self, now: Instant) -> Option<RequestId> {
        let late = |request: &&Request| request.answer.is_none() && request.deadline <= now;
        self.requests
            .iter()
            .find(late)
            .map(|request| request.number)
    }

    fn take_answered(&mut self) -> Vec<Bytes> {
        let mut answered = Vec::new();
        while let Some(request) = self.requests.pop_front_if(|r| r.answer.is_some()) {
            answered.extend(request.answer.filter(|response| !response.is_empty()));
        }
        answered
    }

    /// While an `enter` or too many requests are unanswered, the client's next messages wait.
    pub(super) fn update_hold(&self) {
        let is_full = self.requests.len() >= REQUESTS_IN_FLIGHT;
        self.queue.hold(is_full || self.entering.is_some());
    }
}
