//! `/`: a plain page that lists the boards, read-only and without secrets.

use std::fmt::{self, Write};

use axum::response::Html;

use super::addresses::Addresses;
use crate::pure::view::{BoardState, BoardView};

/// The page.
pub(super) fn page(boards: &[BoardView], addresses: &Addresses) -> Html<String> {
    let mut html = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut html, boards, addresses);
    Html(html)
}

fn write_page(out: &mut String, boards: &[BoardView], addresses: &Addresses) -> fmt::Result {
    out.write_str(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>microflo-bridge</title>\n</head>\n<body>\n\
         <h1>microflo-bridge</h1>\n",
    )?;
    let present: Vec<_> = boards.iter().filter(|board| board.state != BoardState::Gone).collect();
    if present.is_empty() {
        out.write_str("<p>No board yet. Plug one in, and reload this page.</p>\n")?;
    } else {
        out.write_str("<table>\n<tr><th>Board<th>State<th>Why<th>Address</tr>\n")?;
        for board in present {
            writeln!(
                out,
                "<tr><td>{}<td>{}<td>{}<td><code>{}</code></tr>",
                Text(&board.label),
                board.state.name(),
                Text(&board.reason),
                Text(&addresses.board(board.id)),
            )?;
        }
        out.write_str("</table>\n")?;
    }
    out.write_str(
        "<p>To open a board in Flowhub, type <code>microflo-bridge list</code> on this computer: \
         it shows each board's live URL.</p>\n</body>\n</html>\n",
    )
}

/// Text in HTML: never a tag, whatever a board calls itself.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_boards_say_is_text() {
        assert_eq!(Text("<b onclick='x'>&\"").to_string(), "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;");
    }
}
