//! `cnitool graph`: how this node's containers reach the world, as a picture: uplink → bridge or master → link →
//! container.

mod collapse;
mod item;
mod lay;
mod paths;
mod svg;
mod text;

use cni_types::Result;

use crate::attachments::Survey;
use crate::cache::Cache;
use crate::settings;
use crate::terminal::Terminal;

use paths::Paths;

/// The languages a picture is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// A tree, for a terminal.
    #[default]
    Text,
    /// Graphviz.
    Dot,
    Mermaid,
    Svg,
    /// For programs: nothing is collapsed.
    Json,
}

/// What the command line asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) format: Format,
    /// Only this network's containers.
    pub(crate) network: Option<String>,
}

/// The picture.
///
/// # Errors
/// Code 4 for a bad variable.
pub(crate) fn run(options: &Options) -> Result<String> {
    let mut survey = Survey::take(&Cache::default(), &settings::net_dir()?);
    if let Some(network) = &options.network {
        survey.attachments.retain(|a| a.network.as_ref().is_some_and(|name| name.as_str() == network));
    }
    let whole = Paths::of(&mut survey).tree();
    let missing = &survey.missing;
    if options.format == Format::Json {
        let document = serde_json::json!({ "items": whole, "missing": missing });
        return Ok(serde_json::to_string_pretty(&document).unwrap_or_default() + "\n");
    }
    let items = collapse::collapsed(whole);
    Ok(match options.format {
        Format::Dot => text::dot(&items, missing),
        Format::Mermaid => text::mermaid(&items, missing),
        Format::Svg => svg::picture(&items, missing),
        Format::Text | Format::Json => text::tree(&items, missing, Terminal::of_stdout()),
    })
}

/// The tree of what was surveyed.
pub(crate) fn tree(mut survey: Survey) -> String {
    let items = collapse::collapsed(Paths::of(&mut survey).tree());
    text::tree(&items, &[], Terminal::of_stdout())
}
