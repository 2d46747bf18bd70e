//! HTML in which text from outside stays text.

use shared::sanitize::sanitize;
use std::fmt::Write as _;

/// A piece of markup. Text gets into it escaped, or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Markup of our own.
    #[must_use]
    pub fn raw(mut self, markup: &str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// Text from outside: hazards shown as escapes, markup characters escaped.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        for c in sanitize(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// A number.
    #[must_use]
    pub fn number(mut self, number: impl Into<u64>) -> Self {
        let _ = write!(self.0, "{}", number.into());
        self
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Extend<Self> for Html {
    fn extend<I: IntoIterator<Item = Self>>(&mut self, pieces: I) {
        pieces.into_iter().for_each(|piece| self.0.push_str(&piece.0));
    }
}

impl FromIterator<Self> for Html {
    fn from_iter<I: IntoIterator<Item = Self>>(pieces: I) -> Self {
        let mut all = Self::default();
        all.extend(pieces);
        all
    }
}

/// Puts pieces into a template at their places, written `{{name}}`. What a
/// piece holds is not looked at again.
pub fn fill(template: &str, pieces: &[(&str, Html)]) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        if let Some((_, piece)) = pieces.iter().find(|(known, _)| *known == name) {
            out.push_str(piece.as_str());
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let html = Html::default().text("<img src=x onerror=\"a('&')\"> \x1b[31m\u{202e}");
        assert_eq!(
            html.as_str(),
            "&lt;img src=x onerror=&quot;a(&#39;&amp;&#39;)&quot;&gt; \\x1b[31m\\u{202e}"
        );
    }

    #[test]
    fn a_piece_that_looks_like_a_place_is_not_one() {
        let pieces = [("a", Html::default().text("{{b}}")), ("b", Html::default().text("secret"))];
        assert_eq!(fill("<p>{{a}}</p>{{b}}{{c}}.", &pieces), "<p>{{b}}</p>secret.");
    }
}
