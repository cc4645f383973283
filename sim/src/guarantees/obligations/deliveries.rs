//! How many deliveries there could have been, and how many of them could be demanded: a check that
//! lets everything go is never wrong, and finds nothing.

use std::collections::BTreeMap;
use std::fmt;

use super::Doubt;

/// What the verdicts of one run, or of several, came to: pairs of a message and a stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Those that must be.
    pub must: usize,
    /// Those that may be, whether they happened or not, by why no more can be said.
    pub may: BTreeMap<Doubt, usize>,
    /// Those that must not be.
    pub must_not: usize,
}

impl Deliveries {
    /// Of a hundred deliveries that there could have been in a run, so many at least must be
    /// demanded, or the run decides nothing. Less than half of what the worst of 500 seeds of
    /// `random-mix` still had, which was 53.
    pub const MUST_PERCENT_MIN: usize = 20;

    /// Those that may be, whatever the reason.
    pub fn may_total(&self) -> usize {
        self.may.values().sum()
    }

    /// How many of a hundred that there could have been must be, rounded down; 0 if there could
    /// have been none.
    pub fn must_percent(&self) -> usize {
        let all = self.must + self.may_total();
        (100 * self.must).checked_div(all).unwrap_or_default()
    }

    /// Whether enough was demanded for a run that kept its promises to mean something.
    pub fn is_decided(&self) -> bool {
        self.must_percent() >= Self::MUST_PERCENT_MIN
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        self.must += other.must;
        self.must_not += other.must_not;
        for (doubt, count) in &other.may {
            *self.may.entry(*doubt).or_default() += count;
        }
    }

    /// All verdicts, one in each line, the commonest doubt first.
    pub fn table(&self) -> String {
        let mut lines = vec![
            (self.must, String::from("must be delivered")),
            (self.must_not, String::from("must not")),
            (self.may_total(), String::from("may, since")),
        ];
        let mut doubts: Vec<_> = self.may.iter().collect();
        doubts.sort_by_key(|(doubt, count)| (usize::MAX - **count, **doubt));
        let doubts = doubts.iter();
        lines.extend(doubts.map(|(doubt, count)| (**count, format!("  {doubt}"))));
        let lines = lines
            .iter()
            .map(|(count, what)| format!("{count:>8}  {what}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// As in `97% of 4210 deliveries must`.
impl fmt::Display for Deliveries {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, all) = (self.must_percent(), self.must + self.may_total());
        write!(out, "{percent}% must of {all} deliveries")
    }
}

/// How much was demanded in each of many runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Number of runs, by [`Deliveries::must_percent`].
    runs: BTreeMap<usize, usize>,
}

impl Shares {
    /// The least median of the runs of a scenario: with less its faults leave too little to be
    /// checked, or the checks let too much go.
    pub const MEDIAN_MIN: usize = 60;

    /// Adds one run that was checked.
    pub fn add(&mut self, deliveries: &Deliveries) {
        *self.runs.entry(deliveries.must_percent()).or_default() += 1;
    }

    /// Adds those of other runs.
    pub fn add_all(&mut self, other: &Self) {
        for (percent, runs) in &other.runs {
            *self.runs.entry(*percent).or_default() += runs;
        }
    }

    /// The share in the middle run, in percent; of two middle ones the lower. `None` without runs.
    pub fn median(&self) -> Option<usize> {
        let middle = self.runs.values().sum::<usize>().div_ceil(2);
        let mut runs = 0;
        let mut shares = self.runs.iter();
        let (median, _) = shares.find(|(_, more)| {
            runs += **more;
            runs >= middle
        })?;
        Some(*median)
    }

    /// Whether the runs of a scenario, if they kept their promises, mean something. Those of which
    /// none was checked say nothing that could be doubted.
    pub fn is_decided(&self) -> bool {
        self.median()
            .is_none_or(|median| median >= Self::MEDIAN_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliveries(must: usize, may: usize) -> Deliveries {
        Deliveries {
            must,
            may: BTreeMap::from([(Doubt::Refused, may)]),
            ..Deliveries::default()
        }
    }

    fn shares(runs: &[(usize, usize)]) -> Shares {
        let mut shares = Shares::default();
        for (must, may) in runs {
            shares.add(&deliveries(*must, *may));
        }
        shares
    }

    #[test]
    fn a_run_is_decided_by_what_must_be_of_what_there_could_have_been() {
        assert!(deliveries(20, 80).is_decided());
        assert!(!deliveries(199, 801).is_decided());
    }

    #[test]
    fn a_run_in_which_nothing_was_said_decides_nothing() {
        assert!(!Deliveries::default().is_decided());
    }

    #[test]
    fn what_must_not_be_is_no_part_of_the_share() {
        let quiet = Deliveries {
            must_not: 1000,
            ..deliveries(1, 3)
        };
        assert_eq!(quiet.must_percent(), 25);
    }

    #[test]
    fn the_runs_of_a_scenario_are_decided_by_their_middle_one() {
        let good = shares(&[(1, 99), (60, 40), (99, 1)]);
        assert_eq!((good.median(), good.is_decided()), (Some(60), true));
        let bad = shares(&[(59, 41), (59, 41), (99, 1), (99, 1)]);
        assert_eq!((bad.median(), bad.is_decided()), (Some(59), false));
    }

    #[test]
    fn runs_that_were_not_checked_are_not_undecided() {
        assert_eq!(Shares::default().median(), None);
        assert!(Shares::default().is_decided());
    }

    #[test]
    fn shares_add_up() {
        let mut all = shares(&[(10, 90)]);
        all.add_all(&shares(&[(90, 10), (90, 10)]));
        assert_eq!(all, shares(&[(10, 90), (90, 10), (90, 10)]));
    }

    #[test]
    fn the_table_has_the_commonest_doubt_first() {
        let mut some = deliveries(5, 2);
        some.may.insert(Doubt::Entering, 3);
        some.may.insert(Doubt::Deaf, 2);
        let table = some.table();
        let counts: Vec<_> = table
            .lines()
            .map(|line| line.split_whitespace().next().unwrap_or_default())
            .collect();
        assert_eq!(counts, ["5", "0", "7", "3", "2", "2"]);
        assert!(table.ends_with("the receiver did not read"), "{table}");
    }
}
