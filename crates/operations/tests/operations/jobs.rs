//! Background jobs: at least once, one queue at a time, never written over by a worker that came back too late.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tenantry_operations::jobs::{
    Job, JobContext, JobError, JobPolicy, JobRegistry, JobRetryError, JobWorker, JobWorkerConfig, NewJob, Queued,
    enqueue, prune, retry,
};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{Scratch, eventually};

struct Desk {
    pool: PgPool,
    reached: Notify,
    release: Notify,
    runs: AtomicU32,
}

impl Desk {
    fn new(pool: &PgPool) -> Arc<Self> {
        Arc::new(Self {
            pool: pool.clone(),
            reached: Notify::new(),
            release: Notify::new(),
            runs: AtomicU32::new(0),
        })
    }

    async fn note(&self, job: Uuid, label: &str, began: bool) -> Result<(), sqlx::Error> {
        sqlx::query("insert into world_runs (job, label, began) values ($1, $2, $3)")
            .bind(job)
            .bind(label)
            .bind(began)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}

struct Errand;

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Task {
    Note(String),
    FailTwice,
    Refuse,
    AlwaysFail,
    Panic,
    /// Stops the first time until it is released.
    Stall(String),
    /// Stops the first time, and then gives up without looking whether it is still its turn.
    Oblivious,
    /// Completes in its own transaction, and then fails to say so.
    Complete {
        and_commit: bool,
    },
}

#[async_trait]
impl Job for Errand {
    const KIND: &'static str = "errand";
    type Context = Desk;
    type Payload = Task;

    fn policy() -> JobPolicy {
        JobPolicy {
            max_attempts: 3,
            backoff_base: Duration::from_millis(2),
            backoff_cap: Duration::from_millis(5),
            ..JobPolicy::DEFAULT
        }
    }

    async fn run(cx: &JobContext<Desk>, payload: Task) -> Result<(), JobError> {
        let desk = cx.context();
        match payload {
            Task::Note(label) => {
                desk.note(cx.id(), &label, true).await?;
                tokio::task::yield_now().await;
                desk.note(cx.id(), &label, false).await?;
                Ok(())
            }
            Task::FailTwice if cx.attempt() < 3 => Err(JobError::retry("busy", "Try again.")),
            Task::FailTwice => Ok(()),
            Task::Refuse => Err(JobError::give_up("refused", "Never.")),
            Task::AlwaysFail => Err(JobError::retry("busy", "Try again.")),
            Task::Panic => std::panic::resume_unwind(Box::new("out of cheese")),
            Task::Stall(label) => {
                if desk.runs.fetch_add(1, Ordering::SeqCst) == 0 {
                    desk.reached.notify_one();
                    desk.release.notified().await;
                }
                cx.fence().await?;
                desk.note(cx.id(), &label, true).await?;
                Ok(())
            }
            Task::Oblivious => {
                if desk.runs.fetch_add(1, Ordering::SeqCst) > 0 {
                    return Ok(());
                }
                desk.reached.notify_one();
                desk.release.notified().await;
                Err(JobError::give_up("late", "It was too late."))
            }
            Task::Complete { and_commit } => {
                let mut tx = desk.pool.begin().await?;
                sqlx::query("insert into world_runs (job, label) values ($1, 'complete')")
                    .bind(cx.id())
                    .execute(&mut *tx)
                    .await?;
                cx.complete(&mut tx).await?;
                if and_commit || desk.runs.fetch_add(1, Ordering::SeqCst) > 0 {
                    tx.commit().await?;
                    return Ok(());
                }
                tx.rollback().await?;
                Err(JobError::retry("rolled_back", "Try again."))
            }
        }
    }
}

fn brisk() -> JobWorkerConfig {
    JobWorkerConfig {
        lease: Duration::from_millis(1500),
        heartbeat: Duration::from_millis(200),
        poll: Duration::from_millis(50),
        shutdown_grace: Duration::from_secs(5),
        ..JobWorkerConfig::default()
    }
}

fn start(scratch: &Scratch, desk: &Arc<Desk>, config: JobWorkerConfig) -> JobWorker {
    let registry = Arc::new(JobRegistry::new().with::<Errand>().unwrap());
    JobWorker::start(scratch.pool_of(6), desk.clone(), registry, config)
}

fn errand(task: Task) -> NewJob {
    NewJob::of::<Errand>(&task).unwrap()
}

async fn queue(scratch: &Scratch, job: NewJob) -> Queued {
    enqueue(&mut *scratch.connection().await, job).await.unwrap()
}

async fn queue_new(scratch: &Scratch, job: NewJob) -> Uuid {
    match queue(scratch, job).await {
        Queued::New(id) => id,
        merged @ Queued::Merged(_) => panic!("{merged:?}"),
    }
}

async fn reach(scratch: &Scratch, job: Uuid, state: &str) -> (i32, Option<String>) {
    eventually(state, async || {
        let (now, attempts, code): (String, i32, Option<String>) =
            sqlx::query_as("select state, attempts, error ->> 'code' from jobs where id = $1")
                .bind(job)
                .fetch_one(&scratch.pool)
                .await
                .unwrap();
        (now == state).then_some((attempts, code))
    })
    .await
}

async fn labels(scratch: &Scratch) -> Vec<String> {
    sqlx::query_scalar("select label from world_runs where began order by n")
        .fetch_all(&scratch.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_way_to_end() {
    let scratch = Scratch::new().await;
    let _worker = start(&scratch, &Desk::new(&scratch.pool), brisk());
    let done = queue_new(&scratch, errand(Task::Note("x".into()))).await;
    let third_time = queue_new(&scratch, errand(Task::FailTwice)).await;
    let refused = queue_new(&scratch, errand(Task::Refuse)).await;
    let hopeless = queue_new(&scratch, errand(Task::AlwaysFail)).await;
    let poison = queue_new(&scratch, errand(Task::Panic)).await;
    let mut unreadable = errand(Task::Refuse);
    unreadable.payload = serde_json::json!({"from": "the future"});
    let unreadable = queue_new(&scratch, unreadable).await;
    assert_eq!(reach(&scratch, done, "done").await, (1, None));
    assert_eq!(reach(&scratch, third_time, "done").await.0, 3);
    assert_eq!(reach(&scratch, refused, "failed").await, (1, Some("refused".into())));
    assert_eq!(reach(&scratch, hopeless, "failed").await, (3, Some("busy".into())));
    assert_eq!(reach(&scratch, poison, "failed").await, (3, Some("panicked".into())));
    assert_eq!(
        reach(&scratch, unreadable, "failed").await,
        (1, Some("payload_unreadable".into()))
    );

    let mut connection = scratch.connection().await;
    assert!(matches!(
        retry(&mut connection, done).await,
        Err(JobRetryError::NotFailed)
    ));
    sqlx::query("update jobs set payload = $1 where id = $2")
        .bind(serde_json::to_value(Task::Note("mended".into())).unwrap())
        .bind(refused)
        .execute(&mut *connection)
        .await
        .unwrap();
    retry(&mut connection, refused).await.unwrap();
    assert_eq!(reach(&scratch, refused, "done").await, (1, None));
    assert_eq!(
        prune(&mut connection, Utc::now() + TimeDelta::minutes(1))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn a_job_runs_when_its_time_comes_and_not_before() {
    let scratch = Scratch::new().await;
    let _worker = start(&scratch, &Desk::new(&scratch.pool), brisk());
    let due = Utc::now() + TimeDelta::milliseconds(300);
    let later = queue_new(&scratch, errand(Task::Note("later".into())).run_at(due)).await;
    let now = queue_new(&scratch, errand(Task::Note("now".into()))).await;
    reach(&scratch, now, "done").await;
    reach(&scratch, later, "done").await;
    assert!(Utc::now() >= due);
    assert_eq!(labels(&scratch).await, ["now", "later"]);
}

#[tokio::test]
async fn a_unique_key_merges_what_waits_reruns_what_runs_and_revives_what_failed() {
    let scratch = Scratch::new().await;
    let desk = Desk::new(&scratch.pool);
    let keyed = |task| errand(task).unique_key("reconcile");
    let id = queue_new(&scratch, keyed(Task::Note("old".into()))).await;
    assert_eq!(
        queue(&scratch, keyed(Task::Stall("stalled".into()))).await,
        Queued::Merged(id)
    );

    let _worker = start(&scratch, &desk, brisk());
    desk.reached.notified().await;
    assert_eq!(
        queue(&scratch, keyed(Task::Note("again".into()))).await,
        Queued::Merged(id)
    );
    desk.release.notify_one();
    reach(&scratch, id, "done").await;
    assert_eq!(labels(&scratch).await, ["stalled", "again"]);

    // Done frees the key.
    let failed = queue_new(&scratch, keyed(Task::Refuse)).await;
    assert_ne!(failed, id);
    reach(&scratch, failed, "failed").await;
    assert_eq!(
        queue(&scratch, keyed(Task::Note("revived".into()))).await,
        Queued::Merged(failed)
    );
    reach(&scratch, failed, "done").await;
    assert_eq!(labels(&scratch).await, ["stalled", "again", "revived"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_of_one_queue_run_one_at_a_time_in_order_over_several_workers() {
    let scratch = Scratch::new().await;
    let desk = Desk::new(&scratch.pool);
    let config = JobWorkerConfig {
        lease: Duration::from_secs(20),
        ..brisk()
    };
    let _workers = [start(&scratch, &desk, config.clone()), start(&scratch, &desk, config)];
    let mut tx = scratch.pool.begin().await.unwrap();
    for n in 0..40 {
        for queue in ["left", "right"] {
            enqueue(&mut tx, errand(Task::Note(format!("{queue} {n:02}"))).queue_key(queue))
                .await
                .unwrap();
        }
        enqueue(&mut tx, errand(Task::Note(format!("free {n:02}"))))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    eventually("all done", async || {
        (scratch.count("select count(*) from jobs where state = 'done'").await == 120).then_some(())
    })
    .await;
    for queue in ["left", "right"] {
        let runs: Vec<(String, bool)> =
            sqlx::query_as("select label, began from world_runs where label like $1 || '%' order by n")
                .bind(queue)
                .fetch_all(&scratch.pool)
                .await
                .unwrap();
        let expected: Vec<_> = (0..40)
            .flat_map(|n| [true, false].map(|began| (format!("{queue} {n:02}"), began)))
            .collect();
        assert_eq!(runs, expected);
    }
}

#[tokio::test]
async fn a_retried_job_holds_its_queue_up_and_a_failed_one_does_not() {
    let scratch = Scratch::new().await;
    let hopeless = queue_new(&scratch, errand(Task::AlwaysFail).queue_key("q")).await;
    let next = queue_new(&scratch, errand(Task::Note("next".into())).queue_key("q")).await;
    let _worker = start(&scratch, &Desk::new(&scratch.pool), brisk());
    reach(&scratch, next, "done").await;
    assert_eq!(reach(&scratch, hopeless, "failed").await.0, 3);
}

#[tokio::test]
async fn a_worker_that_vanishes_is_replaced_and_its_queue_goes_on() {
    let scratch = Scratch::new().await;
    let desk = Desk::new(&scratch.pool);
    let worker = start(&scratch, &desk, brisk());
    let stalled = queue_new(&scratch, errand(Task::Stall("stalled".into())).queue_key("q")).await;
    let next = queue_new(&scratch, errand(Task::Note("next".into())).queue_key("q")).await;
    desk.reached.notified().await;
    drop(worker);
    let _next_worker = start(&scratch, &desk, brisk());
    reach(&scratch, next, "done").await;
    assert_eq!(reach(&scratch, stalled, "done").await.0, 2);
    assert_eq!(labels(&scratch).await, ["stalled", "next"]);
}

#[tokio::test]
async fn a_paused_worker_cannot_write_over_its_successor() {
    for task in [Task::Stall("once".into()), Task::Oblivious] {
        let scratch = Scratch::new().await;
        let desk = Desk::new(&scratch.pool);
        let paused = JobWorkerConfig {
            heartbeat: Duration::from_secs(3600),
            ..brisk()
        };
        let paused = start(&scratch, &desk, paused);
        let id = queue_new(&scratch, errand(task)).await;
        desk.reached.notified().await;
        let _healthy = start(&scratch, &desk, brisk());
        reach(&scratch, id, "done").await;
        desk.release.notify_one();
        paused.shutdown().await;
        assert_eq!(reach(&scratch, id, "done").await, (2, None));
        assert!(labels(&scratch).await.len() <= 1);
    }
}

#[tokio::test]
async fn a_job_that_keeps_killing_its_worker_is_given_up() {
    let scratch = Scratch::new().await;
    let id = queue_new(&scratch, errand(Task::Stall("never".into()))).await;
    for _ in 0..3 {
        let desk = Desk::new(&scratch.pool);
        let worker = start(
            &scratch,
            &desk,
            JobWorkerConfig {
                lease: Duration::from_millis(100),
                ..brisk()
            },
        );
        desk.reached.notified().await;
        drop(worker);
    }
    let _worker = start(&scratch, &Desk::new(&scratch.pool), brisk());
    assert_eq!(
        reach(&scratch, id, "failed").await,
        (4, Some("interrupted_too_often".into()))
    );
}

#[tokio::test]
async fn a_job_completed_in_its_own_transaction_has_its_effect_exactly_once() {
    let scratch = Scratch::new().await;
    let _worker = start(&scratch, &Desk::new(&scratch.pool), brisk());
    for and_commit in [true, false] {
        let id = queue_new(&scratch, errand(Task::Complete { and_commit })).await;
        assert_eq!(reach(&scratch, id, "done").await.0, if and_commit { 1 } else { 2 });
    }
    assert_eq!(labels(&scratch).await, Vec::<String>::new());
    assert_eq!(
        scratch
            .count("select count(*) from world_runs where label = 'complete'")
            .await,
        2
    );
}

#[tokio::test]
async fn an_orderly_end_gives_the_job_and_its_try_back() {
    let scratch = Scratch::new().await;
    let desk = Desk::new(&scratch.pool);
    let config = JobWorkerConfig {
        lease: Duration::from_secs(60),
        shutdown_grace: Duration::from_millis(20),
        ..brisk()
    };
    let worker = start(&scratch, &desk, config);
    let id = queue_new(&scratch, errand(Task::Stall("taken over".into()))).await;
    desk.reached.notified().await;
    worker.shutdown().await;
    let _next = start(&scratch, &desk, brisk());
    assert_eq!(reach(&scratch, id, "done").await.0, 1);
}
