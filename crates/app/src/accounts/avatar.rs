//! The picture of a person.

use sha2::{Digest, Sha256};
use tenantry_postgres::accounts::{
    avatars::{self, AvatarRow},
    profiles,
};

use super::{InvalidImage, Profile, UserSession, Visitor, avatar_image};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// A picture as it is kept.
pub type Avatar = AvatarRow;

/// Why a picture is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SetAvatarError {
    /// The file is at fault.
    #[error(transparent)]
    Invalid(#[from] InvalidImage),
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Draws the picture in this file anew and keeps that.
///
/// # Errors
/// When the file is no picture.
pub async fn set_avatar(
    app: &App,
    session: &UserSession,
    file: Vec<u8>,
    visitor: &Visitor,
) -> Result<Profile, SetAvatarError> {
    // A picture takes a lot of memory for a moment: a few at a time.
    let permit = app.drawing_permit().await?;
    let drawn = tokio::task::spawn_blocking(move || {
        let drawn = avatar_image::redraw(&file);
        drop(permit);
        drawn
    })
    .await;
    // A decoder that gives up in the middle has met a file that is none.
    let kept = drawn.unwrap_or(Err(InvalidImage::Damaged))?;
    let avatar = Avatar {
        content_type: kept.content_type.to_owned(),
        sha256: Sha256::digest(&kept.bytes).to_vec(),
        bytes: kept.bytes,
    };
    Ok(keep(app, session, &avatar, visitor).await?)
}

async fn keep(app: &App, session: &UserSession, avatar: &Avatar, visitor: &Visitor) -> Result<Profile, Fault> {
    let mut tx = app.database.user(session.user).await?;
    avatars::set(&mut tx, session.user, avatar, app.clock.now()).await?;
    let act = Act::new("avatar.changed", session.user)
        .user(session.user)
        .address(visitor.address);
    audit::record(app, &mut tx, act).await?;
    let profile = profiles::get(&mut tx, session.user).await?;
    tx.commit().await?;
    Ok(profile)
}

/// Removes the picture; done twice is done.
///
/// # Errors
/// The database's.
pub async fn remove_avatar(app: &App, session: &UserSession, visitor: &Visitor) -> Result<Profile, Fault> {
    let mut tx = app.database.user(session.user).await?;
    if avatars::delete(&mut tx, session.user).await? {
        let act = Act::new("avatar.removed", session.user)
            .user(session.user)
            .address(visitor.address);
        audit::record(app, &mut tx, act).await?;
    }
    let profile = profiles::get(&mut tx, session.user).await?;
    tx.commit().await?;
    Ok(profile)
}

/// The picture of the session's user.
///
/// # Errors
/// The database's.
pub async fn find_avatar(app: &App, session: &UserSession) -> Result<Option<Avatar>, Fault> {
    let mut tx = app.database.user(session.user).await?;
    Ok(avatars::find(&mut tx, session.user).await?)
}
