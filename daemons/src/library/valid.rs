//! What a book and a loan may hold. Spaces around a text are dropped; ids stand
//! in URLs, all of them in tables and in the log.

use shared::sanitize::is_hazard;
use shared::wire::library::{Lend, NewBook};

const ID_MAX: usize = 64;
const TITLE_MAX: usize = 500;
const NAME_MAX: usize = 200;
/// Copies of one book.
const COPIES_MAX: u32 = 10_000;

/// A field that cannot have the value that it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// Which field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// A book to be added, checked and trimmed. An empty id is none.
///
/// # Errors
/// Names the field that is at fault.
pub fn book(new: NewBook) -> Result<NewBook, Invalid> {
    let id = match new.id.as_deref().map(str::trim) {
        None | Some("") => None,
        // A URL's parser would resolve them away, so that nobody could ask for them.
        Some("." | "..") => return Err(Invalid { field: "id", reason: "cannot be dots alone".to_owned() }),
        Some(id) => Some(text("id", id, ID_MAX)?),
    };
    if new.copies.is_some_and(|copies| !(1..=COPIES_MAX).contains(&copies)) {
        return Err(Invalid { field: "copies", reason: format!("must be from 1 to {COPIES_MAX}") });
    }
    Ok(NewBook {
        id,
        title: text("title", &new.title, TITLE_MAX)?,
        author: text("author", &new.author, NAME_MAX)?,
        copies: new.copies,
    })
}

/// A request to borrow or return, checked and trimmed.
///
/// # Errors
/// Names the field that is at fault.
pub fn lend(lend: &Lend) -> Result<Lend, Invalid> {
    Ok(Lend {
        book_id: text("book_id", &lend.book_id, ID_MAX)?,
        borrower: text("borrower", &lend.borrower, NAME_MAX)?,
    })
}

fn text(field: &'static str, text: &str, max: usize) -> Result<String, Invalid> {
    let text = text.trim();
    let reason = if text.is_empty() {
        "must not be empty".to_owned()
    } else if text.len() > max {
        format!("is longer than {max} bytes")
    } else if text.chars().any(is_hazard) {
        "has a control character or one that is not visible".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(Invalid { field, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(change: impl FnOnce(&mut NewBook)) -> Option<&'static str> {
        let mut new =
            NewBook {
                title: "HTTP协议详解".to_owned(), author: "王五".to_owned(), ..NewBook::default()
            };
        change(&mut new);
        book(new).err().map(|invalid| invalid.field)
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(fault(|_| {}), None);
        assert_eq!(fault(|b| b.title = " \t".to_owned()), Some("title"));
        assert_eq!(fault(|b| b.title = "x".repeat(501)), Some("title"));
        assert_eq!(fault(|b| b.author = "a\u{202e}b".to_owned()), Some("author"));
        assert_eq!(fault(|b| b.id = Some("..".to_owned())), Some("id"));
        assert_eq!(fault(|b| b.id = Some("a\nb".to_owned())), Some("id"));
        assert_eq!(fault(|b| b.copies = Some(0)), Some("copies"));
        assert_eq!(fault(|b| b.copies = Some(10_001)), Some("copies"));
    }

    #[test]
    fn spaces_around_a_text_are_dropped_and_an_empty_id_is_none() {
        let new = NewBook {
            id: Some(" ".to_owned()),
            title: " T ".to_owned(),
            author: "A ".to_owned(),
            copies: None,
        };
        let checked = book(new).unwrap();
        assert_eq!((checked.id, checked.title.as_str(), checked.author.as_str()), (None, "T", "A"));
    }
}
