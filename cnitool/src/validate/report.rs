//! What was found, for people and for programs.

use std::fmt::Write;

use serde::Serialize;

use super::finding::{Finding, Severity, Sheet};
use crate::terminal::{shown, width};

/// Characters of a line that are shown. Configurations that programs write are one long line.
const WIDTH: usize = 100;

/// `file:line:column: error[code]: path: text`, without a line break; `word` instead of the severity's.
pub(crate) fn line(sheet: &Sheet, finding: &Finding, word: &str) -> String {
    let source = &sheet.files[finding.file];
    let position = finding.place.as_ref().map(|place| source.position(place.start));
    let position = position.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    let path = if finding.path.is_empty() { String::new() } else { format!("{}: ", finding.path) };
    format!("{}{position}: {word}[{}]: {path}{}", source.name, finding.code, finding.text)
}

/// Each finding with its line and a mark under it, and a line about all of them.
pub(crate) fn text(sheet: &Sheet, networks: usize) -> String {
    let mut text = String::new();
    for finding in &sheet.findings {
        text.push_str(&line(sheet, finding, finding.severity.word()));
        text.push('\n');
        text.push_str(&marked(sheet, finding));
    }
    let several = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (errors, warnings) = (sheet.count(Severity::Error), sheet.count(Severity::Warning));
    let all = format!("{} in {}", several(networks, "network"), several(sheet.files.len(), "file"));
    let found = match (errors, warnings) {
        (0, 0) => "nothing is wrong".to_owned(),
        (errors, 0) => several(errors, "error"),
        (0, warnings) => several(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", several(errors, "error"), several(warnings, "warning")),
    };
    let _ = writeln!(text, "{all}: {found}");
    text
}

/// The line with a mark under what is meant, as much of it as fits.
fn marked(sheet: &Sheet, finding: &Finding) -> String {
    let Some(place) = &finding.place else { return String::new() };
    let source = &sheet.files[finding.file];
    if source.text.is_empty() {
        return String::new();
    }
    let (line, mark) = source.line_of(place);
    let number = source.position(place.start).0.to_string();
    let characters: Vec<char> = line.chars().collect();
    // What is before the mark is of more help than what is behind it.
    let from = if characters.len() <= WIDTH || mark.end + WIDTH / 5 <= WIDTH {
        0
    } else {
        mark.start.saturating_sub(WIDTH / 2)
    };
    let to = characters.len().min(from + WIDTH);
    let shown: String = characters[from.min(to)..to].iter().map(|&c| printable(c)).collect();
    let before = characters[from.min(mark.start)..mark.start.min(characters.len())].iter();
    let blank: String =
        before.map(|&c| if c == '\t' { "\t".to_owned() } else { " ".repeat(width(c)) }).collect();
    let marked = characters[mark.start.min(to)..mark.end.min(to)].iter();
    let marks = "^".repeat(marked.map(|&c| width(c)).sum::<usize>().max(1));
    let (cut, end) = (if from > 0 { "…" } else { "" }, if to < characters.len() { "…" } else { "" });
    let (gap, indent) = (if from > 0 { " " } else { "" }, " ".repeat(number.len()));
    format!("  {number} | {cut}{shown}{end}\n  {indent} | {gap}{blank}{marks}\n")
}

/// A terminal must not be told anything by a configuration; a tab is what the marks are aligned with.
fn printable(c: char) -> char {
    if c == '\t' { c } else { shown(c) }
}

#[derive(Serialize)]
struct Report<'a> {
    files: Vec<&'a str>,
    findings: Vec<Entry<'a>>,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    severity: &'static str,
    code: &'a str,
    path: &'a str,
    message: &'a str,
    suggestion: Option<&'a str>,
}

/// One object with all of it.
pub(crate) fn json(sheet: &Sheet) -> String {
    let entry = |finding: &'_ Finding| {
        let source = &sheet.files[finding.file];
        let (line, column) = finding.place.as_ref().map(|place| source.position(place.start)).unzip();
        (line, column)
    };
    let entries = sheet.findings.iter().map(|finding| {
        let (line, column) = entry(finding);
        Entry {
            file: &sheet.files[finding.file].name,
            line,
            column,
            severity: finding.severity.word(),
            code: finding.code,
            path: &finding.path,
            message: &finding.text,
            suggestion: finding.meant.as_deref(),
        }
    });
    let report = Report {
        files: sheet.files.iter().map(|source| source.name.as_str()).collect(),
        findings: entries.collect(),
        errors: sheet.count(Severity::Error),
        warnings: sheet.count(Severity::Warning),
    };
    // A struct of texts and numbers can be printed.
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}
