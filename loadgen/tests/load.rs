//! A small load test against a whole cluster on real sockets.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use cluster::connection::Transport;
use cluster::embedded::{self, Size};
use cluster::net::Tcp;
use cluster::options::Options;
use loadgen::address::Address;
use loadgen::drive::{Ending, access, drive, recorder};
use loadgen::outcome::{Stamp, judge};
use loadgen::plan::LoadPlan;
use loadgen::plan::counts::Counts;
use loadgen::plan::file::{Overrides, PlanFile};
use loadgen::plan::short::ShortPlan;
use loadgen::plan::threshold::{COUNTS, LATENCIES};
use loadgen::script::{Purpose, rng_of};
use loadgen::user;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reports::run::Run;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_users_over_websocket_hear_everything_once() -> Result<(), Box<dyn Error>> {
    assert_all_held(&load(Transport::WebSocket).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_users_over_tcp_hear_everything_once() -> Result<(), Box<dyn Error>> {
    assert_all_held(&load(Transport::Tcp).await?)
}

/// People come, go, switch rooms and stop reading for a while, and three try names that are in use.
const RESTLESS: &str = "
settle = '500ms'
drain = '2s'
duplicate-logins = 3
rooms = { count = 6, zipf = 1.0 }
slow-readers = { percent = 10, pause = '200ms', every = '1s' }

[[stage]]
duration = '500ms'
arrivals = { users = 40, spacing = 'poisson' }

[[stage]]
duration = '2s'
arrivals = { users = 20 }
sends.think = { law = 'exponential', mean = '500ms' }
churn = { leave = 1, rejoin = 8, away = '300ms', switch = 8 }

[[stage]]
duration = '2s'
sends.rate = { shape = 'ramp', from = 10, to = 100 }
storm = { after = '500ms', percent = 50, within = '500ms' }

[[threshold]]
demand = 'lost == 0'

[[threshold]]
demand = 'broadcast.last.p50 < 30s'

[[threshold]]
demand = 'logins_refused == 3'
";

#[tokio::test(flavor = "multi_thread")]
async fn people_who_come_and_go_all_the_time_hear_everything_once() -> Result<(), Box<dyn Error>> {
    let plan = PlanFile::read(RESTLESS, "restless.toml", &Overrides::default())?;
    let planned = Counts::of(&plan).total();
    assert!(planned.switches > 0 && planned.logins > 80, "{planned:?}");
    let run = drive_plan(&plan).await?;
    assert!(run.holds(), "{:#?} {:#?}", run.verdicts, run.thresholds);
    assert_eq!(run.counts["logins_total"], planned.logins);
    assert_eq!(run.counts["logins_refused"], 3);
    assert_eq!(run.counts["sends_total"], planned.sends);
    assert_eq!(run.counts["users_entered"], 60);
    let judged: Vec<_> = run.thresholds.iter().map(|it| it.metric.as_str()).collect();
    assert_eq!(judged, ["lost", "broadcast.last.p50", "logins_refused"]);
    // What a plan may demand is there to be judged.
    for name in COUNTS {
        assert!(run.counts.contains_key(name), "nobody counts {name}");
    }
    for name in LATENCIES {
        assert!(run.latencies.contains_key(name), "nobody measures {name}");
    }
    Ok(())
}

/// Of a hundred thousand users each may take 12 KiB while it is idle, with its connection and what the audit
/// knows of it: no more than a quarter of that is for the state of its task.
#[test]
fn the_task_of_a_user_takes_a_quarter_of_its_memory_at_most() {
    let plan = LoadPlan::new(2, 1);
    let gate = Address {
        host: "gate".to_owned(),
        port: 3014,
    };
    let rng = rng_of(plan.seed, 0, Purpose::Life);
    let script = plan.script(0);
    let access = access(&plan, &gate);
    let user = user::run(script, Tcp::loopback(), access, recorder(&plan), rng);
    let bytes = size_of_val(&user);
    assert!(bytes <= 3 * 1024, "{bytes}");
}

/// Drives 50 users in 5 rooms for 2 s.
async fn load(transport: Transport) -> Result<Run, Box<dyn Error>> {
    let plan = ShortPlan {
        rooms: 5,
        rate_per_s: 100.0,
        duration: Duration::from_secs(2),
        ramp: Duration::from_millis(200),
        drain: Duration::from_secs(2),
        transport,
        ..ShortPlan::new(50, 7)
    };
    drive_plan(&plan.plan()?).await
}

async fn drive_plan(plan: &LoadPlan) -> Result<Run, Box<dyn Error>> {
    let mut rng = StdRng::seed_from_u64(1);
    let cluster = embedded::start(Size::default(), Options::default(), &mut rng).await?;
    let (host, port) = cluster.gate().ok_or("a cluster has a gate")?;
    let gate = Address {
        host: host.to_owned(),
        port,
    };
    let recorder = recorder(plan);
    let never = std::future::pending();
    let users = Vec::from_iter(0..plan.connections());
    let finished = drive(plan, &users, &Tcp::loopback(), &gate, &recorder, never).await;
    cluster.stop().await?;
    assert_eq!(finished.ending, Ending::Complete);
    let stamp = Stamp {
        name: "test".to_owned(),
        command: "test".to_owned(),
        started_at: Duration::ZERO,
        target: "embedded".to_owned(),
        environment: BTreeMap::new(),
    };
    Ok(judge(plan, &finished, stamp))
}

fn assert_all_held(run: &Run) -> Result<(), Box<dyn Error>> {
    assert!(run.holds(), "{:#?}", run.verdicts);
    assert!(!run.partial);
    let count = |name: &str| run.counts.get(name).copied().ok_or(name.to_owned());
    assert_eq!(count("users_entered")?, 50);
    assert_eq!(count("logins_total")?, 50);
    let sends = count("sends_total")?;
    // 200 on average; a Poisson count is hardly ever more than four deviations away.
    assert!(sends.abs_diff(200) < 57, "{sends}");
    assert_eq!(count("sends_accepted")?, sends);
    // Ten in each room, the sender included.
    assert_eq!(count("deliveries_expected")?, 10 * sends);
    assert_eq!(count("deliveries_total")?, 10 * sends);
    // Each room: the second is told to one, the third to two ... the tenth to nine.
    let told = 5 * (1..10).sum::<u64>();
    assert!(count("notices_expected")? >= told, "{run:#?}");
    let names = run.verdicts.iter().map(|verdict| verdict.name.as_str());
    let names: Vec<_> = names.collect();
    assert!(
        names.contains(&"ordered") && names.contains(&"notices"),
        "{names:?}"
    );

    let latency = |name: &str| run.latencies.get(name).ok_or(name.to_owned());
    assert_eq!(latency("login")?.count, 50);
    assert_eq!(latency("request")?.count, sends);
    assert_eq!(latency("broadcast")?.count, 10 * sends);
    for metric in [
        "broadcast.last",
        "broadcast.p99",
        "broadcast.last.raw",
        "request.raw",
    ] {
        assert_eq!(latency(metric)?.count, sends, "{metric}");
    }
    assert!(
        latency("broadcast.first")?.latency_us_p50 <= latency("broadcast.last")?.latency_us_p50
    );
    Ok(())
}
