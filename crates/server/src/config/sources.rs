//! Where settings come from, and what is wrong with them together.

use std::{
    env,
    path::{Path, PathBuf},
};

use config::{Config, File, FileFormat};
use tenantry_http::CorsOrigins;
use url::Url;

use super::{
    domains::share_registrable_domain,
    settings::{Configuration, LISTS, VARIABLES},
};

/// A setting that keeps the program from starting. The text says which one and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A value is missing or of the wrong form.
    #[error("{message}")]
    Invalid {
        /// Which, and what would do.
        message: String,
    },
    /// A file that a `…_FILE` variable names cannot be read.
    #[error("{variable} names the file {path}, which cannot be read: {source}")]
    UnreadableFile {
        /// The variable.
        variable: String,
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Tenants would share cookies with Tenantry.
    #[error(
        "tenants would live at {tenant_domain}, under the same registrable domain as {public_host}: a tenant's page could set \
         cookies for Tenantry. Give tenants a domain of their own (TENANTRY_TENANT_DOMAIN)"
    )]
    SharedDomain {
        /// The domain of tenants.
        tenant_domain: String,
        /// The host of Tenantry.
        public_host: String,
    },
}

/// Reads the file, if one is named, then the environment, and checks the whole.
///
/// # Errors
/// With what is wrong and how to mend it.
pub fn load(file: Option<&Path>) -> Result<Configuration, ConfigurationError> {
    load_from(file, |name| env::var(name).ok())
}

fn load_from(
    file: Option<&Path>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Configuration, ConfigurationError> {
    let mut builder = Config::builder();
    if let Some(path) = file {
        builder = builder.add_source(File::from(path).format(FileFormat::Toml).required(true));
    }
    for (setting, name) in VARIABLES {
        let Some(value) = read(name, &variable)? else { continue };
        let overridden = if LISTS.contains(setting) {
            let values: Vec<&str> = value
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .collect();
            builder.set_override(*setting, values)
        } else {
            builder.set_override(*setting, value)
        };
        builder = overridden.map_err(|error| invalid(&error))?;
    }
    let configuration: Configuration = builder
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| invalid(&error))?;
    check(&configuration)?;
    Ok(configuration)
}

/// The value of a variable, or of the file that `NAME_FILE` names. An empty value counts as not set.
fn read(name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Option<String>, ConfigurationError> {
    if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
        return Ok(Some(value));
    }
    let from_file = format!("{name}_FILE");
    // The master keys stay in their file: that setting is the file's path itself.
    let Some(path) = variable(&from_file).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    std::fs::read_to_string(&path)
        .map(|text| Some(text.trim_end().to_owned()))
        .map_err(|source| ConfigurationError::UnreadableFile {
            variable: from_file,
            path: path.display().to_string(),
            source,
        })
}

/// Names the variable beside the setting, because most people set the variable.
fn invalid(error: &config::ConfigError) -> ConfigurationError {
    let text = error.to_string();
    let hint = VARIABLES
        .iter()
        .find(|(setting, _)| text.contains(&format!("`{setting}`")) || text.contains(&format!("\"{setting}\"")))
        .map(|(_, name)| format!(" (environment variable {name})"))
        .unwrap_or_default();
    ConfigurationError::Invalid {
        message: format!("{text}{hint}"),
    }
}

fn check(configuration: &Configuration) -> Result<(), ConfigurationError> {
    let problem = |message: &str| {
        Err(ConfigurationError::Invalid {
            message: message.to_owned(),
        })
    };
    let url = &configuration.public_url;
    let Some(public_host) = url.host_str() else {
        return problem("TENANTRY_PUBLIC_URL needs a host, such as https://console.example.com");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return problem("TENANTRY_PUBLIC_URL begins with https:// (or http:// on this machine)");
    }
    if configuration.operator_listen.is_some() != configuration.operator_url.is_some() {
        return problem(
            "TENANTRY_OPERATOR_LISTEN and TENANTRY_OPERATOR_URL belong together: where operators are served, and the address \
             that they open",
        );
    }
    if configuration
        .operator_url
        .as_ref()
        .is_some_and(|url| !matches!(url.scheme(), "http" | "https") || url.host_str().is_none())
    {
        return problem("TENANTRY_OPERATOR_URL needs https:// and a host, such as https://operators.example.com");
    }
    if let Err(error) = CorsOrigins::parse(&configuration.cors_origins) {
        return problem(&format!("TENANTRY_CORS_ORIGINS: {error}"));
    }
    if !matches!(configuration.tenant_scheme.as_str(), "http" | "https") {
        return problem("TENANTRY_TENANT_SCHEME is http or https");
    }
    if configuration.operation_workers == 0 || configuration.job_workers == 0 || configuration.database_connections < 2
    {
        return problem(
            "TENANTRY_OPERATION_WORKERS and TENANTRY_JOB_WORKERS are at least 1, TENANTRY_DATABASE_CONNECTIONS at least 2",
        );
    }
    // What OWASP still recommends with the fewest means; below it, a stolen table is guessed through.
    if configuration.password_memory_kib < 7 * 1024
        || configuration.password_iterations == 0
        || configuration.password_lanes == 0
        || configuration.password_concurrency == Some(0)
    {
        return problem(
            "TENANTRY_PASSWORD_MEMORY_KIB is at least 7168, TENANTRY_PASSWORD_ITERATIONS, _LANES and _CONCURRENCY at least 1",
        );
    }
    if configuration.audit_checkpoint_secs == 0 || configuration.audit_keep_days < 366 {
        return problem("TENANTRY_AUDIT_CHECKPOINT_SECS is at least 1, TENANTRY_AUDIT_KEEP_DAYS at least 366");
    }
    let operator_host = configuration.operator_url.as_ref().and_then(Url::host_str);
    for host in [Some(public_host), operator_host].into_iter().flatten() {
        if share_registrable_domain(host, &configuration.tenant_domain) {
            return Err(ConfigurationError::SharedDomain {
                tenant_domain: configuration.tenant_domain.clone(),
                public_host: host.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn complete() -> HashMap<&'static str, &'static str> {
        HashMap::from([
            ("TENANTRY_PUBLIC_URL", "https://console.example.com"),
            ("DATABASE_URL", "postgres://app:hush@db/tenantry"),
            ("DATABASE_SYSTEM_URL", "postgres://system:hush@db/tenantry"),
            ("TENANTRY_MASTER_KEY_FILE", "/etc/tenantry/keys"),
            ("STRIPE_SECRET_KEY", "sk_test_hush"),
            ("TENANTRY_TENANT_DOMAIN", "tenants.example.net"),
            ("TENANTRY_SMTP_URL", "smtp://mail:25"),
            ("TENANTRY_MAIL_FROM", "Tenantry <hello@example.com>"),
        ])
    }

    fn load_with(variables: &HashMap<&'static str, &'static str>) -> Result<Configuration, ConfigurationError> {
        load_from(None, |name| variables.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let configuration = load_with(&complete()).unwrap();
        assert_eq!(configuration.listen.port(), 8080);
        assert!(configuration.stripe_webhook_secrets.is_empty());
    }

    #[test]
    fn a_missing_value_is_named_with_its_variable() {
        let mut variables = complete();
        variables.remove("STRIPE_SECRET_KEY");
        let text = load_with(&variables).unwrap_err().to_string();
        assert!(text.contains("STRIPE_SECRET_KEY"), "{text}");
    }

    #[test]
    fn printing_shows_no_secret() {
        let text = format!("{:?}", load_with(&complete()).unwrap());
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn tenants_must_not_share_cookies_with_the_console() {
        let mut variables = complete();
        variables.insert("TENANTRY_TENANT_DOMAIN", "tenants.example.com");
        assert!(matches!(
            load_with(&variables),
            Err(ConfigurationError::SharedDomain { .. })
        ));
    }

    #[test]
    fn operators_have_an_address_with_their_listener_and_away_from_tenants() {
        let mut variables = complete();
        variables.insert("TENANTRY_OPERATOR_LISTEN", "127.0.0.1:8081");
        let text = load_with(&variables).unwrap_err().to_string();
        assert!(text.contains("TENANTRY_OPERATOR_URL"), "{text}");
        variables.insert("TENANTRY_OPERATOR_URL", "https://operators.example.net");
        assert!(matches!(
            load_with(&variables),
            Err(ConfigurationError::SharedDomain { .. })
        ));
        variables.insert("TENANTRY_OPERATOR_URL", "https://operators.example.com");
        assert!(load_with(&variables).unwrap().operator_listen.is_some());
    }

    #[test]
    fn passwords_are_never_hashed_too_cheaply() {
        let usual = load_with(&complete()).unwrap().password_parameters();
        assert_eq!((usual.memory_kib, usual.iterations, usual.lanes), (19 * 1024, 2, 1));
        let mut variables = complete();
        variables.insert("TENANTRY_PASSWORD_MEMORY_KIB", "65536");
        variables.insert("TENANTRY_PASSWORD_CONCURRENCY", "3");
        let raised = load_with(&variables).unwrap().password_parameters();
        assert_eq!((raised.memory_kib, raised.concurrency), (65_536, 3));
        for (variable, value) in [
            ("TENANTRY_PASSWORD_MEMORY_KIB", "64"),
            ("TENANTRY_PASSWORD_ITERATIONS", "0"),
            ("TENANTRY_PASSWORD_CONCURRENCY", "0"),
        ] {
            let mut variables = complete();
            variables.insert(variable, value);
            let text = load_with(&variables).unwrap_err().to_string();
            assert!(text.contains("TENANTRY_PASSWORD"), "{text}");
        }
    }

    #[test]
    fn the_audit_log_is_kept_for_a_year_at_least() {
        assert_eq!(load_with(&complete()).unwrap().audit_keep_days, 400);
        let mut variables = complete();
        variables.insert("TENANTRY_AUDIT_KEEP_DAYS", "365");
        let text = load_with(&variables).unwrap_err().to_string();
        assert!(text.contains("TENANTRY_AUDIT_KEEP_DAYS"), "{text}");
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let mut variables = complete();
        variables.insert("STRIPE_WEBHOOK_SECRETS", "whsec_a, whsec_b");
        assert_eq!(load_with(&variables).unwrap().stripe_webhook_secrets.len(), 2);
    }

    #[test]
    fn other_sites_are_named_exactly_or_not_at_all() {
        assert!(load_with(&complete()).unwrap().cors_origins.is_empty());
        let mut variables = complete();
        variables.insert(
            "TENANTRY_CORS_ORIGINS",
            "https://app.example.com, http://localhost:5173",
        );
        assert_eq!(
            load_with(&variables).unwrap().cors_origins,
            ["https://app.example.com", "http://localhost:5173"]
        );
        for origins in [
            "*",
            "https://*.example.com",
            "https://app.example.com, https://app.example.com/page",
        ] {
            variables.insert("TENANTRY_CORS_ORIGINS", origins);
            let text = load_with(&variables).unwrap_err().to_string();
            assert!(text.starts_with("TENANTRY_CORS_ORIGINS: "), "{text}");
        }
    }
}
