//! Processor time and bytes as people write them: `500m`, `256Mi`.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A quantity that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuantity {
    /// Not processor time.
    #[error("processor time is a number of cores such as 2 or 0.5, or thousandths of one such as 500m")]
    Cpu,
    /// Not a number of bytes.
    #[error("a size is a whole number with Ki, Mi, Gi, Ti, k, M, G or T, such as 256Mi")]
    Bytes,
}

/// Processor time in thousandths of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpu(u64);

impl Cpu {
    /// From thousandths of a core.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// In thousandths of a core.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }
}

impl FromStr for Cpu {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let millis = if let Some(millis) = text.strip_suffix('m') {
            digits(millis)
        } else if let Some((cores, fraction)) = text.split_once('.') {
            decimal(cores, fraction)
        } else {
            digits(text).and_then(|cores| cores.checked_mul(1000))
        };
        millis
            .filter(|millis| *millis > 0)
            .map(Self)
            .ok_or(InvalidQuantity::Cpu)
    }
}

/// `1.25` as 1250; at most three digits after the point.
fn decimal(cores: &str, fraction: &str) -> Option<u64> {
    if fraction.is_empty() || fraction.len() > 3 {
        return None;
    }
    let scale = 10_u64.pow(u32::try_from(3 - fraction.len()).ok()?);
    let thousandths = digits(fraction)?.checked_mul(scale)?;
    digits(cores)?.checked_mul(1000)?.checked_add(thousandths)
}

/// Only digits: no sign, no space.
fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}", self.0 / 1000)
        } else {
            write!(f, "{}m", self.0)
        }
    }
}

/// A size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

const UNITS: [(&str, u64); 8] = [
    ("Ti", 1 << 40),
    ("Gi", 1 << 30),
    ("Mi", 1 << 20),
    ("Ki", 1 << 10),
    ("T", 1_000_000_000_000),
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1_000),
];

impl Bytes {
    /// From a number of bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Bytes {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let (number, factor) = UNITS
            .iter()
            .find_map(|(unit, factor)| text.strip_suffix(unit).map(|number| (number, *factor)))
            .unwrap_or((text, 1));
        digits(number)
            .and_then(|number| number.checked_mul(factor))
            .filter(|bytes| *bytes > 0)
            .map(Self)
            .ok_or(InvalidQuantity::Bytes)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The unit that leaves the shortest number.
        let fitting = UNITS.iter().filter(|(_, factor)| self.0.is_multiple_of(*factor));
        match fitting.max_by_key(|(_, factor)| *factor) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

macro_rules! written_as_text {
    ($name:ident, $pattern:literal, $description:literal, $examples:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($description)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$name, E> {
                        self.visit_str(&number.to_string())
                    }
                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$name, E> {
                        self.visit_str(&number.to_string())
                    }
                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$name, E> {
                        self.visit_str(&number.to_string())
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $description,
                    "type": ["string", "number"],
                    "pattern": $pattern,
                    "examples": $examples,
                })
            }
        }
    };
}

written_as_text!(
    Cpu,
    r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$",
    "Processor time: cores such as 2 or 0.5, or thousandths of one such as 500m.",
    ["500m", "2"]
);
written_as_text!(
    Bytes,
    r"^[0-9]+(Ki|Mi|Gi|Ti|k|M|G|T)?$",
    "A size: a whole number with Ki, Mi, Gi, Ti, k, M, G or T.",
    ["256Mi", "10Gi"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_kubernetes_writes_them() {
        let millis = |text: &str| text.parse::<Cpu>().map(Cpu::millis);
        assert_eq!(millis("500m"), Ok(500));
        assert_eq!(millis("2"), Ok(2000));
        assert_eq!(millis("0.25"), Ok(250));
        for text in [
            "",
            "m",
            "0",
            "-1",
            "+1",
            "1.",
            ".5",
            "1.2345",
            "lots",
            "99999999999999999999",
        ] {
            assert_eq!(millis(text), Err(InvalidQuantity::Cpu), "{text}");
        }
        let bytes = |text: &str| text.parse::<Bytes>().map(Bytes::get);
        assert_eq!(bytes("256Mi"), Ok(256 << 20));
        assert_eq!(bytes("10G"), Ok(10_000_000_000));
        assert_eq!(bytes("1000"), Ok(1000));
        for text in ["", "Mi", "0Gi", "1.5Gi", "-1Mi", "9999999Ti99", "99999999999Ti"] {
            assert_eq!(bytes(text), Err(InvalidQuantity::Bytes), "{text}");
        }
    }

    #[test]
    fn quantities_survive_their_text_form() {
        for text in ["500m", "2", "1250m"] {
            assert_eq!(text.parse::<Cpu>().unwrap().to_string(), text);
        }
        for text in ["256Mi", "10Gi", "10G", "1500", "3k"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
    }
}
