//! What was not as promised: how often, and the first cases.

use serde::{Deserialize, Serialize};

use crate::run::CASES_MAX;

/// Cases of one fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// How many.
    pub count: u64,
    /// The first [`CASES_MAX`], by their times, then by their texts.
    cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Case {
    /// When it showed, since the start of the run.
    pub at_us: u64,
    /// A sentence that says who, what and when.
    pub text: String,
}

impl Faults {
    /// Counts a case; `text` is asked for only if it is one of the first.
    pub fn note(&mut self, at_us: u64, text: impl FnOnce() -> String) {
        self.count += 1;
        let is_full = self.cases.len() == CASES_MAX;
        if is_full && self.cases.last().is_some_and(|last| last.at_us < at_us) {
            return;
        }
        self.keep(Case {
            at_us,
            text: text(),
        });
    }

    /// The first ones.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        other.cases.iter().for_each(|case| self.keep(case.clone()));
    }

    fn keep(&mut self, case: Case) {
        let index = self.cases.partition_point(|other| *other < case);
        self.cases.insert(index, case);
        self.cases.truncate(CASES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_kept_in_whatever_order_they_come() {
        let mut faults = Faults::default();
        for at_us in (0..30).rev() {
            faults.note(at_us, || format!("case {at_us}"));
        }
        let mut asked = false;
        faults.note(30, || {
            asked = true;
            String::new()
        });
        assert_eq!((faults.count, asked), (31, false));
        let kept: Vec<_> = faults.cases().iter().map(|case| case.at_us).collect();
        assert_eq!(kept, Vec::from_iter(0..CASES_MAX as u64));
    }
}
