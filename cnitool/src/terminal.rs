//! What stdout is connected to.

use std::io::IsTerminal;

/// The width and the means of what is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Characters in a line; `None` for a file or a pipe.
    pub(crate) columns: Option<usize>,
    pub(crate) has_colour: bool,
}

impl Terminal {
    /// Stdout. Colour is for terminals, and not where `NO_COLOR` is set.
    pub(crate) fn of_stdout() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { columns: is_terminal.then(columns), has_colour: is_terminal && !wants_none }
    }

    /// The same with lines of any length.
    pub(crate) fn endless(self) -> Self {
        Self { columns: None, ..self }
    }

    /// The text in red.
    pub(crate) fn red(self, text: &str) -> String {
        if self.has_colour { format!("\x1b[31m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn columns() -> usize {
    // SAFETY: all zeros is a valid `winsize`, and TIOCGWINSZ writes nothing else.
    let columns = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) == 0).then_some(size.ws_col)
    };
    columns.filter(|columns| *columns > 0).map_or(80, usize::from)
}

/// Names and files may hold anything; a terminal obeys some of it.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// The same of one character.
pub(crate) fn shown(c: char) -> char {
    if c.is_control() { '\u{fffd}' } else { c }
}

/// How many columns a character takes, for the marks under a line: what East Asian scripts and pictures take, roughly.
pub(crate) fn width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}
