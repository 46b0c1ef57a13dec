//! What strangers send, turned into anything at all. A target takes bytes and panics where a promise is broken. The same
//! targets run over their corpus and a few thousand bent inputs in every test run, and for as long as one likes, led by
//! what the code does with its input, by `make fuzz`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken promise is a panic")]

mod authorization;
mod bodies;
mod catalog;
mod cookies;
mod names;
mod oauth;
mod webhook;

/// Something that reads what strangers send.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Also the folder of its corpus.
    pub name: &'static str,
    /// Reads one input.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "authorization",
        run: authorization::run,
    },
    Target {
        name: "bodies",
        run: bodies::run,
    },
    Target {
        name: "catalog",
        run: catalog::run,
    },
    Target {
        name: "cookies",
        run: cookies::run,
    },
    Target {
        name: "names",
        run: names::run,
    },
    Target {
        name: "oauth",
        run: oauth::run,
    },
    Target {
        name: "webhook",
        run: webhook::run,
    },
];

/// The target of this name.
///
/// # Panics
/// When there is none; the message lists those that there are.
#[must_use]
pub fn find(name: &str) -> &'static Target {
    let names = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>();
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .unwrap_or_else(|| panic!("no target {name:?}: there are {:?}", names()))
}
