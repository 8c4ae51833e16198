//! What is wrong with a command line, for a person.

use cni_types::nearest;

use super::usage::VERBS;

/// One line for what is wrong, and one for what the verb takes, or for the verbs that there are.
pub(super) fn mistake(verb: &str, what: &str) -> String {
    let verbs = || VERBS.iter().map(|(verb, _)| *verb);
    if let Some((verb, takes)) = VERBS.iter().find(|(known, _)| *known == verb) {
        return format!("cnitool: {what}\nusage: cnitool {verb} {takes}\n");
    }
    let meant = nearest(verb, verbs()).map(|meant| format!(": did you mean {meant:?}?")).unwrap_or_default();
    let all = verbs().collect::<Vec<_>>().join("|");
    format!("cnitool: {what}{meant}\nusage: cnitool {all} …; `cnitool help` has more\n")
}
