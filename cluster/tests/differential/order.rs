//! What this cluster promises of the order in which a client is told things, and the original does
//! not (ARCHITECTURE.md, "The way of one message").

use crate::scenes::{IN_ONE_BREATH, MANY_WORDS, WORDS};
use crate::transcript::{Told, Transcript};

/// Holds if `ours` keeps the promises.
///
/// # Panics
///
/// With the first that it breaks.
pub fn check(ours: &Transcript) {
    for (step, conns) in ours {
        for (conn, told) in conns {
            let answers: Vec<_> = told.answers().collect();
            assert!(
                answers.is_sorted_by_key(|(id, _)| *id),
                "step \"{step}\", connection {conn}: not in the order of the requests: {answers:?}"
            );
        }
    }
    let told = |step, conn| -> &Told {
        let found = ours.iter().find(|(name, _)| *name == step);
        let told = found.and_then(|(_, conns)| conns.get(conn));
        told.expect("the script has that step and connection")
    };
    assert_eq!(
        routes(told(IN_ONE_BREATH, "w")),
        ["enter", "onChat", "send"],
        "nothing of a room comes before the enter is answered, and one's own word before its answer"
    );
    // Answers may come later than the words that were said next, but never before their own.
    let (mut words, mut answers) = (0, 0);
    for route in routes(told(MANY_WORDS, "q1")) {
        match route {
            "onChat" => words += 1,
            _ => answers += 1,
        }
        assert!(answers <= words, "word {words} is answered before it comes");
    }
    assert_eq!((words, answers), (WORDS, WORDS));
}

/// The first words of what it was told, in the order in which it came.
fn routes(told: &Told) -> Vec<&str> {
    let heard = told.heard.iter();
    heard
        .filter_map(|(_, line)| line.split(' ').next())
        .collect()
}
