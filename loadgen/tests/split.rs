//! A load test whose users are spread over processes is the same test, and comes to the same figures.

use std::error::Error;
use std::time::Duration;

use cluster::embedded::{self, Size};
use cluster::net::Tcp;
use cluster::options::Options;
use loadgen::address::Address;
use loadgen::drive::access;
use loadgen::fanout::fold::Fold;
use loadgen::history::{Event, Recorder};
use loadgen::plan::LoadPlan;
use loadgen::plan::file::{Overrides, PlanFile};
use loadgen::plan::shares::shares;
use loadgen::script::{Purpose, rng_of};
use loadgen::swarm::Swarm;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reports::measured::Measured;
use tokio::time::Instant;

/// People come, go, switch rooms and stop reading, and some try names that are in use.
fn restless(
    rooms: u32,
    users: u32,
    duplicates: u32,
    seed: u64,
) -> Result<LoadPlan, Box<dyn Error>> {
    let text = format!(
        "
        settle = '300ms'
        drain = '1500ms'
        seed = {seed}
        duplicate-logins = {duplicates}
        rooms = {{ count = {rooms}, zipf = 1.0 }}
        slow-readers = {{ percent = 10, pause = '200ms', every = '1s' }}

        [[stage]]
        duration = '500ms'
        arrivals = {{ users = {users}, spacing = 'poisson' }}

        [[stage]]
        duration = '1500ms'
        arrivals = {{ users = {users} }}
        sends.think = {{ law = 'exponential', mean = '500ms' }}
        churn = {{ leave = 1, rejoin = 8, away = '300ms', switch = 8 }}

        [[stage]]
        duration = '1500ms'
        sends.rate = 40
        storm = {{ after = '500ms', percent = 50, within = '500ms' }}
        "
    );
    Ok(PlanFile::read(
        &text,
        "restless.toml",
        &Overrides::default(),
    )?)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn workers_live_the_scripts_of_one_process_and_never_share_a_room(
        rooms in 2..30_u32,
        users in 15..60_u32,
        duplicates in 0..15_u32,
        workers in 1..12_u32,
        seed in 0..1_u64 << 40,
    ) {
        let plan = restless(rooms, users, duplicates, seed).expect("it is sound");
        let workers = workers.min(plan.rooms.parts());
        // A worker has its plan from a line of JSON.
        let json = serde_json::to_string(&plan).expect("a plan is JSON");
        let told: LoadPlan = serde_json::from_str(&json).expect("it was one");
        prop_assert_eq!(&told, &plan);

        let shares = shares(&told, workers);
        prop_assert_eq!(shares.len(), workers as usize);
        let mut seen: Vec<(u32, usize)> = Vec::new();
        let mut rooms = vec![None; plan.rooms.count() as usize];
        for (worker, share) in shares.iter().enumerate() {
            prop_assert!(share.is_sorted(), "users come in the order of their numbers");
            for &user in share {
                let script = told.script(user);
                let member = plan.namesake(user).unwrap_or(user);
                let room = plan.rooms.room_of(member) as usize;
                for room in [room, plan.rooms.neighbour(room as u32) as usize] {
                    prop_assert_eq!(*rooms[room].get_or_insert(worker), worker, "room {}", room);
                }
                let whole = plan.script(user);
                prop_assert_eq!(&script.name, &whole.name);
                prop_assert_eq!(&script.room, &whole.room);
                prop_assert_eq!(&script.gate_key, &whole.gate_key);
                prop_assert!(script.actions.eq(whole.actions), "user {}", user);
                seen.push((user, worker));
            }
        }
        seen.sort_unstable();
        let users: Vec<u32> = seen.iter().map(|(user, _)| *user).collect();
        prop_assert_eq!(users, Vec::from_iter(0..plan.connections()));
    }
}

#[test]
fn rooms_of_one_size_are_dealt_out_in_turn() -> Result<(), Box<dyn Error>> {
    let text = "rooms.members = 5\n[[stage]]\nduration = '1s'\narrivals.users = 120\n";
    let plan = PlanFile::read(text, "even.toml", &Overrides::default())?;
    let shares = shares(&plan, 3);
    // Twelve parts of ten: each worker has one of every three, so that all have users who come early.
    let first: Vec<_> = shares.iter().map(|share| share[0]).collect();
    assert_eq!(first, [0, 10, 20]);
    assert!(shares.iter().all(|share| share.len() == 40));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_workers_measured_is_together_what_one_process_would_have()
-> Result<(), Box<dyn Error>> {
    let plan = restless(9, 40, 5, 3)?;
    let (history, until) = live(&plan).await?;
    let everybody = Vec::from_iter(0..plan.connections());
    let whole = figures(&plan, &history, until, &everybody);
    for workers in [2, 4] {
        let shares = shares(&plan, workers);
        let parts = shares
            .iter()
            .map(|users| figures(&plan, &history, until, users));
        let mut merged = Measured::new(Duration::from_secs(1));
        // In any order.
        for part in parts.rev() {
            merged.merge(&part)?;
        }
        assert_eq!(merged.counts, whole.counts, "{workers} workers");
        assert!(
            merged == whole,
            "{workers} workers: figures differ, though their counts do not"
        );
    }
    assert!(whole.counts["sends_total"] > 0 && whole.counts["logins_refused"] == 5);
    Ok(())
}

/// What all users of `plan` did and saw in a cluster on real sockets, and when it was over.
async fn live(plan: &LoadPlan) -> Result<(Vec<Event>, Duration), Box<dyn Error>> {
    let mut rng = StdRng::seed_from_u64(1);
    let cluster = embedded::start(Size::default(), Options::default(), &mut rng).await?;
    let (host, port) = cluster.gate().ok_or("no gate")?;
    let host = host.to_owned();
    let access = access(plan, &Address { host, port });
    let recorder = Recorder::new(Instant::now());
    let scripts = (0..plan.connections()).map(|user| {
        let rng = rng_of(plan.seed, user, Purpose::Life);
        (plan.script(user), rng)
    });
    let stop_at = Instant::now() + plan.stop_at();
    let stuck = Swarm::start(scripts, &Tcp::loopback(), &access, &recorder)
        .ended(stop_at)
        .await;
    assert_eq!(stuck, 0);
    cluster.stop().await?;
    let mut history = recorder.take();
    // Tasks of two threads may have written down what they did in the other order.
    history.sort_by_key(|event| event.at);
    Ok((history, plan.stop_at()))
}

/// What a process measures that lives `users`.
fn figures(plan: &LoadPlan, history: &[Event], until: Duration, users: &[u32]) -> Measured {
    let mut fold = Fold::new(Duration::from_secs(1));
    for event in history.iter().filter(|event| users.contains(&event.user)) {
        fold.see(event.at, (event.user, event.login), &event.what);
    }
    let named = users.iter().copied().filter(|user| *user < plan.users);
    fold.finish(until, named)
}
