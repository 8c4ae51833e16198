//! Where the boxes of a picture are. All lengths are pixels.

use super::item::{Item, Kind};
use super::text::lines;

/// The width of a character of the font.
pub(super) const CHARACTER: usize = 7;
/// The height of a line.
pub(super) const LINE: usize = 16;
/// Around the text of a box.
pub(super) const PADDING: usize = 8;
/// Between boxes of one column.
const BELOW: usize = 10;
/// Between columns.
pub(super) const BETWEEN: usize = 48;
/// Around everything.
pub(super) const MARGIN: usize = 16;
/// A line is broken after this many characters.
const LONGEST: usize = 44;

/// One box, and which one it hangs on.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) lines: Vec<String>,
    /// How many of the lines, from the end, are about trouble.
    pub(super) troubled: usize,
    column: usize,
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) above: Option<usize>,
}

/// The boxes, and how large the picture is.
pub(super) struct Layout {
    pub(super) places: Vec<Place>,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// A column for each kind there is; what hangs on something is right of it.
pub(super) fn lay(items: &[Item], top: usize) -> Layout {
    let mut kinds = Vec::new();
    collect(items, &mut kinds);
    kinds.sort_unstable();
    kinds.dedup();
    let mut layout = Layout { places: Vec::new(), width: 0, height: top };
    let mut next = top;
    for item in items {
        next = layout.place(item, None, &kinds, next) + BELOW;
    }
    layout.columns();
    layout.height = layout.places.iter().map(|place| place.top + place.height).max().unwrap_or(top) + MARGIN;
    layout
}

/// Bridges, masters and routed networks share a column, and so do containers.
fn column_of(kind: Kind) -> Kind {
    match kind {
        Kind::Master | Kind::Routed => Kind::Bridge,
        Kind::Containers => Kind::Container,
        other => other,
    }
}

fn collect(items: &[Item], kinds: &mut Vec<Kind>) {
    for item in items {
        kinds.push(column_of(item.kind));
        collect(&item.below, kinds);
    }
}

impl Layout {
    /// Places the item and what hangs on it from `top` on; gives where the last of it ends.
    fn place(&mut self, item: &Item, above: Option<usize>, kinds: &[Kind], top: usize) -> usize {
        let column = kinds.iter().position(|kind| *kind == column_of(item.kind)).unwrap_or_default();
        let column = above.map_or(column, |above| column.max(self.places[above].column + 1));
        let all: Vec<String> = lines(item).iter().flat_map(|line| broken(line, LONGEST)).collect();
        let trouble =
            item.trouble.as_ref().map_or(0, |trouble| broken(&format!("✗ {trouble}"), LONGEST).len());
        let widest = all.iter().map(|line| line.chars().count()).max().unwrap_or_default();
        let (width, height) = (widest * CHARACTER + 2 * PADDING, all.len() * LINE + 2 * PADDING);
        let own = self.places.len();
        self.places.push(Place {
            kind: item.kind,
            lines: all,
            troubled: trouble,
            column,
            left: 0,
            top,
            width,
            height,
            above,
        });
        let mut end = top;
        for (at, below) in item.below.iter().enumerate() {
            end = self.place(below, Some(own), kinds, if at == 0 { top } else { end + BELOW });
        }
        // In the middle of what hangs on it.
        let span = end.saturating_sub(top);
        if span > height {
            self.places[own].top = top + (span - height) / 2;
        }
        end.max(top + height)
    }

    fn columns(&mut self) {
        let count = self.places.iter().map(|place| place.column + 1).max().unwrap_or_default();
        let mut left = MARGIN;
        for column in 0..count {
            let mut of_column: Vec<_> =
                self.places.iter_mut().filter(|place| place.column == column).collect();
            let width = of_column.iter().map(|place| place.width).max().unwrap_or_default();
            for place in &mut of_column {
                (place.left, place.width) = (left, width);
            }
            if width > 0 {
                left += width + BETWEEN;
            }
        }
        self.width = left.saturating_sub(BETWEEN) + MARGIN;
    }
}

/// Into lines of at most so many characters: at spaces, where there are any.
pub(super) fn broken(line: &str, longest: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.len() - 1;
        let length = lines[last].chars().count();
        if length > 0 && length + 1 + word.chars().count() > longest {
            lines.push(String::new());
        } else if length > 0 {
            lines[last].push(' ');
        }
        for character in word.chars() {
            let last = lines.len() - 1;
            if lines[last].chars().count() >= longest {
                lines.push(String::new());
            }
            let last = lines.len() - 1;
            lines[last].push(character);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_boxes_overlap_whatever_hangs_on_what() {
        let mut roots = Vec::new();
        for root in 0..3 {
            let mut item = Item::new(Kind::Bridge, format!("br{root}"));
            item.notes = vec!["note".into(); root * 7];
            for pod in 0..root * 3 {
                let mut link = Item::new(Kind::Link, format!("veth{pod}"));
                let mut container = Item::new(Kind::Container, "a rather long name ".repeat(pod));
                container.trouble = (pod == 1).then(|| "gone".into());
                link.below.push(container);
                item.below.push(link);
            }
            roots.push(item);
        }
        let layout = lay(&roots, 40);
        let places = &layout.places;
        for (at, a) in places.iter().enumerate() {
            assert!(a.left + a.width <= layout.width && a.top + a.height <= layout.height, "{a:?}");
            for b in &places[at + 1..] {
                let apart = a.left + a.width <= b.left
                    || b.left + b.width <= a.left
                    || a.top + a.height <= b.top
                    || b.top + b.height <= a.top;
                assert!(apart, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn long_lines_are_broken_and_keep_every_word() {
        let text = "one two three ".repeat(10);
        let lines = broken(text.trim(), LONGEST);
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= LONGEST), "{lines:?}");
        assert_eq!(lines.join(" "), text.trim());
        assert_eq!(broken(&"x".repeat(100), LONGEST).len(), 3);
    }
}
