//! `tenantry audit …`.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::json;
use tenantry_app::{
    App,
    audit::{CheckpointCounts, CheckpointReadError, LogCounts, PlacedLine, Progress, verify_checkpoints, verify_log},
    error::Fault,
    organizations,
};
use tenantry_domain::audit::{Chain, Finding};

use crate::{
    cli::{AuditCommand, Output, VerifyArgs},
    config::Configuration,
    exit::{Failure, FailureKind},
    print::{print_json, print_line},
};

/// Findings that are named; whatever comes after them is counted.
const NAMED: usize = 1_000;
/// Between two words on how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long a checkpoint may be under way from the server to the file.
const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(5);

/// Runs one of the commands.
pub async fn run(app: &App, configuration: &Configuration, command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify(arguments) => verify(app, signed_within(configuration), arguments).await,
    }
}

/// By then what was sealed is signed, and the line has come to where lines are kept.
fn signed_within(configuration: &Configuration) -> TimeDelta {
    let seconds = i64::try_from(configuration.audit_checkpoint_secs).unwrap_or(i64::MAX);
    TimeDelta::try_seconds(seconds)
        .and_then(|interval| interval.checked_add(&ON_ITS_WAY))
        .filter(|patience| *patience < TimeDelta::days(365))
        .unwrap_or(TimeDelta::days(365))
}

async fn verify(app: &App, signed_within: TimeDelta, arguments: VerifyArgs) -> Result<(), Failure> {
    let chain = match &arguments.organization {
        Some(text) => Some(chain_of(app, text).await?),
        None => None,
    };
    let files = files(&arguments.checkpoints)?;
    let output = arguments.output.output;
    let mut findings = Findings::printed(output == Output::Text);
    let rows = verify_log(app, chain, |finding| findings.add(finding), tell_progress())
        .await
        .map_err(unavailable)?;
    let signed = if arguments.checkpoints.is_empty() {
        None
    } else {
        let lines = files.iter().flat_map(|file| lines(file));
        let compared = verify_checkpoints(app, chain, lines, signed_within, |finding| findings.add(finding));
        Some(compared.await.map_err(unread)?)
    };
    let failure = why_not(chain, rows, signed, findings.count);
    if output == Output::Json {
        let counts = signed.unwrap_or_default();
        print_json(&json!({
            "intact": failure.is_none(),
            "rows": rows.rows,
            "chains": rows.chains,
            "anchors": rows.anchors,
            "checkpoints": counts.checkpoints,
            "other_lines": counts.other_lines,
            "findings": findings.named,
            "findings_count": findings.count,
        }))?;
    }
    if let Some(failure) = failure {
        return Err(Failure::new(FailureKind::Failed, failure));
    }
    if output == Output::Text {
        print_line(&verdict(rows, signed))?;
    }
    Ok(())
}

/// Why nobody may go away content: something was found, or there was nothing to look at.
fn why_not(chain: Option<Chain>, rows: LogCounts, signed: Option<CheckpointCounts>, findings: u64) -> Option<String> {
    if findings > 0 {
        let what = if findings == 1 { "finding" } else { "findings" };
        return Some(format!("the audit log is not what was written: {findings} {what}"));
    }
    // Whoever makes an organization leaves a row of it.
    if let Some(chain) = chain.filter(|_| rows.rows == 0 && rows.anchors == 0) {
        return Some(format!(
            "nothing is sealed of {chain}: it was made some seconds ago, or its whole log was removed"
        ));
    }
    let is_empty = |signed: &CheckpointCounts| signed.checkpoints == 0 && signed.of_other_chains == 0;
    signed
        .filter(is_empty)
        .map(|_| "no checkpoint was found in what --checkpoints names: nothing was compared".to_owned())
}

async fn chain_of(app: &App, organization: &str) -> Result<Chain, Failure> {
    organizations::find_for_operator(app, organization)
        .await
        .map_err(unavailable)?
        .map(Chain::Organization)
        .ok_or_else(|| {
            Failure::new(
                FailureKind::NotFound,
                format!("there is no organization {organization}"),
            )
        })
}

fn verdict(rows: LogCounts, signed: Option<CheckpointCounts>) -> String {
    let LogCounts { rows, chains, anchors } = rows;
    let log =
        format!("{rows} rows in {chains} chains are what was written; {anchors} beginnings were dropped by their age");
    match signed {
        Some(signed) => format!("{log}; {} checkpoints agree", signed.checkpoints),
        None => format!(
            "{log}.\nNo checkpoints were given: that a whole chain was computed anew would not be noticed (--checkpoints)"
        ),
    }
}

/// Tells now and then, when it takes longer.
fn tell_progress() -> impl FnMut(Progress) {
    let mut told = Instant::now();
    move |progress| {
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            eprintln!("{} of about {} rows", progress.rows, progress.about.max(progress.rows));
        }
    }
}

/// What was found. A log that was rewritten as a whole must not fill the memory.
struct Findings {
    named: Vec<Finding>,
    count: u64,
    is_printed: bool,
}

impl Findings {
    fn printed(is_printed: bool) -> Self {
        Self {
            named: Vec::new(),
            count: 0,
            is_printed,
        }
    }

    fn add(&mut self, finding: Finding) {
        self.count += 1;
        if self.named.len() == NAMED {
            return;
        }
        if self.is_printed {
            // The exit code tells it, too, to whoever does not read.
            let _ = print_line(&finding.to_string());
        }
        self.named.push(finding);
    }
}

/// Files as they are given, those of a directory by name.
fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        if path.is_dir() {
            files.extend(files_in(path).map_err(|error| unreadable(path, &error))?);
        } else if path == Path::new("-") || path.exists() {
            files.push(path.clone());
        } else {
            return Err(unreadable(path, &io::Error::from(io::ErrorKind::NotFound)));
        }
    }
    Ok(files)
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    found.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    found.sort();
    Ok(found)
}

/// The lines of a file, each with its place.
fn lines(path: &Path) -> Box<dyn Iterator<Item = PlacedLine>> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        match File::open(path) {
            Ok(file) => Box::new(BufReader::new(file)),
            Err(error) => return Box::new(std::iter::once(Err(error))),
        }
    };
    let name = path.display().to_string();
    // A log may hold bytes that are no text.
    Box::new(reader.split(b'\n').enumerate().map(move |(number, line)| {
        let line = String::from_utf8_lossy(&line?).into_owned();
        Ok((format!("{name}:{}", number + 1), line))
    }))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!("--checkpoints {} cannot be read: {error}", path.display()),
    )
}

fn unread(error: CheckpointReadError) -> Failure {
    match error {
        CheckpointReadError::Fault(fault) => unavailable(fault),
        error @ CheckpointReadError::Unreadable(_) => Failure::new(FailureKind::Usage, error),
    }
}

fn unavailable(fault: Fault) -> Failure {
    Failure::new(FailureKind::Unavailable, fault)
}
