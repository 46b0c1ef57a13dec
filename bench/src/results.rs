//! What was measured, for people (Markdown) and for programs (JSON).

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};

use crate::{footprint::Footprint, load::Throughput, page, provisioning::Comparison, sign_in::SignIn};

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
    pub build: Option<Build>,
    pub footprint: Option<Footprint>,
    pub database: Option<DatabaseSettings>,
    pub intake: Vec<Throughput>,
    pub inserts: Vec<Throughput>,
    pub sign_in: Option<SignIn>,
    pub provisioning: Vec<Comparison>,
}

/// What only the script around this program can measure; missing where it did not.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The server, without optimisation, from an empty target directory with everything fetched.
    pub clean_build_secs: Option<f64>,
    /// In the server, ours included.
    pub crates: Option<u32>,
    /// Script of the log-in page, compressed.
    pub first_page_kb: Option<f64>,
    /// The demonstration with everything built, until the site answered.
    pub warm_demo_secs: Option<f64>,
    /// The demonstration from empty caches, as the README says.
    pub cold_demo_minutes: Option<f64>,
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
    pub fn new(only: Option<String>) -> Result<Self, String> {
        let build = match std::env::var("BENCH_BUILD") {
            Ok(text) => serde_json::from_str(&text).map_err(|error| format!("BENCH_BUILD: {error}"))?,
            Err(_) => None,
        };
        Ok(Self {
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            only,
            commit: command("git", &["rev-parse", "--short", "HEAD"]),
            machine: machine(),
            build,
            footprint: None,
            database: None,
            intake: Vec::new(),
            inserts: Vec::new(),
            sign_in: None,
            provisioning: Vec::new(),
        })
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
