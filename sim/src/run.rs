//! Runs one case: steps the simulation, injects the faults, samples the servers, and hands the
//! record to the checks.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use loadgen::history;

use crate::anchor::{Anchored, Lookout};
use crate::case::Case;
use crate::chain::Chain;
use crate::deployment::{Deployment, TICK};
use crate::fault::{Fault, Planned};
use crate::guarantees::{self, Checked, Deliveries, Violation};
use crate::inject::Injector;
use crate::kinds::{self, Fired};
use crate::marks::{self, Reached};
use crate::net::SimNet;
use crate::panics;
use crate::passages::Passage;
use crate::quiet;
use crate::record::{Bounds, Record, Sample};
use crate::scenario::Scenario;
use crate::seeds::Seeds;
use crate::trace::Trace;
use crate::vandal::visit::Visit;

/// How often the servers are looked into.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// The host of a guest.
pub const GUEST: &str = "guest";

/// What became of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// What the scenario is called on the command line.
    pub given_as: String,
    /// The seed.
    pub seed: u64,
    /// What was drawn from the two; `None` if drawing it panicked.
    pub case: Option<Case>,
    /// Identifies what happened, event by event: the same for the same scenario and seed, always.
    pub chain: Chain,
    /// The trace as JSON lines, if it was to be kept.
    pub trace: Option<Vec<u8>>,
    /// Where messages passed, in the order of time.
    pub passages: Vec<Passage>,
    /// Which rare paths were taken, and how often.
    pub marks: Reached,
    /// What the checks read.
    pub record: Record,
    /// How many deliveries must have been, may have been and must not. None if the run broke off.
    pub deliveries: Deliveries,
    /// What did not hold and should have.
    pub violations: Vec<Violation>,
    /// What did not hold in a run in which something was not to hold, see [`Case::expect`].
    pub expected: Vec<Violation>,
    /// What was not to hold, and did.
    pub missed: Option<String>,
    /// Why the run broke off, if it did: a panic or an error, with its place. There are no
    /// violations then: what was cut short would look like promises broken.
    pub broke_off: Option<String>,
    /// How much time passed in the simulation.
    pub simulated: Duration,
}

/// Draws the run number `seed` of `scenario`.
///
/// # Errors
///
/// If drawing it panics: a run that broke off before it began.
pub fn draw(scenario: &Scenario, seed: u64) -> Result<Case, Box<Outcome>> {
    let drawn = panics::caught(|| Ok(Case::draw(scenario, seed)));
    drawn.map_err(|reason| {
        Box::new(Outcome {
            scenario: scenario.name.clone(),
            given_as: scenario.given_as.clone(),
            seed,
            broke_off: Some(reason),
            ..Outcome::default()
        })
    })
}

/// Draws the run number `seed` of `scenario`, runs and checks it. Nothing in that panics out of
/// here.
pub fn draw_and_run(scenario: &Scenario, seed: u64) -> Outcome {
    match draw(scenario, seed) {
        Ok(case) => run(&case, false),
        Err(outcome) => *outcome,
    }
}

/// Runs `case` and checks it. Nothing in that panics out of here: a panic, be it in the making of
/// the simulation, in the run or in the checks, is why the run broke off.
pub fn run(case: &Case, keep_trace: bool) -> Outcome {
    run_with(case, keep_trace, |_, _| ())
}

/// Runs `case` with a guest: `software` on one more host, [`GUEST`], which begins with the run and
/// is given the network as that host sees it. What it does there is part of the run; so it keeps
/// to the same rules, or the run is another each time.
pub fn run_with_guest<F>(
    case: &Case,
    keep_trace: bool,
    software: impl FnOnce(SimNet) -> F,
) -> Outcome
where
    F: Future<Output = ()> + 'static,
{
    run_with(case, keep_trace, |deployment, trace| {
        deployment.add_guest(GUEST, trace, software);
    })
}

fn run_with(
    case: &Case,
    keep_trace: bool,
    prepare: impl FnOnce(&mut Deployment<'_>, &Trace),
) -> Outcome {
    let trace = Trace::new(keep_trace);
    fastrand::seed(Seeds::new(case.seed).masks());
    let mut run = Run {
        case,
        trace: trace.clone(),
        history: Vec::new(),
        faults: Vec::new(),
        anchored: BTreeSet::new(),
        in_vain: BTreeSet::new(),
        fired: Fired::new(),
        samples: Vec::new(),
        visits: Vec::new(),
        unmet: Vec::new(),
        simulated: Duration::ZERO,
    };
    let marks = marks::Count::begin(&trace);
    let mut deployment = None;
    let ended = panics::caught(|| {
        let deployment = deployment.insert(Deployment::new(case, &trace));
        prepare(deployment, &trace);
        run.drive(deployment)
    });
    let chain = trace.chain();
    let reached = marks.reached();
    drop(marks);
    // What follows is the end of the simulation, in no certain order, and not of the run.
    let lines = trace.take_lines();
    let passages = trace.take_passages();
    // After a panic a destructor may find its world in disorder and panic too; that is no news.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(deployment)));

    let simulated = run.simulated;
    let record = run.into_record();
    let checked = ended.and_then(|()| panics::caught(|| Ok(check(case, &record))));
    let (checked, broke_off) = match checked {
        Ok(checked) => (checked, None),
        Err(reason) => (Checked::default(), Some(reason)),
    };
    let (expected, violations) = case.expect.part(checked.violations);
    let missed = case.expect.missed();
    let missed = missed.filter(|_| expected.is_empty() && broke_off.is_none());
    Outcome {
        scenario: case.scenario.clone(),
        given_as: case.given_as.clone(),
        seed: case.seed,
        case: Some(case.clone()),
        chain,
        trace: lines,
        passages,
        marks: reached,
        record,
        deliveries: checked.deliveries,
        violations,
        expected,
        missed,
        broke_off,
        simulated,
    }
}

fn check(case: &Case, record: &Record) -> Checked {
    let mut checked = guarantees::check_all(record);
    if case.quiet {
        checked.violations.extend(quiet::check(&record.history));
    }
    let is_checked = |it: &Violation| !case.unchecked.contains(&it.guarantee);
    checked.violations.retain(is_checked);
    checked
}

impl Outcome {
    /// Which run it was, as it is given to `sim run`.
    pub fn name(&self) -> String {
        format!("{} --seed {}", self.given_as, self.seed)
    }

    /// Makes it a run that broke off for `reason`.
    pub fn break_off(&mut self, reason: String) {
        self.violations.clear();
        self.expected.clear();
        self.missed = None;
        self.deliveries = Deliveries::default();
        self.broke_off = Some(reason);
    }

    /// Whether the run came to its end as it should: all promises held, or did not where that was
    /// expected.
    pub fn held(&self) -> bool {
        self.violations.is_empty() && self.missed.is_none() && self.broke_off.is_none()
    }

    /// Whether it means something if it held. A run that did not hold has decided that.
    pub fn is_decided(&self) -> bool {
        !self.held() || !self.expected.is_empty() || self.deliveries.is_decided()
    }
}

struct Run<'a> {
    case: &'a Case,
    trace: Trace,
    history: Vec<history::Event>,
    faults: Vec<Planned>,
    anchored: BTreeSet<usize>,
    in_vain: BTreeSet<usize>,
    fired: Fired,
    samples: Vec<Sample>,
    visits: Vec<Visit>,
    unmet: Vec<Anchored>,
    simulated: Duration,
}

impl Run<'_> {
    /// Steps until the end. All that users do is in their scripts, with times, so the end is
    /// known; whoever is stuck then is found by the checks.
    fn drive(&mut self, deployment: &mut Deployment<'_>) -> turmoil::Result {
        let mut injector = Injector::new(self.case.hosts(), deployment.handles.clone());
        let case = self.case;
        let mut faults = case.faults.iter().peekable();
        let heal = |fault: &Fault| case.heal(fault);
        let mut lookout = Lookout::new(&case.anchored, case.times.healed_at, &heal);
        let mut sample_at = Duration::ZERO;
        while self.simulated < self.case.times.ended_at {
            self.trace.set_now(self.simulated);
            while let Some(planned) = faults.next_if(|next| next.at <= self.simulated) {
                self.inject(&mut injector, deployment, planned);
            }
            for planned in lookout.due(self.simulated) {
                self.anchored.insert(self.faults.len());
                self.inject(&mut injector, deployment, &planned);
            }
            deployment.sim.step()?;
            self.simulated += TICK;
            self.collect(deployment, &mut lookout);
            if self.simulated >= sample_at {
                self.sample(deployment);
                sample_at += SAMPLE_EVERY;
            }
        }
        self.sample(deployment);
        self.visits = deployment.visits.take();
        self.unmet = lookout.unmet();
        Ok(())
    }

    fn inject(
        &mut self,
        injector: &mut Injector,
        deployment: &mut Deployment<'_>,
        planned: &Planned,
    ) {
        let happened = Planned {
            at: self.simulated,
            ..planned.clone()
        };
        self.trace.fault(&happened);
        let took_hold = injector.apply(&mut deployment.sim, &planned.fault);
        if !took_hold {
            self.in_vain.insert(self.faults.len());
        } else if let Some(kind) = planned.kind() {
            *self.fired.entry(kind).or_default() += 1;
        }
        self.faults.push(happened);
    }

    fn collect(&mut self, deployment: &Deployment<'_>, lookout: &mut Lookout<'_>) {
        for recorder in &*deployment.recorders.borrow() {
            let events = recorder.take();
            for event in &events {
                self.trace.user(event);
                lookout.see(event, self.simulated);
            }
            self.history.extend(events);
        }
    }

    fn sample(&mut self, deployment: &mut Deployment<'_>) {
        self.samples.push(Sample {
            at: self.simulated,
            servers: deployment.census(),
        });
    }

    fn into_record(mut self) -> Record {
        let case = self.case;
        kinds::add(&mut self.fired, &kinds::of_history(&self.history));
        for visit in &self.visits {
            *self.fired.entry(visit.attack.kind()).or_default() += 1;
        }
        let users = case.scripts.iter().map(|script| script.user);
        let returning = case.scripts.iter().filter(|it| it.reconnect.is_some());
        let settings = &case.settings;
        Record {
            history: self.history,
            faults: self.faults,
            anchored: self.anchored,
            in_vain: self.in_vain,
            fired: self.fired,
            unmet: self.unmet,
            healed_at: case.times.healed_at,
            settled_at: case.times.settled_at,
            leaving_at: case.times.leaving_at,
            ended_at: self.simulated,
            topology: (*case.topology).clone(),
            user_hosts: users
                .clone()
                .map(|user| (user, case.host_of(user).to_owned()))
                .collect(),
            probes: users.filter(|user| case.is_probe(*user)).collect(),
            returning: returning.map(|script| script.user).collect(),
            visits: self.visits,
            samples: self.samples,
            bounds: Bounds {
                request_deadline: settings.request_deadline,
                handshake_patience: settings.handshake_patience,
                heartbeat: settings.heartbeat,
                lease: settings.lease,
                latency_max: latency_max(case),
                session_queue_len: settings.session_queue_len,
                outbox_len: settings.outbox_burst(),
                duplicate_login: settings.duplicate_login,
                stream_len: settings.tcp_capacity,
            },
        }
    }
}

/// Most tasks of one host that a message passes, each of which waits for its turn while that host is
/// slow: its connection's, a room's, and that of the link or of the connection that it leaves by.
const TASKS_ON_THE_WAY: u32 = 3;

/// The longest that anything takes from one host to the next, its way through the host included.
fn latency_max(case: &Case) -> Duration {
    let faults = || {
        let planned = case.faults.iter().map(|planned| &planned.fault);
        planned.chain(case.anchored.iter().map(|anchored| &anchored.fault))
    };
    let slowed = faults().filter_map(Fault::latency);
    let usual = case.latencies.iter().map(|link| link.latency);
    let latency = usual.chain(slowed).max();
    let delay = faults().filter_map(Fault::delay).max();
    let turns = delay.unwrap_or_default().saturating_mul(TASKS_ON_THE_WAY);
    latency.unwrap_or_default().saturating_add(turns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Latency;
    use crate::report;
    use crate::scenario::{self, Span};
    use crate::workload::Users;

    fn case() -> Case {
        Case::draw(&scenario::built_in()[0], 7)
    }

    fn why(outcome: &Outcome) -> &str {
        assert!(!outcome.held());
        let last = report::failure(outcome, None)
            .lines()
            .last()
            .map(str::to_owned);
        let command = format!("reproduce: cargo sim run {} --seed 7", outcome.scenario);
        assert_eq!(last, Some(command));
        outcome.broke_off.as_deref().unwrap_or_default()
    }

    #[test]
    fn a_user_that_is_taken_out_leaves_the_others_as_they_were() {
        let whole = case();
        let mut without = whole.clone();
        without.scripts.retain(|script| script.user != 3);
        let (before, after) = (run(&whole, false).record, run(&without, false).record);
        let mut hosts = before.user_hosts.clone();
        assert!(hosts.remove(&3).is_some());
        assert_eq!(after.user_hosts, hosts);
        assert_eq!(after.probes, before.probes);
        assert!(!after.returning.contains(&3) && after.returning.contains(&4));
    }

    #[test]
    fn a_planned_fault_that_happens_with_the_next_tick_waited_for_nothing() {
        let mut case = case();
        let (a, b) = (case.client_hosts[0].clone(), case.gate().id.clone());
        let at = case.times.arrived_at + TICK / 2;
        case.faults = vec![Planned::new(at, Fault::Reset { a, b })];
        let outcome = run(&case, false);
        assert_eq!(outcome.record.faults.len(), 1);
        assert_ne!(outcome.record.faults, case.faults);
        assert_eq!(report::anchored(&outcome), [""; 0]);
    }

    #[test]
    fn a_panic_while_a_run_is_drawn_fails_the_run() {
        let scenario = Scenario {
            users: Users {
                count: Span { min: 2, max: 1 },
                ..Users::default()
            },
            ..scenario::built_in().swap_remove(0)
        };
        let outcome = draw_and_run(&scenario, 7);
        assert!(why(&outcome).contains("empty range"), "{outcome:?}");
    }

    #[test]
    fn a_panic_while_the_servers_are_put_on_hosts_fails_the_run() {
        let mut case = case();
        case.latencies.push(Latency {
            a: String::from("nowhere"),
            b: String::from("nobody"),
            latency: Duration::from_millis(1),
        });
        let outcome = run(&case, false);
        assert!(why(&outcome).starts_with("panic at "), "{outcome:?}");
        assert_eq!(outcome.simulated, Duration::ZERO);
    }

    #[test]
    fn a_panic_in_a_check_fails_the_run() {
        let mut case = case();
        // After the end, so that it never comes, but the checks count with the longest latency.
        let endless = Fault::Latency {
            a: case.client_hosts[0].clone(),
            b: case.gate().id.clone(),
            latency: Duration::MAX,
        };
        case.faults.push(Planned::new(Duration::MAX, endless));
        let outcome = run(&case, false);
        assert!(why(&outcome).contains("overflow"), "{outcome:?}");
        assert_eq!(outcome.simulated, case.times.ended_at);
    }
}
