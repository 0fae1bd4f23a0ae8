//! The way to an engine, which can be slow, lose answers, and lead to another engine under the same address.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A port that leads to another one.
pub(in crate::stores) struct Network {
    way: Arc<Way>,
}

struct Way {
    port: u16,
    target: AtomicU16,
    /// How many milliseconds later answers come.
    late: AtomicU64,
    /// Of so many answers one is lost, and its connection with it; 0 if none is.
    lost_of: AtomicUsize,
    /// Into pieces of so many bytes are answers cut; 0 if they stay as they are.
    pieces: AtomicUsize,
    answers: AtomicUsize,
    lost: AtomicUsize,
    is_over: AtomicBool,
    /// How many connections there were.
    connections: AtomicUsize,
    /// Those that are open, by number: both ends.
    open: Mutex<BTreeMap<usize, [TcpStream; 2]>>,
}

impl Network {
    /// A free port that leads to this one.
    pub(in crate::stores) fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let way = Arc::new(Way {
            port: listener.local_addr().expect("it has an address").port(),
            target: target.into(),
            late: AtomicU64::default(),
            lost_of: AtomicUsize::default(),
            pieces: AtomicUsize::default(),
            answers: AtomicUsize::default(),
            lost: AtomicUsize::default(),
            is_over: AtomicBool::default(),
            connections: AtomicUsize::default(),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&way);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_over.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(client) = client {
                    Arc::clone(&accepting).lead(&client);
                }
            }
        });
        Self { way }
    }

    /// The port that everybody knows.
    pub(in crate::stores) fn port(&self) -> u16 {
        self.way.port
    }

    /// From now on it leads to another port, and what led to the old one is cut.
    pub(in crate::stores) fn lead_to(&self, target: u16) {
        self.way.target.store(target, Ordering::SeqCst);
        self.way.cut();
    }

    /// Each answer comes this much later.
    pub(in crate::stores) fn be_late(&self, late: Duration) {
        self.way.late.store(late.as_millis().try_into().expect("not for ever"), Ordering::SeqCst);
    }

    /// Loses one of so many answers, with its connection; 0 ends that.
    pub(in crate::stores) fn lose_one_of(&self, answers: usize) {
        self.way.lost_of.store(answers, Ordering::SeqCst);
    }

    /// Hands answers on in pieces of so many bytes.
    pub(in crate::stores) fn cut_into_pieces(&self, bytes: usize) {
        self.way.pieces.store(bytes, Ordering::SeqCst);
    }

    /// How many connections there were.
    pub(in crate::stores) fn connections(&self) -> usize {
        self.way.connections.load(Ordering::SeqCst)
    }

    /// How many answers were lost.
    pub(in crate::stores) fn lost(&self) -> usize {
        self.way.lost.load(Ordering::SeqCst)
    }
}

impl Way {
    /// Carries what is said on a new connection, in both directions.
    fn lead(self: Arc<Self>, client: &TcpStream) {
        let Ok(engine) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target.load(Ordering::SeqCst))) else {
            // To the client it is an engine that ends the connection at once.
            let _ = client.shutdown(Shutdown::Both);
            return;
        };
        for end in [client, &engine] {
            let _ = end.set_nodelay(true);
        }
        let copy = |end: &TcpStream| end.try_clone().expect("a socket has two ends");
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        self.open().insert(number, [copy(client), copy(&engine)]);
        let (mut asking, mut asked) = (copy(client), copy(&engine));
        thread::spawn(move || {
            let _ = std::io::copy(&mut asking, &mut asked);
            let _ = asked.shutdown(Shutdown::Both);
        });
        let (mut answering, mut answered) = (engine, copy(client));
        thread::spawn(move || {
            let _ = self.answer(&mut answering, &mut answered);
            for end in [answering, answered] {
                let _ = end.shutdown(Shutdown::Both);
            }
            self.open().remove(&number);
        });
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<usize, [TcpStream; 2]>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, engine: &mut TcpStream, client: &mut TcpStream) -> std::io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = engine.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(self.late.load(Ordering::SeqCst)));
            let number = self.answers.fetch_add(1, Ordering::SeqCst);
            let lost_of = self.lost_of.load(Ordering::SeqCst);
            if lost_of > 0 && number % lost_of == lost_of - 1 {
                self.lost.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
            match self.pieces.load(Ordering::SeqCst) {
                0 => client.write_all(&buffer[..length])?,
                pieces => {
                    for piece in buffer[..length].chunks(pieces) {
                        client.write_all(piece)?;
                        thread::yield_now();
                    }
                }
            }
        }
    }

    fn cut(&self) {
        for end in std::mem::take(&mut *self.open()).values().flatten() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.way.is_over.store(true, Ordering::SeqCst);
        self.way.cut();
        // Whoever accepts is woken once more, and sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.way.port));
    }
}
