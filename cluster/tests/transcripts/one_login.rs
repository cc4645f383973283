//! A name that is in a room comes once more, through another connector. The original takes it in as
//! a twin (BEHAVIOUR 3.5): it is listed twice, what is said to the name reaches the one who came
//! last, and nobody once either has gone. This cluster refuses the twin (G6). This rule says what
//! then comes of the rest of a recording, for any that has such twins.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::Client;
use crate::event::{Action, Event, Happened, Seen};
use crate::package::{self, Body, Kind, Package};
use crate::payload::Payload;
use crate::request::{Asked, Request};
use crate::transcript::{Step, Transcript};

/// Expects that twins are refused, where they were taken in.
pub fn mend(transcript: &mut Transcript) {
    let connections = transcript.connections.iter();
    let mut clients: BTreeMap<String, Client> = connections
        .map(|(label, peer)| (label.clone(), Client::new(*peer)))
        .collect();
    let mut rooms = Rooms::default();
    for step in &mut transcript.steps {
        let (mut requests, mut gone) = (Vec::new(), Vec::new());
        for event in &step.events {
            let label = &event.connection;
            let client = clients
                .get_mut(label)
                .expect("events are of listed connections");
            for asked in client.notice(&event.happened) {
                if let Asked::Request(request) = asked {
                    requests.push((label.clone(), request));
                }
            }
            if matches!(
                event.happened,
                Happened::Client(Action::Close) | Happened::Server(Seen::Closed)
            ) {
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
        for label in gone {
            rooms.leave(step, &label);
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
        let text = |name: &str| request.body.get(name)?.as_str().map(String::from);
        let (Some(name), Some(room)) = (text("username"), text("rid")) else {
            return;
        };
        let Some(answer) = answer(step, &label, request.id) else {
            return;
        };
        let Body::Json(Value::Object(mut body)) = decoded(answer).body else {
            return;
        };
        let Some(Value::Array(users)) = body.get_mut("users") else {
            return;
        };
        let place = Place { name, room };
        if self.holder(&place).is_some() {
            let refusal = json!({"code": 500, "error": true}).to_string();
            *answer = Seen::package(package::encode_response(request.id, &refusal));
            forget_pushes(step, |push| is_news(push, "onAdd", &place.name));
            self.twins.insert(label, place);
            return;
        }
        let before = users.len();
        for twin in self.twins.values().filter(|twin| twin.room == place.room) {
            if let Some(index) = users.iter().rposition(|user| *user == twin.name) {
                users.remove(index);
            }
        }
        if users.len() < before {
            let body = Value::Object(body).to_string();
            *answer = Seen::package(package::encode_response(request.id, &body));
        }
        self.lost.remove(&place);
        self.members.insert(label, place);
    }

    fn send(&self, step: &mut Step, label: &str, request: &Request) {
        let text = |name: &str| request.body.get(name).and_then(Value::as_str);
        let (Some(content), Some(target)) = (text("content"), text("target")) else {
            return;
        };
        let answer = answer(step, label, request.id);
        if let Some(twin) = self.twins.get(label) {
            if let Some(answer) = answer {
                let refusal = json!({"code": 500}).to_string();
                *answer = Seen::package(package::encode_response(request.id, &refusal));
            }
            forget_pushes(step, |push| {
                chat(push).is_some_and(|chat| chat.from == twin.name && chat.message == content)
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
            if let Some(answer) = answer {
                *answer = Seen::package(package::encode_response(request.id, "{}"));
            }
            let chat = Chat {
                message: content,
                from: &sender.name,
                target,
            };
            let at = step
                .events
                .last()
                .map_or_else(Default::default, |event| event.at);
            step.events.push(Event {
                at,
                connection: String::from(holder),
                happened: Happened::Server(Seen::package(chat.encode())),
            });
        }
    }

    /// What was said to a twin alone was said to its name, and so to the member who has it.
    fn tell_nothing_to_twins(&self, step: &mut Step) {
        step.events.retain_mut(|event| {
            let Some(twin) = self.twins.get(&event.connection) else {
                return true;
            };
            let Some(push) = push(event) else {
                return true;
            };
            let is_private = chat(&push).is_some_and(|chat| chat.target == twin.name);
            let holder = self.holder(twin).filter(|_| is_private);
            if let Some(holder) = holder {
                event.connection = String::from(holder);
            }
            holder.is_some()
        });
    }

    fn leave(&mut self, step: &mut Step, label: &str) {
        self.members.remove(label);
        if let Some(twin) = self.twins.remove(label) {
            forget_pushes(step, |push| is_news(push, "onLeave", &twin.name));
            self.lost.insert(twin);
        }
    }

    /// The connection of the member who has this name.
    fn holder(&self, place: &Place) -> Option<&str> {
        let mut members = self.members.iter();
        members
            .find(|(_, member)| *member == place)
            .map(|(label, _)| label.as_str())
    }
}

/// The answer to a request, if it is in the step.
fn answer<'a>(step: &'a mut Step, label: &str, id: u32) -> Option<&'a mut Seen> {
    let of_it = step
        .events
        .iter_mut()
        .filter(|event| event.connection == label);
    let mut seen = of_it.filter_map(|event| match &mut event.happened {
        Happened::Server(seen) => Some(seen),
        Happened::Client(_) => None,
    });
    seen.find(|seen| id > 0 && seen.kind() == Some(Kind::Response(id)))
}

fn forget_pushes(step: &mut Step, is_forgotten: impl Fn(&Package) -> bool) {
    step.events
        .retain(|event| !push(event).is_some_and(|push| is_forgotten(&push)));
}

fn push(event: &Event) -> Option<Package> {
    match &event.happened {
        Happened::Server(seen) if seen.kind() == Some(Kind::Push) => Some(decoded(seen)),
        _ => None,
    }
}

fn decoded(seen: &Seen) -> Package {
    match seen {
        Seen::Message {
            payload: Payload::Whole(payload),
            ..
        } => Package::decode(payload),
        _ => Package::decode(b""),
    }
}

/// Whether it says that `name` has come or gone.
fn is_news(push: &Package, route: &str, name: &str) -> bool {
    let Body::Json(body) = &push.body else {
        return false;
    };
    body["route"] == route && body["user"] == name
}

fn chat(push: &Package) -> Option<Chat<'_>> {
    match &push.body {
        Body::Bytes(body) if push.head.ends_with(b"onChat") => Chat::decode(body),
        _ => None,
    }
}
