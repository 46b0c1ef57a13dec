//! The test cards and test bank accounts that Stripe documents, and what each of them does.

use serde::{Deserialize, Serialize};

use crate::errors::ApiError;

/// What a means of payment does when it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Behavior {
    Succeeds,
    Declined,
    InsufficientFunds,
    LostCard,
    StolenCard,
    ExpiredCard,
    IncorrectCvc,
    ProcessingError,
    /// The bank asks the payer to confirm; later charges without the payer succeed.
    AuthenticatesOnce,
    /// The bank asks the payer to confirm each time.
    AuthenticatesAlways,
    /// Can be saved, but every charge is declined.
    FailsAfterAttaching,
    /// A bank debit that succeeds after a while.
    SettlesLater {
        secs: i64,
    },
    /// A bank debit that fails after a while.
    FailsLater {
        secs: i64,
    },
}

/// A card as the payer typed it, checked.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) brand: &'static str,
    pub(crate) last4: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) behavior: Behavior,
}

/// Reads a card, or says what is wrong with it as Stripe's page does.
pub(crate) fn read_card(
    number: &str,
    expiry: &str,
    cvc: &str,
    year_now: i64,
    month_now: i64,
) -> Result<Card, ApiError> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 13 || digits.len() > 19 || !passes_luhn(&digits) {
        return Err(ApiError::card_declined(
            "incorrect_number",
            None,
            "Your card number is invalid.",
        ));
    }
    let (exp_month, exp_year) = read_expiry(expiry).ok_or_else(|| {
        ApiError::card_declined(
            "invalid_expiry_month",
            None,
            "Your card's expiration date is incomplete.",
        )
    })?;
    if (exp_year, exp_month) < (year_now, month_now) {
        return Err(ApiError::card_declined(
            "invalid_expiry_year",
            None,
            "Your card's expiration date is in the past.",
        ));
    }
    let cvc = cvc.trim();
    if !(3..=4).contains(&cvc.len()) || !cvc.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(ApiError::card_declined(
            "invalid_cvc",
            None,
            "Your card's security code is incomplete.",
        ));
    }
    let brand = match digits.as_bytes().first() {
        Some(b'3') => "amex",
        Some(b'5' | b'2') => "mastercard",
        Some(b'6') => "discover",
        _ => "visa",
    };
    let last4 = digits[digits.len() - 4..].to_owned();
    let behavior = behavior_of_card(&digits).ok_or_else(|| {
        ApiError::card_declined(
            "card_declined",
            Some("test_mode_live_card"),
            "Your card was declined. Your request was in test mode, but used a non test card.",
        )
    })?;
    Ok(Card {
        brand,
        last4,
        exp_month,
        exp_year,
        behavior,
    })
}

fn behavior_of_card(digits: &str) -> Option<Behavior> {
    Some(match digits {
        "4242424242424242" | "4000056655665556" | "5555555555554444" | "2223003122003222" | "5200828282828210"
        | "378282246310005" | "371449635398431" | "6011111111111117" | "4000002760000016" => Behavior::Succeeds,
        "4000000000000002" => Behavior::Declined,
        "4000000000009995" => Behavior::InsufficientFunds,
        "4000000000009987" => Behavior::LostCard,
        "4000000000009979" => Behavior::StolenCard,
        "4000000000000069" => Behavior::ExpiredCard,
        "4000000000000127" => Behavior::IncorrectCvc,
        "4000000000000119" => Behavior::ProcessingError,
        "4000002500003155" | "4000000000003220" | "4000000000003063" | "4000002500001001" => {
            Behavior::AuthenticatesOnce
        }
        "4000002760003184" => Behavior::AuthenticatesAlways,
        "4000000000000341" => Behavior::FailsAfterAttaching,
        _ => return None,
    })
}

fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(position, digit)| {
            let digit = u32::from(digit - b'0');
            match (position % 2, digit * 2) {
                (0, _) => digit,
                (_, doubled) if doubled > 9 => doubled - 9,
                (_, doubled) => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn read_expiry(text: &str) -> Option<(i64, i64)> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (month, year) = match digits.len() {
        4 => (&digits[..2], &digits[2..]),
        6 => (&digits[..2], &digits[2..]),
        _ => return None,
    };
    let month: i64 = month.parse().ok()?;
    let year: i64 = year.parse().ok()?;
    (1..=12)
        .contains(&month)
        .then_some((month, if year < 100 { year + 2_000 } else { year }))
}

/// The test accounts for SEPA debits, by IBAN, and the last four digits.
pub(crate) fn read_iban(iban: &str) -> Result<(String, Behavior), ApiError> {
    let iban: String = iban
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect::<String>()
        .to_uppercase();
    if !(15..=34).contains(&iban.len()) || !iban.is_ascii() {
        return Err(ApiError::card_declined(
            "invalid_bank_account_iban",
            None,
            "Your IBAN is invalid.",
        ));
    }
    let behavior = match &iban[iban.len() - 5..] {
        "73201" | "13000" => Behavior::SettlesLater { secs: 5 },
        "73203" => Behavior::FailsLater { secs: 180 },
        "73202" => Behavior::FailsLater { secs: 5 },
        "73204" => Behavior::SettlesLater { secs: 180 },
        _ => {
            return Err(ApiError::card_declined(
                "bank_account_unusable",
                None,
                "The bank account is not one of Stripe's test accounts.",
            ));
        }
    };
    Ok((iban[iban.len() - 4..].to_owned(), behavior))
}

impl Behavior {
    /// The refusal that a charge with it meets, if it meets one.
    pub(crate) fn refusal(self) -> Option<ApiError> {
        let declined =
            |decline_code, message: &str| Some(ApiError::card_declined("card_declined", Some(decline_code), message));
        match self {
            Self::Declined | Self::FailsAfterAttaching => declined("generic_decline", "Your card was declined."),
            Self::InsufficientFunds => declined("insufficient_funds", "Your card has insufficient funds."),
            Self::LostCard => declined("lost_card", "Your card was declined."),
            Self::StolenCard => declined("stolen_card", "Your card was declined."),
            Self::ExpiredCard => Some(ApiError::card_declined(
                "expired_card",
                Some("expired_card"),
                "Your card has expired.",
            )),
            Self::IncorrectCvc => Some(ApiError::card_declined(
                "incorrect_cvc",
                Some("incorrect_cvc"),
                "Your card's security code is incorrect.",
            )),
            Self::ProcessingError => Some(ApiError::card_declined(
                "processing_error",
                Some("processing_error"),
                "An error occurred while processing your card. Try again in a little bit.",
            )),
            Self::Succeeds
            | Self::AuthenticatesOnce
            | Self::AuthenticatesAlways
            | Self::SettlesLater { .. }
            | Self::FailsLater { .. } => None,
        }
    }

    pub(crate) fn asks_payer(self) -> bool {
        matches!(self, Self::AuthenticatesOnce | Self::AuthenticatesAlways)
    }

    /// After how many seconds a bank debit has its result, and whether that is good.
    pub(crate) fn settlement(self) -> Option<(i64, bool)> {
        match self {
            Self::SettlesLater { secs } => Some((secs, true)),
            Self::FailsLater { secs } => Some((secs, false)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Behavior, read_card, read_iban};

    fn behavior(number: &str) -> Result<Behavior, Option<String>> {
        read_card(number, "12 / 34", "123", 2026, 11)
            .map(|card| card.behavior)
            .map_err(|error| error.body()["code"].as_str().map(str::to_owned))
    }

    #[test]
    fn documented_cards_do_what_they_are_for() {
        assert_eq!(behavior("4242 4242 4242 4242"), Ok(Behavior::Succeeds));
        assert_eq!(behavior("4000000000000002"), Ok(Behavior::Declined));
        assert_eq!(behavior("4000000000009995"), Ok(Behavior::InsufficientFunds));
        assert_eq!(behavior("4000000000000341"), Ok(Behavior::FailsAfterAttaching));
        assert!(behavior("4000002500003155").unwrap().asks_payer());
        assert_eq!(behavior("4242424242424241"), Err(Some("incorrect_number".into())));
        assert_eq!(behavior("4111111111111111"), Err(Some("card_declined".into())));
    }

    #[test]
    fn typing_errors_are_found() {
        let code = |exp, cvc| read_card("4242424242424242", exp, cvc, 2026, 11).unwrap_err().body()["code"].clone();
        assert_eq!(code("10/26", "123"), "invalid_expiry_year");
        assert_eq!(code("1", "123"), "invalid_expiry_month");
        assert_eq!(code("12/2034", "1"), "invalid_cvc");
    }

    #[test]
    fn bank_accounts_settle_or_fail_later() {
        assert_eq!(
            read_iban("AT61 1904 3002 3457 3201").unwrap().1.settlement(),
            Some((5, true))
        );
        assert_eq!(
            read_iban("AT861904300235473202").unwrap().1.settlement(),
            Some((5, false))
        );
        assert!(read_iban("x").is_err());
    }
}
