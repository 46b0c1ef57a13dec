//! What people say of themselves.

use serde_json::json;
use tenantry_domain::{
    accounts::{Locale, NotificationChange, TimeZone},
    display_name::DisplayName,
    mail::Message,
};
use tenantry_postgres::{
    Scoped,
    accounts::{
        known_devices,
        profiles::{self, ProfileRow},
        users,
    },
};

use super::{UserSession, Visitor};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

/// A person, as they see themselves.
pub type Profile = ProfileRow;

/// What changes; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// Their name.
    pub name: Option<DisplayName>,
    /// The language they read.
    pub locale: Option<Locale>,
    /// Where their day begins.
    pub time_zone: Option<TimeZone>,
    /// Which mails they want.
    pub notifications: NotificationChange,
}

impl ProfileChange {
    /// The names of what changes, for the audit log: what it changes to is the person's own business.
    fn members(&self) -> Vec<&'static str> {
        [
            ("name", self.name.is_some()),
            ("locale", self.locale.is_some()),
            ("time_zone", self.time_zone.is_some()),
            ("notifications", self.notifications != NotificationChange::default()),
        ]
        .into_iter()
        .filter_map(|(name, changes)| changes.then_some(name))
        .collect()
    }
}

/// The profile of the session's user.
///
/// # Errors
/// The database's.
pub async fn get_profile(app: &App, session: &UserSession) -> Result<Profile, Fault> {
    let mut tx = app.database.user(session.user).await?;
    Ok(profiles::get(&mut tx, session.user).await?)
}

/// Changes the profile, and returns it. Its owner gets a mail when alerts for new devices end.
///
/// # Errors
/// The database's.
pub async fn change_profile(
    app: &App,
    session: &UserSession,
    change: &ProfileChange,
    visitor: &Visitor,
) -> Result<Profile, Fault> {
    if change.notifications.new_device == Some(false) {
        return change_without_alerts(app, session, change, visitor).await;
    }
    let mut tx = app.database.user(session.user).await?;
    let profile = write(app, &mut tx, session, change, visitor).await?;
    tx.commit().await?;
    Ok(profile)
}

/// The same where alerts for new devices end. Whoever has stolen a session would end them first, so their owner is told.
async fn change_without_alerts(
    app: &App,
    session: &UserSession,
    change: &ProfileChange,
    visitor: &Visitor,
) -> Result<Profile, Fault> {
    // Mail is queued by the system alone.
    let mut tx = app.database.system("end somebody's alerts, and tell them").await?;
    // Of two at once one ends them.
    let is_there = users::lock(&mut tx, session.user).await?;
    let were_on = is_there && known_devices::tells(&mut tx, session.user).await?;
    let profile = write(app, &mut tx, session, change, visitor).await?;
    if were_on {
        let now = app.clock.now();
        let message = Message::DeviceAlertsOff {
            at: mail::written(now),
            link: app.settings.link("/account/sessions"),
        };
        let cause = format!("device_alerts_off:{}:{}", session.user, now.timestamp_micros());
        mail::queue(&mut tx, app, &cause, &profile.email, message).await?;
    }
    tx.commit().await?;
    Ok(profile)
}

async fn write<T: Scoped>(
    app: &App,
    tx: &mut T,
    session: &UserSession,
    change: &ProfileChange,
    visitor: &Visitor,
) -> Result<Profile, Fault> {
    let members = change.members();
    if !members.is_empty() {
        let row = profiles::ProfileChange {
            name: change.name.as_ref().map(DisplayName::as_str),
            locale: change.locale.as_ref().map(Locale::as_str),
            time_zone: change.time_zone.map(TimeZone::as_str),
            notifications: change.notifications,
        };
        profiles::update(tx.session(), session.user, &row).await?;
        let act = Act::new("profile.changed", session.user)
            .user(session.user)
            .address(visitor.address)
            .body(json!({ "members": members }));
        audit::record(app, &mut *tx, act).await?;
    }
    Ok(profiles::get(tx.session(), session.user).await?)
}
