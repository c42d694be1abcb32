//! Lays defaults, file, variables and flags over each other and remembers where each value comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use engine::model::name::did_you_mean;

use super::setting::{SETTINGS, Setting};
use super::sources::Sources;

const DEFAULTS: &str = include_str!("../../config.default.toml");

/// Variables that other parts of the program read.
const OTHER_VARIABLES: &[&str] = &["TRELLIS_CONFIG", "TRELLIS_URL", "TRELLIS_TOKEN"];

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    File(PathBuf),
    Variable(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("the defaults"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Variable(name) => write!(formatter, "the variable {name}"),
            Self::Flag(name) => write!(formatter, "the flag --{name}"),
        }
    }
}

/// A value as text, and where it was given.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// The value that counts for each key.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) values: BTreeMap<&'static str, Given>,
    pub(super) problems: Vec<String>,
    /// What looks like a mistake but may not be one.
    pub(super) warnings: Vec<String>,
}

impl Layers {
    pub(super) fn of(sources: &Sources) -> Self {
        let mut layers = Self::default();
        layers.add_toml(DEFAULTS, &Origin::Default);
        layers.add_file(sources);
        layers.add_variables(sources);
        for (key, text) in &sources.flags {
            let Some(setting) = Setting::find(key) else { continue };
            layers.set(setting, text.clone(), Origin::Flag(setting.flag()));
        }
        layers
    }

    fn set(&mut self, setting: &Setting, text: String, origin: Origin) {
        self.values.insert(setting.key, Given { text, origin });
    }

    fn add_file(&mut self, sources: &Sources) {
        let path = sources.file.clone().unwrap_or_else(|| sources.folder.join("trellis.toml"));
        match std::fs::read_to_string(&path) {
            Ok(text) => self.add_toml(&text, &Origin::File(path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && sources.file.is_none() => {}
            Err(error) => self.problems.push(format!("{} cannot be read: {error}", path.display())),
        }
    }

    fn add_toml(&mut self, text: &str, origin: &Origin) {
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => return self.problems.push(located(&error, text, origin)),
        };
        for (key, value) in table {
            let Some(setting) = Setting::find(&key) else {
                let hint = did_you_mean(&key, SETTINGS.iter().map(|setting| setting.key));
                self.problems.push(format!("{origin}: `{key}` is no setting{hint}"));
                continue;
            };
            match value {
                toml::Value::String(text) => self.set(setting, text, origin.clone()),
                toml::Value::Integer(number) => self.set(setting, number.to_string(), origin.clone()),
                toml::Value::Boolean(_)
                | toml::Value::Float(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_)
                | toml::Value::Table(_) => {
                    self.problems.push(format!("{origin}: `{key}` takes a text or a whole number"));
                }
            }
        }
    }

    fn add_variables(&mut self, sources: &Sources) {
        for (name, value) in &sources.variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with("TRELLIS_")) else { continue };
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
                self.warn_of_variable(name);
                continue;
            };
            match value.to_str() {
                // Compose files and the like set empty variables where they mean none.
                Some("") => {}
                Some(text) => self.set(setting, text.to_owned(), Origin::Variable(name.to_owned())),
                None => self.problems.push(format!("the variable {name} is not UTF-8")),
            }
        }
    }

    /// Other programs have variables of this prefix too, so an unknown one is no error.
    fn warn_of_variable(&mut self, name: &str) {
        if OTHER_VARIABLES.contains(&name) {
            return;
        }
        let key = name.trim_start_matches("TRELLIS_").to_ascii_lowercase();
        let nearest = engine::model::nearest(&key, SETTINGS.iter().map(|setting| setting.key));
        let hint = nearest
            .and_then(Setting::find)
            .map_or_else(String::new, |setting| format!("; did you mean `{}`?", setting.variable()));
        self.warnings.push(format!("the variable `{name}` is no setting and is ignored{hint}"));
    }
}

/// Says where the file is broken without repeating the line, which may hold a password.
fn located(error: &toml::de::Error, text: &str, origin: &Origin) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    format!("{origin}: line {line}, column {column}: {}", error.message().replace('\n', "; "))
}

/// The keys that `config.default.toml` explains, those commented out included.
#[cfg(test)]
pub(super) fn documented_keys() -> Vec<&'static str> {
    let settings = DEFAULTS.lines().filter(|line| line.contains(" = "));
    settings.filter_map(|line| line.trim_start_matches("# ").split(" = ").next()).collect()
}
