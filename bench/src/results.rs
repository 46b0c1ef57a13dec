//! What was measured, for people (Markdown) and for programs (JSON).

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;
use sqlx::{Connection, PgConnection};

use crate::{footprint::Footprint, intake::Throughput, page, provisioning::Comparison};

/// One run of the benchmarks.
#[derive(Debug, Serialize)]
pub struct Results {
    pub date: String,
    /// The one subject that was measured, unless it was all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
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
    pub fn new(only: Option<String>) -> Self {
        let build = std::env::var("BENCH_BUILD")
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        Self {
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            only,
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
        let subject = self.only.as_ref().map(|only| format!("-{only}")).unwrap_or_default();
        let name = format!("{}-{}{subject}", self.date, self.commit);
        fs::write(
            directory.join(format!("{name}.json")),
            serde_json::to_string_pretty(self)? + "\n",
        )?;
        let page = directory.join(format!("{name}.md"));
        let text = page::of(self);
        println!("\n{text}");
        fs::write(&page, text)?;
        Ok(page)
    }
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
