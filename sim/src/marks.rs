//! Which rare paths of the servers a run took, and on which host: see [`cluster::marks`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::Arc;

use cluster::marks::{self, Listening, Mark};

use crate::trace::Trace;

/// How often each mark was reached.
pub type Reached = BTreeMap<Mark, u64>;

thread_local! {
    /// The host whose task is running on this thread.
    static HERE: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// Runs `task` as one of `host`.
pub fn on<F: Future>(host: Arc<str>, task: F) -> impl Future<Output = F::Output> {
    let mut task = Box::pin(task);
    poll_fn(move |context| {
        let outside = HERE.replace(Some(host.clone()));
        let polled = task.as_mut().poll(context);
        HERE.set(outside);
        polled
    })
}

/// Counts the marks of one run, and writes each into its trace.
pub struct Count {
    reached: Rc<RefCell<Reached>>,
    _listening: Listening,
}

impl Count {
    /// Begins to listen on this thread.
    pub fn begin(trace: &Trace) -> Self {
        let reached: Rc<RefCell<Reached>> = Rc::default();
        let listening = marks::listen({
            let (reached, trace) = (reached.clone(), trace.clone());
            move |mark| {
                *reached.borrow_mut().entry(mark).or_default() += 1;
                HERE.with_borrow(|here| trace.mark(here.as_deref().unwrap_or_default(), mark));
            }
        });
        Self {
            reached,
            _listening: listening,
        }
    }

    /// What was reached so far.
    pub fn reached(&self) -> Reached {
        self.reached.borrow().clone()
    }
}

/// Adds what other runs reached.
pub fn add(reached: &mut Reached, more: &Reached) {
    for (mark, count) in more {
        *reached.entry(*mark).or_default() += count;
    }
}

/// The marks that were to be reached and were not.
pub fn never(reached: &Reached) -> Vec<Mark> {
    let wanted = Mark::ALL.iter().filter(|mark| !mark.is_second_line());
    let never = wanted.filter(|mark| !reached.contains_key(mark));
    never.copied().collect()
}

#[cfg(test)]
mod tests {
    use crate::case::Case;
    use crate::{run, scenario};

    use super::*;

    #[test]
    fn a_chat_server_that_restarts_is_found_so_by_its_connectors_and_the_trace_says_who() {
        let scenario = scenario::find("chat-crash").expect("it is built in");
        let outcome = run::run(&Case::draw(&scenario, 7), true);
        assert!(outcome.marks[&Mark::ChatRestarted] >= 1);
        assert!(never(&outcome.marks).contains(&Mark::CutOff));

        let trace = String::from_utf8(outcome.trace.unwrap_or_default()).expect("JSON is text");
        let hosts = trace.lines().filter(|line| line.contains("chat-restarted"));
        let hosts: Vec<_> = hosts.collect();
        assert_eq!(hosts.len() as u64, outcome.marks[&Mark::ChatRestarted]);
        for line in hosts {
            assert!(line.contains(r#""host":"connector-server-"#), "{line}");
        }
    }

    #[test]
    fn the_marks_of_two_runs_are_added_up() {
        let mut reached = Reached::from([(Mark::Resent, 2)]);
        let more = Reached::from([(Mark::Resent, 1), (Mark::CutOff, 1)]);
        add(&mut reached, &more);
        assert_eq!(
            reached,
            Reached::from([(Mark::Resent, 3), (Mark::CutOff, 1)])
        );
    }
}
