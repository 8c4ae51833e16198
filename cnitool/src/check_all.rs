//! `cnitool check --all`: CHECK of every attachment in the cache, as the runtime would ask for it.

use std::path::Path;
use std::thread;

use cni_types::{Doing, Result, SpecVersion};

use crate::at_once::at_once;
use crate::cache::{Cache, Entry, Kept};
use crate::chain::Runtime;
use crate::conflist::{NetworkList, dir};
use crate::output::with_code;
use crate::settings;
use crate::table::table;
use crate::terminal::{Terminal, printable};

/// Most plugins that run at once.
const MOST: usize = 16;

/// What CHECK said of one attachment.
enum Verdict {
    Same,
    /// Why nobody was asked.
    NotAsked(&'static str),
    Different(String),
}

/// Checks the attachments of `network`, or all; gives a table, and whether nothing is wrong.
///
/// # Errors
/// Code 4 for a bad variable, code 5 when the cache cannot be listed.
pub(crate) fn run(network: Option<&str>) -> Result<(String, bool)> {
    let runtime = Runtime { cni_path: settings::cni_path()?, cache: Cache::default() };
    let net_dir = settings::net_dir()?;
    let mut entries = runtime.cache.entries()?;
    // A file that cannot be read may be of any network.
    let is_wanted = |entry: &Entry| match (&entry.kept, network) {
        (Ok(kept), Some(network)) => kept.id.network.as_str() == network,
        _ => true,
    };
    entries.retain(is_wanted);
    let workers = thread::available_parallelism().map_or(2, usize::from).saturating_mul(2).min(MOST);
    let verdicts = at_once(workers, &entries, |entry| check(&runtime, &net_dir, entry));
    let is_good = verdicts.iter().all(|verdict| !matches!(verdict, Verdict::Different(_)));
    Ok((report(&entries, &verdicts), is_good))
}

fn check(runtime: &Runtime, net_dir: &Path, entry: &Entry) -> Verdict {
    let asked = match &entry.kept {
        Ok(kept) => list(kept, net_dir).and_then(|list| match list.spec_version()? {
            _ if list.disable_check => Ok(Verdict::NotAsked("not asked: disableCheck")),
            version if version < SpecVersion::V0_4_0 => {
                Ok(Verdict::NotAsked("not asked: CHECK came with cniVersion 0.4.0"))
            }
            _ => runtime.check(&list, &kept.conf).map(|()| Verdict::Same),
        }),
        Err(why) => Err(why.clone()).doing(format!("its cache file {} cannot be used", entry.file.display())),
    };
    asked.unwrap_or_else(|e| Verdict::Different(with_code(&e)))
}

/// The list as it was; where its plugins were in files beside it, as it is.
fn list(kept: &Kept, net_dir: &Path) -> Result<NetworkList> {
    match kept.list.plugins.is_empty() {
        true => dir::find_network(net_dir, kept.list.name.as_str()),
        false => Ok(NetworkList::clone(&kept.list)),
    }
}

fn report(entries: &[Entry], verdicts: &[Verdict]) -> String {
    let terminal = Terminal::of_stdout();
    let mut rows = vec![["NETWORK", "CONTAINER", "IFNAME", "CHECK"].map(ToOwned::to_owned)];
    for (entry, verdict) in entries.iter().zip(verdicts) {
        let said = match verdict {
            Verdict::Same => "ok".to_owned(),
            Verdict::NotAsked(why) => (*why).to_owned(),
            Verdict::Different(why) => terminal.red(&printable(why)),
        };
        rows.push(match &entry.kept {
            Ok(Kept { id, .. }) => {
                [id.network.to_string(), id.container_id.to_string(), id.ifname.to_string(), said]
            }
            Err(_) => {
                let name = entry.file.file_name().unwrap_or_default().to_string_lossy();
                ["-".into(), printable(&name), "-".into(), said]
            }
        });
    }
    table("", &rows)
}
