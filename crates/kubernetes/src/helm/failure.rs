//! What helm's last words mean.

use tenantry_domain::provisioning::ClusterError;

use crate::errors::refused;

/// Marks in helm's output of a chart that cannot become objects with the given values.
const DOES_NOT_RENDER: &[&str] = &[
    "execution error at (",
    "error calling include",
    "parse error at (",
    "template: ",
    "executing \"",
    "don't meet the specifications of the schema",
    "YAML parse error",
    "error converting YAML",
    "unable to build kubernetes objects",
    "cannot unmarshal",
    "failed to parse values",
    "validation: chart.metadata",
    "cannot load ",
];
const CHART_MISSING: &[&str] = &[
    "Chart.yaml file is missing",
    "no such file or directory",
    "not found in ",
];
const UNREACHABLE: &[&str] = &[
    "cluster unreachable",
    "connection refused",
    "i/o timeout",
    "no such host",
    "TLS handshake timeout",
    "connection reset",
    "network is unreachable",
    "EOF",
];
const BUSY: &[&str] = &[
    "Too Many Requests",
    "the server is currently unable",
    "etcdserver:",
    "context deadline exceeded",
];

pub(super) fn classify(stderr: &str) -> ClusterError {
    let detail = last_words(stderr);
    let says = |marks: &[&str]| marks.iter().any(|mark| detail.contains(mark));
    if detail.contains("another operation (install/upgrade/rollback) is in progress") {
        ClusterError::ReleaseBusy { release: String::new() }
    } else if says(DOES_NOT_RENDER) {
        ClusterError::ChartDoesNotRender { detail }
    } else if says(&["is forbidden", "exceeded quota", "because it is being terminated"]) {
        refused(&detail)
    } else if says(&[
        "Unauthorized",
        "the server has asked for the client to provide credentials",
    ]) {
        ClusterError::Unauthenticated { detail }
    } else if says(UNREACHABLE) {
        ClusterError::Unreachable { detail }
    } else if says(BUSY) {
        ClusterError::Busy { detail }
    } else if says(CHART_MISSING) {
        ClusterError::ChartMissing { directory: detail }
    } else if says(&["is invalid:", "admission webhook", "denied the request"]) {
        ClusterError::Invalid {
            resource: "an object of the chart".to_owned(),
            detail,
        }
    } else {
        ClusterError::HelmFailed { detail }
    }
}

/// The error without warnings and log lines in front of it.
fn last_words(stderr: &str) -> String {
    let start = stderr.find("Error: ").map_or(0, |at| at + "Error: ".len());
    stderr.get(start..).unwrap_or(stderr).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helms_words_become_stable_codes() {
        let code = |said: &str| classify(said).code();
        for (said, expected) in [
            (
                "level=WARN msg=x\nError: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
                "release_in_progress",
            ),
            (
                "Error: UPGRADE FAILED: execution error at (tenant/templates/deployment.yaml:3:4): image is required",
                "chart_does_not_render",
            ),
            (
                "Error: values don't meet the specifications of the schema(s) in the following chart(s):\ntenant:\n- at '/port': got string, want integer",
                "chart_does_not_render",
            ),
            (
                "Error: INSTALLATION FAILED: parse error at (tenant/templates/x.yaml:1): unclosed action",
                "chart_does_not_render",
            ),
            (
                "Error: UPGRADE FAILED: query: failed to query with labels: secrets is forbidden: User \"u\" cannot list resource \"secrets\" in API group \"\" in the namespace \"t-1\"",
                "forbidden",
            ),
            (
                "Error: kubernetes cluster unreachable: Get \"https://127.0.0.1:1/version\": dial tcp 127.0.0.1:1: connect: connection refused",
                "cluster_unreachable",
            ),
            (
                "Error: pods \"x\" is forbidden: exceeded quota: tenantry",
                "quota_exceeded",
            ),
            ("Error: something new", "helm_failed"),
        ] {
            assert_eq!(code(said), expected, "{said}");
        }
    }
}
