//! Payment to active tenant.

use std::{
    collections::BTreeSet,
    fmt::{Result, Write},
};

use super::{greatest, median, spread};
use crate::provisioning::{Comparison, Round};

/// Programs that used less than this, in seconds, are one line together.
const WORTH_A_LINE: f64 = 0.1;

/// The section.
pub(super) fn write(comparisons: &[Comparison], page: &mut String) -> Result {
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
    let rounds = comparisons
        .iter()
        .flat_map(|compared| compared.ours.iter().chain(&compared.script));
    let busy = greatest(&rounds.map(|round| round.busy_before).collect::<Vec<_>>());
    writeln!(
        page,
        "\nA round begins when the processors are quiet; the least quiet one began with {:.0} % of them in use.",
        busy * 100.0
    )?;
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
