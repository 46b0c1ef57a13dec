//! Clients side by side, each with one request at a time, for a while.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::sleep_until;

use crate::{latency::Latency, processor::Ticks, text};

/// One of several that do the same.
pub trait Client: Send + 'static {
    /// Does it once, and says when it began: what a client prepares before is not measured.
    fn act(&mut self) -> impl Future<Output = Result<Instant, String>> + Send;
}

/// How long, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// For how long requests are begun.
    pub span: Duration,
    /// How many a second are begun by all clients together; without it each begins its next as soon as it has its answer.
    pub per_second: Option<f64>,
}

/// What one run measured.
#[derive(Debug, Serialize)]
pub struct Throughput {
    pub per_second: f64,
    pub count: u64,
    #[serde(flatten)]
    pub latency: Latency,
    /// Share of the busy processor time that the generator itself used.
    pub generator_share: f64,
}

impl Load {
    /// As fast as the answers come.
    pub const fn flat_out(span: Duration) -> Self {
        Self { span, per_second: None }
    }

    /// At a given rate. What begins late, because its client still waited for an answer, is measured from when it was due.
    pub const fn at(per_second: f64, span: Duration) -> Self {
        Self {
            span,
            per_second: Some(per_second),
        }
    }

    /// Runs all clients to the end; the first failure fails the run.
    pub async fn run<C: Client>(self, clients: Vec<C>) -> Result<Throughput, String> {
        let count = clients.len();
        let (ticks, begun) = (Ticks::now(), Instant::now());
        let running: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(number, client)| tokio::spawn(self.repeat(client, Turns::of(self, begun, number, count))))
            .collect();
        let mut durations = Vec::new();
        for client in running {
            durations.extend(client.await.map_err(text)??);
        }
        let elapsed = begun.elapsed().as_secs_f64();
        Ok(Throughput {
            per_second: durations.len() as f64 / elapsed,
            count: durations.len() as u64,
            latency: Latency::of(durations),
            generator_share: Ticks::now().share_since(ticks),
        })
    }

    async fn repeat<C: Client>(self, mut client: C, mut turns: Turns) -> Result<Vec<Duration>, String> {
        let mut durations = Vec::new();
        while let Some(turn) = turns.next() {
            let late_since = match turn {
                Turn::At(due) if due > Instant::now() => {
                    sleep_until(due.into()).await;
                    None
                }
                Turn::At(due) => Some(due),
                Turn::AtOnce => None,
            };
            let sent = client.act().await?;
            durations.push(late_since.unwrap_or(sent).elapsed());
        }
        Ok(durations)
    }
}

enum Turn {
    AtOnce,
    At(Instant),
}

/// When one client begins.
struct Turns {
    begun: Instant,
    until: Instant,
    /// First offset and distance, in seconds.
    paced: Option<(f64, f64)>,
    made: u32,
}

impl Turns {
    fn of(load: Load, begun: Instant, number: usize, clients: usize) -> Self {
        Self {
            begun,
            until: begun + load.span,
            paced: load
                .per_second
                .map(|rate| (number as f64 / rate, clients as f64 / rate)),
            made: 0,
        }
    }

    /// The next one; nothing when the time is over.
    fn next(&mut self) -> Option<Turn> {
        let (turn, begins) = match self.paced {
            Some((offset, distance)) => {
                let due = self.begun + Duration::from_secs_f64(offset + distance * f64::from(self.made));
                (Turn::At(due), due)
            }
            None => (Turn::AtOnce, Instant::now()),
        };
        self.made += 1;
        // What is due but would begin too late is not begun: a rate that is out of reach ends in time, too.
        (begins < self.until && Instant::now() < self.until).then_some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Slow(Duration);

    impl Client for Slow {
        async fn act(&mut self) -> Result<Instant, String> {
            let sent = Instant::now();
            tokio::time::sleep(self.0).await;
            Ok(sent)
        }
    }

    #[tokio::test]
    async fn a_rate_is_kept() {
        let clients = (0..2).map(|_| Slow(Duration::ZERO)).collect();
        let run = Load::at(100.0, Duration::from_millis(500)).run(clients).await.unwrap();
        assert_eq!(run.count, 50);
    }

    #[tokio::test]
    async fn what_had_to_wait_is_measured_from_when_it_was_due() {
        let span = Duration::from_millis(400);
        let run = Load::at(50.0, span).run(vec![Slow(Duration::from_millis(40))]).await;
        let run = run.unwrap();
        assert!(run.latency.max_ms > 150.0, "twice as many as can be served: a queue");
        assert!(run.count <= 10, "nothing begins when the time is over");
        let run = Load::flat_out(span).run(vec![Slow(Duration::from_millis(40))]).await;
        assert!(run.unwrap().latency.p50_ms < 100.0, "nobody waits");
    }
}
