//! What is remembered does not grow with the length of a run.

use std::time::Duration;

use loadgen::fanout::fold::{Fold, Open};
use loadgen::history::{MessageId, Target, What};
use loadgen::record::Push;

use crate::story::{Figures, name};

const MEMBERS: u32 = 20;

/// Twenty in a room; each second one of them speaks, and one goes and comes back.
struct Room {
    fold: Fold,
    logins: [u32; MEMBERS as usize],
    now: Duration,
}

impl Room {
    fn new() -> Self {
        // One row for the whole run: it is not rows of time that are looked at.
        let mut room = Self {
            fold: Fold::new(Duration::from_secs(100_000)),
            logins: [0; MEMBERS as usize],
            now: Duration::ZERO,
        };
        for user in 0..MEMBERS {
            room.comes(user, 0..user);
        }
        room
    }

    fn see(&mut self, user: u32, what: What) {
        self.now += Duration::from_micros(10);
        let login = self.logins[user as usize];
        self.fold.see(self.now, (user, login), &what);
    }

    fn hear(&mut self, user: u32, push: Push<'_>) {
        self.now += Duration::from_micros(10);
        let login = self.logins[user as usize];
        self.fold.hear(self.now, (user, login), push);
    }

    fn comes(&mut self, user: u32, others: impl Iterator<Item = u32>) {
        self.logins[user as usize] += 1;
        let room = "room".to_owned();
        let own = name(user);
        let entering = What::Entering {
            name: own.clone(),
            room,
        };
        self.see(user, entering);
        let others: Vec<_> = others.filter(|other| *other != user).collect();
        let users = others.iter().map(|other| name(*other)).collect();
        self.see(user, What::Entered { users });
        for other in others {
            self.hear(other, Push::Added((&own).into()));
        }
    }

    fn goes(&mut self, user: u32) {
        self.see(user, What::Leaving { due: self.now });
        let own = name(user);
        for other in (0..MEMBERS).filter(|other| *other != user) {
            self.hear(other, Push::Left((&own).into()));
        }
    }

    /// One second. Every tenth message is not heard by one member, every tenth not answered.
    fn lives(&mut self, second: u32) {
        let sender = second % MEMBERS;
        let message = MessageId {
            user: sender,
            login: self.logins[sender as usize],
            number: second,
        };
        let (due, target) = (self.now, Target::Room);
        let sending = What::Sending {
            message,
            due,
            target,
        };
        self.see(sender, sending);
        for user in 0..MEMBERS {
            if (second % 10, user) != (3, 5) {
                let push = Push::Heard {
                    message: Some(message),
                    from: "".into(),
                    target: "*".into(),
                };
                self.hear(user, push);
            }
        }
        if second % 10 != 7 {
            let ok = true;
            self.see(sender, What::Answered { message, ok });
        }
        self.now += Duration::from_secs(1);
        let traveller = second * 7 % MEMBERS;
        self.goes(traveller);
        self.now += Duration::from_millis(10);
        self.comes(traveller, 0..MEMBERS);
    }

    fn open(&self) -> Open {
        self.fold.open()
    }
}

#[test]
fn an_hour_keeps_as_much_as_two_minutes() {
    let mut room = Room::new();
    let mut most = Vec::new();
    // In the first minute there are those who only came.
    for minutes in [1, 2, 57] {
        let peak = (0..minutes * 60).map(|second| {
            room.lives(second + 1);
            room.open()
        });
        let peak = peak.fold((0, 0, 0), |peak, open| {
            (
                peak.0.max(open.messages),
                peak.1.max(open.news),
                peak.2.max(open.stays),
            )
        });
        most.push(peak);
    }
    assert_eq!(most[1], most[2]);
    let (messages, news, stays) = most[2];
    // By their times: all for 15 s, two of ten for 60 s; a coming and a going each second, for 15 s;
    // each stay for a minute after its end.
    assert!((15..=30).contains(&messages), "{messages}");
    assert!((30..=40).contains(&news), "{news}");
    assert!((60..=100).contains(&stays), "{stays}");
    let now = room.now;
    let figures = Figures(room.fold.finish(now, []));
    assert_eq!(figures.count("deliveries_total"), 3600 * 20 - 360);
    assert_eq!(figures.faults("notices_missing"), 0);
    assert_eq!(figures.faults("notices_doubled"), 0);
    assert_eq!(figures.faults("reordered"), 0);
    assert_eq!(figures.faults("doubled"), 0);
}
