//! Who reaches whom: containers each other, their gateway and the outside, and what the outside sees.

use std::net::IpAddr;

use cni_types::{Code, Error, Family, Result};

use super::super::report::Report;
use super::super::{ping, show, signals};
use super::{Container, Play};

impl Play {
    /// All measurements. A ping without an answer is reported and the next one tried.
    ///
    /// # Errors
    /// When a signal came in.
    pub(super) fn ping_all(&self, report: &mut Report) -> Result<()> {
        show::pings_heading(report, ping::COUNT);
        let count = self.containers.len();
        for (i, from) in self.containers.iter().enumerate() {
            let to = &self.containers[(i + 1) % count];
            let target = |family| to.address(family).map(|(ip, _)| ip);
            self.ping_both(report, from, to.name, target)?;
        }
        for from in &self.containers {
            let target = |family| from.address(family).and_then(|(_, gateway)| gateway);
            self.ping_both(report, from, "gateway", target)?;
        }
        if !self.source.masquerades() {
            report.line("  no ipMasq in this network, so the outside could not answer and is not asked");
            return Ok(());
        }
        for from in &self.containers {
            let outside = |family| from.address(family).map(|_| self.world.outside[family]);
            self.ping_both(report, from, "outside", outside)?;
        }
        Ok(())
    }

    fn ping_both(
        &self,
        report: &mut Report,
        from: &Container,
        to: &str,
        target: impl Fn(Family) -> Option<IpAddr>,
    ) -> Result<()> {
        let mut row = show::Pings::new(from.name, to);
        if from.result.is_none() {
            return Ok(());
        }
        for family in Family::ALL {
            signals::refuse_when_caught()?;
            let Some(ip) = target(family) else { continue };
            row.measured(family, ping::measure(&from.netns, ip));
            if to == "outside" {
                row.seen(self.seen_by_the_world(from, family));
            }
        }
        signals::refuse_when_caught()?;
        if !row.is_empty() {
            row.show(report);
        }
        Ok(())
    }

    fn seen_by_the_world(&self, from: &Container, family: Family) -> Result<IpAddr> {
        let seen = self.world.seen_from(&from.netns, family)?;
        let host = self.world.host[family];
        if seen == host {
            return Ok(seen);
        }
        Err(Error::new(Code::CHECK, format!("the outside saw {seen}, not the host's address {host}"))
            .because("the network says ipMasq, but the source was not translated"))
    }
}
