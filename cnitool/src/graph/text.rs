//! Pictures in text: a tree, and the languages of Graphviz and Mermaid.

use super::item::Item;
use crate::terminal::{Terminal, printable};

/// A tree for a terminal.
pub(super) fn tree(items: &[Item], missing: &[String], terminal: Terminal) -> String {
    let mut text = String::new();
    for item in items {
        text.push_str(&line(item, terminal));
        branches(&item.below, "", terminal, &mut text);
    }
    if items.is_empty() {
        text.push_str("no attachment\n");
    }
    text.extend(missing.iter().map(|missing| format!("cannot be seen: {}\n", printable(missing))));
    text
}

fn branches(items: &[Item], indent: &str, terminal: Terminal, text: &mut String) {
    for (at, item) in items.iter().enumerate() {
        let (branch, more) = if at + 1 == items.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        text.push_str(&format!("{indent}{branch}{}", line(item, terminal)));
        branches(&item.below, &format!("{indent}{more}"), terminal, text);
    }
}

fn line(item: &Item, terminal: Terminal) -> String {
    let trouble = item
        .trouble
        .as_ref()
        .map(|trouble| format!("  {}", terminal.red(&format!("✗ {}", printable(trouble)))));
    let notes = if item.notes.is_empty() { String::new() } else { format!("  {}", item.notes.join(" · ")) };
    format!("{}{}{}\n", printable(&item.title), printable(&notes), trouble.unwrap_or_default())
}

/// The lines of a box.
pub(super) fn lines(item: &Item) -> Vec<String> {
    let trouble = item.trouble.iter().map(|trouble| format!("✗ {trouble}"));
    let all = [item.title.clone()].into_iter().chain(item.notes.iter().cloned()).chain(trouble);
    all.map(|line| printable(&line)).collect()
}

/// For Graphviz.
pub(super) fn dot(items: &[Item], missing: &[String]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = String::from(
        "digraph cni {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=sans];\n",
    );
    number(items, &mut 0, None, &mut |item, own, above| {
        // `\n` is Graphviz's own, so each line is quoted by itself.
        let label: Vec<String> =
            lines(item).iter().map(|line| quoted(line).trim_matches('"').to_owned()).collect();
        let colour = if item.trouble.is_some() { ", color=red, fontcolor=red" } else { "" };
        text.push_str(&format!("  n{own} [label=\"{}\"{colour}];\n", label.join("\\n")));
        text.extend(above.map(|above| format!("  n{above} -> n{own};\n")));
    });
    if !missing.is_empty() {
        text.push_str(&format!("  label={};\n  fontcolor=red;\n", quoted(&unseen(missing))));
    }
    text + "}\n"
}

/// For Mermaid.
pub(super) fn mermaid(items: &[Item], missing: &[String]) -> String {
    let escaped = |text: &str| {
        text.replace('&', "#amp;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
    };
    let mut text = String::from("flowchart LR\n  classDef trouble stroke:#c00,color:#c00\n");
    number(items, &mut 0, None, &mut |item, own, above| {
        let label: Vec<String> = lines(item).iter().map(|line| escaped(line)).collect();
        let class = if item.trouble.is_some() { ":::trouble" } else { "" };
        text.push_str(&format!("  n{own}[\"{}\"]{class}\n", label.join("<br/>")));
        text.extend(above.map(|above| format!("  n{above} --> n{own}\n")));
    });
    if !missing.is_empty() {
        text.push_str(&format!("  missing[\"{}\"]:::trouble\n", escaped(&unseen(missing))));
    }
    text
}

/// What could not be looked at, as one line.
pub(super) fn unseen(missing: &[String]) -> String {
    printable(&format!("cannot be seen: {}", missing.join("; ")))
}

/// Tells each item, its number and that of the one above.
fn number(
    items: &[Item],
    next: &mut usize,
    above: Option<usize>,
    tell: &mut dyn FnMut(&Item, usize, Option<usize>),
) {
    for item in items {
        let own = *next;
        *next += 1;
        tell(item, own, above);
        number(&item.below, next, Some(own), tell);
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::Kind;
    use super::*;

    #[test]
    fn what_a_name_holds_is_text_in_every_language() {
        let mut item = Item::new(Kind::Container, "a\"]<b>\\\x1b[2J");
        item.trouble = Some("gone".into());
        let items = [item];
        let dot = dot(&items, &[]);
        assert!(dot.contains(r#"label="a\"]<b>\\"#) && dot.contains("color=red"), "{dot}");
        let mermaid = mermaid(&items, &[]);
        assert!(mermaid.contains("n0[\"a#quot;]#lt;b#gt;") && mermaid.contains(":::trouble"), "{mermaid}");
        assert!(!dot.contains('\x1b') && !mermaid.contains('\x1b'));
    }
}
