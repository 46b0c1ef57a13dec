//! What is aimed at, beside what was measured; and where a bar is missed, why, and what is to be done about it. The reasons
//! are computed from the same figures, so that they cannot be older than these.

mod provisioning;

use crate::{
    load::Throughput,
    page::greatest,
    results::{Build, Results},
    sign_in::{RATE, RefreshRound, SignIn},
};

/// One bar, and whether it is met.
#[derive(Debug)]
pub struct Bar {
    /// Of the list of bars.
    pub id: &'static str,
    pub what: String,
    pub bar: String,
    pub figure: String,
    pub is_met: bool,
    /// Why it is missed, if it is.
    pub why: String,
    /// What would help then.
    pub next: &'static str,
}

/// Every bar for which there is a figure.
pub fn of(results: &Results) -> Vec<Bar> {
    let mut bars = intake(results);
    bars.extend(results.provisioning.iter().map(provisioning::bar));
    bars.extend(results.sign_in.as_ref().map(sign_in).unwrap_or_default());
    bars.extend(footprint(results));
    bars.extend(results.build.as_ref().map(built).unwrap_or_default());
    bars
}

const INTAKE_RATE: f64 = 1000.0;
const INTAKE_P99_MS: f64 = 20.0;

fn intake(results: &Results) -> Vec<Bar> {
    if results.intake.is_empty() {
        return Vec::new();
    }
    let (rate, p99) = (slowest(&results.intake), longest_p99(&results.intake));
    let floor = slowest(&results.inserts);
    let why = if floor < INTAKE_RATE {
        format!(
            "Plain inserts of the same bytes reached only {floor:.0}/s in the same run: this machine's PostgreSQL is the limit."
        )
    } else {
        format!(
            "Plain inserts of the same bytes reached {floor:.0}/s in the same run, so PostgreSQL and its disk are not the \
             limit: the rest is the signature's check, the queueing of a job in the same transaction, HTTP, and the \
             generator's {} % of the processors.",
            percent(generator(&results.intake))
        )
    };
    vec![
        Bar {
            id: "P1",
            what: "webhook intake".into(),
            bar: format!("≥ {INTAKE_RATE:.0}/s"),
            figure: format!("{rate:.0}/s"),
            is_met: rate >= INTAKE_RATE,
            why: why.clone(),
            next: "store in one transaction what arrives while the transaction before is being committed.",
        },
        Bar {
            id: "P1",
            what: "webhook intake, p99".into(),
            bar: format!("≤ {INTAKE_P99_MS:.0} ms"),
            figure: format!("{p99:.1} ms"),
            is_met: p99 <= INTAKE_P99_MS,
            why: format!(
                "The plain inserts beside it had a p99 of {:.1} ms. {why}",
                longest_p99(&results.inserts)
            ),
            next: "look at what the slowest hundredth waited for (`wait_event` in `pg_stat_activity`, sampled in the run): a \
                   commit, a lock, or its turn on a processor.",
        },
    ]
}

const REFRESH_P99_MS: f64 = 10.0;

fn sign_in(measured: &SignIn) -> Vec<Bar> {
    let runs = |of: fn(&RefreshRound) -> &Throughput| measured.refresh.iter().map(of).collect::<Vec<_>>();
    let (flat_out, plain) = (runs(|round| &round.flat_out), runs(|round| &round.plain));
    let rate = slowest(flat_out.iter().copied());
    let floor = slowest(plain.iter().copied());
    let most = measured
        .refresh
        .iter()
        .map(|round| round.organizations)
        .max()
        .unwrap_or_default();
    let of_most = || measured.refresh.iter().filter(|round| round.organizations == most);
    let p99 = longest_p99(of_most().map(|round| &round.paced));
    let why = format!(
        "A plain client that executes the same statements reached {floor:.0}/s, a refresh {} % of that, with {:.1} round trips to the \
         database in each. What PostgreSQL leaves of the processors goes into HTTP, JSON, the successor's HMAC and the signature \
         of the access token; the generator used {} %.",
        percent(rate / floor),
        measured.refresh_round_trips,
        percent(generator(flat_out.iter().copied()))
    );
    vec![
        Bar {
            id: "P4",
            what: "token refresh".into(),
            bar: format!("≥ {RATE:.0}/s"),
            figure: format!("{rate:.0}/s, {} % of the plain client", percent(rate / floor)),
            is_met: rate >= RATE,
            why: why.clone(),
            next: "sample where the server's processor time goes in this run (`perf record`), and take out the largest part.",
        },
        Bar {
            id: "P4",
            what: format!("token refresh at {RATE:.0}/s, user in {most} organizations, p99"),
            bar: format!("≤ {REFRESH_P99_MS:.0} ms"),
            figure: format!("{p99:.1} ms"),
            is_met: p99 <= REFRESH_P99_MS,
            why: if rate < RATE {
                "The rate itself is not reached, so that refreshes queue for longer and longer: see the bar before."
                    .to_owned()
            } else {
                format!(
                    "As fast as it can, the server does {rate:.0}/s, so that {} % of it are in use at this rate and some queue. {why}",
                    percent(RATE / rate)
                )
            },
            next: "look at what the slowest hundredth waited for: a commit, a connection of the pool, or its turn on a processor.",
        },
    ]
}

const RESIDENT_MIB: f64 = 64.0;
const START_MS: u128 = 1000;

fn footprint(results: &Results) -> Vec<Bar> {
    let Some(footprint) = &results.footprint else {
        return Vec::new();
    };
    vec![
        Bar {
            id: "P8",
            what: "resident memory of the idle server".into(),
            bar: format!("≤ {RESIDENT_MIB:.0} MiB"),
            figure: format!("{:.1} MiB", footprint.resident_mib),
            is_met: footprint.resident_mib <= RESIDENT_MIB,
            why: format!(
                "The program itself is {:.1} MiB, of which what was used so far is resident; the rest is its own memory.",
                footprint.program_mib
            ),
            next: "record what the idle server has allocated (`heaptrack`), beginning with what is kept for each connection.",
        },
        Bar {
            id: "P8",
            what: "start of the server to ready".into(),
            bar: format!("≤ {START_MS} ms"),
            figure: format!("{} ms", footprint.start_to_ready_ms),
            is_met: footprint.start_to_ready_ms <= START_MS,
            why:
                "Before it is ready the server connects its pools, compares the database's policies with its list, and \
                  hashes one password."
                    .into(),
            next: "trace the start by its log's times, and do side by side what does not need each other.",
        },
    ]
}

const FIRST_PAGE_KB: f64 = 200.0;
const WARM_DEMO_SECS: f64 = 45.0;
const COLD_DEMO_MINUTES: f64 = 20.0;

fn built(build: &Build) -> Vec<Bar> {
    let bar = |id, what: &str, figure: Option<f64>, most: f64, unit: &str, why: &str, next| {
        figure.map(|figure| Bar {
            id,
            what: what.to_owned(),
            bar: format!("≤ {most:.0} {unit}"),
            figure: format!("{figure:.1} {unit}"),
            is_met: figure <= most,
            why: why.to_owned(),
            next,
        })
    };
    let first_page = bar(
        "P10",
        "script of the first page, compressed",
        build.first_page_kb,
        FIRST_PAGE_KB,
        "kB",
        "Everything that the log-in page imports is loaded before it shows.",
        "see which module grew (`npm run size`), and load it with the page that needs it.",
    );
    let warm = bar(
        "P11",
        "`make demo ONCE=1`, warm",
        build.warm_demo_secs,
        WARM_DEMO_SECS,
        "s",
        "Parts start side by side; the Kubernetes takes longest, and the tenant's pods wait for it.",
        "compare the times that the demonstration prints beside each part with those of the last run here.",
    );
    let cold = bar(
        "P11",
        "`make demo ONCE=1`, from empty caches",
        build.cold_demo_minutes,
        COLD_DEMO_MINUTES,
        "min",
        "Kubernetes is built from its source, and that takes most of it.",
        "build Kubernetes and the programs at the same time only where there are cores for both; on two, build less of it.",
    );
    [first_page, warm, cold].into_iter().flatten().collect()
}

fn slowest<'a>(runs: impl IntoIterator<Item = &'a Throughput>) -> f64 {
    runs.into_iter().map(|run| run.per_second).fold(f64::INFINITY, f64::min)
}

fn longest_p99<'a>(runs: impl IntoIterator<Item = &'a Throughput>) -> f64 {
    greatest(&runs.into_iter().map(|run| run.latency.p99_ms).collect::<Vec<_>>())
}

fn generator<'a>(runs: impl IntoIterator<Item = &'a Throughput>) -> f64 {
    greatest(&runs.into_iter().map(|run| run.generator_share).collect::<Vec<_>>())
}

fn percent(share: f64) -> String {
    format!("{:.0}", share * 100.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{hashing::Cost, latency::Latency};

    fn run(per_second: f64, p99_ms: u64) -> Throughput {
        Throughput {
            per_second,
            count: 1,
            latency: Latency::of(vec![Duration::from_millis(p99_ms)]),
            generator_share: 0.1,
        }
    }

    fn round(organizations: i64, per_second: f64, p99_ms: u64) -> RefreshRound {
        RefreshRound {
            organizations,
            plain: run(4000.0, 2),
            flat_out: run(per_second, 30),
            paced: run(RATE, p99_ms),
        }
    }

    fn measured(refresh: Vec<RefreshRound>) -> SignIn {
        SignIn {
            clients: 8,
            refresh_round_trips: 1.0,
            refresh_statements: Vec::new(),
            refresh,
            login_round_trips: 9.0,
            password: Cost {
                memory_kib: 64,
                iterations: 1,
                lanes: 1,
                at_once: 2,
            },
            login: Vec::new(),
        }
    }

    #[test]
    fn the_slowest_run_counts() {
        let bars = sign_in(&measured(vec![round(1, 1600.0, 3), round(2000, 1400.0, 9)]));
        assert!(!bars[0].is_met && bars[1].is_met);
        assert_eq!(bars[0].figure, "1400/s, 35 % of the plain client");
        assert!(bars[0].why.contains("4000/s"), "{}", bars[0].why);
    }

    #[test]
    fn latency_is_that_of_the_person_with_many_organizations() {
        let bars = sign_in(&measured(vec![round(1, 1600.0, 50), round(2000, 3000.0, 12)]));
        assert_eq!((bars[1].figure.as_str(), bars[1].is_met), ("12.0 ms", false));
        assert!(bars[1].why.contains("1600/s, so that 94 %"), "{}", bars[1].why);
    }

    #[test]
    fn a_figure_that_is_not_there_is_no_bar() {
        let build = Build {
            clean_build_secs: Some(200.0),
            crates: None,
            first_page_kb: None,
            warm_demo_secs: Some(45.1),
            cold_demo_minutes: None,
        };
        let bars = built(&build);
        assert_eq!(bars.len(), 1);
        assert!(!bars[0].is_met, "45 s are the bar");
    }
}
