//! How often memory is allocated for one message to all members of a room. Exact numbers, which
//! do not change from run to run: one more is a change of the code.

use benches::{World, say};

/// A few first, until buffers have their size; then so many are counted.
const BROADCASTS: usize = 100;

fn main() {
    println!("members  allocations per broadcast  per delivery  bytes per broadcast");
    for members in [1, 10, 100, 1000] {
        let mut world = World::with_members(3, members);
        broadcast(&mut world, members);
        let counted = allocation_counter::measure(|| broadcast(&mut world, members));
        let each = counted.count_total as f64 / BROADCASTS as f64;
        println!(
            "{members:7}  {each:25.2}  {:12.2}  {:19}",
            each / members as f64,
            counted.bytes_total / BROADCASTS as u64,
        );
    }
}

fn broadcast(world: &mut World, members: usize) {
    let line = say("*");
    for _ in 0..BROADCASTS {
        world.ask(0, &line);
        world.carry();
        assert_eq!(world.read_all(), members + 1);
    }
}
