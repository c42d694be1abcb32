//! Every setting as a flag, and where the file of settings is.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::config::setting::SETTINGS;
use crate::config::{Config, ConfigError, Sources};

/// Flags of a command that needs the server's settings.
#[derive(Debug, Args)]
pub(super) struct ConfigFlags {
    /// File with settings, instead of `trellis.toml` in the current folder [TRELLIS_CONFIG].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingFlags,
}

impl ConfigFlags {
    /// The settings that count.
    pub(super) fn load(self) -> Result<Config, ConfigError> {
        Config::load(&Sources::of_process(self.config, self.settings.0))
    }
}

/// Values of settings by key.
#[derive(Debug)]
struct SettingFlags(Vec<(&'static str, String)>);

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let flag = |setting: &'static crate::config::setting::Setting| {
            let help = format!("{} [{}]", setting.help, setting.variable());
            Arg::new(setting.key)
                .long(setting.flag())
                .value_name(setting.value_name)
                .help(help)
                .help_heading("Settings")
        };
        command.args(SETTINGS.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |key: &'static str| Some((key, matches.get_one::<String>(key)?.clone()));
        Ok(Self(SETTINGS.iter().filter_map(|setting| given(setting.key)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
