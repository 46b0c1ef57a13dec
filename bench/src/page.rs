//! The results as a page of Markdown; a section for each thing that was measured.

mod provisioning;
mod sign_in;

use std::fmt::{Result, Write};

use crate::{
    bars::{self, Bar},
    intake,
    load::Throughput,
    results::{Build, Results},
};

/// The whole page.
pub fn of(results: &Results) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write(results, &mut page);
    page
}

fn write(results: &Results, page: &mut String) -> Result {
    writeln!(
        page,
        "# Benchmarks of {}, commit {}\n\n{}",
        results.date, results.commit, results.machine
    )?;
    compared(&bars::of(results), page)?;
    if let Some(database) = &results.database {
        writeln!(
            page,
            "\nPostgreSQL {}, fsync {}, synchronous_commit {}, full_page_writes {}.",
            database.version, database.fsync, database.synchronous_commit, database.full_page_writes
        )?;
    }
    if !results.intake.is_empty() {
        intake(results, page)?;
    }
    if let Some(sign_in) = &results.sign_in {
        sign_in::write(sign_in, page)?;
    }
    if !results.provisioning.is_empty() {
        provisioning::write(&results.provisioning, page)?;
    }
    if results.footprint.is_some() || results.build.is_some() {
        size(results, page)?;
    }
    Ok(())
}

/// Every bar with its figure, then why those are missed that are.
fn compared(bars: &[Bar], page: &mut String) -> Result {
    if bars.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "\n## Bars\n\n| | what | bar | figure | |\n| --- | --- | ---: | ---: | --- |"
    )?;
    for bar in bars {
        let verdict = if bar.is_met { "met" } else { "**missed**" };
        writeln!(
            page,
            "| {} | {} | {} | {} | {verdict} |",
            bar.id, bar.what, bar.bar, bar.figure
        )?;
    }
    writeln!(
        page,
        "\nOf several runs the worst counts, except of payment to active tenant, where it is the median."
    )?;
    let mut missed = bars.iter().filter(|bar| !bar.is_met).peekable();
    if missed.peek().is_some() {
        writeln!(page, "\n### Missed")?;
    }
    for bar in missed {
        writeln!(
            page,
            "\n**{}, {}:** {} instead of {}. {} *Next:* {}",
            bar.id, bar.what, bar.figure, bar.bar, bar.why, bar.next
        )?;
    }
    Ok(())
}

fn intake(results: &Results, page: &mut String) -> Result {
    writeln!(page, "\n## Webhook intake\n")?;
    writeln!(
        page,
        "{} clients, each with one request at a time. An event counts once it is acknowledged, which is after the commit. \
         Each run is beside a run of plain inserts of the same bytes.\n",
        intake::CLIENTS
    )?;
    heads(page)?;
    for (inserts, intake) in results.inserts.iter().zip(&results.intake) {
        line("plain inserts", inserts, page)?;
        line("signed events", intake, page)?;
        share(intake.per_second / inserts.per_second, page)?;
    }
    Ok(())
}

fn heads(page: &mut String) -> Result {
    writeln!(
        page,
        "| | per second | p50 ms | p99 ms | max ms | generator's share of busy CPU |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    )
}

fn line(name: &str, run: &Throughput, page: &mut String) -> Result {
    let latency = run.latency;
    writeln!(
        page,
        "| {name} | {:.0} | {:.1} | {:.1} | {:.1} | {:.0} % |",
        run.per_second,
        latency.p50_ms,
        latency.p99_ms,
        latency.max_ms,
        run.generator_share * 100.0
    )
}

fn share(ratio: f64, page: &mut String) -> Result {
    writeln!(page, "| *ratio* | *{ratio:.2}* | | | | |")
}

fn size(results: &Results, page: &mut String) -> Result {
    writeln!(page, "\n## Size\n\n| what | figure |\n| --- | ---: |")?;
    if let Some(footprint) = &results.footprint {
        writeln!(page, "| resident memory, idle | {:.1} MiB |", footprint.resident_mib)?;
        writeln!(
            page,
            "| program with web interface | {:.1} MiB |",
            footprint.program_mib
        )?;
        writeln!(page, "| start to ready | {} ms |", footprint.start_to_ready_ms)?;
    }
    if let Some(build) = &results.build {
        built(build, page)?;
    }
    if results.footprint.is_some() {
        writeln!(
            page,
            "\nNot measured yet: the memory for each tenant that is managed, and the restart with 100,000 tenants."
        )?;
    }
    Ok(())
}

fn built(build: &Build, page: &mut String) -> Result {
    let mut line = |what: &str, figure: Option<String>| match figure {
        Some(figure) => writeln!(page, "| {what} | {figure} |"),
        None => Ok(()),
    };
    line(
        "script of the first page, compressed",
        build.first_page_kb.map(|kb| format!("{kb:.1} kB")),
    )?;
    line(
        "clean debug build of the server",
        build.clean_build_secs.map(|secs| format!("{secs:.0} s")),
    )?;
    line("crates in the server", build.crates.map(|crates| crates.to_string()))?;
    line(
        "`make demo ONCE=1`, everything built before",
        build.warm_demo_secs.map(|secs| format!("{secs:.1} s")),
    )?;
    line(
        "`make demo ONCE=1` from empty caches",
        build.cold_demo_minutes.map(|minutes| format!("{minutes:.0} min")),
    )?;
    if build.warm_demo_secs.is_some() {
        writeln!(
            page,
            "\nThe demonstration with everything built was timed in this run, from the command until the tenant's site \
             answered: a Kubernetes from nothing, a database, the sign-up and the purchase are in it."
        )?;
    }
    if build.cold_demo_minutes.is_some() {
        writeln!(
            page,
            "\nFrom empty caches it was timed by hand, not in this run, and the figure is the README's: a fresh clone, an \
             empty cache directory and no `target`, with Rust there and everything else fetched and built."
        )?;
    }
    Ok(())
}

pub(crate) fn spread(figures: &[f64]) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    format!("{:.1} ({least:.1} … {:.1})", median(figures), greatest(figures))
}

/// The lower one of two in the middle; 0 of nothing.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or_default()
}

pub(crate) fn greatest(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        footprint::Footprint,
        latency::Latency,
        provisioning::{Comparison, Round},
        usage::Seconds,
    };

    fn run(per_second: f64) -> Throughput {
        Throughput {
            per_second,
            count: 1,
            latency: Latency::of(vec![Duration::from_millis(12)]),
            generator_share: 0.05,
        }
    }

    fn round(all_secs: f64) -> Round {
        Round {
            all_secs,
            each_secs: vec![all_secs],
            steps_ms: vec![("namespace".into(), vec![20]), ("release".into(), vec![900])],
            processor_secs: Seconds::from([("etcd".into(), 1.5)]),
            busy_before: 0.1,
        }
    }

    #[test]
    fn a_page_says_what_was_missed_and_why() {
        let mut results = Results::new(None).unwrap();
        results.intake = vec![run(900.0)];
        results.inserts = vec![run(9000.0)];
        results.provisioning = [1, 10]
            .map(|together| Comparison {
                together,
                ours: vec![round(3.0)],
                script: vec![round(2.5)],
            })
            .into();
        results.footprint = Some(Footprint {
            resident_mib: 30.0,
            program_mib: 40.0,
            start_to_ready_ms: 120,
        });
        let page = of(&results);
        let has = |line: &str| assert!(page.contains(line), "no {line:?} in\n{page}");
        has("| P1 | webhook intake | ≥ 1000/s | 900/s | **missed** |");
        has("| P1 | webhook intake, p99 | ≤ 20 ms | 12.0 ms | met |");
        has("| P2 | payment to active tenant, 1 at once | ≤ script + 1 s: 3.5 s | 3.0 s, 1.20 × the script | met |");
        has(
            "**P2, payment to active tenant, 10 at once:** 3.0 s, 1.20 × the script instead of ≤ script: 2.5 s. The longest steps",
        );
        has("*Next:* start fewer programs");
        has("| release | 900 … 900 | 900 … 900 |");
        has("| etcd | 1.50 | 1.50 | 1.50 | 1.50 |");
        assert_eq!(page.matches("*Next:*").count(), 2, "only of what is missed:\n{page}");
    }

    #[test]
    fn the_median_is_a_figure_that_was_measured() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.0);
        assert_eq!(median(&[]), 0.0);
        assert_eq!(spread(&[1.0, 2.0, 4.0]), "2.0 (1.0 … 4.0)");
    }
}
