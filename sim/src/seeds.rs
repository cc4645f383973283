//! One number decides a whole run: it is split into independent streams, so that one more draw
//! for a user moves no fault and no latency.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// The streams that one run's seed is split into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    seed: u64,
}

/// What a stream is for. The numbers are part of what a seed means: never change one.
#[derive(Clone, Copy, Debug)]
enum Stream {
    Shape = 1,
    Network = 2,
    Latencies = 3,
    Faults = 4,
    Script = 5,
    User = 6,
    Incarnation = 7,
    Masks = 8,
    Habits = 9,
    Vandal = 10,
    Swarm = 11,
    Yields = 12,
}

impl Seeds {
    /// Splits `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// How many servers, users and rooms there are.
    pub fn shape(self) -> StdRng {
        self.generator(Stream::Shape, 0)
    }

    /// Which habits of users are on at all.
    pub fn habits(self) -> StdRng {
        self.generator(Stream::Habits, 0)
    }

    /// turmoil's own generator, and through it tokio's (`select!`).
    pub fn network(self) -> u64 {
        self.stream(Stream::Network, 0)
    }

    /// The latency of each link.
    pub fn latencies(self) -> StdRng {
        self.generator(Stream::Latencies, 0)
    }

    /// Which faults happen, where and when.
    pub fn faults(self) -> StdRng {
        self.generator(Stream::Faults, 0)
    }

    /// What user number `user` will do, drawn before the run.
    pub fn script(self, user: u32) -> StdRng {
        self.generator(Stream::Script, u64::from(user))
    }

    /// What user number `user` draws while it runs: the jitter of its back-off.
    pub fn user(self, user: u32) -> StdRng {
        self.generator(Stream::User, u64::from(user))
    }

    /// What vandal number `vandal` sends.
    pub fn vandal(self, vandal: u32) -> StdRng {
        self.generator(Stream::Vandal, u64::from(vandal))
    }

    /// Which kinds of trouble a run has at all, and what else tells one run of a swarm from another.
    pub fn swarm(self) -> StdRng {
        self.generator(Stream::Swarm, 0)
    }

    /// Which polls on host number `host` are put off.
    pub fn yields(self, host: u32) -> StdRng {
        self.generator(Stream::Yields, u64::from(host))
    }

    /// The incarnation of a server process: `server` is its index in the deployment, `start`
    /// counts its starts.
    pub fn incarnation(self, server: u32, start: u32) -> u64 {
        self.stream(
            Stream::Incarnation,
            u64::from(server) << 32 | u64::from(start),
        )
    }

    /// The WebSocket masks and keys, which come from `fastrand`'s generator of the thread.
    pub fn masks(self) -> u64 {
        self.stream(Stream::Masks, 0)
    }

    fn generator(self, stream: Stream, number: u64) -> StdRng {
        StdRng::seed_from_u64(self.stream(stream, number))
    }

    fn stream(self, stream: Stream, number: u64) -> u64 {
        mix(mix(mix(self.seed) ^ stream as u64) ^ number)
    }
}

/// SplitMix64: neighbouring inputs give unrelated outputs.
fn mix(input: u64) -> u64 {
    let mut word = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::Rng;

    use super::*;

    #[test]
    fn every_stream_of_neighbouring_seeds_is_its_own() {
        let mut seen = BTreeSet::new();
        for seed in 0..100 {
            let seeds = Seeds::new(seed);
            let mut streams = vec![seeds.network(), seeds.masks()];
            for number in 0..10 {
                streams.push(seeds.stream(Stream::Script, number));
                streams.push(seeds.incarnation(1, number as u32));
                streams.push(seeds.incarnation(number as u32, 7));
            }
            for stream in streams {
                seen.insert(stream);
            }
        }
        // incarnation(1, 7) is in both lists of incarnations.
        assert_eq!(seen.len(), 100 * (2 + 30 - 1), "two streams are the same");
    }

    #[test]
    fn what_a_seed_means_never_changes() {
        // A seed is kept because of what its run did: it is in reports, in commits and in tests of
        // what it found, and has to replay there. A stream that draws from another number makes
        // another run of every seed.
        let numbers = [
            (Stream::Shape, 1),
            (Stream::Network, 2),
            (Stream::Latencies, 3),
            (Stream::Faults, 4),
            (Stream::Script, 5),
            (Stream::User, 6),
            (Stream::Incarnation, 7),
            (Stream::Masks, 8),
            (Stream::Habits, 9),
            (Stream::Vandal, 10),
            (Stream::Swarm, 11),
            (Stream::Yields, 12),
        ];
        for (stream, number) in numbers {
            assert_eq!(stream as u64, number, "{stream:?}");
        }
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf, "the published first output");
        assert_eq!(
            Seeds::new(1).stream(Stream::User, 3),
            16_283_193_753_955_977_286
        );
    }

    #[test]
    fn what_is_drawn_comes_from_the_stream_of_its_name() {
        let seeds = Seeds::new(7);
        let first = |mut rng: StdRng| rng.random::<u64>();
        let of = |stream, number| first(StdRng::seed_from_u64(seeds.stream(stream, number)));
        assert_eq!(first(seeds.shape()), of(Stream::Shape, 0));
        assert_eq!(seeds.network(), seeds.stream(Stream::Network, 0));
        assert_eq!(first(seeds.latencies()), of(Stream::Latencies, 0));
        assert_eq!(first(seeds.faults()), of(Stream::Faults, 0));
        assert_eq!(first(seeds.script(3)), of(Stream::Script, 3));
        assert_eq!(first(seeds.user(3)), of(Stream::User, 3));
        let process = 3 << 32 | 2;
        let incarnation = seeds.stream(Stream::Incarnation, process);
        assert_eq!(seeds.incarnation(3, 2), incarnation);
        assert_eq!(seeds.masks(), seeds.stream(Stream::Masks, 0));
        assert_eq!(first(seeds.habits()), of(Stream::Habits, 0));
        assert_eq!(first(seeds.vandal(3)), of(Stream::Vandal, 3));
        assert_eq!(first(seeds.swarm()), of(Stream::Swarm, 0));
        assert_eq!(first(seeds.yields(3)), of(Stream::Yields, 3));
    }
}
