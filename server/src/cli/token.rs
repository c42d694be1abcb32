//! `trellis token create`.

use std::process::ExitCode;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::{client, output};
use crate::config::ClientFlags;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Token {
    /// Make a token and print its secret, which is shown only now.
    Create(Create),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// What it is for.
    name: String,
    /// Role: owner, admin, member, viewer, or another one that there is; the role of the user it belongs to without it.
    #[arg(long)]
    role: Option<String>,
    /// When it ends: `2027-01-31`, `2027-01-31T12:00:00Z`, or after `90d` or `12h`; never without it.
    #[arg(long, value_parser = expiry)]
    expires: Option<DateTime<Utc>>,
    #[command(flatten)]
    client: ClientFlags,
}

impl Token {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(create) => create.run(),
        }
    }
}

impl Create {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut body = Map::from_iter([("name".to_owned(), Value::from(self.name.as_str()))]);
        body.extend(self.role.map(|role| ("role".to_owned(), Value::from(role))));
        let expires = self.expires.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true));
        body.extend(expires.map(|at| ("expires_at".to_owned(), Value::from(at))));
        let made = client::run(&self.client, async |client| client.post("/tokens", &Value::Object(body)).await)?;
        if self.client.json {
            output::json(&made)?;
        } else {
            output::note(&format!("made the token `{}`; its secret is shown only now:", self.name));
            output::line(made["secret"].as_str().unwrap_or_default());
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn expiry(text: &str) -> Result<DateTime<Utc>, String> {
    read_expiry(text, Utc::now()).ok_or_else(|| "write `2027-01-31`, `2027-01-31T12:00:00Z`, `90d` or `12h`".to_owned())
}

fn read_expiry(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.with_timezone(&Utc));
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    let after = match text.strip_suffix('d') {
        Some(days) => Duration::try_days(days.parse().ok()?)?,
        None => Duration::try_hours(text.strip_suffix('h')?.parse().ok()?)?,
    };
    now.checked_add_signed(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_day_a_moment_or_a_while() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).expect("a moment").with_timezone(&Utc);
        let now = at("2026-03-01T10:00:00Z");
        assert_eq!(read_expiry("2027-01-31", now), Some(at("2027-01-31T00:00:00Z")));
        assert_eq!(read_expiry("2027-01-31T12:00:00+02:00", now), Some(at("2027-01-31T10:00:00Z")));
        assert_eq!(read_expiry("90d", now), Some(at("2026-05-30T10:00:00Z")));
        assert_eq!(read_expiry("12h", now), Some(at("2026-03-01T22:00:00Z")));
        for wrong in ["", "soon", "d", "12", "99999999999999d", "2027-02-30"] {
            assert_eq!(read_expiry(wrong, now), None, "{wrong}");
        }
    }
}
