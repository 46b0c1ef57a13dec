//! Parameters as Stripe takes them: form-encoded, with brackets for what is nested.

use url::form_urlencoded;

/// The parameters of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.0.push((name.into(), value.to_string()));
        self
    }

    pub(crate) fn with_some(self, name: impl Into<String>, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// `name[0]=…&name[1]=…`
    pub(crate) fn with_list<V: ToString>(self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().enumerate().fold(self, |form, (index, value)| {
            form.with(format!("{name}[{index}]"), value)
        })
    }

    /// `name[key]=…`
    pub(crate) fn with_map(self, name: &str, pairs: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        pairs
            .into_iter()
            .fold(self, |form, (key, value)| form.with(format!("{name}[{key}]"), value))
    }

    pub(crate) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_written_with_brackets() {
        let form = Form::new()
            .with("mode", "subscription")
            .with_some("left_out", None::<&str>)
            .with_list("events", ["a.b", "c"])
            .with_map("metadata", [("name", "a & b = \"ü\"".to_owned())]);
        assert_eq!(
            form.encode(),
            "mode=subscription&events%5B0%5D=a.b&events%5B1%5D=c&metadata%5Bname%5D=a+%26+b+%3D+%22%C3%BC%22"
        );
    }
}
