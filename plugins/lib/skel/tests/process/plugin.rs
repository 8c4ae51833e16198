//! The plugin that this test is when it runs itself: it notes its verbs in `$FAKE_LOG` and does what `$FAKE` says.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

use cni_skel::delegate::Verb;
use cni_skel::{About, Attachment, Delegates, Detachment, Plugin, Undo};
use cni_types::{Cidr, CniResult, Doing, Error, IpConfig, Network, PluginName, Result, SpecVersion};

pub(crate) struct Fake;

pub(crate) fn note(verb: &str) {
    if let Some(file) = std::env::var_os("FAKE_LOG") {
        let _ =
            OpenOptions::new().append(true).create(true).open(file).and_then(|mut f| writeln!(f, "{verb}"));
    }
}

pub(crate) fn one_address() -> Result<IpConfig> {
    let address = "10.0.0.2/24".parse::<Cidr>().map_err(Error::config)?;
    Ok(IpConfig { interface: None, address, gateway: None })
}

impl Plugin for Fake {
    fn about(&self) -> About {
        About { name: "fake", versions: &SpecVersion::ALL }
    }

    fn add(&self, at: &Attachment, delegates: &Delegates) -> Result<CniResult> {
        note("ADD");
        let mut undo = Undo::new();
        undo.push("undo this", || Err(Error::config("not even that")));
        match std::env::var("FAKE").unwrap_or_default().as_str() {
            "panic" => panic!("on purpose"),
            "fail" => return Err(Error::config("as told")),
            then @ ("delegate" | "delegate-then-fail") => {
                let name = PluginName::new("delegate")?;
                delegates.run(Verb::Add, &name, &at.network.cni_path, at.network.bytes())?;
                if then == "delegate-then-fail" {
                    return Err(Error::config("as told"));
                }
            }
            "hold" => {
                let path = std::env::var("FAKE_LOG").unwrap_or_default() + ".held";
                let held = File::create(path).doing("creating a file")?;
                let _ = writeln!(io::stderr(), "a log line");
                drop(held);
            }
            _ => {}
        }
        undo.commit();
        let ips = (0..200).map(|_| one_address());
        Ok(CniResult { ips: ips.collect::<Result<_>>()?, ..CniResult::default() })
    }

    fn check(&self, _: &Attachment, _: &Delegates) -> Result<()> {
        note("CHECK");
        Ok(())
    }

    fn del(&self, _: &Detachment, _: &Delegates) -> Result<()> {
        note("DEL");
        let _ = writeln!(io::stderr(), "deleted");
        Ok(())
    }

    fn gc(&self, _: &Network, _: &Delegates) -> Result<()> {
        note("GC");
        Ok(())
    }

    fn status(&self, _: &Network, _: &Delegates) -> Result<()> {
        note("STATUS");
        Ok(())
    }
}
