//! What validation finds, and the sheet it is noted on.

use std::ops::Range;

use super::document::Node;
use super::source::Source;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// It cannot work, or does not mean what is written.
    Error,
    /// It works, but hardly as it is meant.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One mistake, or something good to know.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The index of its file on the sheet.
    pub(crate) file: usize,
    /// The bytes it is about; `None` when it is about the whole file.
    pub(crate) place: Option<Range<usize>>,
    pub(crate) severity: Severity,
    /// What kind of mistake it is, in one word.
    pub(crate) code: &'static str,
    /// Where it is in the document: `plugins[0].ipam.ranges[0][1].subnet`.
    pub(crate) path: String,
    /// What is wrong, and what helps.
    pub(crate) text: String,
    /// The word that was meant.
    pub(crate) meant: Option<String>,
}

/// All files that were looked at, and what was found in them.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) files: Vec<Source>,
    pub(crate) findings: Vec<Finding>,
}

/// A place in a file.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) file: usize,
    pub(crate) path: String,
    pub(crate) place: Range<usize>,
}

impl Spot {
    /// The key's place, or the whole value's.
    pub(crate) fn at(&self, place: &Range<usize>) -> Self {
        Self { place: place.clone(), ..self.clone() }
    }

    /// A member of the object here.
    pub(crate) fn member(&self, key: &str, place: &Range<usize>) -> Self {
        let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-/".contains(c));
        let path = match (plain, self.path.is_empty()) {
            (true, true) => key.to_owned(),
            (true, false) => format!("{}.{key}", self.path),
            (false, _) => format!("{}[{}]", self.path, cni_types::excerpt(key)),
        };
        Self { file: self.file, path, place: place.clone() }
    }

    /// The value under `key` of the object here, whose node is `node`; the object itself without it.
    pub(crate) fn key(&self, node: &Node, key: &str) -> Self {
        node.member(key).map_or_else(|| self.clone(), |found| self.member(key, &found.node.place))
    }

    /// An item of the list here.
    pub(crate) fn item(&self, index: usize, node: &Node) -> Self {
        Self { file: self.file, path: format!("{}[{index}]", self.path), place: node.place.clone() }
    }
}

impl Sheet {
    pub(crate) fn error(&mut self, code: &'static str, spot: &Spot, text: impl Into<String>) -> &mut Finding {
        self.note_down(Severity::Error, code, spot, text.into())
    }

    pub(crate) fn warn(&mut self, code: &'static str, spot: &Spot, text: impl Into<String>) -> &mut Finding {
        self.note_down(Severity::Warning, code, spot, text.into())
    }

    pub(crate) fn note(&mut self, code: &'static str, spot: &Spot, text: impl Into<String>) -> &mut Finding {
        self.note_down(Severity::Note, code, spot, text.into())
    }

    /// About a file as a whole.
    pub(crate) fn of_file(&mut self, severity: Severity, code: &'static str, file: usize, text: String) {
        let finding = Finding { file, place: None, severity, code, path: String::new(), text, meant: None };
        self.findings.push(finding);
    }

    fn note_down(
        &mut self,
        severity: Severity,
        code: &'static str,
        spot: &Spot,
        text: String,
    ) -> &mut Finding {
        let Spot { file, path, place } = spot.clone();
        let at = self.findings.len();
        self.findings.push(Finding { file, place: Some(place), severity, code, path, text, meant: None });
        &mut self.findings[at]
    }

    /// Whether the file has a mistake that stops a runtime.
    pub(crate) fn has_error(&self, file: usize) -> bool {
        self.findings.iter().any(|finding| finding.file == file && finding.severity == Severity::Error)
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// In the order of the files and of their texts.
    pub(crate) fn sort(&mut self) {
        let start = |finding: &Finding| finding.place.as_ref().map(|place| place.start);
        self.findings.sort_by_key(|finding| (finding.file, start(finding)));
    }
}

impl Finding {
    /// Adds what was probably meant.
    pub(crate) fn meaning(&mut self, meant: &str) {
        self.text.push_str(&format!("; did you mean {meant}?"));
        self.meant = Some(meant.to_owned());
    }
}
