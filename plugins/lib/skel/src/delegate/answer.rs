//! What a delegate said: its result, or its error.

use std::io::Write;

use cni_types::{CniResult, Code, Error, Json, PluginName, Result, SpecVersion, cut, excerpt, fields};

use super::Verb;
use crate::child::Finished;
use crate::stdio::Stderr;

/// Most characters of its output quoted in an error.
const QUOTE_MAX: usize = 1000;

/// The result in `answer`, what `delegate` (as a message names it) printed on ADD with a configuration of `version`.
///
/// # Errors
/// Code 102 when it is none.
pub fn read_result(delegate: &str, answer: &[u8], version: SpecVersion) -> Result<CniResult> {
    let result = if answer.is_empty() {
        Err(Error::decode("it printed nothing"))
    } else {
        Json::parse(answer).and_then(|json| CniResult::from_json(&json, version))
    };
    result.map_err(|e| {
        Error::new(Code::DELEGATE, format!("{delegate} gave an answer that is no CNI result"))
            .because(format!("{e}; it printed {}", excerpt(&String::from_utf8_lossy(answer))))
    })
}

/// What a delegate printed; its log goes where ours goes.
///
/// # Errors
/// The error of one that failed.
pub(super) fn output(verb: Verb, name: &PluginName, finished: Finished) -> Result<Vec<u8>> {
    if !finished.status.success() {
        return Err(failure(verb, name, &finished));
    }
    let _ = Stderr.write_all(&finished.stderr);
    Ok(finished.stdout)
}

fn failure(verb: Verb, name: &PluginName, finished: &Finished) -> Error {
    #[derive(Default)]
    struct Object {
        code: Option<u32>,
        msg: String,
        details: String,
    }
    fields!(Object { "code" code, "msg" msg, "details" details });
    let Finished { status, stdout, stderr } = finished;
    let object = Json::parse(stdout).and_then(|json| json.decode::<Object>()).ok();
    if let Some(Object { code: Some(code), msg, details }) =
        object.filter(|o| !(o.msg.is_empty() && o.details.is_empty()))
    {
        // 0 is no error code; the reference's plugins use it for a delegate of theirs that died without a word.
        let code = if code == 0 { Code::DELEGATE } else { Code(code) };
        return Error { code, msg, details };
    }
    let error = Error::new(Code::DELEGATE, format!("plugin {name} failed on {}", verb.as_str()));
    let quote = |bytes: &[u8]| format!("{:?}", cut(String::from_utf8_lossy(bytes).trim(), QUOTE_MAX));
    let blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    if !blank(stdout) {
        error.because(format!("{status}, and its answer is no CNI error object: {}", quote(stdout)))
    } else if !blank(stderr) {
        error.because(format!("{status}, stderr: {}", quote(stderr)))
    } else {
        error.because(format!("{status} without any output"))
    }
}
