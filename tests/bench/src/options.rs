//! What the benchmark is told.

use std::path::PathBuf;

use crate::scenario::OF_FLOORS;

/// What can be measured, in this order.
pub(crate) const PARTS: [&str; 8] =
    ["start", "latency", "memory", "cold", "parallel", "scale", "crowded", "path"];

/// A directory of plugins.
#[derive(Debug, Clone)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) directory: String,
}

impl Suite {
    /// `one` is another form of a suite: it differs in how it starts.
    pub(crate) fn is_another_form(&self) -> bool {
        self.name == "one"
    }

    /// The kernel floors do the work of one scenario alone.
    pub(crate) fn is_floor(&self) -> bool {
        self.name.starts_with("floor")
    }
}

/// The command line: `--out DIR --short --parts a,b --points 1,100 NAME=DIRECTORY…`
pub(crate) struct Options {
    pub(crate) suites: Vec<Suite>,
    pub(crate) parts: Vec<String>,
    pub(crate) out: PathBuf,
    /// Only to see that it works.
    pub(crate) is_short: bool,
    points: Option<Vec<usize>>,
    iterations: Option<usize>,
}

impl Options {
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Self {
        let mut words = words;
        let mut options = Self {
            suites: Vec::new(),
            parts: PARTS.map(str::to_owned).to_vec(),
            out: PathBuf::from("."),
            is_short: false,
            points: None,
            iterations: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
            let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
            match word.as_str() {
                "--out" => options.out = value().into(),
                "--short" => options.is_short = true,
                "--parts" => options.parts = list(value()),
                "--points" => {
                    options.points = Some(list(value()).iter().map(|n| n.parse().unwrap()).collect());
                }
                "--iterations" => options.iterations = Some(value().parse().unwrap()),
                _ => {
                    let (name, directory) = word.split_once('=').unwrap_or_else(|| panic!("what is {word}?"));
                    options.suites.push(Suite { name: name.to_owned(), directory: directory.to_owned() });
                }
            }
        }
        assert!(!options.suites.is_empty(), "NAME=DIRECTORY is missing");
        options
    }

    /// The suites but for floors and other forms of the same.
    pub(crate) fn plugins(&self) -> impl Iterator<Item = &Suite> {
        self.suites.iter().filter(|suite| !suite.is_floor() && !suite.is_another_form())
    }

    /// The suites that do a scenario: floors do some.
    pub(crate) fn of(&self, scenario: &str) -> impl Iterator<Item = &Suite> {
        let is_for_floors = OF_FLOORS.contains(&scenario);
        self.suites
            .iter()
            .filter(move |suite| !suite.is_another_form() && (!suite.is_floor() || is_for_floors))
    }

    /// How often something is measured: in the short form twice.
    pub(crate) fn iterations(&self, usual: usize) -> usize {
        self.iterations.unwrap_or(if self.is_short { 2 } else { usual })
    }

    /// What is measured: in the short form the first three.
    pub(crate) fn some<'a, T>(&self, usual: &'a [T]) -> &'a [T] {
        if self.is_short { &usual[..usual.len().min(3)] } else { usual }
    }

    /// How many there are of something: in the short form at most 10.
    pub(crate) fn size(&self, usual: usize) -> usize {
        if self.is_short { usual.min(10) } else { usual }
    }

    /// How many there are of something: in the short form 1 and 3.
    pub(crate) fn points(&self, usual: &[usize]) -> Vec<usize> {
        self.points.clone().unwrap_or_else(|| if self.is_short { vec![1, 3] } else { usual.to_vec() })
    }
}
