//! The iptables executables.

use std::path::{Path, PathBuf};

use cni_skel::child;
use cni_trace::Asked;
use cni_types::{Code, Error, Family, Result};

use super::lock;

/// Seconds to wait for the xtables lock; iptables-nft has none.
const LOCK_WAIT: &str = "--wait=5";
/// `RESOURCE_PROBLEM` of `xtables.h`: the lock was not free in time.
const RESOURCE_PROBLEM: i32 = 4;

/// Which kernel interface an iptables executable uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// nf_tables.
    Nft,
    /// ip_tables.
    Legacy,
    /// Some wrapper.
    Unknown,
}

/// One executable.
#[derive(Debug, Clone)]
pub struct Tool {
    path: PathBuf,
    name: String,
}

impl Tool {
    /// `iptables` or `ip6tables`.
    pub fn command(family: Family) -> &'static str {
        match family {
            Family::V4 => "iptables",
            Family::V6 => "ip6tables",
        }
    }

    /// Finds `iptables-<verb>`, or `iptables-legacy-<verb>` if the host has that.
    ///
    /// # Errors
    /// Code 101 when there is none.
    pub fn find(family: Family, verb: &str, legacy: bool) -> Result<Self> {
        let base = Self::command(family);
        let plain = format!("{base}-{verb}");
        let mut names = vec![plain.clone()];
        if legacy {
            names.insert(0, format!("{base}-legacy-{verb}"));
        }
        let found = names.into_iter().find_map(|name| Some(Self { path: child::find_tool(&name)?, name }));
        found.ok_or_else(|| {
            Error::new(Code::FILTER, format!("cannot find {plain}"))
                .because("it is neither in PATH nor in the system's directories; install iptables")
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Which kind it is, by the name of the executable its links lead to.
    pub fn variant(&self) -> Variant {
        let real = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let name = real.file_name().unwrap_or_default().to_string_lossy();
        if name.contains("nft") {
            Variant::Nft
        } else if name.contains("legacy") {
            Variant::Legacy
        } else {
            Variant::Unknown
        }
    }

    /// Carries out a script, or has it checked only.
    ///
    /// # Errors
    /// Code 11 naming the holder when the lock is not free in time, else code 101 with what the tool says.
    pub fn restore(&self, script: &str, trial: bool) -> Result<()> {
        if !trial {
            return self.carry_out(&["--noflush", LOCK_WAIT], script).map(drop);
        }
        let [_, said] = self.carry_out(&["--noflush", LOCK_WAIT, "--test"], script)?;
        // Its kernel's share of an extension may be missing; then only the real act would fail.
        if said.contains("missing kernel module") {
            return Err(Error::new(Code::FILTER, format!("{} would fail", self.name)).because(said));
        }
        Ok(())
    }

    /// Runs the tool and gives what it prints.
    ///
    /// # Errors
    /// As [`Self::restore`].
    pub fn run(&self, args: &[&str], input: &str) -> Result<String> {
        self.carry_out(args, input).map(|[stdout, _]| stdout)
    }

    /// What it prints on stdout, and the start of what it says on stderr.
    fn carry_out(&self, args: &[&str], input: &str) -> Result<[String; 2]> {
        let failed = |cause: std::io::Error| {
            Error::new(Code::FILTER, format!("cannot run {}", self.path.display())).because(cause)
        };
        let running = cni_trace::phase_of("packet filter", &self.name);
        let output = child::run(&self.path, args, &[], input.as_bytes()).map_err(failed)?;
        drop(running);
        cni_trace::asked(|| Asked {
            whom: "iptables",
            doing: "change the packet filter".into(),
            said: format!("{} {} <<'END'\n{input}END", self.name, args.join(" ")),
            answer: output.status.to_string(),
            object: String::new(),
            is_inside: false,
        });
        let said = String::from_utf8_lossy(&output.stderr);
        let said: String = said.trim().chars().take(500).collect();
        if output.status.success() {
            return Ok([String::from_utf8_lossy(&output.stdout).into_owned(), said]);
        }
        if output.status.code() == Some(RESOURCE_PROBLEM) && said.contains("xtables lock") {
            let wait = LOCK_WAIT.trim_start_matches("--wait=");
            return Err(Error::try_again(format!("{} did not get the xtables lock in {wait} s", self.name))
                .because(lock::holder()));
        }
        Err(Error::new(Code::FILTER, format!("{} failed with {}", self.name, output.status)).because(said))
    }
}
