//! Which process lives which users.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::LoadPlan;

/// The users of each of `workers` processes, in the order of their numbers. The members of a part
/// ([`super::rooms`]), and those who log in under their names, are together; of processes there can be
/// as many as there are parts.
///
/// Large parts are given away first, each to whom has the fewest users so far. So the numbers differ by
/// little, and of parts of one size each process has one after the other, as users come.
pub fn shares(plan: &LoadPlan, workers: u32) -> Vec<Vec<u32>> {
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); plan.rooms.parts() as usize];
    for user in 0..plan.connections() {
        let member = plan.namesake(user).unwrap_or(user);
        let part = plan.rooms.part_of(plan.rooms.room_of(member));
        parts[part as usize].push(user);
    }
    parts.sort_by_key(|users| Reverse(users.len()));
    let mut shares: Vec<Vec<u32>> = vec![Vec::new(); workers as usize];
    let mut next: BinaryHeap<_> = (0..shares.len())
        .map(|worker| Reverse((0, worker)))
        .collect();
    for users in parts {
        let Some(Reverse((_, worker))) = next.pop() else {
            break;
        };
        shares[worker].extend(users);
        next.push(Reverse((shares[worker].len(), worker)));
    }
    for share in &mut shares {
        share.sort_unstable();
    }
    shares
}
