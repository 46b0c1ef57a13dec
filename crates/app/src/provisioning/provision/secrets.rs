//! Step: the tenant's secrets, made once, kept sealed in the ledger, written to the cluster as Secrets.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rand::{TryRng, rngs::SysRng};
use secrecy::SecretString;
use tenantry_domain::provisioning::cluster::{Part, TenantSecret};
use tenantry_operations::{Failure, Step, StepContext, StepError};
use tenantry_postgres::sealed_secrets::{self as table, SealedSecret};
use zeroize::Zeroizing;

use super::{Provision, namespace::keeps_what_is_there};
use crate::{
    App,
    provisioning::{
        blueprint::Blueprint,
        effects, failure,
        steps::{SECRET_SCOPE as SCOPE, Subject, fenced_system, placement},
    },
    sealing::{Place, SealingError},
};

/// 24 of 64 letters are 144 bits.
const LENGTH: usize = 24;
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) struct Secrets;

#[async_trait]
impl Step<Provision> for Secrets {
    const NAME: &'static str = "secrets";
    type Output = ();

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        let app = cx.context();
        let wanted = Blueprint::load(app, cx.params()).await?.workload.secrets;
        let names: Vec<String> = wanted
            .iter()
            .flat_map(|secret| secret.keys.iter().map(|key| stored_name(&secret.name, key)))
            .collect();
        let values = open_or_make(cx, &names).await?;
        for secret in &wanted {
            let entries = secret.keys.iter().filter_map(|key| {
                let value = values.get(&stored_name(&secret.name, key))?;
                Some((key.clone(), value.clone()))
            });
            let secret = TenantSecret {
                name: secret.name.clone(),
                entries: entries.collect(),
            };
            cx.fence().await?;
            app.cluster
                .apply_secret(&placement(cx), &secret)
                .await
                .map_err(failure::of_cluster)?;
        }
        Ok(())
    }

    /// The sealed values stay in the ledger for the next attempt; they go with the tenant.
    async fn undo(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        if keeps_what_is_there(cx)? {
            return Ok(());
        }
        effects::remove_part(cx, Part::Secrets).await
    }
}

/// A Secret's name and a key in it; neither may hold a slash.
fn stored_name(secret: &str, key: &str) -> String {
    format!("{secret}/{key}")
}

/// What the ledger has, after adding what it lacks. Read back after writing, so that of two attempts the first counts.
async fn open_or_make(
    cx: &StepContext<Provision>,
    names: &[String],
) -> Result<BTreeMap<String, SecretString>, StepError> {
    let (app, subject) = (cx.context(), cx.params());
    let owner = subject.tenant.uuid();
    let mut tx = fenced_system(cx, "keep a tenant's sealed secrets").await?;
    let known = table::list(&mut tx, SCOPE, owner).await.map_err(failure::of_database)?;
    for name in names
        .iter()
        .filter(|name| !known.iter().any(|secret| secret.name == **name))
    {
        let made = random_word().map_err(unsealable)?;
        let row = app
            .sealer
            .seal_secret(place(subject, name), made.as_bytes())
            .map_err(unsealable)?;
        table::insert_if_absent(&mut tx, SCOPE, Some(subject.organization), owner, &row)
            .await
            .map_err(failure::of_database)?;
    }
    let stored = table::list(&mut tx, SCOPE, owner).await.map_err(failure::of_database)?;
    tx.commit().await.map_err(failure::of_database)?;
    stored.into_iter().map(|row| open(app, subject, row)).collect()
}

fn open(app: &App, subject: &Subject, row: SealedSecret) -> Result<(String, SecretString), StepError> {
    let name = row.name.clone();
    let opened = app.sealer.open_secret(place(subject, &name), row).map_err(unsealable)?;
    let text = std::str::from_utf8(&opened).map_err(|_| unsealable(SealingError::Tampered))?;
    Ok((name, SecretString::from(text)))
}

fn place<'a>(subject: &Subject, name: &'a str) -> Place<'a> {
    Place {
        scope: SCOPE,
        organization: Some(subject.organization),
        owner: subject.tenant.uuid(),
        name,
    }
}

fn random_word() -> Result<Zeroizing<String>, SealingError> {
    let mut bytes = Zeroizing::new([0_u8; LENGTH]);
    SysRng
        .try_fill_bytes(bytes.as_mut_slice())
        .map_err(|_| SealingError::NoRandomness)?;
    // 64 divides 256, so every letter is equally likely.
    Ok(Zeroizing::new(
        bytes
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte % 64)]))
            .collect(),
    ))
}

fn unsealable(error: SealingError) -> StepError {
    Failure::new("secrets_unusable", "The site's secrets could not be prepared.")
        .technical(error)
        .into_retry()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_long_and_different() {
        let (one, other) = (random_word().unwrap(), random_word().unwrap());
        assert_eq!(one.len(), LENGTH);
        assert_ne!(*one, *other);
    }
}
