//! The product's program, which ends together with the test that started it.

use std::process::ExitCode;

// The allocator belongs to a program, not to a library: the same as the product's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    tests::end_with_parent();
    server::main()
}
