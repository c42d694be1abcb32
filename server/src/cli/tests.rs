use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("trellis").chain(line.split_whitespace()))
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn no_command_is_serve_and_takes_its_flags() {
    assert!(parse("").expect("valid").command.is_none());
    assert!(parse("--listen 127.0.0.1:0").expect("valid").command.is_none());
    assert!(matches!(parse("serve --data-dir /tmp/x").expect("valid").command, Some(Command::Serve(_))));
}

#[test]
fn the_commands_of_the_contract_are_taken() {
    for line in [
        "pack check ./pack",
        "pack apply ./pack --url http://h:1 --token t",
        "tenant create acme --name Acme --profile construction --json",
        "tenant list",
        "token create ci --role viewer --expires 90d",
        "import deals.csv --object deal --map deals.yaml --dry-run",
        "doctor --json",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn wrong_usage_exits_with_two() {
    for line in ["tenent list", "tenant create", "import x.csv", "--listn x", "token create x --expires soon", "export"]
    {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
    assert_eq!(parse("--help").expect_err("help").exit_code(), 0);
    assert_eq!(parse("tenant list --url ftp://x").expect_err("refused").kind(), ErrorKind::ValueValidation);
}

#[test]
fn tokens_are_not_printed() {
    let cli = parse("tenant list --token geheim").expect("valid");
    assert!(!format!("{cli:?}").contains("geheim"));
}
