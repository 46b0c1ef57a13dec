//! The entry point of libFuzzer, for the target that `TENANTRY_FUZZ_TARGET` names. `make fuzz` builds and starts it.
#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls a symbol of a fixed name")]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tenantry_fuzz::{Target, find};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("TENANTRY_FUZZ_TARGET").unwrap_or_default();
    find(&name)
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
