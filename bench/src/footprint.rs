//! P8: how big it is and how soon it answers.

use std::{fs, time::Duration};

use serde::Serialize;
use tenantry_demo::options::Options;

/// Size and speed of the program itself.
#[derive(Debug, Serialize)]
pub struct Footprint {
    /// Resident memory of the idle server.
    pub resident_mib: f64,
    /// The program on disk, web interface included.
    pub program_mib: f64,
    /// From starting the program to `/ready`.
    pub start_to_ready_ms: u128,
}

/// Reads the kernel's figures of a running server.
pub fn measure(options: &Options, process: u32, start_to_ready: Duration) -> Result<Footprint, String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).map_err(|error| error.to_string())?;
    let resident_kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse().ok())
        .ok_or("the kernel does not tell the resident memory")?;
    let program = fs::metadata(options.programs.join("tenantry"))
        .map_err(|error| error.to_string())?
        .len();
    Ok(Footprint {
        resident_mib: resident_kib / 1024.0,
        program_mib: program as f64 / 1024.0 / 1024.0,
        start_to_ready_ms: start_to_ready.as_millis(),
    })
}
