//! The protocol's verbs on one network, as the command line asks for them.

use cni_skel::tell;
use cni_types::Result;

use crate::output::print;
use crate::settings::Settings;
use crate::target::Target;
use crate::trace::operation;
use crate::validate;

/// Attaches and prints the result; says on stderr what is wrong with the configuration where `validates`.
///
/// # Errors
/// Those of the configuration and of the plugins.
pub(crate) fn add(target: &Target, validates: bool) -> Result<()> {
    let (settings, list) = Settings::load(&target.network)?;
    if validates {
        validate::warnings(&list).iter().for_each(tell);
    }
    let conf = settings.attachment(target, &list)?;
    let answer = operation("ADD", Some(&list.name), Some(&conf), || settings.runtime.add(&list, &conf))?;
    print(&format!("{answer}\n"))
}

/// Compares the attachment with what ADD returned.
///
/// # Errors
/// As [`add`].
pub(crate) fn check(target: &Target) -> Result<()> {
    let (settings, list) = Settings::load(&target.network)?;
    let conf = settings.attachment(target, &list)?;
    operation("CHECK", Some(&list.name), Some(&conf), || settings.runtime.check(&list, &conf))
}

/// Detaches.
///
/// # Errors
/// As [`add`].
pub(crate) fn del(target: &Target) -> Result<()> {
    let (settings, list) = Settings::load(&target.network)?;
    let conf = settings.attachment(target, &list)?;
    operation("DEL", Some(&list.name), Some(&conf), || settings.runtime.del(&list, &conf))
}

/// Asks whether an ADD could work.
///
/// # Errors
/// As [`add`].
pub(crate) fn status(network: &str) -> Result<()> {
    let (settings, list) = Settings::load(network)?;
    operation("STATUS", Some(&list.name), None, || settings.runtime.status(&list))
}
