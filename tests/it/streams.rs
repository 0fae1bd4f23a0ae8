//! Streams of the revisions with sessions: what a client hears, what it can come back for, and who else can't.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mcp_runtime::{
    Server, SigningKeys,
    prelude::*,
    store::{FileStore, MemoryEventLog},
};
use serde_json::{Value, json};

use crate::{
    behaviour::eventually,
    support::{
        Request,
        client::{Client, Era},
        stream::{Event, EventStream},
    },
};

/// Says much, at length, or only later.
#[derive(Clone, Default)]
struct Talker {
    said: Arc<AtomicU64>,
    finished: Arc<AtomicU64>,
}

#[mcp_server(name = "talker")]
impl Talker {
    /// Give back what came.
    #[tool]
    fn echo(&self, text: String) -> String {
        text
    }

    /// Say so many numbers, with a text, and rest after every fifth.
    #[tool]
    async fn talk(&self, cx: &Context, numbers: u32, text: Option<String>, rest: u64) -> String {
        for number in 1..=numbers {
            cx.progress(number.into(), f64::from(numbers), text.as_deref());
            self.said.fetch_add(1, Ordering::SeqCst);
            if number % 5 == 0 {
                match rest {
                    0 => tokio::task::yield_now().await,
                    rest => tokio::time::sleep(Duration::from_millis(rest)).await,
                }
            }
        }
        self.finished.fetch_add(1, Ordering::SeqCst);
        "said".into()
    }

    /// Let the client go this often, and answer some time after that.
    #[tool]
    async fn leave(&self, cx: &Context, times: u32) -> String {
        for time in 1..=times {
            cx.progress(time.into(), None, None);
            cx.close_stream(Duration::from_millis(40 + u64::from(time)));
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        "back".into()
    }

    /// Answer with more than a log keeps.
    #[tool]
    async fn large(&self, cx: &Context) -> String {
        cx.progress(1.0, None, None);
        tokio::time::sleep(Duration::from_millis(100)).await;
        "x".repeat(3 << 20)
    }
}

struct Served {
    port: u16,
    talker: Talker,
    runtime: Option<tokio::runtime::Runtime>,
    running: Option<mcp_runtime::Running>,
}

impl Served {
    fn new(change: impl FnOnce(Server) -> Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let talker = Talker::default();
        let running = runtime.block_on(change(Server::new(talker.clone()).port(0)).start()).expect("it starts");
        Self { port: running.address().port(), talker, runtime: Some(runtime), running: Some(running) }
    }

    fn plain() -> Self {
        Self::new(|server| server)
    }

    fn client(&self) -> Client {
        Client::new(self.port, Era::Legacy("2025-11-25"))
    }

    fn call(&self, client: &Client, tool: &str, arguments: Value) -> EventStream {
        let meta = json!({ "progressToken": "p" });
        EventStream::open(self.port, &client.call_request_with_meta(json!(7), tool, arguments, meta))
    }

    /// Opens a stream by GET, to go on after an event.
    fn listen(&self, client: &Client, last: Option<&str>) -> EventStream {
        let mut request = client.headers(Request::of("GET")).header("Accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let stream = EventStream::open(self.port, &request);
        assert_eq!(stream.head.status, 200, "{:?}", stream.head);
        stream
    }

    /// Stops as on a signal, and waits until nothing of it is left.
    fn stop(mut self) {
        if let (Some(runtime), Some(running)) = (self.runtime.take(), self.running.take()) {
            runtime.block_on(running.stop());
            runtime.shutdown_timeout(SOON);
        }
    }

    fn finished(&self) -> u64 {
        self.talker.finished.load(Ordering::SeqCst)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

/// The numbers that progress notifications in these events say.
fn numbers(events: &[Event]) -> Vec<u64> {
    let messages = events.iter().filter(|event| event.data.as_deref().is_some_and(|data| !data.is_empty()));
    messages.filter_map(|event| event.json()["params"]["progress"].as_f64()).map(|number| number as u64).collect()
}

fn last_id(events: &[Event]) -> String {
    events.iter().rev().find_map(|event| event.id.clone()).expect("events have ids")
}

const SOON: Duration = Duration::from_secs(10);

// Proves: H-06, N-13.
#[test]
fn a_call_that_says_nothing_before_its_answer_stays_json_and_is_kept_nowhere() {
    let log = Arc::new(MemoryEventLog::new());
    let served = Served::new(|server| server.events(log.clone()));
    let client = served.client();
    let answer = client.call_request(json!(1), "echo", json!({ "text": "a" })).send(served.port);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(format!("{log:?}").contains("streams: 0"), "{log:?}");
    served.call(&client, "talk", json!({ "numbers": 1, "rest": 0 })).hear_all();
    assert!(format!("{log:?}").contains("streams: 1"), "{log:?}");
}

// Proves: H-18.
#[test]
fn abuse_h11_a_stream_begins_at_once_with_what_keeps_proxies_from_holding_it_back() {
    let served = Served::plain();
    let begun = Instant::now();
    let mut stream = served.call(&served.client(), "talk", json!({ "numbers": 5, "rest": 2000 }));
    let first = stream.hear(SOON, |events| !events.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(first[0].data.as_deref(), Some(""));
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("x-accel-buffering", "no"),
        ("cache-control", "no-cache, no-transform"),
    ] {
        assert_eq!(stream.head.header(name), Some(value));
    }
}

// Proves: H-09, H-13, N-08, P-08.
#[test]
fn streams_begin_with_an_empty_event_where_the_revision_has_it_and_have_ids_where_it_has_sessions() {
    let served = Served::plain();
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let client = Client::new(served.port, Era::Legacy(revision));
        let mut events = served.call(&client, "talk", json!({ "numbers": 3, "rest": 0 })).hear_all();
        if revision == "2025-11-25" {
            let priming = events.remove(0);
            assert_eq!((priming.data.as_deref(), priming.retry), (Some(""), Some(1000)), "{revision}");
            assert!(priming.id.is_some());
        }
        assert_eq!(events.len(), 4, "{revision}: {events:?}");
        let ids: Vec<_> = events.iter().map(|event| event.id.clone().expect("an id")).collect();
        let stream = ids[0].rsplit_once('-').expect("the stream is in the id").0;
        assert_eq!(ids, [1, 2, 3, 4].map(|number| format!("{stream}-{number}")));
        assert!(events[3].is_answer() && events.iter().all(|event| event.retry.is_none()));
    }
    let modern = Client::new(served.port, Era::Modern);
    let request = modern.call_request_with_meta(
        json!(7),
        "talk",
        json!({ "numbers": 3, "rest": 0 }),
        json!({ "progressToken": "p" }),
    );
    let events = EventStream::open(served.port, &request.header("Last-Event-ID", "7")).hear_all();
    assert_eq!(numbers(&events), [1, 2, 3]);
    assert!(events.iter().all(|event| event.id.is_none() && event.retry.is_none()), "{events:?}");
}

// Proves: H-14.
#[test]
fn a_stream_that_is_cut_every_hundred_milliseconds_is_complete_and_in_order_when_it_is_resumed() {
    const NUMBERS: u64 = 10_000;
    let served = Served::plain();
    let client = served.client();
    let begun = Instant::now();
    let mut stream = served.call(&client, "talk", json!({ "numbers": NUMBERS, "rest": 1 }));
    let (mut heard, mut cuts) = (Vec::new(), 0);
    loop {
        heard.extend(stream.hear(Duration::from_millis(100), |_| false));
        if heard.last().is_some_and(Event::is_answer) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{} events after {cuts} cuts", heard.len());
        cuts += 1;
        // Dropped in the middle of whatever it was.
        stream = served.listen(&client, Some(&last_id(&heard)));
    }
    assert_eq!(stream.hear_all(), [], "the answer ends the stream");
    eprintln!("{} events after {cuts} cuts in {:?}", heard.len(), begun.elapsed());
    assert!(cuts >= 10, "only {cuts} cuts");
    assert!(numbers(&heard).into_iter().eq(1..=NUMBERS), "something is missing, twice there, or out of order");
    assert!(heard.iter().all(|event| event.comment.is_none()), "a gap");
    assert_eq!(heard.iter().filter(|event| event.is_answer()).count(), 1);
}

// Proves: H-08, H-14, P-07.
#[test]
fn abuse_g7_the_answer_to_a_client_that_went_away_waits_for_it() {
    let served = Served::plain();
    let client = served.client();
    let mut stream = served.call(&client, "talk", json!({ "numbers": 20, "rest": 50 }));
    let heard = stream.hear(SOON, |events| numbers(events).len() >= 3);
    drop(stream);
    eventually("the call goes on", SOON, || served.finished() == 1);
    let rest = served.listen(&client, Some(&last_id(&heard))).hear_all();
    let all: Vec<u64> = [numbers(&heard), numbers(&rest)].concat();
    assert_eq!(all, (1..=20).collect::<Vec<_>>());
    assert_eq!(rest.last().unwrap().json()["result"]["content"][0]["text"], "said");
    // It can be fetched again, from wherever the client likes.
    let stream = last_id(&heard).rsplit_once('-').unwrap().0.to_owned();
    let again = served.listen(&client, Some(&format!("{stream}-19"))).hear_all();
    assert_eq!((numbers(&again), again.len()), (vec![20], 2));
}

// Proves: H-10.
#[test]
fn a_call_lets_its_client_go_as_often_as_it_likes_and_the_client_comes_back_for_the_rest() {
    let served = Served::plain();
    let client = served.client();
    let first = served.call(&client, "leave", json!({ "times": 3 })).hear_all();
    assert_eq!((numbers(&first), first.len()), (vec![1], 3), "{first:?}");
    assert_eq!(first[2], Event { retry: Some(41), ..Event::default() });
    let second = served.listen(&client, Some(&last_id(&first))).hear_all();
    assert_eq!((numbers(&second), second.last().unwrap().retry), (vec![2], Some(42)), "{second:?}");
    let third = served.listen(&client, Some(&last_id(&second))).hear_all();
    assert_eq!((numbers(&third), third.last().unwrap().retry), (vec![3], Some(43)), "{third:?}");
    let last = served.listen(&client, Some(&last_id(&third))).hear_all();
    assert_eq!(last.len(), 1);
    assert_eq!(last[0].json()["result"]["content"][0]["text"], "back");
}

#[test]
fn where_a_client_cant_come_back_it_stays_until_the_answer() {
    let served = Served::plain();
    for era in [Era::Legacy("2025-06-18"), Era::Modern] {
        let events = served.call(&Client::new(served.port, era), "leave", json!({ "times": 2 })).hear_all();
        assert_eq!(numbers(&events), [1, 2]);
        assert!(events.last().unwrap().is_answer());
    }
}

// Proves: H-13, H-14, P-08.
#[test]
fn abuse_h7_an_event_id_that_is_not_of_this_session_is_like_none() {
    let served = Served::plain();
    let (owner, stranger) = (served.client(), served.client());
    let events = served.call(&owner, "talk", json!({ "numbers": 3, "rest": 0 })).hear_all();
    let id = last_id(&events[..1]);
    let (stream, _) = id.rsplit_once('-').unwrap();
    let mut turned: Vec<u8> = stream.into();
    turned[1] = if turned[1] == b'A' { b'B' } else { b'A' };
    let turned = String::from_utf8(turned).unwrap();
    let unknown = [
        format!("{stream}-5"),
        format!("{stream}-18446744073709551615"),
        format!("{stream}-18446744073709551616"),
        format!("{stream}--1"),
        format!("{stream}-"),
        format!("{turned}-0"),
        "7".into(),
        "x".repeat(40_000),
        "-".into(),
    ];
    let forms = |stream: &mut EventStream| {
        let events = stream.hear(Duration::from_millis(150), |events| events.len() > 1);
        let head: Vec<_> = stream.head.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
        let shapes: Vec<_> = events.iter().map(|event| (event.data.clone(), event.retry)).collect();
        (head, shapes, stream.ended)
    };
    let plain = forms(&mut served.listen(&owner, None));
    assert_eq!(plain.1, [(Some(String::new()), Some(1000))]);
    assert!(!plain.2);
    for id in &unknown {
        assert_eq!(forms(&mut served.listen(&owner, Some(id))), plain, "{id:.60}");
    }
    for id in [&id, &format!("{stream}-2"), &format!("{turned}-0")] {
        assert_eq!(forms(&mut served.listen(&stranger, Some(id))), plain, "{id}");
    }
    // While the owner hears all of it.
    assert_eq!(numbers(&served.listen(&owner, Some(&id)).hear_all()), [1, 2, 3]);
}

// Proves: H-11.
#[test]
fn abuse_h6_two_streams_of_one_session_are_both_open_and_who_resumes_one_takes_it_over() {
    let served = Served::plain();
    let client = served.client();
    let (mut one, mut two) = (served.listen(&client, None), served.listen(&client, None));
    for stream in [&mut one, &mut two] {
        assert_eq!(stream.hear(SOON, |events| !events.is_empty()).len(), 1);
    }
    let mut call = served.call(&client, "talk", json!({ "numbers": 50, "rest": 50 }));
    let id = last_id(&call.hear(SOON, |events| numbers(events).len() >= 3));
    drop(call);
    let mut first = served.listen(&client, Some(&id));
    assert!(!first.hear(SOON, |events| !events.is_empty()).is_empty());
    let second = served.listen(&client, Some(&id)).hear_all();
    assert!(second.last().unwrap().is_answer());
    first.hear_all();
    for mut stream in [one, two] {
        assert_eq!(stream.hear(Duration::from_millis(50), |_| false), []);
        assert!(!stream.ended);
    }
}

// Proves: H-11, S-09.
#[test]
fn abuse_h2_of_too_many_streams_of_a_session_its_own_oldest_gives_way() {
    let served = Served::plain();
    let (client, other) = (served.client(), served.client());
    let mut others = served.listen(&other, None);
    let mut streams: Vec<_> = (0..9).map(|_| served.listen(&client, None)).collect();
    streams.remove(0).hear_all();
    for stream in streams.iter_mut().chain([&mut others]) {
        assert_eq!(stream.hear(Duration::from_millis(50), |_| false).len(), 1);
        assert!(!stream.ended);
    }
}

// Proves: S-05.
#[test]
fn the_end_of_a_session_ends_its_streams_and_nothing_of_it_is_kept() {
    let log = Arc::new(MemoryEventLog::new());
    let served = Served::new(|server| server.events(log.clone()));
    let client = served.client();
    let mut listening = served.listen(&client, None);
    let mut call = served.call(&client, "talk", json!({ "numbers": 1000, "rest": 50 }));
    let heard = call.hear(SOON, |events| numbers(events).len() >= 3);
    drop(call);
    let mut resumed = served.listen(&client, Some(&last_id(&heard)));
    assert_eq!(client.headers(Request::of("DELETE")).send(served.port).status, 204);
    listening.hear_all();
    assert!(!resumed.hear_all().iter().any(Event::is_answer));
    eventually("the log has nothing", SOON, || format!("{log:?}").contains("streams: 0"));
}

#[test]
fn abuse_h8_a_stream_is_resumed_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("streams.redb");
    let served = || {
        let file = Arc::new(FileStore::open(&path).expect("the file opens"));
        Served::new(|server| {
            let keys = SigningKeys::from_secret(b"a secret of these tests, long enough to be one").unwrap();
            server.store(file.clone()).events(file).sessions(Sessions::jwt(keys))
        })
    };
    let before = served();
    let client = before.client();
    let mut stream = before.call(&client, "talk", json!({ "numbers": 20, "rest": 20 }));
    let heard = stream.hear(SOON, |events| numbers(events).len() >= 3);
    drop(stream);
    // The call is still running: the server waits for it.
    before.stop();
    let after = served();
    let client = client.moved(after.port);
    let rest = after.listen(&client, Some(&last_id(&heard))).hear_all();
    assert_eq!([numbers(&heard), numbers(&rest)].concat(), (1..=20).collect::<Vec<_>>());
    assert!(rest.last().unwrap().is_answer());
}

#[test]
fn abuse_h10_a_payload_never_breaks_its_event() {
    let served = Served::plain();
    let text = "a\nb\r\nc\rd\0e\u{2028}f\n\ndata: x\nid: 9\n\n";
    let events = served.call(&served.client(), "talk", json!({ "numbers": 1, "text": text, "rest": 0 })).hear_all();
    assert_eq!(events.len(), 3, "{events:?}");
    assert_eq!(events[1].json()["params"]["message"], text);
}

#[test]
fn an_answer_that_is_larger_than_the_log_keeps_is_heard_once_and_later_there_is_an_error_in_its_place() {
    let served = Served::plain();
    let client = served.client();
    let events = served.call(&client, "large", json!({})).hear_all();
    assert_eq!(events[2].json()["result"]["content"][0]["text"].as_str().map(str::len), Some(3 << 20));
    let again = served.listen(&client, events[1].id.as_deref()).hear_all();
    assert_eq!((again.len(), &again[0].json()["id"]), (1, &json!(7)));
    assert_eq!(again[0].json()["error"]["code"], -32603);
}

/// What the kernel holds of this connection, in both directions and at both ends.
#[cfg(target_os = "linux")]
fn in_the_kernel(port: u16) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel counts");
    let port = format!(":{port:04X}");
    let mut bytes = 0;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields[1].ends_with(&port) || fields[2].ends_with(&port) {
            let (sending, receiving) = fields[4].split_once(':').expect("two queues");
            bytes += u64::from_str_radix(sending, 16).unwrap() + u64::from_str_radix(receiving, 16).unwrap();
        }
    }
    bytes
}

#[cfg(target_os = "linux")]
#[test]
fn abuse_h3_g12_a_client_that_reads_nothing_costs_a_bounded_number_of_bytes_and_comes_back_after_a_gap() {
    const SIZE: u64 = 4096;
    let served = Served::plain();
    let client = served.client();
    let text = "x".repeat(SIZE as usize);
    let mut stream = served.call(&client, "talk", json!({ "numbers": 10_000, "text": text, "rest": 0 }));
    let primed = last_id(&stream.hear(SOON, |events| !events.is_empty()));
    // The function waits for its reader, at some number.
    let said = || served.talker.said.load(Ordering::SeqCst);
    eventually("nothing more is said", SOON, || {
        let before = said();
        std::thread::sleep(Duration::from_millis(300));
        said() == before
    });
    let stuck = Instant::now();
    assert!(said() < 10_000);
    let kernel = in_the_kernel(stream.local_port());
    let said_by_then = said();
    let mut slowest = Duration::ZERO;
    let quick = served.client();
    for _ in 0..200 {
        let begun = Instant::now();
        quick.call("echo", json!({ "text": "a" }));
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    // After a while it is not waited for any more: the call goes on.
    eventually("the call goes on without its reader", Duration::from_secs(40), || served.finished() == 1);
    assert!(stuck.elapsed() > Duration::from_secs(25), "{:?}", stuck.elapsed());
    // What the log could not keep is a gap that is told; what it kept is in order, to the answer.
    let rest = served.listen(&client, Some(&primed)).hear_all();
    assert!(rest[0].comment.as_deref().is_some_and(|comment| comment.starts_with("gap")), "{:?}", rest[0].comment);
    let frame = |event: &Event| {
        let lines = ["id: ", "data: ", "1000", "\n\n\n", "\r\n\r\n"].concat().len();
        (event.id.as_ref().map_or(0, String::len) + event.data.as_ref().map_or(0, String::len) + lines) as u64
    };
    let bytes = said_by_then * frame(&rest[1]);
    let held = bytes.saturating_sub(kernel);
    eprintln!(
        "a client that reads nothing: {said_by_then} messages, {bytes} bytes, {kernel} of them in the kernel, {held} \
         here; 200 calls of another client meanwhile, the slowest in {slowest:?}"
    );
    assert!(held < 512 << 10, "{held} bytes are held for a client that reads nothing");
    let numbers = numbers(&rest);
    assert!(numbers.is_sorted() && numbers.last() == Some(&10_000) && numbers.len() > 100, "{}", numbers.len());
    assert!(rest.last().unwrap().is_answer());
}
