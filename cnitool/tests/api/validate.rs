//! `cnitool validate` and `cnitool schema`, as they are run.

mod forms;
mod input;
mod mutations;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// One entry of the report for programs.
#[derive(Debug)]
struct Finding {
    file: String,
    line: usize,
    column: usize,
    severity: String,
    code: String,
    message: String,
}

fn cnitool(arguments: &[&str], paths: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cnitool")).args(arguments).args(paths).output().unwrap()
}

/// Runs `validate` on the paths; the exit status and what was found.
fn validate(options: &[&str], paths: &[PathBuf]) -> (i32, Vec<Finding>) {
    let output = cnitool(&[&["validate"], options].concat(), paths);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap_or_default()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let finding = |value: &Value| Finding {
        file: text(&value["file"]),
        line: number(&value["line"]),
        column: number(&value["column"]),
        severity: text(&value["severity"]),
        code: text(&value["code"]),
        message: text(&value["message"]),
    };
    (output.status.code().unwrap(), report["findings"].as_array().unwrap().iter().map(finding).collect())
}
