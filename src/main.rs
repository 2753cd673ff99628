//! Parses the command line and calls.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use sekisho::cli;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(cli::run(arguments)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr().lock(), "sekisho: {failure}");
            ExitCode::FAILURE
        }
    }
}
