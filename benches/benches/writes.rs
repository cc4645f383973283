//! What messages to all members of a room cost from the sender's package to a package at each
//! client, over WebSockets in memory, if so many of them wait for each client when its session
//! writes: writes and allocations, which are exact and do not change from run to run. Those of the clients
//! are among them.

use benches::wires::Wires;
use benches::{World, say};

/// A few first, until buffers have their size; then so many are counted.
const TURNS: usize = 50;

fn main() {
    println!("members  messages waiting  writes per delivery  allocations per delivery");
    for members in [10, 100, 1000] {
        for messages in [1, 2, 4, 8] {
            let mut world = World::with_members(3, members);
            let mut wires = Wires::new(members);
            let mut turns = || {
                let line = say("*");
                let mut deliveries = 0;
                for _ in 0..TURNS {
                    for _ in 0..messages {
                        world.ask(0, &line);
                        world.carry();
                    }
                    deliveries += wires.carry(&mut world);
                }
                (deliveries, wires.writes())
            };
            let (_, writes_before) = turns();
            let (mut deliveries, mut writes) = (0, 0);
            let counted = allocation_counter::measure(|| (deliveries, writes) = turns());
            println!(
                "{members:7}  {messages:16}  {:19.3}  {:24.2}",
                (writes - writes_before) as f64 / deliveries as f64,
                counted.count_total as f64 / deliveries as f64,
            );
        }
    }
}
