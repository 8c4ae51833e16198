//! `cnitool completions`: what a shell has to know to complete a command line, made from the verbs and their usage.

/// The shells it knows.
pub(crate) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Prints the networks there are, in any shell.
const NETWORKS: &str = "$(cnitool completions networks 2>/dev/null)";

/// The script for one of [`SHELLS`]; `verbs` with what they take.
pub(crate) fn script(shell: &str, verbs: &[(&str, &str)]) -> String {
    match shell {
        "bash" => bash(verbs),
        "zsh" => zsh(verbs),
        _ => fish(verbs),
    }
}

/// The options in a usage text: `[-i NAME]`, `[--force | --verify]`.
fn options(takes: &str) -> Vec<&str> {
    let words = takes.split(|c: char| c.is_whitespace() || "[]|".contains(c));
    words.filter(|word| word.starts_with('-')).collect()
}

fn names(verbs: &[(&str, &str)]) -> String {
    verbs.iter().map(|(verb, _)| *verb).collect::<Vec<_>>().join(" ")
}

/// What may stand behind a verb: its options, a network, a namespace (`namespaces` is the shell's way to list them).
fn words(takes: &str, namespaces: &str) -> String {
    let mut words = options(takes);
    words.extend(takes.contains("<network>").then_some(NETWORKS));
    words.extend(takes.contains("<netns>").then_some(namespaces));
    words.extend(takes.contains("<shell>").then_some(SHELLS).into_iter().flatten());
    words.join(" ")
}

fn bash(verbs: &[(&str, &str)]) -> String {
    let cases = verbs.iter().map(|(verb, takes)| {
        format!("  {verb}) words=\"{}\" ;;\n", words(takes, "$(printf '%s ' /run/netns/*)"))
    });
    format!(
        "# bash completion for cnitool\n_cnitool() {{\n  local words='{} help --version --help'\n  \
         [ \"$COMP_CWORD\" = 1 ] || case ${{COMP_WORDS[1]}} in\n{}  *) words= ;;\n  esac\n  \
         COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n}}\n\
         complete -o default -F _cnitool cnitool\n",
        names(verbs),
        cases.collect::<String>()
    )
}

fn zsh(verbs: &[(&str, &str)]) -> String {
    let cases = verbs.iter().map(|(verb, takes)| {
        format!("  {verb}) compadd -- {}; _files ;;\n", words(takes, "/run/netns/*(N)"))
    });
    format!(
        "#compdef cnitool\nif (( CURRENT == 2 )); then\n  compadd -- {} help --version --help\nelse case ${{words[2]}} in\n\
         {}esac; fi\n",
        names(verbs),
        cases.collect::<String>()
    )
}

fn fish(verbs: &[(&str, &str)]) -> String {
    let mut text = format!(
        "# fish completion for cnitool\ncomplete -c cnitool -n __fish_use_subcommand -fa '{} help'\n\
         complete -c cnitool -l version\ncomplete -c cnitool -l help\n",
        names(verbs)
    );
    for (verb, takes) in verbs {
        let of = format!("complete -c cnitool -n '__fish_seen_subcommand_from {verb}'");
        for option in options(takes) {
            let option = match option.strip_prefix("--") {
                Some(long) => format!("-l {long}"),
                None => format!("-s {}", option.trim_start_matches('-')),
            };
            text.push_str(&format!("{of} {option}\n"));
        }
        for (argument, list) in [
            ("<network>", "(cnitool completions networks 2>/dev/null)".to_owned()),
            ("<netns>", "(path filter /run/netns/*)".to_owned()),
            ("<shell>", SHELLS.join(" ")),
        ] {
            if takes.contains(argument) {
                text.push_str(&format!("{of} -a '{list}'\n"));
            }
        }
    }
    text
}
