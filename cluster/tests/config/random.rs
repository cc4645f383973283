//! What holds for any file.

use cluster::config::FileError;
use proptest::prelude::*;

use super::{GOOD, parse};

proptest! {
    /// Whatever byte is changed, put in or taken out: an answer, never a panic, and every
    /// problem stands on a line of the file.
    #[test]
    fn no_edit_of_a_good_file_panics(at in 0..GOOD.len(), cut in 0..40_usize, put in ".{0,6}") {
        let mut bytes = GOOD.as_bytes().to_vec();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, put.bytes());
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().count();
        match parse(&text) {
            Ok(config) => prop_assert!(!config.topology.chats.is_empty()),
            Err(error) => match &error.files[..] {
                [FileError::Invalid { problems, .. }] => {
                    prop_assert!(!problems.is_empty());
                    for problem in problems {
                        prop_assert!((1..=lines).contains(&problem.line), "{problem:?} of {lines}");
                    }
                }
                [FileError::NotJson { .. }] => {}
                _ => prop_assert!(false, "{error}"),
            }
        }
    }

    /// Each port from 1 to 65535 is taken as it is, each other number is refused.
    #[test]
    fn exactly_the_ports_are_ports(number in -70_000_i64..140_000) {
        let result = parse(&GOOD.replace("6050", &number.to_string()));
        match result {
            Ok(config) => prop_assert_eq!(i64::from(config.topology.chats[0].port), number),
            Err(error) => {
                prop_assert!(!(1..=65535).contains(&number), "{}", error);
            }
        }
    }
}
