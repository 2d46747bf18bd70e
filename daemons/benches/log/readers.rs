//! Tails that are read by a thread of their own.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::JoinHandle;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

const REQUEST: &[u8] = b"GET /log/tail HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Open tails, closed when this is dropped.
pub struct Readers {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Readers {
    /// Opens so many tails, and reads what comes.
    pub fn open(port: u16, tails: usize) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (opened, open) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let tasks = LocalSet::new();
            tasks.block_on(&runtime, async {
                let buffer = Rc::new(RefCell::new(vec![0; 256 << 10]));
                for _ in 0..tails {
                    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    stream.write_all(REQUEST).await.unwrap();
                    stream.readable().await.unwrap();
                    tokio::task::spawn_local(read(stream, Rc::clone(&buffer)));
                }
                opened.send(()).unwrap();
                let _ = stopped.await;
            });
        });
        open.recv().unwrap();
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

async fn read(stream: TcpStream, buffer: Rc<RefCell<Vec<u8>>>) {
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut buffer.borrow_mut()) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
