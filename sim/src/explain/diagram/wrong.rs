//! The broken promise: when it showed, on whom, and what is missing.

use loadgen::history::What;

use super::{Drawing, GUTTER, Lane};
use crate::explain::wires::host_in;
use crate::guarantees::Guarantee;
use reports::escaped::Escaped;

impl Drawing<'_> {
    /// Where the promise was seen to be broken.
    pub fn wrong(&mut self) {
        let explained = self.explained;
        let (right, y) = (self.width(), self.scale.y(explained.focus.at));
        let title = format!("{} {}", explained.title(), explained.wrong());
        self.add(format_args!(
            "<g class=\"wrong\" id=\"broken-here\"><title>{}</title><path class=\"line\" d=\"M{GUTTER} {y:.1}H{right}\"/>",
            Escaped(title)
        ));
        let guarantee = explained.violation.map(|violation| violation.guarantee);
        let label = match guarantee {
            Some(it) => format!("G{} broken", it.number()),
            None if explained.capsule.verdict.missed.is_some() => String::from("held"),
            None => String::from("broke off"),
        };
        let label_x = GUTTER - 8.0;
        self.add(format_args!(
            "<text class=\"flag\" x=\"{label_x}\" y=\"{:.1}\">{label}</text>",
            y + 18.0
        ));
        match (guarantee, self.accused()) {
            (Some(Guarantee::Delivered), Some(user)) => self.missing(user, y),
            (_, Some(lane)) => {
                let x = self.x(lane);
                self.add(format_args!(
                    "<circle class=\"ring\" cx=\"{x}\" cy=\"{y:.1}\" r=\"9\"/>"
                ));
            }
            (_, None) => {}
        }
        self.out.push_str("</g>");
    }

    /// The lane on which it shows: of the first user who is named and saw something then, or must
    /// have; else of the server that owns the room.
    fn accused(&self) -> Option<usize> {
        let explained = self.explained;
        let focus = &explained.focus;
        let named = focus.users.first();
        let history = &explained.record.history;
        let saw = |user: &u32| {
            history
                .iter()
                .any(|it| it.user == *user && it.at == focus.at)
        };
        let guarantee = explained.violation.map(|violation| violation.guarantee);
        let is_missing = guarantee == Some(Guarantee::Delivered);
        if let Some(user) = named.filter(|user| is_missing || saw(user)) {
            return self
                .lanes
                .iter()
                .position(|lane| *lane == Lane::User(*user));
        }
        let owner = focus.rooms.iter().find_map(|room| {
            let chat = explained.case.topology.chat_of(room)?;
            Some(&*explained.case.topology.chats[chat].id)
        });
        self.lanes_on(owner?).first().copied()
    }

    /// The arrow that should be there, from the connector of the user on `lane`.
    fn missing(&mut self, lane: usize, y: f64) {
        let Some(Lane::User(user)) = self.lanes.get(lane) else {
            return;
        };
        let focus = &self.explained.focus;
        let located = self
            .explained
            .record
            .history
            .iter()
            .rev()
            .find_map(|event| match &event.what {
                What::Located { connector } if event.user == *user && event.at <= focus.at => {
                    Some(host_in(connector))
                }
                _ => None,
            });
        let from = located.and_then(|host| self.lanes_on(host).first().copied());
        let (x1, x2) = (self.x(from.unwrap_or(lane)), self.x(lane));
        self.add(format_args!(
            "<path class=\"missing\" d=\"M{x1} {y:.1}L{:.1} {:.1}\"/>\
             <path class=\"cross\" d=\"M{:.1} {:.1}l14 14m0-14l-14 14\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">never came</text>",
            x2 + 10.0,
            y + 14.0,
            x2 - 7.0,
            y + 7.0,
            x2 + 14.0,
            y + 30.0
        ));
    }
}
