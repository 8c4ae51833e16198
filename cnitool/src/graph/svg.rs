//! The picture itself.

use std::fmt::Write;

use super::item::{Item, Kind};
use super::lay::{BETWEEN, CHARACTER, LINE, Layout, MARGIN, PADDING, Place, broken, lay};
use super::text::unseen;
use crate::svg::escaped;

const RED: &str = "#c01c28";
/// The height of the headline.
const HEAD: usize = 28;

/// An SVG 1.1 document without fonts, scripts or references.
pub(super) fn picture(items: &[Item], missing: &[String]) -> String {
    let layout = lay(items, MARGIN + HEAD);
    let headline = headline(items);
    let width = layout.width.max(headline.chars().count() * 8 + 2 * MARGIN);
    let foot = match missing.is_empty() {
        true => Vec::new(),
        false => broken(&unseen(missing), (width - 2 * MARGIN) / CHARACTER),
    };
    let height = layout.height + foot.len() * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"11.5\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let top = MARGIN + 12;
    let _ = writeln!(
        svg,
        "<text x=\"{MARGIN}\" y=\"{top}\" font-size=\"13\" font-weight=\"bold\">{}</text>",
        escaped(&headline)
    );
    for place in &layout.places {
        edge(&mut svg, place, &layout);
    }
    for place in &layout.places {
        draw(&mut svg, place);
    }
    for (at, line) in foot.iter().enumerate() {
        let y = layout.height + at * LINE;
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\" fill=\"{RED}\">{}</text>", escaped(line));
    }
    svg + "</svg>\n"
}

fn headline(items: &[Item]) -> String {
    let troubled = |items: &[Item]| -> usize { count(items, &|item| item.trouble.is_some()) };
    match (items.is_empty(), troubled(items)) {
        (true, _) => "no attachment".into(),
        (false, 0) => "uplink → bridge or master → link → container: all as it should be".into(),
        (false, count) => format!("uplink → bridge or master → link → container: {count} in trouble, in red"),
    }
}

fn count(items: &[Item], is_it: &dyn Fn(&Item) -> bool) -> usize {
    items.iter().map(|item| usize::from(is_it(item)) + count(&item.below, is_it)).sum()
}

/// From the middle of the one's right side to that of the other's left.
fn edge(svg: &mut String, place: &Place, layout: &Layout) {
    let Some(from) = place.above.map(|above| &layout.places[above]) else { return };
    let (x1, y1) = (from.left + from.width, from.top + from.height / 2);
    let (x2, y2) = (place.left, place.top + place.height / 2);
    // The bend is in front of the next column: what hangs on something two columns away passes no box.
    let bend = (x1 + BETWEEN).min(x2);
    let middle = usize::midpoint(x1, bend);
    let colour = if place.troubled > 0 { RED } else { "#9a9996" };
    let _ = writeln!(
        svg,
        "<path d=\"M{x1} {y1} C{middle} {y1} {middle} {y2} {bend} {y2} H{x2}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.4\"/>"
    );
}

fn draw(svg: &mut String, place: &Place) {
    let (fill, line) = match place.kind {
        Kind::Uplink => ("#e8e8e8", "#5e5c64"),
        Kind::Vlan => ("#fdf3cf", "#b58900"),
        Kind::Bridge | Kind::Master | Kind::Routed => ("#d8e8fb", "#1a5fb4"),
        Kind::Link => ("#f6f5f4", "#9a9996"),
        Kind::Container | Kind::Containers => ("#dff3e0", "#26a269"),
    };
    let is_bad = place.troubled > 0;
    let (fill, line, stroke) = if is_bad { ("#fde7e7", RED, 2) } else { (fill, line, 1) };
    let Place { left, top, width, height, .. } = place;
    // What stands for many looks like a pile.
    if place.kind == Kind::Containers {
        let _ = writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"5\" fill=\"{fill}\" stroke=\"{line}\"/>",
            left + 4,
            top + 4
        );
    }
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"5\" fill=\"{fill}\" stroke=\"{line}\" \
         stroke-width=\"{stroke}\"/>"
    );
    let first_bad = place.lines.len() - place.troubled;
    for (at, text) in place.lines.iter().enumerate() {
        let (x, y) = (left + PADDING, top + PADDING + at * LINE + 11);
        let weight = if at == 0 { " font-weight=\"bold\"" } else { "" };
        let colour = if at >= first_bad { RED } else { "#241f31" };
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" fill=\"{colour}\"{weight}>{}</text>", escaped(text));
    }
}
