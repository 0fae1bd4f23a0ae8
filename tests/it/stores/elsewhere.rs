//! What is begun at one instance goes on at another: news, answers, cancellations, streams, tasks. All of it with the
//! doorbell, and without it: slower, and right all the same.

use std::{
    rc::Rc,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use mcp_runtime::{Server, Sessions, SigningKeys, Tasks};
use serde_json::{Value, json};

use super::{
    engine::{Doorbell, Durability, Engine, over_each_engine},
    fleet::three,
};
use crate::{
    asking,
    changes::{Stream, listen},
    support::{
        Request,
        client::{Client, Era},
        process::HttpServer,
        stream::{Event, EventStream},
    },
    tasks::{self, Peer},
};

over_each_engine! {
    what_is_announced_at_one_instance_is_told_to_the_listeners_of_all,
    what_is_announced_while_the_engine_is_down_is_told_when_it_is_back,
    a_session_is_told_at_whatever_instance_what_it_subscribed_to_at_another,
    what_one_instance_asks_is_answered_at_another,
    what_was_asked_by_the_newest_revision_is_answered_at_another_instance,
    a_stream_that_was_cut_at_one_instance_goes_on_complete_at_another,
    a_call_is_cancelled_and_ends_with_its_session_at_whatever_instance,
    the_level_of_log_messages_is_the_sessions_at_every_instance,
    a_task_is_seen_answered_and_cancelled_at_whatever_instance_in_both_eras,
}

/// Three boards over one store, and what is said at the second is heard by listeners of the first and the third.
struct Boards {
    instances: [HttpServer; 3],
    client: Client,
    listeners: [Stream; 3],
}

impl Boards {
    fn over(place: &str) -> Self {
        let instances = three("watch", place);
        let filter = json!({ "resourcesListChanged": true, "resourceSubscriptions": ["board://topics"] });
        let client = Client::new(instances[2].port, Era::Legacy("2025-11-25"));
        client.request("resources/subscribe", json!({ "uri": "board://topics" }));
        let mut listeners = [
            listen(instances[0].port, json!(1), filter.clone()),
            listen(instances[2].port, json!(1), filter),
            Stream::of(&client, instances[2].port),
        ];
        for listener in &mut listeners[..2] {
            let acknowledged = listener.next().expect("a listener is acknowledged");
            assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
        }
        Self { instances, client, listeners }
    }

    fn say(&self, topic: &str) {
        let client = Client::new(self.instances[1].port, Era::Modern);
        let said = client.call("say", json!({ "topic": topic, "message": "hello" }));
        assert_eq!(said["result"]["content"][0]["text"], format!("Said on {topic}"), "{said}");
    }

    /// Everyone hears of it; how long that took.
    fn hear(&mut self, topic: &str) -> Duration {
        let begin = Instant::now();
        for listener in &mut self.listeners {
            let told = [0, 1].map(|_| {
                // A stream whose log fails ends, and its client comes back.
                listener.next().unwrap_or_else(|| {
                    *listener = Stream::of(&self.client, self.instances[2].port);
                    listener.next().expect("news")
                })
            });
            assert_eq!(told[0]["method"], "notifications/resources/list_changed");
            assert_eq!(told[1]["method"], "notifications/resources/updated");
            assert_eq!(told[1]["params"]["uri"], format!("board://topics/{topic}"));
        }
        begin.elapsed()
    }
}

fn what_is_announced_at_one_instance_is_told_to_the_listeners_of_all<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for doorbell in Doorbell::BOTH {
        let mut boards = Boards::over(&engine.place(doorbell));
        for topic in ["rust", "redis", "streams"] {
            boards.say(topic);
            let took = boards.hear(topic);
            assert!(took < doorbell.patience(), "{doorbell:?}: {took:?}");
        }
    }
}

fn what_is_announced_while_the_engine_is_down_is_told_when_it_is_back<E: Engine>() {
    let Some(mut engine) = E::start(Durability::Disk) else { return };
    let mut boards = Boards::over(&engine.url());
    boards.say("before");
    boards.hear("before");
    engine.process().kill();
    boards.say("meanwhile");
    engine.restart();
    let took = boards.hear("meanwhile");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// A session of 2025-11-25 whose client can be asked, over three instances of an example.
struct Scattered {
    instances: Rc<[HttpServer; 3]>,
    session: String,
}

impl Scattered {
    fn over(place: &str, example: &str) -> Self {
        Self::in_a_session(Rc::new(three(example, place)))
    }

    /// Another session at the same instances.
    fn another(&self) -> Self {
        Self::in_a_session(self.instances.clone())
    }

    fn in_a_session(instances: Rc<[HttpServer; 3]>) -> Self {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {}, "sampling": {} },
            "clientInfo": { "name": "t", "version": "1" } });
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let response = Request::post(body.to_string()).send(instances[0].port);
        let session = response.header("mcp-session-id").expect("a session").to_owned();
        Self { instances, session }
    }

    fn request(&self, body: &Value) -> Request {
        Request::post(body.to_string())
            .header("Mcp-Session-Id", &*self.session)
            .header("MCP-Protocol-Version", "2025-11-25")
    }

    fn send(&self, instance: usize, body: &Value) -> u16 {
        self.request(body).send(self.instances[instance].port).status
    }

    fn stream(&self, instance: usize, body: &Value) -> EventStream {
        EventStream::open(self.instances[instance].port, &self.request(body))
    }
}

fn call(id: u32, tool: &str, arguments: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

fn a_session_is_told_at_whatever_instance_what_it_subscribed_to_at_another<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for doorbell in Doorbell::BOTH {
        let place = engine.place(doorbell);
        let instances = three("watch", &place);
        let say = |topic: &str| {
            let client = Client::new(instances[1].port, Era::Modern);
            client.call("say", json!({ "topic": topic, "message": "hello" }));
        };
        // What is said of this topic is told on this stream, after a while: what concerns a session is told to all at leisure.
        let is_told = |stream: &mut Stream, topic: &str, says: bool| {
            let began = Instant::now();
            loop {
                if says {
                    say(topic);
                }
                while !stream.is_silent() {
                    let told = stream.next().expect("news");
                    if told["params"]["uri"] == format!("board://topics/{topic}") {
                        return;
                    }
                }
                assert!(began.elapsed() < doorbell.patience(), "{doorbell:?}: {topic} is not told");
            }
        };
        let subscribe = |client: &Client, method: &str, topic: &str| {
            let answer = client.request(method, json!({ "uri": format!("board://topics/{topic}") }));
            assert_eq!(answer["result"], json!({}), "{answer}");
        };
        let client = Client::new(instances[0].port, Era::Legacy("2025-11-25"));
        // A stream that is open when somebody subscribes elsewhere.
        let mut stream = Stream::of(&client, instances[2].port);
        subscribe(&client, "resources/subscribe", "one");
        is_told(&mut stream, "one", true);
        // What is said while none is open waits wherever one is opened.
        drop(stream);
        thread::sleep(doorbell.patience() / 2);
        say("one");
        is_told(&mut Stream::of(&client, instances[1].port), "one", false);
        // An instance that began after all this asks the others.
        let late = HttpServer::with("watch", &["--store", &place], &super::fleet::KEYS);
        let mut stream = Stream::of(&client, late.port);
        is_told(&mut stream, "one", true);
        // What it does not want any more, wherever it says so, it is not told.
        let client = client.moved(instances[2].port);
        subscribe(&client, "resources/unsubscribe", "one");
        subscribe(&client, "resources/subscribe", "two");
        is_told(&mut stream, "two", true);
        let began = Instant::now();
        loop {
            say("one");
            if stream.is_silent() {
                break;
            }
            stream.next().expect("news");
            assert!(began.elapsed() < doorbell.patience(), "{doorbell:?}: it is told all the same");
        }
    }
}

/// Calls at the first instance and answers what it asks at the second, until the call ends; gives its result, and how long
/// it waited after the last answer.
fn ask_and_answer(client: &Scattered, tool: &str, arguments: Value) -> (Value, Duration) {
    let mut stream = client.stream(0, &call(1, tool, arguments));
    let mut answered = Instant::now();
    for _ in 0..9 {
        let said = stream.hear(Duration::from_secs(20), |events| events.iter().any(|event| event.data.is_some()));
        let message = said.iter().find(|event| event.data.as_deref().is_some_and(|data| !data.is_empty()));
        let Some(message) = message.map(Event::json) else { continue };
        let result = match message["method"].as_str() {
            Some("elicitation/create") => {
                let mut content = json!({ "people": 2, "seat": "garden", "yes": true });
                let properties = message["params"]["requestedSchema"]["properties"].as_object().expect("a form");
                content.as_object_mut().expect("an object").retain(|key, _| properties.contains_key(key));
                json!({ "action": "accept", "content": content })
            }
            Some("sampling/createMessage") => {
                json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": "3" } })
            }
            _ => return (message["result"].clone(), answered.elapsed()),
        };
        let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
        answered = Instant::now();
        assert_eq!(client.send(1, &answer), 202);
        // Again, and at another one: an answer counts once.
        assert_eq!(client.send(2, &answer), 202);
    }
    panic!("the call never ended");
}

fn what_one_instance_asks_is_answered_at_another<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for doorbell in Doorbell::BOTH {
        let place = engine.place(doorbell);
        let (booked, took) =
            ask_and_answer(&Scattered::over(&place, "booking"), "book_table", json!({ "day": "2026-12-24" }));
        let text = booked["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{booked}"));
        assert!(text.contains("2026-12-24, 2 people, in the garden"), "{text}");
        assert!(took < doorbell.patience(), "{doorbell:?}: {took:?}");
        let (planned, took) = ask_and_answer(&Scattered::over(&place, "trip"), "plan_alone", json!({ "city": "Oslo" }));
        assert_eq!(planned["structuredContent"], json!({ "city": "Oslo", "days": 3, "hotel": "3" }));
        assert!(took < doorbell.patience(), "{doorbell:?}: {took:?}");
    }
}

/// Nothing waits there: what was asked is in a state that the client brings back, to whichever instance.
fn what_was_asked_by_the_newest_revision_is_answered_at_another_instance<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for doorbell in Doorbell::BOTH {
        let instances = three("booking", &engine.place(doorbell));
        let handle = Client::new(instances[0].port, Era::Modern).handle().to_owned();
        let arguments = json!({ "session": handle, "day": "2026-12-24" });
        let mut more = json!({});
        for (instance, answers) in
            [(0, json!({ "party": { "people": 2, "seat": "garden" } })), (1, json!({ "consent": { "yes": true } }))]
        {
            let asked = asking::modern("book_table", arguments.clone(), more).send(instances[instance].port).json();
            assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
            let (name, content) = answers.as_object().and_then(|all| all.iter().next()).expect("one");
            assert!(asked["result"]["inputRequests"][name].is_object(), "{asked}");
            let answer = json!({ "action": "accept", "content": content });
            more = json!({ "requestState": asked["result"]["requestState"], "inputResponses": { (name): answer } });
        }
        let booked = asking::modern("book_table", arguments, more).send(instances[2].port).json();
        let text = booked["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{booked}"));
        assert!(text.contains("2026-12-24, 2 people, in the garden"), "{text}");
        let list = asking::modern("list_bookings", json!({ "session": handle }), json!({})).send(instances[1].port);
        assert!(list.text().contains("2026-12-24"), "{}", list.text());
    }
}

/// What a client hears of a call at the first instance until its connection breaks, and at the third from there on.
fn a_stream_that_was_cut_at_one_instance_goes_on_complete_at_another<E: Engine>() {
    const FOLDERS: usize = 12;
    let Some(engine) = E::start(Durability::None) else { return };
    for doorbell in Doorbell::BOTH {
        let client = Scattered::over(&engine.place(doorbell), "long_job");
        let folders: Vec<_> = (0..FOLDERS).map(|number| format!("folder {number}")).collect();
        let mut pack = call(1, "pack", json!({ "folders": folders }));
        pack["params"]["_meta"] = json!({ "progressToken": "p" });
        let is_message = |event: &&Event| event.data.as_deref().is_some_and(|data| !data.is_empty());
        let mut stream = client.stream(0, &pack);
        let mut events = stream.hear(Duration::from_secs(20), |events| events.iter().filter(is_message).count() >= 3);
        drop(stream);
        let began = Instant::now();
        let mut cuts = 0;
        // Cut again and again, and fetched from the third and the second in turn.
        while !events.iter().any(Event::is_answer) {
            assert!(began.elapsed() < Duration::from_secs(30), "the answer never came: {events:?}");
            let last = events.iter().rev().find_map(|event| event.id.clone()).expect("events have ids");
            let from = Request::of("GET").header("Accept", "text/event-stream").header("Last-Event-ID", last);
            let from = from.header("Mcp-Session-Id", &*client.session);
            let mut rest = EventStream::open(client.instances[2 - cuts % 2].port, &from);
            assert_eq!(rest.head.status, 200);
            let enough = if cuts < 2 { 3 } else { usize::MAX };
            let heard = rest.hear(Duration::from_secs(20), |events| {
                events.iter().filter(is_message).count() >= enough || events.iter().any(Event::is_answer)
            });
            events.extend(heard);
            cuts += 1;
        }
        // Without a doorbell, more comes at once.
        assert!(cuts > if doorbell == Doorbell::Rings { 2 } else { 0 }, "{doorbell:?}: it was cut {cuts} times");
        let messages: Vec<Value> = events.iter().filter(is_message).map(Event::json).collect();
        let told: Vec<_> = messages.iter().filter_map(|message| message["params"]["progress"].as_f64()).collect();
        let all: Vec<_> = (0..FOLDERS).map(|number| number as f64).collect();
        assert_eq!(told, all, "{doorbell:?}: each once, and in order");
        let answer = messages.last().expect("an answer");
        assert_eq!(sum_of(answer), format!("{FOLDERS} folders are packed"));
        let mut ids: Vec<_> = events.iter().filter_map(|event| event.id.as_deref()).collect();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "no event came twice");
        let late = began.elapsed();
        let longest = Duration::from_millis(200) * FOLDERS as u32 + Duration::from_secs(1);
        // Without a doorbell, who reads looks again after five seconds.
        let patience = if doorbell == Doorbell::Rings { longest } else { longest + Duration::from_secs(12) };
        assert!(late < patience, "{doorbell:?}: {late:?}");
    }
}

fn sum_of(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// A call at the first instance that waits for an answer.
fn waiting(client: &Scattered, id: u32) -> EventStream {
    let mut stream = client.stream(0, &call(id, "book_table", json!({ "day": "2026-12-24" })));
    let asked = stream.hear(Duration::from_secs(20), |events| events.iter().any(Event::is_answer));
    assert!(asked.iter().any(|event| event.is_answer() && event.json()["method"] == "elicitation/create"), "{asked:?}");
    stream
}

/// Ends without an answer to the call of this id.
fn ends_unanswered(mut stream: EventStream, id: u32, within: Duration) {
    let rest = stream.hear(within + Duration::from_secs(1), |_| false);
    assert!(stream.ended, "the call goes on: {rest:?}");
    assert!(!rest.iter().any(|event| event.is_answer() && event.json()["id"] == id), "{rest:?}");
}

fn a_call_is_cancelled_and_ends_with_its_session_at_whatever_instance<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for doorbell in Doorbell::BOTH {
        let client = Scattered::over(&engine.place(doorbell), "booking");
        let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } });
        let mut stream = waiting(&client, 7);
        assert_eq!(client.another().send(1, &cancelled), 202);
        // As long as it takes until theirs would be cancelled.
        let rest = stream.hear(doorbell.patience(), |_| false);
        assert!(!stream.ended && rest.iter().all(|event| event.data.is_none()), "it is not theirs to cancel: {rest:?}");
        assert_eq!(client.send(1, &cancelled), 202);
        ends_unanswered(stream, 7, doorbell.patience());

        let stream = waiting(&client, 8);
        let end = Request::of("DELETE").header("Mcp-Session-Id", &*client.session);
        assert_eq!(end.send(client.instances[2].port).status, 204);
        ends_unanswered(stream, 8, doorbell.patience());
    }
}

fn the_level_of_log_messages_is_the_sessions_at_every_instance<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for doorbell in Doorbell::BOTH {
        let client = Scattered::over(&engine.place(doorbell), "watch");
        let logged = |client: &Scattered| {
            client.send(0, &call(1, "say", json!({ "topic": "rust", "message": "hello" })));
            let answer = client.request(&call(2, "clear", json!({}))).send(client.instances[0].port);
            answer.messages().iter().filter(|message| message.contains("notifications/message")).count()
        };
        assert_eq!(logged(&client), 1);
        let level = json!({ "jsonrpc": "2.0", "id": 3, "method": "logging/setLevel", "params": { "level": "error" } });
        assert_eq!(client.send(1, &level), 200);
        let chosen = Instant::now();
        while logged(&client) != 0 {
            assert!(chosen.elapsed() < doorbell.patience(), "{doorbell:?}: chosen at another instance");
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(logged(&client.another()), 1, "chosen by another session");
    }
}

/// A server of tasks in this process that keeps everything in this place.
fn worker<E: Engine>(place: &str) -> tasks::Served {
    let store = std::sync::Arc::new(E::open(place));
    let keys = SigningKeys::from_secret(b"a secret of at least 32 bytes, as asked").expect("a key");
    tasks::Served::new(|server: Server| {
        let server = server.store(store.clone()).events(store.clone()).bus(store.clone());
        server.tasks(Tasks::new().store(store.clone())).sessions(Sessions::jwt(keys))
    })
}

fn a_task_is_seen_answered_and_cancelled_at_whatever_instance_in_both_eras<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for doorbell in Doorbell::BOTH {
        let place = engine.place(doorbell);
        let [one, two, three] = [(); 3].map(|()| worker::<E>(&place));
        let legacy = Peer::legacy(one.port, "2025-11-25", None);
        for (peer, modern) in [(&legacy, false), (&Peer::modern(one.port), true)] {
            let [at_two, at_three] = [&two, &three].map(|worker| peer.at(worker.port));
            // Its result, which the third waits for from the beginning.
            let task = peer.start("work", json!({ "milliseconds": 1200 }));
            let id = tasks::id(&task);
            assert_eq!(at_two.get(id)["status"], "working");
            let began = Instant::now();
            let result = if modern {
                at_three.until(id, "completed")["result"].clone()
            } else {
                at_three.result("tasks/result", json!({ "taskId": id }))
            };
            assert_eq!(tasks::text(&result), format!("done as {id}"));
            let late = began.elapsed().saturating_sub(Duration::from_millis(1200));
            // Without a doorbell, who waits for a task looks again after five seconds.
            let patience = if doorbell == Doorbell::Rings { doorbell.patience() } else { Duration::from_secs(6) };
            assert!(late < patience, "{doorbell:?}: {late:?}");

            // Its questions, answered at the second one by one, or at the third as they come.
            let task = peer.start("two_answers", json!({}));
            let id = tasks::id(&task);
            at_two.until(id, "input_required");
            if modern {
                let answers = json!({ "first": tasks::accepted("one"), "second": tasks::accepted("two") });
                at_two.result("tasks/update", json!({ "taskId": id, "inputResponses": answers }));
                assert_eq!(tasks::text(&at_three.until(id, "completed")["result"]), "one and two");
            } else {
                let (_, stream) = at_three.request("tasks/result", json!({ "taskId": id })).open(three.port);
                let mut stream = stream.expect("the questions need a stream");
                for name in ["one", "two"] {
                    let question: Value = serde_json::from_str(&stream.next().expect("a question comes")).unwrap();
                    assert_eq!(question["method"], "elicitation/create", "{question}");
                    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": tasks::accepted(name) });
                    let answer = Request::post(answer.to_string());
                    let answer = answer.header("Mcp-Session-Id", peer.session.as_deref().expect("a session"));
                    assert_eq!(answer.send(two.port).status, 202);
                }
                let result: Value = serde_json::from_str(&stream.next().expect("the result comes")).unwrap();
                assert_eq!(tasks::text(&result["result"]), "one and two");
            }

            // Its end: the second is told, and the function of the first is dropped.
            let dropped = one.jobs.dropped.load(Ordering::SeqCst);
            let task = peer.start("work", json!({ "milliseconds": 60_000 }));
            let id = tasks::id(&task);
            at_two.result("tasks/cancel", json!({ "taskId": id }));
            assert_eq!(at_three.get(id)["status"], "cancelled");
            let told = Instant::now();
            while one.jobs.dropped.load(Ordering::SeqCst) == dropped {
                assert!(told.elapsed() < patience, "{doorbell:?}: the function goes on");
                thread::sleep(Duration::from_millis(5));
            }
        }
        // News of a task of the first are told at the third to who subscribed there.
        let modern = Peer::modern(one.port);
        let task = modern.start("work", json!({ "milliseconds": 500 }));
        let at_three = modern.at(three.port);
        let (mut stream, acknowledged, mut news) = at_three.listen(&[tasks::id(&task)]);
        assert_eq!(acknowledged["taskIds"], json!([task["taskId"]]));
        let is_done = |news: &[Value]| news.iter().any(|message| message["params"]["status"] == "completed");
        news.extend(at_three.hear_until(&mut stream, Duration::from_secs(10), is_done));
        assert!(is_done(&news), "{doorbell:?}: {news:?}");
    }
}
