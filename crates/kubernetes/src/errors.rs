//! What the API server says, in the words of the port.

use std::{error::Error as _, future::Future, time::Duration};

use kube::core::Status;
use tenantry_domain::provisioning::ClusterError;

/// No single call to the API server takes longer; what needs longer is asked again.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Runs one call within its time. `resource` names what it is about, for the error.
pub(crate) async fn call<T>(
    action: &'static str,
    resource: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ClusterError> {
    match tokio::time::timeout(CALL_TIMEOUT, request).await {
        Ok(answer) => answer.map_err(|error| translate(error, resource)),
        Err(_) => Err(ClusterError::Timeout {
            action,
            seconds: CALL_TIMEOUT.as_secs(),
        }),
    }
}

/// The port's error for one of kube's.
pub(crate) fn translate(error: kube::Error, resource: &str) -> ClusterError {
    match error {
        kube::Error::Api(status) => translate_status(&status, resource),
        kube::Error::SerdeError(error) => ClusterError::Invalid {
            resource: resource.to_owned(),
            detail: format!("its answer is not understood: {error}"),
        },
        other => ClusterError::Unreachable {
            detail: with_sources(&other),
        },
    }
}

fn with_sources(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = inner.source();
    }
    text
}

fn translate_status(status: &Status, resource: &str) -> ClusterError {
    let (resource, detail) = (resource.to_owned(), status.message.clone());
    match status.code {
        401 => ClusterError::Unauthenticated { detail },
        403 => refused(&detail, &resource),
        404 => ClusterError::NotFound { resource },
        409 => conflict(resource, &detail),
        408 | 429 | 500..=599 => ClusterError::Busy { detail },
        _ => ClusterError::Invalid { resource, detail },
    }
}

/// Different things answer 403: a namespace that is going, a quota that is full or not known yet, a policy, and a right
/// that is missing. Also reads the same sentence out of what Helm says. `object` is what was written.
pub(crate) fn refused(message: &str, object: &str) -> ClusterError {
    if message.contains("because it is being terminated") {
        let namespace = quoted_after(message, "namespace ").unwrap_or_default();
        return ClusterError::NamespaceTerminating { namespace };
    }
    if message.contains("status unknown for quota") {
        return ClusterError::Busy {
            detail: message.to_owned(),
        };
    }
    if message.contains("exceeded quota") || message.contains("failed quota") || message.contains("maximum ") {
        return ClusterError::QuotaExceeded {
            detail: message.to_owned(),
        };
    }
    let is_of_rights = message.contains("User \"") || !message.contains(" is forbidden: ");
    if is_denied(message) || !is_of_rights {
        return ClusterError::Invalid {
            resource: object.to_owned(),
            detail: message.to_owned(),
        };
    }
    let verb = word_before(message, " resource \"").unwrap_or_else(|| "act on".to_owned());
    let plural = quoted_after(message, "resource ").unwrap_or_else(|| "an object".to_owned());
    let resource = match quoted_after(message, "API group ") {
        Some(group) if !group.is_empty() => format!("{plural}.{group}"),
        _ => plural,
    };
    let account = quoted_after(message, "User ").unwrap_or_else(|| "the account that Tenantry uses".to_owned());
    ClusterError::Forbidden {
        mend: format!(
            "Give {account} the verb {verb} on {resource} in all namespaces; `tenantry doctor` lists every right that is needed."
        ),
        verb,
        resource,
    }
}

/// Whether a policy of the cluster, its own or a webhook's, has looked at the object and said no.
pub(crate) fn is_denied(message: &str) -> bool {
    message.contains(" denied the request") || message.contains(" denied request: ")
}

/// Somebody else has written the same.
pub(crate) fn conflict(resource: String, message: &str) -> ClusterError {
    ClusterError::Conflict {
        resource,
        owner: conflicting_manager(message),
    }
}

/// `conflict with "NAME"`, as server-side apply says it.
fn conflicting_manager(message: &str) -> String {
    quoted_after(message, "conflict with ").unwrap_or_else(|| "another writer".to_owned())
}

fn quoted_after(text: &str, before: &str) -> Option<String> {
    text.match_indices(before).find_map(|(at, _)| {
        let rest = text.get(at + before.len()..)?.strip_prefix('"')?;
        rest.split_once('"').map(|(quoted, _)| quoted.to_owned())
    })
}

fn word_before(text: &str, after: &str) -> Option<String> {
    let (before, _) = text.split_once(after)?;
    before.rsplit(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_names_verb_and_resource() {
        let said = "networkpolicies.networking.k8s.io \"tenantry-default-deny\" is forbidden: User \
            \"system:serviceaccount:x:limited\" cannot patch resource \"networkpolicies\" in API group \
            \"networking.k8s.io\" in the namespace \"t-1\"";
        let ClusterError::Forbidden { verb, resource, mend } = refused(said, "an object") else {
            panic!()
        };
        assert_eq!(
            (verb.as_str(), resource.as_str()),
            ("patch", "networkpolicies.networking.k8s.io")
        );
        assert!(mend.contains("system:serviceaccount:x:limited"), "{mend}");
    }

    #[test]
    fn the_core_group_has_no_name() {
        let said = "namespaces is forbidden: User \"u\" cannot create resource \"namespaces\" in API group \"\" at the cluster scope";
        assert!(
            matches!(refused(said, "an object"), ClusterError::Forbidden { verb, resource, .. } if verb == "create" && resource == "namespaces")
        );
    }

    #[test]
    fn other_refusals_are_told_apart() {
        let quota =
            "pods \"a\" is forbidden: exceeded quota: tenantry, requested: pods=1, used: pods=2, limited: pods=2";
        assert!(matches!(refused(quota, "Pod a"), ClusterError::QuotaExceeded { .. }));
        let going =
            "secrets \"a\" is forbidden: unable to create new content in namespace t-1 because it is being terminated";
        assert!(matches!(
            refused(going, "Secret a"),
            ClusterError::NamespaceTerminating { .. }
        ));
        let unknown = "pods \"a\" is forbidden: status unknown for quota: tenantry, resources: pods";
        assert!(matches!(refused(unknown, "Pod a"), ClusterError::Busy { .. }));
        let policy = "secrets \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no";
        assert!(matches!(refused(policy, "Secret a"), ClusterError::Invalid { .. }));
    }

    #[test]
    fn a_conflict_names_the_other_writer() {
        let said = "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using v1: .spec.hard.pods";
        assert_eq!(conflicting_manager(said), "kubectl-edit");
    }
}
