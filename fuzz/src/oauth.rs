//! Queries and forms of OAuth, and the addresses that browsers are sent back to with what they held.

use http::header;
use tenantry_http::readers::oidc::{Form, send_to};
use url::{Url, form_urlencoded};

const CALLBACKS: [&str; 2] = [
    "https://collection.example.com/auth/callback",
    "https://pages.example.com/cb?kind=oidc",
];

pub(crate) fn run(data: &[u8]) {
    let form = Form::parse(data);
    let again = Form::parse(form.query().as_bytes());
    assert_eq!(again.repeated(), None, "what is written names nothing twice");
    let with_more = form.query_with(&["prompt"], ("proven_since", "17"));
    let with_more = Form::parse(with_more.as_bytes());
    assert_eq!(
        (with_more.repeated(), with_more.get("proven_since")),
        (None, Some("17"))
    );
    assert_eq!(with_more.get("prompt"), None);
    for (name, _) in form_urlencoded::parse(data) {
        let value = form.get(&name);
        assert!(value.is_none_or(|value| !value.is_empty() && !value.contains('\0')));
        assert_eq!(again.get(&name), value, "{name}");
        if name != "prompt" && name != "proven_since" {
            assert_eq!(with_more.get(&name), value, "{name}");
        }
    }
    let state = form.get("state").unwrap_or_default();
    for callback in CALLBACKS {
        let response = send_to(callback, &[("code", "c-1"), ("state", state)]);
        let location = response.headers()[header::LOCATION].to_str().unwrap();
        let sent = Url::parse(location).unwrap();
        let registered = Url::parse(callback).unwrap();
        assert_eq!((sent.origin(), sent.path()), (registered.origin(), registered.path()));
        assert_eq!(sent.fragment(), None);
        let states: Vec<_> = sent
            .query_pairs()
            .filter(|(name, _)| name == "state")
            .map(|(_, value)| value)
            .collect();
        assert_eq!(states, [state], "the state comes back as it was");
    }
}
