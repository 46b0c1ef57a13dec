//! What the pages share: their frame, and how text and money are written.

const STYLE: &str = include_str!("page.css");

/// A whole page around `body`, which is HTML already.
pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · Stripe stand-in</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <style>{STYLE}</style></head><body><p class=\"banner\">Stripe stand-in: not Stripe, no money moves</p>\
         <main>{body}</main></body></html>"
    )
}

/// An amount in minor units; every currency is written with two decimals here.
pub(crate) fn money(amount: i64, currency: &str) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let minor = amount.unsigned_abs();
    format!(
        "{sign}{}.{:02}&nbsp;{}",
        minor / 100,
        minor % 100,
        escape(&currency.to_uppercase())
    )
}

/// Text made harmless inside HTML, also in attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{escape, money};

    #[test]
    fn text_is_harmless_and_money_readable() {
        assert_eq!(escape("\"><script>'&"), "&quot;&gt;&lt;script&gt;&#39;&amp;");
        assert_eq!(money(-4905, "eur"), "-49.05&nbsp;EUR");
    }
}
