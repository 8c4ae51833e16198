//! An attachment as a line of a table.

use crate::attachments::{Attachment, State};
use crate::terminal::{Terminal, printable};

/// How much of an attachment is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Short,
    Full,
}

/// The cells of one line.
pub(super) struct Row {
    cells: Vec<String>,
    is_bad: bool,
}

/// The columns, and whether they are in the short table.
const COLUMNS: [(&str, bool); 11] = [
    ("NETWORK", true),
    ("CONTAINER", true),
    ("IFNAME", true),
    ("ADDRESSES", true),
    ("MAC", false),
    ("HOST LINK", true),
    ("VLAN", false),
    ("PORTS", true),
    ("LIMITS", false),
    ("NETNS", false),
    ("STATE", true),
];

/// No column is made narrower than this.
const NARROWEST: usize = 6;

impl Row {
    pub(super) fn new(attachment: &Attachment, width: Width) -> Self {
        let kept = attachment.kept.as_ref();
        let ports = kept.map(|kept| kept.ports().iter().map(ToString::to_string).collect::<Vec<_>>());
        let (link, id) = (attachment.link.as_ref(), attachment.id.as_ref());
        let cells = [
            attachment.network.as_ref().map(ToString::to_string).unwrap_or_default(),
            match width {
                Width::Full => attachment.container(),
                Width::Short => attachment.short_container(),
            },
            id.map(|id| id.ifname.to_string()).unwrap_or_default(),
            attachment.addresses().join(" "),
            link.map(|link| link.mac.clone()).unwrap_or_default(),
            attachment.host_link.as_ref().map(|link| link.name.clone()).unwrap_or_default(),
            attachment.vlan_ranges().unwrap_or_default(),
            ports.unwrap_or_default().join(" "),
            kept.map(|kept| kept.limits().to_string()).unwrap_or_default(),
            kept.and_then(|kept| Some(kept.conf.netns.as_ref()?.display().to_string())).unwrap_or_default(),
            attachment.state.to_string(),
        ];
        let shown =
            cells.into_iter().zip(COLUMNS).filter(|(_, (_, is_short))| *is_short || width == Width::Full);
        let cells = shown.map(|(cell, _)| if cell.is_empty() { "-".to_owned() } else { printable(&cell) });
        Self { cells: cells.collect(), is_bad: attachment.state != State::Ok }
    }
}

/// `network/container/ifname`, with `-` for what is not known.
pub(super) fn name(attachment: &Attachment) -> String {
    let id = attachment.id.as_ref();
    let network = attachment.network.as_ref().map_or("-", |name| name.as_str());
    let container = id.map_or_else(|| attachment.container(), |id| id.container_id.to_string());
    format!("{network}/{container}/{}", id.map_or("-", |id| id.ifname.as_str()))
}

/// The lines under their headings, as wide as the terminal at most: the widest columns are cut first, the state last.
pub(super) fn table(rows: &[Row], terminal: &Terminal) -> String {
    let is_full = rows.first().is_some_and(|row| row.cells.len() == COLUMNS.len());
    let headings = COLUMNS.iter().filter(|(_, is_short)| *is_short || is_full).map(|(name, _)| *name);
    let headings: Vec<String> = headings.map(ToOwned::to_owned).collect();
    let length = |text: &String| text.chars().count();
    let mut widths: Vec<usize> = headings.iter().map(length).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = length(cell).max(*width);
        }
    }
    if let Some(columns) = terminal.columns {
        narrow(&mut widths, columns);
    }
    let mut text = line(&headings, &widths) + "\n";
    for row in rows {
        let line = line(&row.cells, &widths);
        text.push_str(&if row.is_bad { terminal.red(&line) } else { line });
        text.push('\n');
    }
    text
}

fn narrow(widths: &mut [usize], columns: usize) {
    let between = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + between > columns {
        let last = widths.len() - 1;
        // The state says what to do: it is cut when the others cannot be any more.
        let widest = (0..last).filter(|at| widths[*at] > NARROWEST).max_by_key(|at| widths[*at]);
        let Some(at) = widest
            .filter(|at| widths[*at] > 16 || widths[last] <= 24)
            .or_else(|| (widths[last] > NARROWEST).then_some(last))
        else {
            return;
        };
        widths[at] -= 1;
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).map(|(cell, width)| {
        let is_long = cell.chars().count() > *width;
        let cut: String = cell.chars().take(width.saturating_sub(1)).collect();
        if is_long { format!("{cut}…") } else { format!("{cell:<width$}") }
    });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
