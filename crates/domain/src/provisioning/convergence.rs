//! From what is wanted, what the ledger says and what the cluster shows: what to do next.

use chrono::{DateTime, Utc};

use super::{DesiredState, TenantState};

/// What the cluster shows of a tenant. Unknown is a value: nobody has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// Nobody has looked.
    Unknown,
    /// Its namespace is there, and something runs in it.
    Present,
    /// It has no namespace, or nothing that runs in it.
    Missing,
}

/// Whether an operation on the tenant has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// None: the tenant is free.
    Idle,
    /// One is at work: whatever is to be done is done when it ends.
    AtWork,
    /// One waits for a person. Only a removal passes it by: nobody mends what is to go.
    Stuck,
}

/// All that the decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// What entitlements and people want.
    pub desired: DesiredState,
    /// What the ledger says.
    pub state: TenantState,
    /// What the cluster shows.
    pub observed: Observed,
    /// What goes on with it.
    pub activity: Activity,
    /// When the next attempt may begin, after one that failed.
    pub retry_at: Option<DateTime<Utc>>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Nothing.
    Rest,
    /// Look again then.
    WaitUntil(DateTime<Utc>),
    /// Make it, or what is missing of it.
    Provision,
    /// Remove it.
    Deprovision,
}

impl Situation {
    /// What to do at `now`.
    #[must_use]
    pub fn next_step(&self, now: DateTime<Utc>) -> NextStep {
        use TenantState::{Active, Deleted, Deprovisioning, Failed, Pending, Provisioning, Suspended, Upgrading};
        let at_its_time = |step| match self.retry_at {
            Some(at) if at > now => NextStep::WaitUntil(at),
            _ => step,
        };
        match self.activity {
            Activity::Idle => {}
            Activity::Stuck if self.desired == DesiredState::Deleted => {}
            Activity::AtWork | Activity::Stuck => return NextStep::Rest,
        }
        match (self.desired, self.state) {
            (_, Deleted) => NextStep::Rest,
            (DesiredState::Deleted, _) => at_its_time(NextStep::Deprovision),
            // An attempt without an appointment waits for a person.
            (DesiredState::Running, Failed) if self.retry_at.is_some() => at_its_time(NextStep::Provision),
            (DesiredState::Running, Active) if self.observed == Observed::Missing => NextStep::Provision,
            // Nobody has paid for a pending one yet, or its operation is queued by whoever saw the payment.
            (
                DesiredState::Running | DesiredState::Suspended,
                Pending | Provisioning | Active | Upgrading | Suspended | Deprovisioning | Failed,
            ) => NextStep::Rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn next(desired: DesiredState, state: TenantState, observed: Observed, retry_in: Option<i64>) -> NextStep {
        let retry_at = retry_in.map(|hours| NOW + TimeDelta::hours(hours));
        Situation {
            desired,
            state,
            observed,
            activity: Activity::Idle,
            retry_at,
        }
        .next_step(NOW)
    }

    #[test]
    fn a_missing_namespace_is_made_again() {
        assert_eq!(
            next(DesiredState::Running, TenantState::Active, Observed::Missing, None),
            NextStep::Provision
        );
        assert_eq!(
            next(DesiredState::Running, TenantState::Active, Observed::Present, None),
            NextStep::Rest
        );
        assert_eq!(
            next(DesiredState::Running, TenantState::Active, Observed::Unknown, None),
            NextStep::Rest
        );
    }

    #[test]
    fn a_failed_attempt_is_repeated_at_its_time_and_only_then() {
        let failed = |retry_in| next(DesiredState::Running, TenantState::Failed, Observed::Unknown, retry_in);
        assert_eq!(failed(Some(1)), NextStep::WaitUntil(NOW + TimeDelta::hours(1)));
        assert_eq!(failed(Some(0)), NextStep::Provision);
        assert_eq!(failed(None), NextStep::Rest);
    }

    #[test]
    fn what_should_be_gone_goes_from_any_state() {
        for state in [
            TenantState::Pending,
            TenantState::Active,
            TenantState::Failed,
            TenantState::Deprovisioning,
        ] {
            assert_eq!(
                next(DesiredState::Deleted, state, Observed::Unknown, None),
                NextStep::Deprovision
            );
        }
        assert_eq!(
            next(DesiredState::Deleted, TenantState::Deleted, Observed::Present, None),
            NextStep::Rest
        );
    }

    #[test]
    fn nothing_begins_while_an_operation_is_at_work() {
        for desired in DesiredState::ALL {
            for state in TenantState::ALL {
                let situation = Situation {
                    desired: *desired,
                    state: *state,
                    observed: Observed::Missing,
                    activity: Activity::AtWork,
                    retry_at: None,
                };
                assert_eq!(situation.next_step(NOW), NextStep::Rest);
            }
        }
    }

    #[test]
    fn only_a_removal_passes_by_what_is_stuck() {
        let stuck = |desired, retry_in: Option<i64>| {
            Situation {
                desired,
                state: TenantState::Failed,
                observed: Observed::Unknown,
                activity: Activity::Stuck,
                retry_at: retry_in.map(|hours| NOW + TimeDelta::hours(hours)),
            }
            .next_step(NOW)
        };
        assert_eq!(stuck(DesiredState::Deleted, None), NextStep::Deprovision);
        assert_eq!(
            stuck(DesiredState::Deleted, Some(1)),
            NextStep::WaitUntil(NOW + TimeDelta::hours(1))
        );
        assert_eq!(stuck(DesiredState::Running, Some(0)), NextStep::Rest);
        assert_eq!(stuck(DesiredState::Suspended, None), NextStep::Rest);
    }
}
