//! A backend that writes nothing where nothing changed.
//!
//! ratatui draws only the cells that differ, but resets the colours and hides
//! or moves the cursor with every frame: bytes that wake a terminal, and cross
//! an SSH connection, to say what is known.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// Passes on to another backend what it does not know already.
#[derive(Debug)]
pub(super) struct Quiet<B> {
    inner: B,
    /// Whether the cursor is shown; none where that is not known.
    is_shown: Option<bool>,
    /// Where the cursor is; none where that is not known.
    at: Option<Position>,
    /// Whether something was written since the last flush.
    is_dirty: bool,
}

impl<B> Quiet<B> {
    pub(super) const fn new(inner: B) -> Self {
        Self { inner, is_shown: None, at: None, is_dirty: false }
    }

    /// Forgets what is known: something else wrote to the terminal.
    pub(super) const fn forget(&mut self) {
        self.is_shown = None;
        self.at = None;
    }
}

impl<B: Backend> Backend for Quiet<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.at = None;
        self.is_dirty = true;
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        if self.is_shown == Some(false) {
            return Ok(());
        }
        self.is_shown = Some(false);
        self.is_dirty = true;
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        if self.is_shown == Some(true) {
            return Ok(());
        }
        self.is_shown = Some(true);
        self.is_dirty = true;
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        let position = position.into();
        if self.at == Some(position) {
            return Ok(());
        }
        self.at = Some(position);
        self.is_dirty = true;
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.forget();
        self.is_dirty = true;
        self.inner.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> Result<(), Self::Error> {
        self.forget();
        self.is_dirty = true;
        self.inner.clear_region(region)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.inner.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        if std::mem::take(&mut self.is_dirty) { self.inner.flush() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::backend::CrosstermBackend;
    use ratatui::layout::Rect;
    use ratatui::{Terminal, TerminalOptions, Viewport};
    use std::cell::RefCell;
    use std::io::{self, Write};
    use std::rc::Rc;

    /// Bytes that were written.
    #[derive(Clone, Default)]
    struct Written(Rc<RefCell<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_frame_like_the_one_before_writes_not_one_byte() {
        let written = Written::default();
        let backend = Quiet::new(CrosstermBackend::new(written.clone()));
        let viewport = Viewport::Fixed(Rect::new(0, 0, 20, 3));
        let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        for cursor in [None, Some(Position::new(3, 1))] {
            let mut draw = |text: &str| {
                let before = written.0.borrow().len();
                terminal
                    .draw(|frame| {
                        frame.render_widget(text, frame.area());
                        if let Some(cursor) = cursor {
                            frame.set_cursor_position(cursor);
                        }
                    })
                    .unwrap();
                written.0.borrow().len() - before
            };
            assert!(draw("one") > 0, "{cursor:?}");
            assert_eq!(draw("one"), 0, "{cursor:?}");
            assert!(draw("two") > 0, "{cursor:?}");
            assert_eq!(draw("two"), 0, "{cursor:?}");
        }
    }

    #[test]
    fn the_cursor_is_back_in_its_place_after_something_was_drawn() {
        let written = Written::default();
        let backend = Quiet::new(CrosstermBackend::new(written.clone()));
        let viewport = Viewport::Fixed(Rect::new(0, 0, 20, 3));
        let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        for text in ["one", "two"] {
            let frame = |frame: &mut ratatui::Frame<'_>| {
                frame.render_widget(text, frame.area());
                frame.set_cursor_position((5, 2));
            };
            terminal.draw(frame).unwrap();
            let bytes = written.0.borrow().clone();
            let size = |cells| std::num::NonZero::new(cells).unwrap();
            let mut parser = vt100::Parser::new(size(3), size(20), 0);
            parser.process(&bytes);
            assert_eq!(parser.screen().cursor_position(), (2, 5), "{text}");
        }
    }
}
