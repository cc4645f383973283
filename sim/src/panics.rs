//! Makes a panic inside a run a finding of that run.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

thread_local! {
    /// What panicked in the run of this thread; `None` outside of runs.
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs `body`; a panic or an error in it comes back as lines that say what and where, even a
/// panic that did not end it.
///
/// Panics of this thread are kept out of stderr meanwhile: a sweep reports them with the seed.
pub fn caught<T>(body: impl FnOnce() -> turmoil::Result<T>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !note(panic) {
                before(panic);
            }
        }));
    });

    SEEN.set(Some(Vec::new()));
    let ended = catch_unwind(AssertUnwindSafe(body));
    let mut seen = SEEN.take().unwrap_or_default();
    match ended {
        Ok(Ok(value)) if seen.is_empty() => Ok(value),
        // Somebody caught it, or it ended a task that nobody waits for. It is a mistake of ours.
        Ok(Ok(_)) => Err(seen.join("\n")),
        Ok(Err(error)) => {
            seen.push(error.to_string());
            Err(seen.join("\n"))
        }
        // The first is the cause; tokio's "a spawned task panicked" and the like follow it.
        Err(payload) => Err(seen.into_iter().next().unwrap_or_else(|| text(&*payload))),
    }
}

/// Keeps what panicked; false outside of runs.
fn note(panic: &PanicHookInfo<'_>) -> bool {
    SEEN.with_borrow_mut(|seen| {
        let Some(seen) = seen else { return false };
        let place = panic
            .location()
            .map(|place| format!(" at {}", portable(place)));
        seen.push(format!(
            "panic{}: {}",
            place.unwrap_or_default(),
            text(panic.payload())
        ));
        true
    })
}

/// The place of a panic without what is the machine's own: where packages are kept.
fn portable(place: &panic::Location<'_>) -> String {
    let place = place.to_string();
    let package = place.split_once("/registry/src/");
    let inside = package.and_then(|(_, rest)| rest.split_once('/'));
    inside.map_or(place.clone(), |(_, inside)| inside.to_owned())
}

fn text(payload: &dyn Any) -> String {
    let owned = payload.downcast_ref::<String>().cloned();
    let text = owned.or_else(|| {
        payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    });
    text.unwrap_or_else(|| String::from("(not a text)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        let seen = caught::<()>(|| panic!("no {}", "way")).unwrap_err();
        assert!(seen.starts_with("panic at sim/src/panics.rs:"), "{seen}");
        assert!(seen.ends_with(": no way"), "{seen}");
    }

    #[test]
    fn a_panic_that_somebody_caught_is_told_too() {
        let seen = caught(|| {
            let _ = catch_unwind(|| panic!("swallowed"));
            Ok(())
        });
        let seen = seen.unwrap_err();
        assert!(seen.ends_with(": swallowed"), "{seen}");
    }

    #[test]
    fn an_error_is_told_too() {
        let seen = caught::<()>(|| Err("refused".into())).unwrap_err();
        assert_eq!(seen, "refused");
    }
}
