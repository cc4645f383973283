//! What clients remember from one connection to the next.

use std::sync::{Arc, Mutex, PoisonError};

use crate::wire::vocabulary::Vocabulary;

/// The route dictionary and the protobuf schemas of the servers that were met, which those need not
/// send again. A user may have one of its own, or share one with all others of the process: then
/// only the first is sent anything, and there is one copy of it.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vocabulary>);

impl Memory {
    /// All that is remembered.
    pub(super) fn known(&self) -> Vocabulary {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Remembers what a server has said, and returns it; what was known already is not a copy.
    pub(super) fn learn(&self, news: Vocabulary) -> Vocabulary {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What a server does not use stays known for those that do: a gate has no dictionary.
        Vocabulary {
            dictionary: news.dictionary.map(|new| keep(&mut known.dictionary, new)),
            protos: news.protos.map(|new| keep(&mut known.protos, new)),
        }
    }
}

/// What is kept, once it is equal to `new`.
fn keep<T: PartialEq>(kept: &mut Option<Arc<T>>, new: Arc<T>) -> Arc<T> {
    match kept {
        Some(kept) if *kept == new => kept.clone(),
        _ => kept.insert(new).clone(),
    }
}
