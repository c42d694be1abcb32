//! Running other programs, and telling what they said when they fail.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Error;

/// Runs `command` to its end and gives what it wrote.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let program = program(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::new(format!("could not run `{program}`: {error}")))?;
    finish(&program, &output)
}

/// Runs `command` with `input`, which must be shorter than a pipe holds.
pub(crate) fn output_of(command: &mut Command, input: &str) -> Result<String, Error> {
    let program = program(command);
    let fail = |error| Error::new(format!("could not run `{program}`: {error}"));
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(fail)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(fail)?;
    }
    finish(&program, &child.wait_with_output().map_err(fail)?)
}

/// Whether the process `pid` runs, whoever owns it.
pub(crate) fn is_alive(pid: &str) -> bool {
    let kill = Command::new("sh").args(["-c", "kill -0 \"$1\"", "sh", pid]).stderr(Stdio::null()).status();
    kill.is_ok_and(|status| status.success())
}

/// A word nobody guesses, for passwords: 32 hexadecimal digits.
pub(crate) fn random_word() -> Result<String, Error> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 16];
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Error::io("read", source, &error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn program(command: &Command) -> String {
    Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn finish(program: &str, output: &std::process::Output) -> Result<String, Error> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(Error::new(format!("`{program}` failed ({}): {}", output.status, said.trim())))
}
