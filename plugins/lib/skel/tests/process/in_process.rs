//! A delegate of the same build, called and executed: nobody can tell which it was.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use cni_skel::{About, Attachment, Delegates, Detachment, Plugin, Stderr, Undo, tell};
use cni_types::{CniResult, Error, Network, Result, SpecVersion};

use crate::plugin::{note, one_address};
use crate::{Scripts, plugin};

/// What Fake delegates to. Does what `$DELEGATE` says.
pub(crate) struct Delegate;

impl Plugin for Delegate {
    fn about(&self) -> About {
        About { name: "delegate", versions: &SpecVersion::ALL }
    }

    fn add(&self, at: &Attachment, _: &Delegates) -> Result<CniResult> {
        note(&format!("delegate {}", std::process::id()));
        let mut undo = Undo::new();
        undo.push("undo that", || Err(Error::config("not that either")));
        tell("a line of the delegate's");
        match std::env::var("DELEGATE").unwrap_or_default().as_str() {
            "fail" => return Err(Error::config("as told").because("EPERM, as it says")),
            "panic" => panic!("on purpose"),
            "say what it got" => {
                let text = String::from_utf8_lossy(at.network.bytes()).into_owned();
                let said =
                    format!("{:?} {:?} {:?} {:?}", at.id, at.netns, at.network.cni_path, at.network.args);
                return Err(Error::config(said).because(text));
            }
            // In no version before 0.3.0 can a result have three addresses: DEL takes it back.
            "a result that cannot be told" => {
                undo.commit();
                let ips = (0..3).map(|_| one_address());
                return Ok(CniResult { ips: ips.collect::<Result<_>>()?, ..CniResult::default() });
            }
            _ => {}
        }
        undo.commit();
        let _ = Stderr.write_all(b"another\n");
        Ok(CniResult { ips: vec![one_address()?], ..CniResult::default() })
    }

    fn check(&self, _: &Attachment, _: &Delegates) -> Result<()> {
        Ok(())
    }

    fn del(&self, _: &Detachment, _: &Delegates) -> Result<()> {
        note("the delegate's DEL");
        Ok(())
    }

    fn gc(&self, _: &Network, _: &Delegates) -> Result<()> {
        Ok(())
    }

    fn status(&self, _: &Network, _: &Delegates) -> Result<()> {
        Ok(())
    }
}

/// This executable, of this build or of one whose identity differs in a digit.
fn executable(same_build: bool) -> Vec<u8> {
    let mut file = fs::read(std::env::current_exe().unwrap()).unwrap();
    let is_build = |note: &[u8]| note.starts_with(b"CNI\0") && note[4..].iter().all(u8::is_ascii_hexdigit);
    let at = file.windows(36).position(is_build).expect("the build's note");
    if !same_build {
        file[at + 4] ^= 1;
    }
    file
}

/// What comes out of a run, and whether the delegate was in the same process.
fn run(same_build: bool, does: &str, conf: &str) -> (Output, String, bool) {
    let scripts = Scripts::new();
    let file = scripts.0.join("delegate");
    fs::write(&file, executable(same_build)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = plugin(&scripts, "ADD", "delegate");
    fs::write(scripts.0.join("conf"), conf).unwrap();
    // The same directory's name for both.
    command.current_dir(&scripts.0).env("CNI_PATH", ".").env("CNI_ARGS", "A=b").env("DELEGATE", does);
    let child = command.spawn().unwrap();
    let id = format!("delegate {}", child.id());
    let output = child.wait_with_output().unwrap();
    let log = scripts.log();
    let is_called = log.contains(&id);
    let words = log.split(' ').filter(|word| word.parse::<u32>().is_err());
    (output, words.collect::<Vec<_>>().join(" "), is_called)
}

pub(crate) fn called_and_executed() {
    for does in ["", "fail", "panic", "say what it got", "a result that cannot be told"] {
        for version in ["0.2.0", "1.1.0"] {
            let conf = format!("{{ \"cniVersion\": \"{version}\",\n \"name\":\t\"net\" }}\n");
            let (called, calls, in_process) = run(true, does, &conf);
            let (executed, others, beside) = run(false, does, &conf);
            assert!(in_process && !beside, "{does}: in process {in_process}, of another build {beside}");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(called.status.code(), executed.status.code(), "{does}");
            assert_eq!(text(&called.stdout), text(&executed.stdout), "{does}");
            assert_eq!(calls, others, "{does}");
            // The standard library's own line about a panic is nobody's to keep.
            let lines = |bytes: &[u8]| {
                let text = text(bytes);
                let lines = text.lines().filter(|line| !line.is_empty() && !line.contains("panicked at"));
                lines
                    .filter(|line| *line != "on purpose" && !line.starts_with("note:"))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(lines(&called.stderr), lines(&executed.stderr), "{does}");
        }
    }
}
