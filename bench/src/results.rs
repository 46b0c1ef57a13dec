//! What was measured, for people (Markdown) and for programs (JSON).

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;
use sqlx::{Connection, PgConnection};

use crate::{
    footprint::Footprint,
    intake::Throughput,
    provisioning::{Comparison, Round},
};

/// One run of the benchmarks.
#[derive(Debug, Serialize)]
pub struct Results {
    pub date: String,
    pub commit: String,
    pub machine: String,
    /// What `bench/run` found out about the build.
    pub build: serde_json::Value,
    pub footprint: Option<Footprint>,
    pub database: Option<DatabaseSettings>,
    pub intake: Vec<Throughput>,
    pub inserts: Vec<Throughput>,
    pub provisioning: Vec<Comparison>,
}

/// Whether PostgreSQL kept its promises while it was measured.
#[derive(Debug, Serialize)]
pub struct DatabaseSettings {
    pub version: String,
    pub fsync: String,
    pub synchronous_commit: String,
    pub full_page_writes: String,
}

impl DatabaseSettings {
    /// Asks the server.
    pub async fn read(url: &str) -> Result<Self, String> {
        let text = |error: sqlx::Error| error.to_string();
        let mut connection = PgConnection::connect(url).await.map_err(text)?;
        let (version, fsync, synchronous_commit, full_page_writes) = sqlx::query_as(
            "select current_setting('server_version'), current_setting('fsync'),
                    current_setting('synchronous_commit'), current_setting('full_page_writes')",
        )
        .fetch_one(&mut connection)
        .await
        .map_err(text)?;
        Ok(Self {
            version,
            fsync,
            synchronous_commit,
            full_page_writes,
        })
    }
}

impl Results {
    /// Nothing measured yet, on this machine, of this commit.
    pub fn new() -> Self {
        let build = std::env::var("BENCH_BUILD")
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        Self {
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            commit: command("git", &["rev-parse", "--short", "HEAD"]),
            machine: machine(),
            build: build.unwrap_or_default(),
            footprint: None,
            database: None,
            intake: Vec::new(),
            inserts: Vec::new(),
            provisioning: Vec::new(),
        }
    }

    /// Writes both forms and returns the page's path.
    pub fn write(&self, directory: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(directory)?;
        let name = format!("{}-{}", self.date, self.commit);
        fs::write(
            directory.join(format!("{name}.json")),
            serde_json::to_string_pretty(self)? + "\n",
        )?;
        let page = directory.join(format!("{name}.md"));
        let text = self.page();
        println!("\n{text}");
        fs::write(&page, text)?;
        Ok(page)
    }

    fn page(&self) -> String {
        let mut page = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_page(&mut page);
        page
    }

    fn write_page(&self, page: &mut String) -> std::fmt::Result {
        writeln!(
            page,
            "# Benchmarks of {}, commit {}\n\n{}\n",
            self.date, self.commit, self.machine
        )?;
        writeln!(page, "## Webhook intake\n")?;
        if let Some(database) = &self.database {
            writeln!(
                page,
                "PostgreSQL {}, fsync {}, synchronous_commit {}, full_page_writes {}. An event counts once it is acknowledged, \
                 which is after the commit. Each run is beside a run of plain inserts of the same bytes.\n",
                database.version, database.fsync, database.synchronous_commit, database.full_page_writes
            )?;
        }
        writeln!(
            page,
            "| | per second | p50 ms | p99 ms | max ms | generator's share of busy CPU |\n| --- | ---: | ---: | ---: | ---: | ---: |"
        )?;
        for (inserts, intake) in self.inserts.iter().zip(&self.intake) {
            for (name, run) in [("plain inserts", inserts), ("signed events", intake)] {
                let latency = run.latency;
                writeln!(
                    page,
                    "| {name} | {:.0} | {:.1} | {:.1} | {:.1} | {:.0} % |",
                    run.per_second,
                    latency.p50_ms,
                    latency.p99_ms,
                    latency.max_ms,
                    run.generator_share * 100.0
                )?;
            }
            writeln!(
                page,
                "| *ratio* | *{:.2}* | | | | |",
                intake.per_second / inserts.per_second
            )?;
        }
        writeln!(page, "\n## Payment to active tenant\n")?;
        writeln!(
            page,
            "From paying on the hosted page to the operation's end, beside a script that makes the same objects by `kubectl \
             apply` and `helm install --wait`. Pods start in both.\n"
        )?;
        writeln!(
            page,
            "| at once | ours: all, s | ours: slowest, s | script: all, s | script: slowest, s |\n| ---: | ---: | ---: | ---: | ---: |"
        )?;
        for Comparison { ours, script } in &self.provisioning {
            writeln!(
                page,
                "| {} | {:.1} | {:.1} | {:.1} | {:.1} |",
                ours.together,
                ours.all_secs,
                slowest(ours),
                script.all_secs,
                slowest(script)
            )?;
        }
        writeln!(page, "\n## Size\n\n| what | figure |\n| --- | ---: |")?;
        if let Some(footprint) = &self.footprint {
            writeln!(page, "| resident memory, idle | {:.1} MiB |", footprint.resident_mib)?;
            writeln!(
                page,
                "| program with web interface | {:.1} MiB |",
                footprint.program_mib
            )?;
            writeln!(page, "| start to ready | {} ms |", footprint.start_to_ready_ms)?;
        }
        if let Some(build) = self.build.as_object() {
            for (name, figure) in build {
                let figure = figure.as_str().map_or_else(|| figure.to_string(), str::to_owned);
                writeln!(page, "| {} | {figure} |", name.replace('_', " "))?;
            }
        }
        Ok(())
    }
}

fn slowest(round: &Round) -> f64 {
    round.each_secs.iter().copied().fold(0.0, f64::max)
}

fn command(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .trim_end_matches(" kB")
                .parse()
                .ok()
        })
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let system = command("uname", &["-s"]);
    format!(
        "{cores} cores ({}), {} GiB memory, {system}.",
        model.trim_start_matches([' ', '\t', ':']),
        kib / 1024 / 1024
    )
}
