//! One operation over all plugins of a network, as a runtime runs it (spec 1.1.0, section 3).

use std::path::PathBuf;

use cni_skel::delegate::{self, Verb};
use cni_skel::tell;
use cni_types::{AttachmentId, CniResult, Code, Doing, Error, Failures, Json, Result, SpecVersion};

use crate::cache::Cache;
use crate::conflist::{NetworkList, PluginConf};
use crate::invoke::{self, RuntimeConf};
use crate::request;

/// Where plugins are looked for and results are kept.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// The directories with the executables, first hit wins.
    pub cni_path: Vec<PathBuf>,
    /// The result cache.
    pub cache: Cache,
}

impl Runtime {
    /// ADD: every plugin in order, each with the result of the one before. The last result is cached and returned as
    /// JSON of the list's version. When a plugin fails, the ones that ran are asked to DEL, in reverse order.
    ///
    /// # Errors
    /// The failing plugin's error; code 5 when the result cannot be cached; code 7 when a plugin is not installed: then
    /// none is run.
    pub fn add(&self, list: &NetworkList, conf: &RuntimeConf) -> Result<String> {
        let version = list.spec_version()?;
        for plugin in &list.plugins {
            delegate::find(&plugin.name, &self.cni_path).doing(describe(plugin, "add"))?;
        }
        let known = self.cache.contains(&conf.id(list));
        let mut made = None;
        let mut ran = 0;
        let mut outcome = Ok(());
        for plugin in &list.plugins {
            ran += 1;
            match self.add_one(list, plugin, made.as_ref(), conf) {
                Ok(result) => made = Some(result),
                Err(error) => {
                    outcome = Err(error.doing(describe(plugin, "add")));
                    break;
                }
            }
        }
        let outcome = outcome.and_then(|()| {
            let made = made.clone().unwrap_or_default();
            self.cache.save(list, conf, request::result_document(&made, version)?)?;
            made.to_json(version)
        });
        outcome.map_err(|error| {
            if known {
                // The second ADD of one attachment: taking it back would take the first one's work away.
                return error.because("the attachment was there before, so nothing was removed");
            }
            let failures =
                self.del_plugins(list, &list.plugins[..ran], conf, made.as_ref(), true).into_iter();
            // What kept the ADD from beginning keeps the DEL from it too: that is said already.
            match Error::all(failures.filter(|failure| cause_of(failure) != cause_of(&error)).map(Err)) {
                Ok(()) => error,
                Err(e) => error.because(format!("and removing what was made failed too: {e}")),
            }
        })
    }

    fn add_one(
        &self,
        list: &NetworkList,
        plugin: &PluginConf,
        before: Option<&CniResult>,
        conf: &RuntimeConf,
    ) -> Result<CniResult> {
        let version = list.spec_version()?;
        let before = before.map(|result| request::result_document(result, version)).transpose()?;
        let stdin = request::attachment(list, plugin, before.as_ref(), &conf.capability_args);
        let answer = self.exec(Verb::Add, plugin, &stdin, Some(conf))?;
        Json::parse(&answer)
            .and_then(|json| CniResult::from_json(&json, version))
            .map_err(|e| Error::new(Code::DELEGATE, "the plugin's answer is no CNI result").because(e))
    }

    /// CHECK: every plugin in order, with the cached result; none when the list disables it.
    ///
    /// # Errors
    /// The first plugin's error; code 7 when the version is older than 0.4.0 or there is no cached result.
    pub fn check(&self, list: &NetworkList, conf: &RuntimeConf) -> Result<()> {
        let version = list.spec_version()?;
        if version < SpecVersion::V0_4_0 {
            return Err(Error::config(format!(
                "configuration version \"{}\" does not support the CHECK command",
                list.version
            ))
            .because("CHECK came with cniVersion 0.4.0"));
        }
        if list.disable_check {
            return Ok(());
        }
        let result = self.cache.result(&conf.id(list), version)?.ok_or_else(|| {
            Error::config(format!("there is no cached result of {} in network {}", conf.ifname, list.name))
                .because(format!("no `add` of {} succeeded, or its cache file is gone", conf.container_id))
        })?;
        let result = request::result_document(&result, version)?;
        for plugin in &list.plugins {
            let stdin = request::attachment(list, plugin, Some(&result), &conf.capability_args);
            self.exec(Verb::Check, plugin, &stdin, Some(conf)).doing(describe(plugin, "check"))?;
        }
        Ok(())
    }

    /// DEL: every plugin in reverse order, with the cached result where there is a usable one; then the cached result
    /// is forgotten. Nothing there is success.
    ///
    /// # Errors
    /// The first plugin's error; the cached result is then kept for another try.
    pub fn del(&self, list: &NetworkList, conf: &RuntimeConf) -> Result<()> {
        let version = list.spec_version()?;
        let id = conf.id(list);
        // A result nobody can read must not keep the attachment from being removed.
        let result = self.cache.result(&id, version).unwrap_or_else(|e| {
            tell(format_args!("going on without a result: {e}"));
            None
        });
        Error::all(self.del_plugins(list, &list.plugins, conf, result.as_ref(), false).into_iter().map(Err))?;
        self.cache.remove_if_present(&id)
    }

    fn del_plugins(
        &self,
        list: &NetworkList,
        plugins: &[PluginConf],
        conf: &RuntimeConf,
        result: Option<&CniResult>,
        all: bool,
    ) -> Vec<Error> {
        // DEL with a result came with 0.4.0.
        let version = list.spec_version().ok().filter(|version| *version >= SpecVersion::V0_4_0);
        let result = result.zip(version).and_then(|(r, version)| request::result_document(r, version).ok());
        let mut failures = Vec::new();
        for plugin in plugins.iter().rev() {
            let stdin = request::attachment(list, plugin, result.as_ref(), &conf.capability_args);
            if let Err(error) = self.exec(Verb::Del, plugin, &stdin, Some(conf)) {
                failures.push(error.doing(describe(plugin, "delete")));
                if !all {
                    break;
                }
            }
        }
        failures
    }

    /// GC: DEL for every cached attachment of the network outside `valid`, then GC of every plugin with that list.
    /// Everything is tried. Does nothing when the list disables it; below 1.1.0 there is no GC to run.
    ///
    /// # Errors
    /// All failures, folded.
    pub fn gc(&self, list: &NetworkList, valid: &[AttachmentId]) -> Result<()> {
        if list.disable_gc {
            return Ok(());
        }
        let mut failures = Failures::new();
        for stale in self.cache.attachments(&list.name)? {
            if !valid.contains(&stale.id(list)) {
                let what =
                    format!("failed to delete stale attachment {} {}", stale.container_id, stale.ifname);
                failures.note(self.del(list, &stale).doing(what));
            }
        }
        failures.note(self.cache.remove_drafts(&list.name, valid));
        if list.spec_version()? >= SpecVersion::V1_1_0 {
            for plugin in &list.plugins {
                failures.note(self.gc_of(list, plugin, valid));
            }
        }
        failures.fold()
    }

    /// GC of the plugins that are not ours, in order, with the attachments to keep. Everything is tried. As
    /// [`Runtime::gc`], it does nothing where the list disables it or its version has no GC.
    ///
    /// # Errors
    /// All failures, folded.
    pub fn gc_of_others(
        &self,
        list: &NetworkList,
        valid: &[AttachmentId],
        is_ours: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        if list.disable_gc || list.spec_version()? < SpecVersion::V1_1_0 {
            return Ok(());
        }
        let others = list.plugins.iter().filter(|plugin| !is_ours(plugin.name.as_str()));
        Error::all(others.map(|plugin| self.gc_of(list, plugin, valid)))
    }

    fn gc_of(&self, list: &NetworkList, plugin: &PluginConf, valid: &[AttachmentId]) -> Result<()> {
        let done = self.exec(Verb::Gc, plugin, &request::gc(list, plugin, valid), None);
        done.map(drop).doing(format!("failed to GC plugin {}", plugin.name))
    }

    /// STATUS: every plugin in order. Below 1.1.0 there is none, and nothing is known to be wrong.
    ///
    /// # Errors
    /// The first plugin's error, with its code (50 or 51 by the specification).
    pub fn status(&self, list: &NetworkList) -> Result<()> {
        if list.spec_version()? < SpecVersion::V1_1_0 {
            return Ok(());
        }
        for plugin in &list.plugins {
            let stdin = request::status(list, plugin);
            self.exec(Verb::Status, plugin, &stdin, None).doing(describe(plugin, "status"))?;
        }
        Ok(())
    }

    fn exec(
        &self,
        verb: Verb,
        plugin: &PluginConf,
        stdin: &[u8],
        conf: Option<&RuntimeConf>,
    ) -> Result<Vec<u8>> {
        invoke::exec(verb, plugin, &self.cni_path, stdin, conf)
    }
}

fn describe(plugin: &PluginConf, verb: &str) -> String {
    format!("plugin type=\"{}\" failed ({verb})", plugin.name)
}

/// The message behind what [`describe`] put in front of it.
fn cause_of(error: &Error) -> &str {
    error.msg.split_once("): ").map_or(error.msg.as_str(), |(_, cause)| cause)
}
