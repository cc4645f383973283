//! Which rate to try next, given what became of the trials so far. It knows neither clusters nor time.
//!
//! The highest rate that holds is where the answers of single trials begin to depend on chance. So no
//! trial decides alone: each is a vote, and the cut between what holds and what breaks is where the
//! fewest votes are on the wrong side. A lucky trial above it, or an unlucky one below, moves the cut
//! only until the rates around it have been tried again:
//!
//! ```text
//! rate    100  200  400  475  490  520  566  800
//! votes    ✓    ✓    ✓    ✓   ✓✗✓ | ✗✗  ✗    ✗
//! ```
//!
//! First it climbs in large steps, then it halves (by ratio) what lies between the ends of the cut, and then
//! it tries the ends again, until each is confirmed by [`Settings::lead`] votes more than there are against
//! it, or by the majority of [`Settings::votes_max`]. Trials of which nobody can tell are no votes: the
//! generator was the limit, which says nothing of the cluster. A rate of which none could tell bounds
//! the search from above, as trying more would be of no use.

use std::collections::BTreeMap;
use std::fmt;

use reports::capacity::{End, Outcome, Phase, Verdict};

/// How a search goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The first rate that is tried.
    pub start: Rate,
    /// The lowest: if it breaks, there is no capacity.
    pub min: Rate,
    /// The highest: if it holds, there is no need to know more.
    pub max: Rate,
    /// By what the rate is multiplied while all holds, more than 1.
    pub factor: f64,
    /// How much the lowest that broke may be above the highest that held: 0.05 for 5 %.
    pub precision: f64,
    /// How many more votes for than against an end confirm it.
    pub lead: u32,
    /// After so many votes at one rate the majority counts, an odd number.
    pub votes_max: u32,
    /// After so many trials of which nobody could tell, and no other, a rate is beyond the generator.
    pub unknown_max: u32,
}

/// Sends per second, in thousandths, so that rates have an order and two of them are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Try this rate.
    Try(Rate, Phase),
    /// Nothing: the search is over.
    Done(Outcome),
}

/// The votes so far.
#[derive(Clone, Debug)]
pub struct Search {
    settings: Settings,
    votes: BTreeMap<Rate, Votes>,
}

/// What became of the trials at one rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Votes {
    held: u32,
    broke: u32,
    unknown: u32,
}

/// The highest rate below the cut and the lowest above it.
type Ends = (Option<(Rate, Votes)>, Option<(Rate, Votes)>);

impl Search {
    /// Starts without a trial.
    ///
    /// # Panics
    ///
    /// If the settings would have it run for ever: a factor of 1, no precision, a least rate of 0.
    pub fn new(settings: Settings) -> Self {
        let Settings {
            start,
            min,
            max,
            factor,
            precision,
            votes_max,
            ..
        } = settings;
        assert!(min.0 > 0 && min <= start && start <= max, "{settings:?}");
        assert!(factor > 1.0 && precision > 0.0, "{settings:?}");
        assert!(!votes_max.is_multiple_of(2), "an even number may be a tie");
        Self {
            settings,
            votes: BTreeMap::new(),
        }
    }

    /// Takes in what became of a trial.
    pub fn note(&mut self, rate: Rate, verdict: Verdict) {
        let votes = self.votes.entry(rate).or_default();
        match verdict {
            Verdict::Held => votes.held += 1,
            Verdict::Broke => votes.broke += 1,
            Verdict::Unknown => votes.unknown += 1,
        }
    }

    /// What to do next.
    pub fn next(&self) -> Next {
        let Settings {
            start, min, max, ..
        } = self.settings;
        let (held, broke) = self.cut();
        let beyond = self.beyond(held.map(|(rate, _)| rate));
        match (held, broke) {
            (None, None) => match beyond {
                None => Next::Try(start, Phase::Climb),
                Some(rate) if rate <= min => Next::Done(Outcome::Generator),
                Some(rate) => Next::Try(self.below(rate), Phase::Climb),
            },
            (None, Some((rate, votes))) if rate <= min => match self.is_confirmed(votes) {
                true => Next::Done(Outcome::Below),
                false => self.again(rate, Outcome::Undecided),
            },
            (None, Some((rate, _))) => match beyond.filter(|beyond| *beyond < rate) {
                Some(beyond) if beyond <= min => Next::Done(Outcome::Generator),
                beyond => Next::Try(self.below(beyond.unwrap_or(rate)), Phase::Climb),
            },
            (Some((rate, votes)), None) => match beyond {
                Some(beyond) => self.between((rate, votes), None, beyond),
                None if rate >= max => match self.is_confirmed(votes) {
                    true => Next::Done(Outcome::AtLeast),
                    false => self.again(rate, Outcome::Undecided),
                },
                None => {
                    let up = rate.times(self.settings.factor);
                    Next::Try(up.clamp(rate.next(), max), Phase::Climb)
                }
            },
            (Some(held), Some(broke)) => match beyond {
                Some(beyond) if beyond < broke.0 => self.between(held, None, beyond),
                _ => self.between(held, Some(broke.1), broke.0),
            },
        }
    }

    /// The ends of the interval, as far as they are known.
    pub fn ends(&self) -> (Option<End>, Option<End>) {
        let (held, broke) = self.cut();
        let end = |(rate, votes): (Rate, Votes), is_held: bool| End {
            rate_per_s: rate.per_s(),
            held: votes.held,
            broke: votes.broke,
            sure_percent: match is_held {
                true => sure_percent(votes.held, votes.broke),
                false => sure_percent(votes.broke, votes.held),
            },
            confirmed: self.is_confirmed(votes),
        };
        let held = held.map(|it| end(it, true));
        (held, broke.map(|it| end(it, false)))
    }

    /// The cut with the fewest votes on the wrong side; of several the lowest, to promise nothing
    /// that is not known.
    fn cut(&self) -> Ends {
        let decisive = self.votes.iter().filter(|(_, votes)| !votes.is_silent());
        let decisive: Vec<(Rate, Votes)> = decisive.map(|(rate, votes)| (*rate, *votes)).collect();
        // Below all: whatever held is on the wrong side.
        let mut wrong: i64 = decisive
            .iter()
            .map(|(_, votes)| i64::from(votes.held))
            .sum();
        let (mut fewest, mut at) = (wrong, 0);
        for (index, (_, votes)) in decisive.iter().enumerate() {
            wrong += i64::from(votes.broke) - i64::from(votes.held);
            if wrong < fewest {
                (fewest, at) = (wrong, index + 1);
            }
        }
        let below = at.checked_sub(1).and_then(|last| decisive.get(last));
        (below.copied(), decisive.get(at).copied())
    }

    /// The lowest rate above `held` of which nobody could tell.
    fn beyond(&self, held: Option<Rate>) -> Option<Rate> {
        let mut votes = self.votes.iter();
        let is_beyond = |(rate, votes): &(&Rate, &Votes)| {
            let is_above = held.is_none_or(|held| **rate > held);
            is_above && votes.is_silent() && votes.unknown >= self.settings.unknown_max
        };
        votes.find(is_beyond).map(|(rate, _)| *rate)
    }

    /// What to do between a rate that held and one that broke (`votes` are for and against that), or one that
    /// is beyond the generator.
    fn between(&self, (held, votes): (Rate, Votes), above: Option<Votes>, upper: Rate) -> Next {
        let middle = held.middle(upper);
        let is_close = upper.per_s() <= held.per_s() * (1.0 + self.settings.precision);
        if !is_close && held < middle && middle < upper {
            return Next::Try(middle, Phase::Bisect);
        }
        let found = match above {
            Some(_) => Outcome::Found,
            None => Outcome::Generator,
        };
        // The end of which less is known first.
        let mut open = vec![(votes.lead(), held, votes)];
        open.extend(above.map(|above| (above.lead(), upper, above)));
        open.retain(|(_, _, votes)| !self.is_confirmed(*votes));
        match open
            .into_iter()
            .min_by_key(|(lead, rate, _)| (*lead, *rate))
        {
            Some((_, rate, _)) => self.again(rate, found),
            None => Next::Done(found),
        }
    }

    /// Once more at `rate`, unless nobody can tell any more what becomes of it.
    fn again(&self, rate: Rate, otherwise: Outcome) -> Next {
        let votes = self.votes.get(&rate).copied().unwrap_or_default();
        // Some could, so that the generator is at its limit now and then only.
        if votes.unknown >= self.settings.unknown_max * 2 {
            return Next::Done(match otherwise {
                Outcome::Generator => Outcome::Generator,
                _ => Outcome::Undecided,
            });
        }
        Next::Try(rate, Phase::Confirm)
    }

    fn below(&self, rate: Rate) -> Rate {
        let down = rate.times(1.0 / self.settings.factor);
        down.min(rate.before()).max(self.settings.min)
    }

    fn is_confirmed(&self, votes: Votes) -> bool {
        votes.lead() >= self.settings.lead || votes.decisive() >= self.settings.votes_max
    }
}

impl Votes {
    fn decisive(self) -> u32 {
        self.held + self.broke
    }

    /// Whether nobody could tell.
    fn is_silent(self) -> bool {
        self.decisive() == 0
    }

    fn lead(self) -> u32 {
        self.held.abs_diff(self.broke)
    }
}

impl Rate {
    /// The nearest rate to `per_s` with four digits; at least a thousandth.
    pub fn per_second(per_s: f64) -> Self {
        let thousandths = (per_s * 1000.0).round().max(1.0) as u64;
        let unit = 10_u64.pow(thousandths.ilog10().saturating_sub(3));
        Self((thousandths + unit / 2) / unit * unit)
    }

    /// Sends per second.
    pub fn per_s(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    fn times(self, factor: f64) -> Self {
        Self::per_second(self.per_s() * factor)
    }

    /// As far above this, by ratio, as it is below `other`.
    fn middle(self, other: Self) -> Self {
        Self::per_second((self.per_s() * other.per_s()).sqrt())
    }

    fn next(self) -> Self {
        Self(self.0 + 1)
    }

    fn before(self) -> Self {
        Self(self.0.saturating_sub(1).max(1))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.per_s())
    }
}

/// How sure it is that what happened `times` of `times + others` times has a chance above one half, in
/// whole percent, rounded down: with all chances equally likely before, the share of the beta
/// distribution above one half, which is a sum of binomial coefficients.
fn sure_percent(times: u32, others: u32) -> u32 {
    let all = f64::from(times + others + 1);
    let mut coefficient = 1.0_f64;
    let mut sum = 0.0;
    for k in 0..=times {
        sum += coefficient;
        coefficient *= (all - f64::from(k)) / f64::from(k + 1);
    }
    (sum / all.exp2() * 100.0) as u32
}

#[cfg(test)]
mod tests;
