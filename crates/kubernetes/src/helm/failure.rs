//! What helm's last words mean.

use tenantry_domain::provisioning::ClusterError;

use crate::errors::{conflict, is_denied, refused};

/// Marks of a chart that cannot become objects with the given values.
const DOES_NOT_RENDER: &[&str] = &[
    "execution error at (",
    "error calling include",
    "parse error at (",
    "template: ",
    "executing \"",
    "don't meet the specifications of the schema",
    "YAML parse error",
    "error converting YAML",
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
/// What the API server says of an object that will not get better by being sent again.
const INVALID: &[&str] = &[
    " is invalid:",
    "failed to create typed patch object",
    "cannot be handled as a ",
    "no matches for kind ",
    "the server could not find the requested resource",
    "resource name may not be empty",
    "cannot be imported into the current release",
];
/// What passes by itself: a webhook that is away, a full queue, a write that came between. Says nothing of the object.
const BUSY: &[&str] = &[
    "failed calling webhook",
    "Internal error occurred",
    "status unknown for quota",
    "Operation cannot be fulfilled on",
    "Too Many Requests",
    "too many requests",
    "the server is currently unable",
    "the server was unable to return a response",
    "an error on the server (",
    "etcdserver:",
    "context deadline exceeded",
    "request timed out",
];
const UNREACHABLE: &[&str] = &[
    "cluster unreachable",
    "connection refused",
    "i/o timeout",
    "no such host",
    "TLS handshake timeout",
    "connection reset",
    "connection lost",
    "network is unreachable",
    "EOF",
];

/// Refusals come before what may pass: where helm reports several objects at once, one that is refused for good decides.
pub(super) fn classify(stderr: &str) -> ClusterError {
    let words = last_words(stderr);
    let (object, reason) = of_object(&words);
    let says = |marks: &[&str]| marks.iter().any(|mark| words.contains(mark));
    let detail = words.clone();
    if says(&["another operation (install/upgrade/rollback) is in progress"]) {
        ClusterError::ReleaseBusy { release: String::new() }
    } else if object.is_none() && says(DOES_NOT_RENDER) {
        ClusterError::ChartDoesNotRender { detail }
    } else if is_denied(&words) || says(INVALID) {
        ClusterError::Invalid {
            resource: object.unwrap_or_else(|| "an object of the chart".to_owned()),
            detail: reason.to_owned(),
        }
    } else if says(BUSY) {
        ClusterError::Busy { detail }
    } else if says(&["is forbidden"]) {
        refused(reason, object.as_deref().unwrap_or("an object of the chart"))
    } else if says(&["conflict with "]) {
        conflict(object.unwrap_or_else(|| "an object of the chart".to_owned()), reason)
    } else if says(&[
        "Unauthorized",
        "the server has asked for the client to provide credentials",
        // A credential plugin that failed, or is not there.
        "getting credentials: ",
    ]) {
        ClusterError::Unauthenticated { detail }
    } else if says(UNREACHABLE) {
        ClusterError::Unreachable { detail }
    } else if says(CHART_MISSING) {
        ClusterError::ChartMissing { directory: detail }
    } else {
        ClusterError::HelmFailed { detail }
    }
}

/// The error without warnings and log lines in front of it.
fn last_words(stderr: &str) -> String {
    let start = stderr.find("Error: ").map_or(0, |at| at + "Error: ".len());
    stderr.get(start..).unwrap_or(stderr).trim().to_owned()
}

/// The object that the API server speaks of, where helm names it (`… object NAMESPACE/NAME GROUP/VERSION, Kind=KIND: …`),
/// and what it says.
fn of_object(words: &str) -> (Option<String>, &str) {
    let named = || {
        let (_, rest) = words.split_once(" object ")?;
        let (path, rest) = rest.split_once(' ')?;
        let (_, rest) = rest.split_once(", Kind=")?;
        let (kind, reason) = rest.split_once(": ")?;
        let name = path.rsplit('/').next()?;
        Some((format!("{kind} {name}"), reason))
    };
    named().map_or((None, words), |(object, reason)| (Some(object), reason))
}

#[cfg(test)]
mod tests {
    use tenantry_domain::provisioning::Remedy;

    use super::*;

    /// As helm 4.2.4 said them of a Kubernetes 1.36.3.
    const SAID: &[(&str, &str, Remedy)] = &[
        (
            "level=WARN msg=x\nError: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
            "release_in_progress",
            Remedy::NotYet,
        ),
        (
            "Error: UPGRADE FAILED: execution error at (tenant/templates/deployment.yaml:3:4): image is required",
            "chart_does_not_render",
            Remedy::GiveUp,
        ),
        (
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):\ntenant:\n- at '/port': got string, want integer",
            "chart_does_not_render",
            Remedy::GiveUp,
        ),
        (
            "Error: INSTALLATION FAILED: parse error at (tenant/templates/x.yaml:1): unclosed action",
            "chart_does_not_render",
            Remedy::GiveUp,
        ),
        (
            "Error: YAML parse error on flawed/templates/all.yaml: error converting YAML to JSON: yaml: line 3: mapping values are not allowed in this context",
            "chart_does_not_render",
            Remedy::GiveUp,
        ),
        (
            "Error: YAML parse error on flawed/templates/all.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type util.SimpleHead",
            "chart_does_not_render",
            Remedy::GiveUp,
        ),
        (
            "Error: unable to build kubernetes objects from release manifest: resource mapping not found for name: \"nothing\" namespace: \"\" from \"\": no matches for kind \"Nothing\" in version \"example.invalid/v1\"\nensure CRDs are installed first",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/svc /v1, Kind=Service: Service \"svc\" is invalid: [spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 99999: must be between 1 and 65535, inclusive]",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/cm /v1, Kind=ConfigMap: failed to create typed patch object (t-1/cm; /v1, Kind=ConfigMap): .dta: field not declared in schema",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/d apps/v1, Kind=Deployment: failed to create typed patch object (t-1/d; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/d apps/v1, Kind=Deployment: Deployment.apps \"d\" is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`, spec.template.spec.containers: Required value]",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: unable to continue with install: could not get information about the resource ConfigMap \"\" in namespace \"t-1\": resource name may not be empty",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/x /v1, Kind=ConfigMap: the server could not find the requested resource",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: unable to continue with install: ConfigMap \"mine\" in namespace \"t-1\" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key \"app.kubernetes.io/managed-by\": must be set to \"Helm\"",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/cm3 /v1, Kind=ConfigMap: configmaps \"cm3\" is forbidden: ValidatingAdmissionPolicy 'no-config.example.com' with binding 'no-config' denied request: no configuration here",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/w-deny /v1, Kind=ConfigMap: admission webhook \"gate.example.com\" denied the request: images come from our registry only",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/cm2 /v1, Kind=ConfigMap: configmaps \"cm2\" is forbidden: exceeded quota: counts, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=0",
            "quota_exceeded",
            Remedy::GiveUp,
        ),
        (
            "Error: server-side apply failed for object t-1/wa /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook \"gate.example.com\": failed to call webhook: Post \"https://nothere.t-1.svc:443/?timeout=2s\": service \"nothere\" not found",
            "cluster_busy",
            Remedy::Retry,
        ),
        (
            "Error: server-side apply failed for object t-1/wb /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook \"gate.example.com\": failed to call webhook: Post \"https://gate.t-1.svc:443/?timeout=2s\": dial tcp 10.96.137.82:443: connect: connection refused",
            "cluster_busy",
            Remedy::Retry,
        ),
        (
            "Error: server-side apply failed for object t-1/wd /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook \"gate.example.com\": failed to call webhook: Post \"https://10.255.255.1:9/x?timeout=2s\": context deadline exceeded",
            "cluster_busy",
            Remedy::Retry,
        ),
        (
            "Error: server-side apply failed for object t-1/w-500 /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook \"gate.example.com\": failed to call webhook: an error on the server (\"oops\") has prevented the request from succeeding",
            "cluster_busy",
            Remedy::Retry,
        ),
        (
            "Error: server-side apply failed for object t-1/w-429 /v1, Kind=ConfigMap: Internal error occurred: failed calling webhook \"gate.example.com\": failed to call webhook: the server has received too many requests and has asked us to try again later",
            "cluster_busy",
            Remedy::Retry,
        ),
        (
            "level=WARN msg=\"upgrade failed\" name=c1 error=\"conflict occurred\"\nError: UPGRADE FAILED: conflict occurred while applying object t-1/con /v1, Kind=ConfigMap: Apply failed with 1 conflict: conflict with \"somebody\" using v1: .data.a",
            "field_conflict",
            Remedy::Retry,
        ),
        (
            "Error: create: failed to create: secrets \"sh.helm.release.v1.c2.v1\" is forbidden: unable to create new content in namespace t-1 because it is being terminated",
            "namespace_terminating",
            Remedy::NotYet,
        ),
        (
            "Error: create: failed to create: namespaces \"t-1\" not found",
            "helm_failed",
            Remedy::Retry,
        ),
        (
            "Error: query: failed to query with labels: secrets is forbidden: User \"system:serviceaccount:t-1:weak\" cannot list resource \"secrets\" in API group \"\" in the namespace \"t-1\"",
            "forbidden",
            Remedy::GiveUp,
        ),
        (
            "Error: kubernetes cluster unreachable: Get \"https://127.0.0.1:1/version\": dial tcp 127.0.0.1:1: connect: connection refused",
            "cluster_unreachable",
            Remedy::Retry,
        ),
        (
            "Error: kubernetes cluster unreachable: Get \"https://10.0.0.2:6443/version\": getting credentials: exec: executable /opt/plugin failed with exit code 1",
            "cluster_credentials_refused",
            Remedy::Retry,
        ),
        ("Error: something new", "helm_failed", Remedy::Retry),
    ];

    /// Told by the source of Kubernetes 1.36: not every machine can be brought to say them.
    const NOT_SEEN: &[(&str, &str, Remedy)] = &[
        (
            "Error: server-side apply failed for object t-1/x /v1, Kind=Pod: pods \"x\" is forbidden: status unknown for quota: tenantry, resources: pods",
            "cluster_busy",
            Remedy::Retry,
        ),
        (
            "Error: server-side apply failed for object t-1/x /v1, Kind=Service: Operation cannot be fulfilled on resourcequotas \"tenantry\": the object has been modified; please apply your changes to the latest version and try again",
            "cluster_busy",
            Remedy::Retry,
        ),
        (
            "Error: server-side apply failed for object t-1/x /v1, Kind=Pod: pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false",
            "object_refused",
            Remedy::GiveUp,
        ),
        (
            "Error: query: failed to query with labels: etcdserver: request timed out",
            "cluster_busy",
            Remedy::Retry,
        ),
        (
            "Error: unable to build kubernetes objects from release manifest: Get \"https://127.0.0.1:6443/api\": dial tcp 127.0.0.1:6443: i/o timeout",
            "cluster_unreachable",
            Remedy::Retry,
        ),
    ];

    #[test]
    fn helms_words_become_stable_codes() {
        for (said, code, remedy) in SAID.iter().chain(NOT_SEEN) {
            let error = classify(said);
            assert_eq!((error.code(), error.remedy()), (*code, *remedy), "{said}");
        }
    }

    #[test]
    fn a_refusal_names_the_object_and_the_reason() {
        let said = "Error: server-side apply failed for object t-1/w apps/v1, Kind=Deployment: admission webhook \"gate.example.com\" denied the request: images come from our registry only";
        assert_eq!(
            classify(said).to_string(),
            "the cluster refuses Deployment w: admission webhook \"gate.example.com\" denied the request: images come \
             from our registry only"
        );
    }

    #[test]
    fn of_several_objects_the_one_that_is_refused_for_good_decides() {
        let said = "Error: UPGRADE FAILED: server-side apply failed for object t-1/a /v1, Kind=ConfigMap: Internal error \
            occurred: failed calling webhook \"x\" && server-side apply failed for object t-1/b /v1, Kind=Service: \
            Service \"b\" is invalid: spec.ports: Required value";
        assert_eq!(classify(said).remedy(), Remedy::GiveUp);
    }
}
