//! How much of a cluster a tenant may take, by its plan.

use serde::{Deserialize, Serialize};

/// The bounds of a tenant's namespace. Part of a plan in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Sum of the CPU requests of all containers, in thousandths of a core.
    #[schemars(range(min = 10))]
    pub requests_cpu_milli: u64,
    /// Sum of the memory requests of all containers.
    #[schemars(range(min = 16_777_216))]
    pub requests_memory_bytes: u64,
    /// Sum of the CPU limits of all containers, in thousandths of a core.
    #[schemars(range(min = 10))]
    pub limits_cpu_milli: u64,
    /// Sum of the memory limits of all containers.
    #[schemars(range(min = 16_777_216))]
    pub limits_memory_bytes: u64,
    /// Sum of all volume claims; 0 for a product that keeps nothing on disk.
    pub storage_bytes: u64,
    /// How many pods may exist at once. An update runs old and new side by side, so 1 is never enough.
    #[schemars(range(min = 2))]
    pub pods: u32,
}

/// What a quota cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuota {
    /// A container may not request more than it is limited to.
    #[error("{0}: the requests are larger than the limits")]
    RequestsAboveLimits(&'static str),
    /// Not enough for two pods side by side.
    #[error("{0} is too small to run two pods side by side, which every update needs")]
    TooSmall(&'static str),
}

/// Requests and limits of one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerShare {
    /// In thousandths of a core.
    pub request_cpu_milli: u64,
    /// In bytes.
    pub request_memory_bytes: u64,
    /// In thousandths of a core.
    pub limit_cpu_milli: u64,
    /// In bytes.
    pub limit_memory_bytes: u64,
}

/// Pods that must fit at once: the one that runs and the one that replaces it.
const SIDE_BY_SIDE: u64 = 2;
const SMALLEST_CPU_MILLI: u64 = 5;
const SMALLEST_MEMORY_BYTES: u64 = 8 << 20;

impl Quota {
    /// Refuses bounds under which no pod could run.
    ///
    /// # Errors
    /// With the field that is wrong.
    pub fn check(&self) -> Result<(), InvalidQuota> {
        if self.requests_cpu_milli > self.limits_cpu_milli {
            return Err(InvalidQuota::RequestsAboveLimits("cpu"));
        }
        if self.requests_memory_bytes > self.limits_memory_bytes {
            return Err(InvalidQuota::RequestsAboveLimits("memory"));
        }
        if self.requests_cpu_milli < SIDE_BY_SIDE * SMALLEST_CPU_MILLI {
            return Err(InvalidQuota::TooSmall("requests_cpu_milli"));
        }
        if self.requests_memory_bytes < SIDE_BY_SIDE * SMALLEST_MEMORY_BYTES {
            return Err(InvalidQuota::TooSmall("requests_memory_bytes"));
        }
        if u64::from(self.pods) < SIDE_BY_SIDE {
            return Err(InvalidQuota::TooSmall("pods"));
        }
        Ok(())
    }

    /// What a container gets that asks for nothing itself, and what the product's own container is given: so much that
    /// an update, which runs two side by side, still fits.
    #[must_use]
    pub const fn container_share(&self) -> ContainerShare {
        ContainerShare {
            request_cpu_milli: self.requests_cpu_milli / SIDE_BY_SIDE,
            request_memory_bytes: self.requests_memory_bytes / SIDE_BY_SIDE,
            limit_cpu_milli: self.limits_cpu_milli / SIDE_BY_SIDE,
            limit_memory_bytes: self.limits_memory_bytes / SIDE_BY_SIDE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Quota = Quota {
        requests_cpu_milli: 100,
        requests_memory_bytes: 128 << 20,
        limits_cpu_milli: 1000,
        limits_memory_bytes: 256 << 20,
        storage_bytes: 0,
        pods: 4,
    };

    #[test]
    fn two_containers_fit() {
        SMALL.check().unwrap();
        let share = SMALL.container_share();
        assert!(2 * share.limit_memory_bytes <= SMALL.limits_memory_bytes);
        assert!(2 * share.request_cpu_milli <= SMALL.requests_cpu_milli);
    }

    #[test]
    fn bounds_that_nothing_fits_in_are_refused() {
        assert_eq!(Quota { pods: 1, ..SMALL }.check(), Err(InvalidQuota::TooSmall("pods")));
        assert_eq!(
            Quota {
                limits_cpu_milli: 50,
                ..SMALL
            }
            .check(),
            Err(InvalidQuota::RequestsAboveLimits("cpu"))
        );
    }

    #[test]
    fn negative_numbers_and_unknown_fields_are_refused() {
        let mut text = serde_json::to_value(SMALL).unwrap();
        text["pods"] = (-1).into();
        assert!(serde_json::from_value::<Quota>(text.clone()).is_err());
        text["pods"] = 2.into();
        text["gpus"] = 2.into();
        assert!(serde_json::from_value::<Quota>(text).is_err());
    }
}
