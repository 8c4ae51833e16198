//! CHECK.

use cni_net::{Link, sysctl};
use cni_part::Site;
use cni_types::{Code, Error, Result};

use crate::conf::Conf;
use crate::conf::sysctl::Sysctl;

/// # Errors
/// Code 103 with the first difference between the configuration and the kernel.
pub(crate) fn check(conf: &Conf, site: &Site<'_>) -> Result<()> {
    attributes(conf, &site.find_interface()?)?;
    let sysctls = conf.sysctls.of(site.attachment.id.ifname.as_str())?;
    if sysctls.is_empty() {
        return Ok(());
    }
    site.netns()?.enter(|| sysctls.iter().try_for_each(sysctl))?
}

/// A list of numbers reads back with other white space than it was written with.
fn sysctl(wanted: &Sysctl) -> Result<()> {
    let Sysctl { key, name, value } = wanted;
    let failed = |e| Error {
        code: Code::CHECK,
        ..Error::io(format!("cannot read sysctl {key} in the container"), &e)
    };
    let there = sysctl::read(name).map_err(failed)?;
    if there.split_whitespace().eq(value.split_whitespace()) {
        return Ok(());
    }
    Err(Error::check(format!("sysctl {key} is {there:?}, expected {value:?}")))
}

fn attributes(conf: &Conf, link: &Link) -> Result<()> {
    let wanted = &conf.attributes;
    let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
    let rows = [
        ("mac", wanted.mac.map(|mac| mac.to_string()), link.mac_text()),
        // Without the key it has to be off, as the reference has it.
        ("promisc", Some(switch(wanted.promiscuous.unwrap_or_default())), switch(link.is_promiscuous())),
        ("mtu", wanted.mtu.map(|mtu| mtu.to_string()), link.mtu.to_string()),
        ("allmulti", wanted.all_multicast.map(switch), switch(link.is_all_multicast())),
        ("txQLen", wanted.tx_queue_length.map(|length| length.to_string()), link.tx_queue_length.to_string()),
    ];
    for (key, wanted, is) in rows {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != is) {
            return Err(Error::check(format!("{key} of interface {} is {is}, expected {wanted}", link.name)));
        }
    }
    Ok(())
}
