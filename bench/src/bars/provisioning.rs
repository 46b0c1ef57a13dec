//! P2: payment to active tenant, beside the script.

use std::collections::BTreeMap;

use super::Bar;
use crate::{
    page::median,
    provisioning::{Comparison, Round},
};

/// One tenant may take this much longer than the script, which nobody has to pay first.
const PAYMENT_MAY_TAKE_SECS: f64 = 1.0;
/// What is worth naming.
const LONGEST: usize = 3;

/// One tenant: the script and a second more. Several at once: not slower than the script.
pub(super) fn bar(compared: &Comparison) -> Bar {
    let seconds = |rounds: &[Round]| median(&rounds.iter().map(|round| round.all_secs).collect::<Vec<_>>());
    let (ours, script) = (seconds(&compared.ours), seconds(&compared.script));
    let together = compared.together;
    let most = if together == 1 {
        script + PAYMENT_MAY_TAKE_SECS
    } else {
        script
    };
    Bar {
        id: "P2",
        what: format!("payment to active tenant, {together} at once"),
        bar: if together == 1 {
            format!("≤ script + {PAYMENT_MAY_TAKE_SECS:.0} s: {most:.1} s")
        } else {
            format!("≤ script: {most:.1} s")
        },
        figure: format!("{ours:.1} s, {:.2} × the script", ours / script),
        is_met: ours <= most,
        why: where_time_goes(compared),
        next: if together == 1 {
            "run side by side the steps that need only the namespace (policies, quota, account, secrets), and begin the release \
             without waiting for them one by one."
        } else {
            "start fewer programs: each Helm command is a process that reads chart and API anew, and its processor time is the \
             largest that is ours to save."
        },
    }
}

fn where_time_goes(compared: &Comparison) -> String {
    let mut steps: Vec<(String, f64)> = by_step(&compared.ours).into_iter().collect();
    steps.sort_by(|one, other| other.1.total_cmp(&one.1));
    let named: Vec<String> = steps
        .iter()
        .take(LONGEST)
        .map(|(step, milliseconds)| format!("{} {:.1} s", step.replace('_', " "), milliseconds / 1000.0))
        .collect();
    let (ours, script) = (processor_secs(&compared.ours), processor_secs(&compared.script));
    let total = |used: &BTreeMap<&str, f64>| used.values().sum::<f64>();
    let mut programs: Vec<(&str, f64)> = ours.iter().map(|(program, secs)| (*program, *secs)).collect();
    programs.sort_by(|one, other| other.1.total_cmp(&one.1));
    let heaviest: Vec<String> = programs
        .iter()
        .take(LONGEST)
        .map(|(program, secs)| format!("{program} {secs:.1} s"))
        .collect();
    format!(
        "The longest steps of a median tenant are {}. A round of ours used {:.1} s of processor time, one of the script {:.1} s; \
         most of ours is {}.",
        named.join(", "),
        total(&ours),
        total(&script),
        heaviest.join(", ")
    )
}

/// The median of all tenants, by step, in milliseconds.
fn by_step(rounds: &[Round]) -> BTreeMap<String, f64> {
    let mut figures: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (step, milliseconds) in rounds.iter().flat_map(|round| &round.steps_ms) {
        let figures = figures.entry(step.clone()).or_default();
        figures.extend(milliseconds.iter().map(|milliseconds| *milliseconds as f64));
    }
    figures
        .into_iter()
        .map(|(step, figures)| (step, median(&figures)))
        .collect()
}

/// The mean of all rounds, by program.
fn processor_secs(rounds: &[Round]) -> BTreeMap<&str, f64> {
    let mut used = BTreeMap::new();
    for (program, secs) in rounds.iter().flat_map(|round| &round.processor_secs) {
        *used.entry(program.as_str()).or_default() += secs / rounds.len() as f64;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Seconds;

    fn round(all_secs: f64, release: u64) -> Round {
        Round {
            all_secs,
            steps_ms: vec![("release".into(), vec![release]), ("network_policies".into(), vec![40])],
            processor_secs: Seconds::from([("etcd".into(), 1.0), ("tenantry: commands".into(), 3.0)]),
            ..Round::default()
        }
    }

    fn compared(together: usize, ours: f64, script: f64) -> Bar {
        bar(&Comparison {
            together,
            ours: vec![round(ours, 900), round(ours, 1100), round(ours, 1000)],
            script: vec![round(script, 0)],
        })
    }

    #[test]
    fn one_may_take_a_second_more_than_the_script() {
        assert!(compared(1, 3.0, 2.0).is_met);
        assert!(!compared(1, 3.1, 2.0).is_met);
        assert!(compared(10, 2.0, 2.0).is_met);
        assert!(!compared(10, 2.1, 2.0).is_met);
    }

    #[test]
    fn the_reason_names_what_took_longest() {
        let why = compared(10, 4.0, 2.0).why;
        assert!(why.contains("release 1.0 s, network policies 0.0 s"), "{why}");
        assert!(why.contains("used 4.0 s of processor time"), "{why}");
        assert!(why.contains("tenantry: commands 3.0 s, etcd 1.0 s"), "{why}");
    }
}
