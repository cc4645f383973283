//! The faults, as shaded spans over a lane or between two.

use super::{Drawing, Lane};
use crate::clock::clock;
use crate::explain::trouble::{Place, Trouble};
use crate::explain::words;
use reports::escaped::Escaped;

impl Drawing<'_> {
    /// Draws them.
    pub fn troubles(&mut self) {
        let explained = self.explained;
        for trouble in explained.troubles_shown() {
            let from = self.scale.y(trouble.planned.at.max(explained.focus.from));
            let until = self.scale.y(trouble.until.min(explained.focus.until));
            for (left, right) in self.span(&trouble.place) {
                self.trouble(trouble, (left, right), (from, until));
            }
        }
    }

    fn trouble(&mut self, trouble: &Trouble, (left, right): (f64, f64), (from, until): (f64, f64)) {
        let kind = match trouble.place {
            Place::Link(..) => "link",
            Place::Host(_) | Place::User(_) => "host",
        };
        let title = format!(
            "{} to {}: {}",
            clock(trouble.planned.at),
            clock(trouble.until),
            words::fault(&trouble.planned)
        );
        let height = (until - from).max(4.0);
        self.add(format_args!(
            "<g class=\"trouble {kind}\"><title>{}</title>\
             <rect x=\"{left:.1}\" y=\"{from:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>\
             <path d=\"M{left:.1} {from:.1}v{height:.1}M{right:.1} {from:.1}v{height:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            Escaped(title),
            right - left,
            left + 4.0,
            from - 3.0,
            Escaped(words::fault_label(&trouble.planned)),
        ));
    }

    /// From where to where a fault is, once for each lane or pair of lanes that it touches.
    fn span(&self, place: &Place) -> Vec<(f64, f64)> {
        match place {
            Place::Host(host) => {
                let lanes = self.lanes_on(host).into_iter();
                lanes
                    .map(|lane| (self.x(lane) - 11.0, self.x(lane) + 11.0))
                    .collect()
            }
            Place::User(user) => {
                let lane = self
                    .lanes
                    .iter()
                    .position(|lane| *lane == Lane::User(*user));
                let lane = lane.map(|lane| (self.x(lane) - 11.0, self.x(lane) + 11.0));
                lane.into_iter().collect()
            }
            Place::Link(a, b) => {
                // From the nearest lane of either side: what all of a host's users share is one.
                let (a, b) = (self.lanes_on(a), self.lanes_on(b));
                let pairs = a
                    .iter()
                    .flat_map(|a| b.iter().map(move |b| (*a.min(b), *a.max(b))));
                let widest = pairs.max_by_key(|(left, right)| right - left);
                let span = widest.map(|(left, right)| (self.x(left) + 3.0, self.x(right) - 3.0));
                span.into_iter().collect()
            }
        }
    }
}
