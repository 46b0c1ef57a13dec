//! Amounts of money in the currency's smallest unit.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 code: three upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A text that is not three ASCII letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three letters, such as EUR")]
pub struct InvalidCurrency;

/// Currencies without a smaller unit, as the payment provider treats them.
const ZERO_DECIMAL: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
];

impl Currency {
    /// The code in upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII letters get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many digits stand after the decimal point.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        if ZERO_DECIMAL.contains(&self.code()) { 0 } else { 2 }
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, InvalidCurrency> {
        text.parse()
    }
}

impl std::str::FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self(letters.map(|letter| letter.to_ascii_uppercase())))
            }
            _ => Err(InvalidCurrency),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount in the currency's smallest unit: 4900 EUR is €49.00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Cents, pence, yen: the smallest unit of `currency`.
    pub amount_minor: i64,
    /// What it is counted in.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.currency.decimals();
        let unit = 10_u64.pow(decimals);
        let (sign, amount) = (
            if self.amount_minor < 0 { "-" } else { "" },
            self.amount_minor.unsigned_abs(),
        );
        if decimals == 0 {
            write!(f, "{sign}{amount} {}", self.currency.code())
        } else {
            write!(
                f,
                "{sign}{}.{:02} {}",
                amount / unit,
                amount % unit,
                self.currency.code()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        let euro = |amount_minor| {
            Money {
                amount_minor,
                currency: "eur".parse().unwrap(),
            }
            .to_string()
        };
        assert_eq!(euro(4900), "49.00 EUR");
        assert_eq!(euro(-5), "-0.05 EUR");
        assert_eq!(
            Money {
                amount_minor: 500,
                currency: "JPY".parse().unwrap()
            }
            .to_string(),
            "500 JPY"
        );
    }

    #[test]
    fn a_currency_is_three_letters() {
        assert!("EURO".parse::<Currency>().is_err());
        assert!("E1R".parse::<Currency>().is_err());
    }
}
