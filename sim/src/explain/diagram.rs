//! Who sent what to whom when: hosts and users as lanes, messages as arrows from when they were
//! written to when they were read, faults as shaded spans.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use loadgen::history::What;

use super::Explained;
use super::scale::Scale;
use super::{story, words};
use crate::clock::clock;
use arrows::{Arrow, Arrows};
use reports::escaped::{Escaped, cut};

mod arrows;
mod troubles;
mod wrong;

/// The width of the times on the left.
const GUTTER: f64 = 84.0;
/// From lane to lane, at least: room for a label.
const LANE_MIN: f64 = 156.0;
/// At most: an arrow is followed with the eye.
const LANE_MAX: f64 = 440.0;
/// As wide is the page, which few lanes share out among them.
const WIDTH: f64 = 1180.0;
/// From the gutter to the first lane.
const BEFORE: f64 = 46.0;
/// From the last lane to the edge: room for its labels.
const BEHIND: f64 = 176.0;
/// The height of the lanes' names.
const HEAD: f64 = 44.0;
/// The width of a letter of a label, about.
const LETTER: f64 = 6.2;

/// A drawn diagram.
pub struct Diagram {
    /// The names of the lanes, as SVG.
    pub head: String,
    /// The lanes, as SVG.
    pub body: String,
    /// What is drawn and what is left out, in a sentence or two.
    pub note: String,
    /// The moments that have an anchor.
    pub scale: Scale,
}

/// What a lane is of.
#[derive(Clone, PartialEq, Eq)]
enum Lane {
    User(u32),
    Host(String),
}

/// Draws it.
pub fn draw(explained: &Explained) -> Diagram {
    let scale = Scale::new(&moments(explained));
    let lanes = lanes(explained);
    let arrows = arrows::choose(explained, &scale, &lanes);
    let mut drawing = Drawing {
        explained,
        scale: &scale,
        lanes: &lanes,
        out: String::new(),
    };
    drawing.troubles();
    drawing.time();
    drawing.lines();
    drawing.arrows(&arrows);
    drawing.marks();
    drawing.events();
    drawing.wrong();
    let (width, height) = (drawing.width(), scale.height());
    let label = "Lanes for the users and servers concerned, with time running down";
    let body = format!(
        "<svg class=\"body\" width=\"{width}\" height=\"{height:.0}\" viewBox=\"0 0 {width} {height:.0}\" \
         role=\"img\" aria-label=\"{label}\">{DEFINITIONS}{}</svg>",
        drawing.out
    );
    Diagram {
        head: drawing.head(),
        body,
        note: arrows.note(),
        scale,
    }
}

const DEFINITIONS: &str = r#"<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 1 8 4 0 7z" class="tip"/></marker><marker id="tip-way" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="5" markerHeight="5" orient="auto"><path d="M0 1 8 4 0 7z" class="tip-way"/></marker><marker id="tip-wrong" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="5" markerHeight="5" orient="auto"><path d="M0 1 8 4 0 7z" class="tip-wrong"/></marker></defs>"#;

/// What has a row.
fn moments(explained: &Explained) -> BTreeSet<Duration> {
    let shown = |at: &Duration| explained.is_shown(*at);
    let history = explained.record.history.iter();
    let events = history.filter(|event| explained.focus.is_moment(event));
    let mut moments: BTreeSet<_> = events.map(|event| event.at).filter(shown).collect();
    let troubles = explained.troubles_shown();
    let ends = troubles.flat_map(|trouble| [trouble.planned.at, trouble.until]);
    moments.extend(ends.filter(shown));
    moments.extend(story::marks(explained).iter().map(|group| group[0].at));
    moments.insert(explained.focus.at);
    moments
}

/// Clients on the left, then what they connect to.
fn lanes(explained: &Explained) -> Vec<Lane> {
    let focus = &explained.focus;
    let users = focus.users.iter().map(|user| Lane::User(*user));
    let servers = focus.servers.iter().map(|id| Lane::Host(id.clone()));
    // The gate is asked once for each login: it stands aside.
    let gate = &explained.case.gate().id;
    let (gate, servers): (Vec<_>, Vec<_>) =
        servers.partition(|lane| *lane == Lane::Host(gate.clone()));
    gate.into_iter().chain(users).chain(servers).collect()
}

struct Drawing<'a> {
    explained: &'a Explained<'a>,
    scale: &'a Scale,
    lanes: &'a [Lane],
    out: String,
}

impl Drawing<'_> {
    fn width(&self) -> f64 {
        let last = self.lanes.len().max(1) - 1;
        self.x(last) + BEHIND
    }

    fn lane(&self) -> f64 {
        let gaps = self.lanes.len().max(2) - 1;
        let room = WIDTH - GUTTER - BEFORE - BEHIND;
        (room / gaps as f64).clamp(LANE_MIN, LANE_MAX).round()
    }

    /// Letters of a label that stays within its lane.
    fn label_len(&self) -> usize {
        (self.lane().min(BEHIND) / LETTER) as usize - 2
    }

    fn x(&self, lane: usize) -> f64 {
        GUTTER + BEFORE + self.lane() * lane as f64
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("a String takes all");
    }

    fn head(&self) -> String {
        let width = self.width();
        let mut head = format!(
            "<svg class=\"head\" width=\"{width}\" height=\"{HEAD}\" viewBox=\"0 0 {width} {HEAD}\" aria-hidden=\"true\">"
        );
        for (number, lane) in self.lanes.iter().enumerate() {
            let (name, kind, below) = match lane {
                Lane::User(user) => {
                    let home = self.explained.record.user_hosts.get(user);
                    let home = home.map_or("", String::as_str);
                    (
                        self.explained.name(*user),
                        "user",
                        format!("u{user} on {home}"),
                    )
                }
                Lane::Host(host) => (&**host, "host", self.role(host).to_owned()),
            };
            let x = self.x(number);
            let _ = write!(
                head,
                "<g class=\"{kind}\"><title>{}</title><text x=\"{x}\" y=\"19\">{}</text>\
                 <text class=\"sub\" x=\"{x}\" y=\"35\">{}</text></g>",
                Escaped(name),
                Escaped(cut(name, self.label_len())),
                Escaped(cut(&below, self.label_len())),
            );
        }
        head + "</svg>"
    }

    fn role(&self, host: &str) -> &'static str {
        let topology = &self.explained.case.topology;
        if topology.gates.iter().any(|it| it.id == host) {
            "gate"
        } else if topology.connectors.iter().any(|it| it.id == host) {
            "connector"
        } else {
            "chat server"
        }
    }

    fn lines(&mut self) {
        let height = self.scale.height();
        for (number, lane) in self.lanes.iter().enumerate() {
            let x = self.x(number);
            let kind = match lane {
                Lane::User(_) => "user",
                Lane::Host(_) => "host",
            };
            self.add(format_args!(
                "<path class=\"lane {kind}\" d=\"M{x} 0V{height:.0}\"/>"
            ));
        }
    }

    fn time(&mut self) {
        let right = self.width();
        for (time, y) in self.scale.idle() {
            self.add(format_args!(
                "<g class=\"idle\"><path d=\"M{GUTTER} {y:.1}H{right}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{} later</text></g>",
                GUTTER - 8.0,
                y + 4.0,
                words::span(time)
            ));
        }
        for (at, y) in self.scale.moments() {
            self.add(format_args!(
                "<g id=\"t{}\" class=\"moment\"><path d=\"M{GUTTER} {y:.1}H{right}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                at.as_millis(),
                GUTTER - 8.0,
                y + 4.0,
                clock(*at)
            ));
        }
    }

    fn lanes_on(&self, host: &str) -> Vec<usize> {
        let homes = &self.explained.record.user_hosts;
        let lanes = self.lanes.iter().enumerate();
        let here = lanes.filter(|(_, lane)| match lane {
            Lane::Host(id) => id == host,
            Lane::User(user) => homes.get(user).is_some_and(|home| home == host),
        });
        here.map(|(number, _)| number).collect()
    }

    fn arrows(&mut self, arrows: &Arrows) {
        for Arrow {
            from,
            to,
            message,
            kind,
        } in &arrows.drawn
        {
            let (x1, y1) = (self.x(*from), self.scale.y(message.sent_at));
            let (x2, y2, lost) = match message.read_at {
                Some(at) => (self.x(*to), self.scale.y(at), ""),
                // It ends on the way.
                None => (x1 + (self.x(*to) - x1) * 0.6, y1 + 14.0, " lost"),
            };
            let arrival = message.read_at.map_or(String::from("never read"), |at| {
                format!("read {} later", words::span(at - message.sent_at))
            });
            let title = format!(
                "{} {} to {}: {} bytes, {arrival}",
                clock(message.sent_at),
                message.from,
                message.to,
                message.len
            );
            self.add(format_args!(
                "<g class=\"arrow {}{lost}\"><title>{}</title><path d=\"M{x1:.0} {y1:.1}L{x2:.0} {y2:.1}\"/>",
                kind.name(),
                Escaped(title)
            ));
            if message.read_at.is_none() {
                self.add(format_args!(
                    "<path class=\"cross\" d=\"M{:.0} {:.1}l8 8m0-8l-8 8\"/>",
                    x2 - 4.0,
                    y2 - 4.0
                ));
            }
            self.out.push_str("</g>");
        }
    }

    /// The rare paths; what one server took at once is one label.
    fn marks(&mut self) {
        let explained = self.explained;
        let mut places: BTreeMap<_, (Vec<_>, Vec<_>)> = BTreeMap::new();
        for group in story::marks(explained) {
            let first = group[0];
            let Some(lane) = self.lanes_on(&first.host).first().copied() else {
                continue;
            };
            let times = match group.len() {
                1 => String::new(),
                count => format!(" ×{count}"),
            };
            let (labels, abouts) = places.entry((first.at, lane)).or_default();
            labels.push(format!("{}{times}", first.mark));
            abouts.push(story::about(&first.mark));
        }
        for ((at, lane), (labels, abouts)) in places {
            let (x, y) = (self.x(lane), self.scale.y(at));
            let (labels, abouts) = (labels.join(", "), abouts.join("; "));
            self.add(format_args!(
                "<g class=\"mark\"><title>{} {}: {}</title><path d=\"M{x} {:.1}l5 5-5 5-5-5z\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                clock(at),
                Escaped(&labels),
                Escaped(abouts),
                y - 5.0,
                x + 9.0,
                y - 4.0,
                Escaped(cut(&labels, self.label_len())),
            ));
        }
    }

    /// What users did and saw; what one did at once is one label.
    fn events(&mut self) {
        let explained = self.explained;
        for (number, lane) in self.lanes.iter().enumerate() {
            let Lane::User(user) = lane else { continue };
            let history = explained.record.history.iter();
            let mine: Vec<_> = history
                .filter(|event| {
                    event.user == *user
                        && explained.is_shown(event.at)
                        && explained.focus.is_moment(event)
                })
                .collect();
            for at_once in mine.chunk_by(|a, b| a.at == b.at) {
                let at = at_once[0].at;
                let labels: Vec<_> = at_once
                    .iter()
                    .filter(|event| event.what != What::Connected)
                    .map(|event| words::label(&event.what))
                    .collect();
                let who = explained.session(*user, at_once[0].login);
                let told = at_once.iter().map(|event| words::told(&event.what));
                let title = format!(
                    "{} {who} {}",
                    clock(at),
                    told.collect::<Vec<_>>().join(", ")
                );
                let (x, y) = (self.x(number), self.scale.y(at));
                self.add(format_args!(
                    "<g class=\"event\"><title>{}</title><circle cx=\"{x}\" cy=\"{y:.1}\" r=\"3.5\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                    Escaped(title),
                    x + 8.0,
                    y - 4.0,
                    Escaped(cut(&labels.join(", "), self.label_len())),
                ));
            }
        }
    }
}
