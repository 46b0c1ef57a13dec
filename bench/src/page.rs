//! The results as a page of Markdown; a section for each thing that was measured.

use std::{
    collections::BTreeSet,
    fmt::{Result, Write},
};

use crate::{
    provisioning::{Comparison, Round},
    results::Results,
};

/// Programs that used less than this, in seconds, are one line together.
const WORTH_A_LINE: f64 = 0.1;

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
    if !results.intake.is_empty() {
        intake(results, page)?;
    }
    if !results.provisioning.is_empty() {
        provisioning(&results.provisioning, page)?;
    }
    if results.footprint.is_some() || results.build.is_object() {
        size(results, page)?;
    }
    Ok(())
}

fn intake(results: &Results, page: &mut String) -> Result {
    writeln!(page, "\n## Webhook intake\n")?;
    if let Some(database) = &results.database {
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
    for (inserts, intake) in results.inserts.iter().zip(&results.intake) {
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
    Ok(())
}

fn provisioning(comparisons: &[Comparison], page: &mut String) -> Result {
    writeln!(page, "\n## Payment to active tenant\n")?;
    writeln!(
        page,
        "From paying on the hosted page to the operation's end, beside a script that makes the same objects by `kubectl \
         apply` and `helm install --wait`. Pods start in both. Ours and the script take turns; the median of all rounds, \
         with the fastest and the slowest.\n"
    )?;
    writeln!(
        page,
        "| at once | rounds each | ours: all, s | script: all, s | ours / script |\n| ---: | ---: | ---: | ---: | ---: |"
    )?;
    for Comparison { together, ours, script } in comparisons {
        let (ours_secs, script_secs) = (seconds(ours), seconds(script));
        writeln!(
            page,
            "| {together} | {} | {} | {} | {:.2} |",
            ours.len(),
            spread(&ours_secs),
            spread(&script_secs),
            median(&ours_secs) / median(&script_secs)
        )?;
    }
    steps(comparisons, page)?;
    processor(comparisons, page)
}

fn seconds(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| round.all_secs).collect()
}

fn steps(comparisons: &[Comparison], page: &mut String) -> Result {
    writeln!(
        page,
        "\n### Step by step\n\nMilliseconds, waiting included: the median of all tenants, and the slowest.\n"
    )?;
    let heads: String = comparisons
        .iter()
        .map(|compared| format!(" {} at once |", compared.together))
        .collect();
    writeln!(page, "| step |{heads}\n| --- |{}", " ---: |".repeat(comparisons.len()))?;
    let Some(first) = comparisons.first().and_then(|compared| compared.ours.first()) else {
        return Ok(());
    };
    for (step, _) in &first.steps_ms {
        write!(page, "| {} |", step.replace('_', " "))?;
        for compared in comparisons {
            let of_step = compared.ours.iter().flat_map(|round| &round.steps_ms);
            let figures: Vec<f64> = of_step
                .filter(|(name, _)| name == step)
                .flat_map(|(_, figures)| figures)
                .map(|milliseconds| *milliseconds as f64)
                .collect();
            write!(page, " {:.0} … {:.0} |", median(&figures), greatest(&figures))?;
        }
        writeln!(page)?;
    }
    Ok(())
}

fn processor(comparisons: &[Comparison], page: &mut String) -> Result {
    writeln!(
        page,
        "\n### Processor time\n\nSeconds of all cores in a round, the mean of all rounds. *Commands* of a program are the short-lived \
         programs that it ran: `tenantry` runs helm, `tenantry-bench` runs the script's kubectl and helm. Where \
         `tenantry-bench` runs no script, it plays the customers.\n"
    )?;
    let heads: String = comparisons
        .iter()
        .map(|compared| format!(" ours, {0} | script, {0} |", compared.together))
        .collect();
    writeln!(
        page,
        "| program |{heads}\n| --- |{}",
        " ---: |".repeat(comparisons.len() * 2)
    )?;
    let columns: Vec<&[Round]> = comparisons
        .iter()
        .flat_map(|compared| [compared.ours.as_slice(), compared.script.as_slice()])
        .collect();
    let rounds = columns.iter().flat_map(|rounds| rounds.iter());
    let programs: BTreeSet<&String> = rounds.flat_map(|round| round.processor_secs.keys()).collect();
    let mean = |rounds: &[Round], wanted: &dyn Fn(&str) -> bool| {
        let used = rounds.iter().flat_map(|round| &round.processor_secs);
        let sum: f64 = used.filter(|(name, _)| wanted(name)).map(|(_, seconds)| *seconds).sum();
        sum / rounds.len().max(1) as f64
    };
    let (large, small): (Vec<&String>, Vec<&String>) = programs.into_iter().partition(|program| {
        columns
            .iter()
            .any(|rounds| mean(rounds, &|name| name == *program) >= WORTH_A_LINE)
    });
    let mut line = |title: &str, wanted: &dyn Fn(&str) -> bool| {
        let figures: String = columns
            .iter()
            .map(|rounds| format!(" {:.2} |", mean(rounds, wanted)))
            .collect();
        writeln!(page, "| {title} |{figures}")
    };
    for program in large {
        line(program, &|name| name == program)?;
    }
    line("all others", &|name| small.iter().any(|small| *small == name))?;
    line("*all*", &|_| true)
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
    if let Some(build) = results.build.as_object() {
        for (name, figure) in build {
            let figure = figure.as_str().map_or_else(|| figure.to_string(), str::to_owned);
            writeln!(page, "| {} | {figure} |", name.replace('_', " "))?;
        }
    }
    Ok(())
}

fn spread(figures: &[f64]) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    format!("{:.1} ({least:.1} … {:.1})", median(figures), greatest(figures))
}

/// The lower one of two in the middle; 0 of nothing.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or_default()
}

fn greatest(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_figure_that_was_measured() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.0);
        assert_eq!(median(&[]), 0.0);
        assert_eq!(spread(&[1.0, 2.0, 4.0]), "2.0 (1.0 … 4.0)");
    }
}
