//! The list of settings: each is a key of `trellis.toml`, a variable and a flag.

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Key in `trellis.toml`; the variable and the flag follow from it.
    pub(crate) key: &'static str,
    /// What stands for its value in the help text.
    pub(crate) value_name: &'static str,
    /// One line for the help text.
    pub(crate) help: &'static str,
}

/// Every setting, in the order of `config.default.toml`.
#[rustfmt::skip]
pub(crate) static SETTINGS: &[Setting] = &[
    Setting { key: "listen", value_name: "ADDRESS", help: "Address to listen on; port 0 takes a free one" },
    Setting { key: "max_body_bytes", value_name: "SIZE", help: "Largest request body" },
    Setting { key: "max_import_bytes", value_name: "SIZE", help: "Largest file that an import takes" },
    Setting { key: "max_buffered_bytes", value_name: "SIZE", help: "Memory for the bodies of all requests together" },
    Setting { key: "max_requests", value_name: "N", help: "Requests in work at the same time" },
    Setting { key: "max_streams", value_name: "N", help: "Streams and long polls at the same time" },
    Setting { key: "max_connections", value_name: "N", help: "Connections at the same time" },
    Setting { key: "request_timeout", value_name: "TIME", help: "Longest that a request may take" },
    Setting { key: "header_timeout", value_name: "TIME", help: "Longest wait for a request's head" },
    Setting { key: "trusted_proxy_header", value_name: "HEADER", help: "Header in which a proxy names the client's address" },
    Setting { key: "data_dir", value_name: "FOLDER", help: "Folder of the embedded store, the search indexes and files" },
    Setting { key: "packs_dir", value_name: "FOLDERS", help: "Further folders with packs, separated by `:`" },
    Setting { key: "database_url", value_name: "URL", help: "postgres://… for PostgreSQL instead of the embedded store" },
    Setting { key: "migration_url", value_name: "URL", help: "The same database as the role that owns the schema" },
    Setting { key: "database_connections", value_name: "N", help: "Connections to PostgreSQL" },
    Setting { key: "database_readers", value_name: "N", help: "Readers of the embedded store" },
    Setting { key: "max_export_bytes", value_name: "SIZE", help: "Largest file that an export makes" },
    Setting { key: "first_tenant", value_name: "SLUG", help: "Tenant made on an empty store" },
    Setting { key: "first_token", value_name: "TOKEN", help: "Token of its owner; made and printed once without it" },
    Setting { key: "platform_token", value_name: "TOKEN", help: "Bearer token that may manage tenants" },
    Setting { key: "log_level", value_name: "LEVEL", help: "error, warn, info, debug or trace; also by part, `info,engine=debug`" },
    Setting { key: "log_format", value_name: "FORMAT", help: "pretty or json" },
];

impl Setting {
    /// The setting of that key.
    pub(crate) fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// `TRELLIS_DATA_DIR` for `data_dir`.
    pub(crate) fn variable(&self) -> String {
        format!("TRELLIS_{}", self.key.to_ascii_uppercase())
    }

    /// `data-dir` for `data_dir`.
    pub(crate) fn flag(&self) -> String {
        self.key.replace('_', "-")
    }
}
