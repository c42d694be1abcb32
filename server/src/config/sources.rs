//! Where settings come from. The only module of the server that reads the process's environment.

use std::ffi::OsString;
use std::path::PathBuf;

/// Values given for settings, before they are read.
#[derive(Debug, Default)]
pub struct Sources {
    /// A file named by the user; it must exist. Without it `trellis.toml` is taken where there is one.
    pub file: Option<PathBuf>,
    /// Folder in which `trellis.toml` is looked for.
    pub folder: PathBuf,
    /// Variables by name; those that do not begin with `TRELLIS_` are nobody's business.
    pub variables: Vec<(OsString, OsString)>,
    /// Flags by the setting's key.
    pub flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// What this process was given: its flags, its variables, and `trellis.toml` in the current folder.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        let variables = std::env::vars_os().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>();
        let named = || variables.iter().find(|(name, _)| name == "TRELLIS_CONFIG").map(|(_, value)| value.into());
        Self { file: file.or_else(named), folder: PathBuf::from("."), variables, flags }
    }
}
