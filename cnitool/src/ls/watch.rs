//! `cnitool ls --watch`: the list, and then each line that changes.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use cni_skel::Stdout;
use cni_types::{Doing, Result};

use super::list::list;
use super::options::Options;
use super::row;
use crate::attachments::{Attachment, Survey};
use crate::cache::Cache;
use crate::kernel::after_each_change;
use crate::settings;
use crate::terminal::{Terminal, printable};

/// Prints the list, then what is new, different or gone. Ends when nobody reads it any more.
///
/// # Errors
/// Code 4 for a bad variable; code 5 when the kernel does not let this process listen.
pub(super) fn run(options: &Options) -> Result<()> {
    let (cache, net_dir) = (Cache::default(), settings::net_dir()?);
    let mut survey = Survey::take(&cache, &net_dir);
    let mut shown = lines(&survey, options);
    for missing in &survey.missing {
        cni_skel::tell(format_args!("cannot be seen: {missing}"));
    }
    let mut is_read = print(&list(&survey, options, &Terminal::of_stdout()));
    let mut seen = changed(&cache.dir);
    let also = || {
        let now = changed(&cache.dir);
        std::mem::replace(&mut seen, now) != now
    };
    let then = || {
        survey = Survey::take(&cache, &net_dir);
        let now = lines(&survey, options);
        for (key, line) in now.iter().filter(|(key, line)| shown.get(*key) != Some(*line)) {
            is_read &= print(&format!("{} {line}\n", if shown.contains_key(key) { "~" } else { "+" }));
        }
        for (_, line) in shown.iter().filter(|(key, _)| !now.contains_key(*key)) {
            is_read &= print(&format!("- {line}\n"));
        }
        shown = now;
        is_read
    };
    after_each_change(also, then).doing("cannot listen to the kernel's events")
}

/// When a file came or went.
fn changed(dir: &Path) -> Option<SystemTime> {
    std::fs::metadata(dir).and_then(|dir| dir.modified()).ok()
}

/// What is shown of each, by what does not change.
fn lines(survey: &Survey, options: &Options) -> BTreeMap<String, String> {
    let is_wanted = |attachment: &&Attachment| match &options.network {
        Some(network) => attachment.network.as_ref().is_some_and(|name| name.as_str() == network),
        None => true,
    };
    let line = |attachment: &Attachment| {
        let name = row::name(attachment);
        let line = format!("{name}  {}  {}", attachment.addresses().join(" "), attachment.state);
        (name, printable(&line))
    };
    survey.attachments.iter().filter(is_wanted).map(line).collect()
}

fn print(text: &str) -> bool {
    Stdout.write_all(text.as_bytes()).is_ok()
}
