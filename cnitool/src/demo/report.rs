//! What the person sees: plain text, at most 80 columns, coloured on a terminal.

use std::fmt::Display;
use std::io::{Write, stdout};

use cni_types::Error;

use crate::output::with_code;
use crate::terminal::Terminal;

const WIDTH: usize = 80;

/// Writes the report and counts what went wrong.
pub(super) struct Report {
    colours: bool,
    failures: u32,
}

/// A colour, as its SGR parameter (ECMA-48).
#[derive(Clone, Copy)]
pub(super) enum Paint {
    Bold,
    Dim,
    Good,
    Bad,
}

impl Report {
    /// Colours go to terminals only, and not where `NO_COLOR` is set.
    pub(super) fn new() -> Self {
        Self { colours: Terminal::of_stdout().has_colour, failures: 0 }
    }

    /// How many steps failed.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// One line. That nobody reads any more is no reason to stop cleaning up, so a failure to write is none.
    pub(super) fn line(&self, text: impl Display) {
        let _ = writeln!(stdout().lock(), "{text}");
    }

    /// An empty line and a headline, with a remark behind it.
    pub(super) fn heading(&self, text: &str, remark: &str) {
        let text = self.paint(Paint::Bold, text);
        self.line(format!("\n{text}{}", self.paint(Paint::Dim, remark)));
    }

    /// A step that worked.
    pub(super) fn good(&self, what: &str, remark: impl Display) {
        self.line(format!("  {what:<10}{}  {remark}", self.paint(Paint::Good, "ok")));
    }

    /// A step that failed: counted, with the error below it.
    pub(super) fn failed(&mut self, what: &str, error: &Error) {
        self.failures += 1;
        self.line(format!("  {what:<10}{}", self.paint(Paint::Bad, "FAILED")));
        self.error(error);
    }

    /// A part of the line above that failed: counted, with the error.
    pub(super) fn failed_above(&mut self, error: &Error) {
        self.failures += 1;
        self.line(format!("    {}", self.paint(Paint::Bad, "FAILED")));
        self.error(error);
    }

    fn error(&self, error: &Error) {
        for line in wrap(&with_code(error), WIDTH - 6) {
            self.line(format!("      {line}"));
        }
    }

    /// Text under a label, wrapped.
    pub(super) fn labelled(&self, label: &str, text: &str, paint: Option<Paint>) {
        for (i, line) in wrap(text, WIDTH - 12).iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let line = paint.map_or_else(|| line.clone(), |paint| self.paint(paint, line));
            self.line(format!("  {label:<10}{line}"));
        }
    }

    pub(super) fn paint(&self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Bold => 1,
            Paint::Dim => 2,
            Paint::Good => 32,
            Paint::Bad => 31,
        };
        if self.colours && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Breaks a text into lines of at most `width` columns, at spaces where there are any.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaa b", 3), ["aaaaaaa", "b"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
