//! Who is in which room in a recording, and what comes of it here instead. These rules hold for any
//! recording.
//!
//! - A name that is in a room comes once more, through another connector. The original takes it in
//!   as a twin (BEHAVIOUR 3.5): it is listed twice, what is said to the name reaches the one who came
//!   last, and nobody once either has gone. This cluster refuses the twin (G6), so that the rest is
//!   as if it had not come.
//! - A recording may end before the original has told those who stay that somebody has left
//!   (BEHAVIOUR 5.1). They must be told all the same (G7).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::Client;
use crate::package::{Body, Kind, Package};
use crate::request::{Asked, Request};
use crate::transcript::{Event, REFUSAL, Seen, Step, Transcript};

/// Expects of this cluster what is right, where the recording has twins or ends too early.
pub fn mend(transcript: &mut Transcript) {
    let connections = transcript.connections.iter();
    let mut clients: BTreeMap<String, Client> = connections
        .map(|(label, peer)| (label.clone(), Client::new(*peer)))
        .collect();
    let mut rooms = Rooms::default();
    let last = transcript.steps.last().map(|step| step.number);
    for step in &mut transcript.steps {
        let (mut requests, mut gone) = (Vec::new(), Vec::new());
        for event in &step.events {
            let label = &event.connection;
            let client = clients.get_mut(label);
            let client = client.expect("events are of listed connections");
            for asked in client.notice(&event.happened) {
                if let Asked::Request(request) = asked {
                    requests.push((label.clone(), request));
                }
            }
            if event.is_end() {
                gone.push(label.clone());
            }
        }
        for (label, request) in requests {
            match request.route.as_str() {
                "connector.entryHandler.enter" => rooms.enter(step, label, &request),
                "chat.chatHandler.send" => rooms.send(step, &label, &request),
                _ => {}
            }
        }
        rooms.tell_nothing_to_twins(step);
        let left = rooms.leave(step, &gone);
        if last == Some(step.number) {
            rooms.tell_of(step, &left);
        }
    }
}

/// A name in a room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    name: String,
    room: String,
}

/// Who is where in the recording.
#[derive(Debug, Default)]
struct Rooms {
    /// Connections of those who are in a room here too.
    members: BTreeMap<String, Place>,
    /// Connections of those who are only in the recording.
    twins: BTreeMap<String, Place>,
    /// Where the original finds a member no more, because a twin has gone.
    lost: BTreeSet<Place>,
}

impl Rooms {
    fn enter(&mut self, step: &mut Step, label: String, request: &Request) {
        let (Some(name), Some(room)) = (request.text("username"), request.text("rid")) else {
            return;
        };
        let Some(answer) = step.answer_mut(&label, request.id) else {
            return;
        };
        let Some(Body::Json(mut body)) = answer.package().map(|package| package.body) else {
            return;
        };
        let Some(users) = body.get_mut("users").and_then(Value::as_array_mut) else {
            return;
        };
        let place = Place {
            name: String::from(name),
            room: String::from(room),
        };
        if self.holder(&place).is_some() {
            *answer = Seen::response(request.id, r#"{"code":500,"error":true}"#);
            forget_pushes(step, |push| push.is_news("onAdd", name));
            self.twins.insert(label, place);
            return;
        }
        let before = users.len();
        for twin in self.twins.values().filter(|twin| twin.room == room) {
            if let Some(index) = users.iter().rposition(|user| *user == twin.name) {
                users.remove(index);
            }
        }
        if users.len() < before {
            *answer = Seen::response(request.id, &body.to_string());
        }
        self.lost.remove(&place);
        self.members.insert(label, place);
    }

    fn send(&self, step: &mut Step, label: &str, request: &Request) {
        let (Some(content), Some(target)) = (request.text("content"), request.text("target"))
        else {
            return;
        };
        if let Some(twin) = self.twins.get(label) {
            if let Some(answer) = step.answer_mut(label, request.id) {
                *answer = Seen::response(request.id, REFUSAL);
            }
            forget_pushes(step, |push| {
                let chat = push.chat();
                chat.is_some_and(|chat| chat.from == twin.name && chat.message == content)
            });
        } else if let Some(sender) = self.members.get(label) {
            let receiver = Place {
                name: String::from(target),
                room: sender.room.clone(),
            };
            let holder = self.holder(&receiver);
            let Some(holder) = holder.filter(|_| self.lost.contains(&receiver)) else {
                return;
            };
            if let Some(answer) = step.answer_mut(label, request.id) {
                *answer = Seen::response(request.id, "{}");
            }
            let chat = Chat {
                message: content,
                from: &sender.name,
                target,
            };
            step.expect(holder, Seen::push("onChat", &chat.encode_body()));
        }
    }

    /// What was said to a twin alone was said to its name, and so to the member who has it.
    fn tell_nothing_to_twins(&self, step: &mut Step) {
        step.events.retain_mut(|event| {
            let (Some(twin), Some(push)) = (self.twins.get(&event.connection), push(event)) else {
                return true;
            };
            let is_private = push.chat().is_some_and(|chat| chat.target == twin.name);
            let holder = self.holder(twin).filter(|_| is_private);
            if let Some(holder) = holder {
                event.connection = String::from(holder);
            }
            holder.is_some()
        });
    }

    /// Returns the places that members have left.
    fn leave(&mut self, step: &mut Step, gone: &[String]) -> Vec<Place> {
        for label in gone {
            if let Some(twin) = self.twins.remove(label) {
                forget_pushes(step, |push| push.is_news("onLeave", &twin.name));
                self.lost.insert(twin);
            }
        }
        let left = gone.iter().filter_map(|label| self.members.remove(label));
        left.collect()
    }

    /// Expects that those who stay are told who has left, if that is not in the recording.
    fn tell_of(&self, step: &mut Step, left: &[Place]) {
        for Place { name, room } in left {
            let news = json!({"route": "onLeave", "user": name}).to_string();
            let news = Seen::push("onLeave", news.as_bytes());
            for (label, _) in self.members.iter().filter(|(_, stays)| stays.room == *room) {
                let expected = step.expected(label);
                let mut pushes = expected.iter().filter_map(Seen::package);
                if !pushes.any(|push| push.is_news("onLeave", name)) {
                    step.expect(label, news.clone());
                }
            }
        }
    }

    /// The connection of the member who has this name.
    fn holder(&self, place: &Place) -> Option<&str> {
        let mut members = self.members.iter();
        let holder = members.find(|(_, member)| *member == place);
        holder.map(|(label, _)| label.as_str())
    }
}

fn forget_pushes(step: &mut Step, is_forgotten: impl Fn(&Package) -> bool) {
    step.events
        .retain(|event| !push(event).is_some_and(|push| is_forgotten(&push)));
}

fn push(event: &Event) -> Option<Package> {
    let package = event.seen()?.package()?;
    (package.kind == Kind::Push).then_some(package)
}
