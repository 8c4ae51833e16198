//! A directory of configurations, as a runtime reads it: which files count, in which order, and what there is twice.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use cni_types::nearest;

use super::file::{self, Checked};
use super::finding::{Severity, Sheet};
use super::rules::overlaps;
use super::source::Source;
use crate::conflist::dir;

/// The extensions of files that runtimes read.
const READ: [&str; 3] = ["conflist", "conf", "json"];

/// Checks all files of the directory, and what they are together.
pub(crate) fn check(sheet: &mut Sheet, dir: &Path) -> Vec<Checked> {
    let about_dir = |sheet: &mut Sheet, code, text| {
        let file = sheet.files.len();
        sheet.files.push(Source::new(dir.display().to_string(), None, String::new()));
        sheet.of_file(Severity::Error, code, file, text);
    };
    let files = match dir::files(dir) {
        Ok(files) => files,
        Err(error) => {
            about_dir(sheet, "unreadable", error.to_string());
            return Vec::new();
        }
    };
    let mut checked = Vec::new();
    let mut count = 0;
    for path in &files {
        if dir::has_extension(path, &READ) {
            count += 1;
            checked.extend(file::check(sheet, path));
        } else {
            passed_over(sheet, path);
        }
    }
    if count == 0 {
        let text =
            format!("there is no network in it: runtimes read files that end in .{}", READ.join(", ."));
        about_dir(sheet, "no-network", text);
    }
    names(sheet, &checked);
    taken(sheet, &checked, count);
    ranges(sheet, &checked);
    checked
}

/// A file that looks like a configuration, and that no runtime reads.
fn passed_over(sheet: &mut Sheet, path: &Path) {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let (severity, text) = match nearest(extension, READ) {
        _ if ["yaml", "yml"].contains(&extension) => {
            (Severity::Warning, "no runtime reads it: write it as JSON into a .conflist".to_owned())
        }
        Some(meant) => (Severity::Warning, format!("no runtime reads it; did you mean .{meant}?")),
        None if READ.iter().any(|read| name.contains(&format!(".{read}"))) => {
            (Severity::Note, format!("no runtime reads it: its name does not end in .{}", READ.join(", .")))
        }
        None => return,
    };
    let file = sheet.files.len();
    sheet.files.push(Source::new(path.display().to_string(), Some(path.to_owned()), String::new()));
    sheet.of_file(severity, "wrong-extension", file, text);
}

/// A runtime that is told a network's name takes the first list of that name, or else the first single plugin.
fn names(sheet: &mut Sheet, checked: &[Checked]) {
    let mut first: BTreeMap<&str, &Checked> = BTreeMap::new();
    let (lists, singles): (Vec<_>, Vec<_>) = checked.iter().partition(|one| {
        sheet.files[one.network.file]
            .path
            .as_deref()
            .is_some_and(|path| dir::has_extension(path, &["conflist"]))
    });
    for one in lists.into_iter().chain(singles) {
        let Some(name) = one.network.name() else { continue };
        let Some(before) = first.get(name) else {
            first.insert(name, one);
            continue;
        };
        let spot = one.network.spot().key(&one.network.document, "name");
        let file = &sheet.files[before.network.file].name;
        let text = format!(
            "the network {name} is in {file} too, and that is the one that is taken: rename one of the two"
        );
        sheet.warn("duplicate-network", &spot, text);
    }
}

/// Runtimes that take one network of the directory take that of the first file they can read.
fn taken(sheet: &mut Sheet, checked: &[Checked], count: usize) {
    let first = checked.iter().find(|one| !sheet.has_error(one.network.file));
    let Some((one, name)) = first.and_then(|one| Some((one, one.network.name()?))).filter(|_| count > 1)
    else {
        return;
    };
    let text = format!(
        "containerd and CRI-O take the network {name} of this directory: its file is the first by name"
    );
    let file = one.network.file;
    sheet.of_file(Severity::Note, "taken", file, text);
}

/// Two networks that give out one address.
fn ranges(sheet: &mut Sheet, checked: &[Checked]) {
    let name =
        |file: usize| checked.iter().find(|one| one.network.file == file).and_then(|one| one.network.name());
    let names: BTreeMap<usize, Option<&str>> = checked
        .iter()
        .flat_map(|one| &one.ranges)
        .map(|range| (range.spot.file, name(range.spot.file)))
        .collect();
    for (one, other) in overlaps(checked.iter().flat_map(|one| &one.ranges)) {
        let [first, second] = [one, other].map(|range| names.get(&range.spot.file).copied().flatten());
        if one.spot.file == other.spot.file || first == second {
            continue;
        }
        // The later file is the one to look at.
        let (one, other) = if one.spot.file < other.spot.file { (one, other) } else { (other, one) };
        let name = names.get(&one.spot.file).copied().flatten().unwrap_or("without a name");
        let text = format!(
            "its addresses overlap with {} of the network {name} in {}: two containers may get the same one",
            one.text(),
            sheet.files[one.spot.file].name
        );
        sheet.warn("overlap", &other.spot, text);
    }
}
