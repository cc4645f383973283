//! A set of small numbers: a bit for each.

const BITS: u32 = u64::BITS;

/// Some of the slots of a room.
#[derive(Clone, Debug, Default)]
pub struct Set {
    words: Vec<u64>,
}

impl Set {
    /// Whether `number` is in it.
    pub fn contains(&self, number: u32) -> bool {
        let (word, bit) = place(number);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Puts `number` in; `false` if it was.
    pub fn insert(&mut self, number: u32) -> bool {
        let (word, bit) = place(number);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let was_in = self.words[word] & bit != 0;
        self.words[word] |= bit;
        !was_in
    }

    /// Takes `number` out; `false` if it was not in.
    pub fn remove(&mut self, number: u32) -> bool {
        let (word, bit) = place(number);
        let Some(word) = self.words.get_mut(word) else {
            return false;
        };
        let was_in = *word & bit != 0;
        *word &= !bit;
        was_in
    }

    /// How many are in it.
    pub fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// What is in it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.words).flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(index * BITS + bit)
            })
        })
    }
}

impl FromIterator<u32> for Set {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut set = Self::default();
        for number in numbers {
            set.insert(number);
        }
        set
    }
}

fn place(number: u32) -> (usize, u64) {
    ((number / BITS) as usize, 1 << (number % BITS))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_tree_of_numbers_holds(
            steps in proptest::collection::vec((any::<bool>(), 0..200_u32), 0..100)
        ) {
            let (mut set, mut tree) = (Set::default(), BTreeSet::new());
            for (into, number) in steps {
                if into {
                    prop_assert_eq!(set.insert(number), tree.insert(number));
                } else {
                    prop_assert_eq!(set.remove(number), tree.remove(&number));
                }
                prop_assert_eq!(set.contains(number), tree.contains(&number));
                prop_assert_eq!(set.is_empty(), tree.is_empty());
            }
            prop_assert_eq!(set.len() as usize, tree.len());
            prop_assert!(set.iter().eq(tree.iter().copied()));
            prop_assert!(tree.into_iter().collect::<Set>().iter().eq(set.iter()));
        }
    }
}
