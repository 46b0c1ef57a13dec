//! Pages of ours that a person sees on the way between a product and Tenantry: why something that cannot be believed leads
//! nowhere, and a question that only they can answer. They need neither scripts nor files, so they look the same whatever
//! the server was built with; their one style is let in by its hash.

use std::{fmt::Write, sync::LazyLock};

use axum::response::{Html, IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use url::Url;

/// The colours of the web interface, which a page without its files cannot take from there.
const STYLE: &str = "\
:root{color-scheme:light dark;--bg:light-dark(#f4f4f5,#0c0c0f);--card:light-dark(#fff,#131316);\
--line:light-dark(#e4e4e7,#2b2b31);--text:light-dark(#27272a,#e4e4e7);--strong:light-dark(#09090b,#fff);\
--accent:light-dark(#155946,#4aa684);--on-accent:light-dark(#fff,#09090b)}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:1.5rem;\
padding:1.5rem;background:var(--bg);color:var(--text);font:1rem/1.6 ui-sans-serif,system-ui,sans-serif;\
overflow-wrap:anywhere}\
.name{font-weight:600;font-size:1.125rem;color:var(--strong)}\
main{width:100%;max-width:30rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}\
h1{margin:0 0 .75rem;font-size:1.375rem;line-height:1.3;color:var(--strong)}\
p{margin:0 0 1rem}\
form{margin:1.5rem 0 1rem}\
button{width:100%;min-height:2.75rem;padding:.5rem 1rem;border:0;border-radius:.5rem;background:var(--accent);\
color:var(--on-accent);font:inherit;font-weight:600;cursor:pointer}\
a{display:inline-block;padding:.375rem 0;color:var(--accent);text-underline-offset:2px}\
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}\
@media(max-width:30rem){main{padding:1.5rem}}";

static STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", BASE64.encode(Sha256::digest(STYLE.as_bytes()))));

/// Why nothing happens. Both texts are ours.
pub(super) fn refusal(heading: &str, text: &str) -> Response {
    let content = format!("<p>{}</p>\n<p><a href=\"/\">Go to Tenantry</a></p>", escape(text));
    page(StatusCode::BAD_REQUEST, heading, &content, None)
}

/// What a person is asked before anything happens.
pub(super) struct Question<'a> {
    pub(super) heading: &'a str,
    pub(super) paragraphs: &'a [&'a str],
    /// What the button says.
    pub(super) button: &'a str,
    /// What it sends, and where to.
    pub(super) action: &'a str,
    pub(super) fields: &'a [(&'a str, &'a str)],
    /// Where the browser goes on to afterwards: browsers hold redirects against the page's policy, too.
    pub(super) leads_to: &'a str,
    /// What the way out says.
    pub(super) leave: &'a str,
}

impl IntoResponse for Question<'_> {
    fn into_response(self) -> Response {
        let mut content = String::new();
        for paragraph in self.paragraphs {
            let _ = writeln!(content, "<p>{}</p>", escape(paragraph));
        }
        let _ = writeln!(content, "<form method=\"post\" action=\"{}\">", escape(self.action));
        for (name, value) in self.fields {
            let (name, value) = (escape(name), escape(value));
            let _ = writeln!(content, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        }
        let (button, leave) = (escape(self.button), escape(self.leave));
        let _ = write!(
            content,
            "<button type=\"submit\">{button}</button>\n</form>\n<a href=\"/\">{leave}</a>"
        );
        page(StatusCode::OK, self.heading, &content, Some(self.leads_to))
    }
}

fn page(status: StatusCode, heading: &str, content: &str, leads_to: Option<&str>) -> Response {
    let heading = escape(heading);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{heading} · Tenantry</title>\n\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <div class=\"name\">Tenantry</div>\n<main>\n<h1>{heading}</h1>\n{content}\n</main>\n</body>\n</html>\n"
    );
    let mut response = (status, Html(page)).into_response();
    if let Ok(policy) = HeaderValue::try_from(policy(leads_to)) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Stricter than that of other pages, which need scripts and files.
fn policy(leads_to: Option<&str>) -> String {
    let style = STYLE_SOURCE.as_str();
    let mut policy = format!(
        "default-src 'none'; style-src {style}; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "
    );
    match leads_to {
        None => policy.push_str("'none'"),
        Some(address) => {
            policy.push_str("'self'");
            // An origin holds neither spaces nor semicolons.
            if let Some(origin) = Url::parse(address).ok().filter(Url::has_host).map(|url| url.origin()) {
                let _ = write!(policy, " {}", origin.ascii_serialization());
            }
        }
    }
    policy
}

/// Text that is safe between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts_and_the_policy_lets_the_style_in() {
        let hostile = "\"><script>alert('&')</script>";
        let question = Question {
            heading: hostile,
            paragraphs: &[hostile],
            button: hostile,
            action: "/oauth/end-session",
            fields: &[("state", hostile)],
            leads_to: "https://collection.example.com/bye?a='b'; script-src *",
            leave: hostile,
        };
        let response = question.into_response();
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.ends_with("form-action 'self' https://collection.example.com"),
            "{policy}"
        );
        assert!(policy.contains(&format!("style-src {}", *STYLE_SOURCE)), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(
            escape(hostile),
            "&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"
        );
    }
}
