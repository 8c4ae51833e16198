//! What a look says is to be done, as commands for `iptables-restore`.

use cni_filter::iptables::Script;

use super::look::Look;
use super::names::{DNAT, MASQ, OF_THE_HOST, SET_MARK};
use super::rules::Rules;

impl Look {
    /// Takes away what has to go and makes what is missing: chains and rules first, what leads to them last. `-N` and
    /// not
    /// `:`, which would empty a chain that another ADD has just made.
    pub(super) fn addition(&self, rules: &Rules) -> Script {
        let mut script = Script::new("nat");
        self.going.write(&mut script);
        self.shared(&mut script, rules);
        script.share();
        if !self.is_exact {
            // A rule that marks packets must come before the one that sends them away.
            script.command(&[if self.container_chain { "-F" } else { "-N" }, &rules.chain]);
            rules.container.iter().for_each(|rule| script.owned_command(&rule.words(&rules.chain)));
        }
        self.entries(&mut script, rules);
        script
    }

    /// Makes what is missing, and nothing else.
    pub(super) fn missing(&self, rules: &Rules) -> Script {
        let mut script = Script::new("nat");
        self.shared(&mut script, rules);
        if !self.container_chain {
            script.command(&["-N", &rules.chain]);
        }
        for (rule, _) in rules.container.iter().zip(&self.container).filter(|(_, there)| !**there) {
            script.owned_command(&rule.words(&rules.chain));
        }
        self.entries(&mut script, rules);
        script
    }

    fn entries(&self, script: &mut Script, rules: &Rules) {
        for (entry, _) in rules.entries.iter().zip(&self.entries).filter(|(_, there)| !**there) {
            script.owned_command(&entry.words(&rules.chain, &rules.comment));
        }
    }

    /// The chains of all containers, and what leads to them.
    fn shared(&self, script: &mut Script, rules: &Rules) {
        if let Some(mark) = rules.mark {
            let mark = format!("0x{mark:x}/0x{mark:x}");
            if !self.set_mark.chain {
                script.command(&["-N", SET_MARK]);
            }
            if !self.set_mark.rule {
                let comment = "CNI portfwd masquerade mark";
                script.command(&[
                    "-A",
                    SET_MARK,
                    "-m",
                    "comment",
                    "--comment",
                    comment,
                    "-j",
                    "MARK",
                    "--set-xmark",
                    &mark,
                ]);
            }
            if !self.masq.chain {
                script.command(&["-N", MASQ]);
            }
            if !self.masq.rule {
                script.command(&["-A", MASQ, "-m", "mark", "--mark", &mark, "-j", "MASQUERADE"]);
            }
            if !self.masq_entry {
                let comment = "CNI portfwd requiring masquerade";
                script.command(&["-I", "POSTROUTING", "-m", "comment", "--comment", comment, "-j", MASQ]);
            }
        }
        if !self.dnat_chain {
            script.command(&["-N", DNAT]);
        }
        for (from, _) in ["PREROUTING", "OUTPUT"].iter().zip(self.dnat_entries).filter(|(_, there)| !there) {
            script.command(&[&["-A", from][..], &OF_THE_HOST].concat());
        }
    }
}
