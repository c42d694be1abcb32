//! The product's program, which ends together with the test that started it.

use std::process::ExitCode;

fn main() -> ExitCode {
    tests::end_with_parent();
    server::main()
}
