//! The live timeline: one line a step, printed when the step has ended.

use std::collections::HashSet;

use futures::StreamExt;
use serde::Deserialize;

use crate::error::DemoError;

/// What the event stream carries: an operation as it is now.
#[derive(Debug, Deserialize)]
pub struct Operation {
    state: String,
    #[serde(default)]
    steps: Vec<Step>,
    error: Option<Failure>,
}

#[derive(Debug, Deserialize)]
struct Step {
    name: String,
    title: String,
    state: String,
    duration_ms: Option<u64>,
    #[serde(default)]
    attempts: u32,
    error: Option<Failure>,
    waiting_for: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    code: String,
    detail: String,
}

/// Prints steps once each, as their states become final.
#[derive(Default)]
pub struct Timeline {
    printed: HashSet<String>,
    durations: Vec<(String, u64)>,
}

impl Timeline {
    /// How long each step took that is done, by its name, in milliseconds, waiting included.
    #[must_use]
    pub fn into_durations(self) -> Vec<(String, u64)> {
        self.durations
    }

    /// Reads an event stream to the operation's end.
    pub async fn follow(&mut self, response: reqwest::Response) -> Result<(), DemoError> {
        let mut chunks = response.bytes_stream();
        let mut text = String::new();
        while let Some(chunk) = chunks.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk?));
            while let Some(end) = text.find("\n\n") {
                let event: String = text.drain(..end + 2).collect();
                let Some(operation) = parse(&event) else { continue };
                self.print(&operation);
                match operation.state.as_str() {
                    "done" => return Ok(()),
                    "undone" | "stuck" => {
                        let reason = operation.error.map_or_else(
                            || operation.state.clone(),
                            |failure| format!("{} ({})", failure.detail, failure.code),
                        );
                        return Err(DemoError::NotProvisioned(reason));
                    }
                    _ => {}
                }
            }
        }
        Err(DemoError::NotProvisioned(
            "the timeline ended before the operation did".into(),
        ))
    }

    fn print(&mut self, operation: &Operation) {
        for step in &operation.steps {
            let key = format!(
                "{}/{}/{}",
                step.name,
                step.state,
                step.waiting_for.as_deref().unwrap_or_default()
            );
            let line = match step.state.as_str() {
                "done" => format!("done     {:>7} ms", step.duration_ms.unwrap_or_default()),
                "failed" => match &step.error {
                    Some(error) => format!("failed   {} ({})", error.detail, error.code),
                    None => "failed".into(),
                },
                "undone" => "undone".into(),
                "waiting" => match &step.waiting_for {
                    Some(reason) => format!("waiting  {reason}"),
                    None => continue,
                },
                _ => continue,
            };
            if self.printed.insert(key) {
                if let ("done", Some(milliseconds)) = (step.state.as_str(), step.duration_ms) {
                    self.durations.push((step.name.clone(), milliseconds));
                }
                let tries = if step.attempts > 1 {
                    format!("  (attempt {})", step.attempts)
                } else {
                    String::new()
                };
                println!("        {:<50} {line}{tries}", step.title);
            }
        }
    }
}

fn parse(event: &str) -> Option<Operation> {
    let data: String = event
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .map(str::trim_start)
        .collect();
    if data.is_empty() {
        None
    } else {
        serde_json::from_str(&data).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_event_and_skips_heartbeats() {
        assert!(parse(": still here\n\n").is_none());
        let operation = parse("event: operation\nid: 3\ndata: {\"state\":\"done\",\"steps\":[]}\n\n").unwrap();
        assert_eq!(operation.state, "done");
    }
}
