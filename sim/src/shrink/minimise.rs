//! Takes out of a list what is not needed.

/// Takes as much out of `items` as can be, in ever smaller chunks, until no single item can be left
/// out. `first` says which of some shorter lists, each made when it is asked for, still does what is
/// wanted; the order stays.
///
/// A list of which a few items matter takes about twice as many trials as those few times the
/// logarithm of its length.
pub fn minimise<T: Clone>(
    items: &mut Vec<T>,
    mut first: impl FnMut(&mut dyn Iterator<Item = Vec<T>>) -> Option<usize>,
) {
    let mut chunk_len = items.len();
    while chunk_len > 0 && !items.is_empty() {
        let has_shrunk = take_out(items, chunk_len, &mut first);
        // What was needed for something that went later may have become needless.
        let is_done = chunk_len == 1 && !has_shrunk;
        chunk_len = if is_done { 0 } else { chunk_len.div_ceil(2) };
    }
}

/// Takes out what can be in chunks of `len`, from the first to the last.
fn take_out<T: Clone>(
    items: &mut Vec<T>,
    len: usize,
    first: &mut impl FnMut(&mut dyn Iterator<Item = Vec<T>>) -> Option<usize>,
) -> bool {
    let mut from = 0;
    let len_before = items.len();
    while from < items.len() {
        let starts = (from..items.len()).step_by(len);
        let mut shorter = starts.map(|start| without(items, start, len));
        let Some(found) = first(&mut shorter) else {
            break;
        };
        from += found * len;
        *items = without(items, from, len);
    }
    items.len() < len_before
}

fn without<T: Clone>(items: &[T], start: usize, len: usize) -> Vec<T> {
    let end = items.len().min(start + len);
    [&items[..start], &items[end..]].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Minimises 0..len; returns what is left and how many lists were tried.
    fn minimised(len: u32, is_wanted: impl Fn(&[u32]) -> bool) -> (Vec<u32>, usize) {
        let mut items = (0..len).collect();
        let mut tried = 0;
        minimise(&mut items, |lists| {
            let mut lists = lists.inspect(|_| tried += 1);
            lists.position(|list| is_wanted(&list))
        });
        (items, tried)
    }

    #[test]
    fn only_what_matters_is_left_in_its_order() {
        for needed in [
            vec![],
            vec![0],
            vec![63],
            vec![7, 8],
            vec![3, 17, 40, 41, 62],
        ] {
            let (left, _) = minimised(64, |list| needed.iter().all(|it| list.contains(it)));
            assert_eq!(left, needed);
        }
        assert_eq!(minimised(0, |_| true), (vec![], 0));
    }

    #[test]
    fn no_single_item_of_what_is_left_can_be_left_out() {
        // Any even number of items that is at least 6: no prefix and no subset of a solution is.
        let is_wanted = |list: &[u32]| list.len() >= 6 && list.iter().sum::<u32>() % 3 == 0;
        let (left, _) = minimised(40, is_wanted);
        assert!(is_wanted(&left), "{left:?}");
        for start in 0..left.len() {
            assert!(!is_wanted(&without(&left, start, 1)), "{left:?} {start}");
        }
    }

    #[test]
    fn what_becomes_needless_only_when_something_later_has_gone_goes_too() {
        // 5 is needed as long as 20 is there.
        let is_wanted =
            |list: &[u32]| list.contains(&9) && (list.contains(&5) || !list.contains(&20));
        assert_eq!(minimised(32, is_wanted).0, [9]);
    }

    #[test]
    fn few_trials_find_few_items_among_many() {
        let needed = BTreeSet::from([100, 700]);
        let is_wanted = |list: &[u32]| needed.iter().all(|it| list.contains(it));
        let (left, tried) = minimised(1000, is_wanted);
        assert_eq!(left, [100, 700]);
        assert!(tried < 80, "{tried} trials");
    }

    #[test]
    fn a_search_that_is_stopped_keeps_what_it_has() {
        let mut left = 3;
        let mut items: Vec<u32> = (0..64).collect();
        minimise(&mut items, |lists| {
            left -= 1;
            let mut wanted = lists.map(|list| list.contains(&60));
            (left > 0).then(|| wanted.position(|is_wanted| is_wanted))?
        });
        assert!(items.contains(&60), "{items:?}");
        assert!((2..64).contains(&items.len()), "{items:?}");
    }
}
