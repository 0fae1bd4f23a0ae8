//! The files of a folder as resources: what is listed and read, what can't be reached, and news of what changes.

use std::{fs, path::Path, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use mcp_runtime::provider::files::Directory;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    behaviour::Served,
    support::{
        HttpServer, Request,
        client::{Client, Era, MODERN},
        stream::EventStream,
    },
};

const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

/// A folder and one beside it, which nobody may reach.
struct Folders {
    _both: TempDir,
    shared: std::path::PathBuf,
    secret: std::path::PathBuf,
}

fn folders() -> Folders {
    let both = tempfile::tempdir().unwrap();
    let (shared, secret) = (both.path().join("shared"), both.path().join("secret"));
    fs::create_dir_all(shared.join("docs")).unwrap();
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "canary-of-the-secret").unwrap();
    fs::write(shared.join("docs/first page.md"), "# First").unwrap();
    fs::write(shared.join("raw.bin"), b"\xff\x00\x01").unwrap();
    fs::write(shared.join(".env"), "canary-of-the-secret").unwrap();
    fs::write(shared.join("large.txt"), "x".repeat(5_000)).unwrap();
    Folders { shared, secret, _both: both }
}

fn serve(folder: &Path) -> Served {
    let files = Directory::open(folder).unwrap().largest(4_096);
    Served::new(|server| server.resources(files))
}

/// Reads a resource by any URI, also by one that no header could hold as it is.
fn read(client: &Client, port: u16, era: Era, uri: &str) -> Value {
    let Era::Modern = era else { return client.read(uri) };
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "uri": uri, "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": params });
    let request = Request::post(body.to_string()).header("MCP-Protocol-Version", MODERN).revision(MODERN);
    let name = format!("=?base64?{}?=", BASE64.encode(uri));
    request.header("Mcp-Method", "resources/read").header("Mcp-Name", name).send(port).json()
}

/// Whether this is how something that does not exist is answered.
fn is_not_found(era: Era, uri: &str, answer: &Value) -> bool {
    let code = if era == Era::Modern { -32602 } else { -32002 };
    answer["error"]["code"] == code && answer["error"]["data"]["uri"] == uri
}

// Proves: RS-01, RS-09.
#[test]
fn the_files_of_a_folder_are_listed_and_read() {
    let folders = folders();
    let served = serve(&folders.shared);
    for era in ERAS {
        let client = Client::new(served.port, era);
        let listed = client.request("resources/list", json!({}));
        let all = listed["result"]["resources"].as_array().unwrap();
        let files: Vec<&Value> =
            all.iter().filter(|one| one["uri"].as_str().unwrap().starts_with("file:///")).collect();
        let uris: Vec<&Value> = files.iter().map(|file| &file["uri"]).collect();
        assert_eq!(uris, ["file:///docs/first%20page.md", "file:///large.txt", "file:///raw.bin"]);
        let page = files[0];
        assert_eq!((&page["name"], &page["mimeType"]), (&json!("docs/first page.md"), &json!("text/markdown")));
        assert_eq!(page["size"], 7);
        let changed = page["annotations"]["lastModified"].as_str().unwrap();
        assert!(humantime::parse_rfc3339(changed).unwrap().elapsed().unwrap() < Duration::from_secs(600), "{changed}");
        assert!(!listed.to_string().contains(folders.shared.to_str().unwrap()), "where the folder lies is nobody's");
        let templates = client.request("resources/templates/list", json!({}));
        assert!(templates.to_string().contains("file:///{+path}"), "{templates}");

        let text = client.read("file:///docs/first%20page.md");
        let contents = json!({ "uri": "file:///docs/first%20page.md", "mimeType": "text/markdown", "text": "# First" });
        assert_eq!(text["result"]["contents"], json!([contents]));
        let bytes = client.read("file:///raw.bin");
        assert_eq!(bytes["result"]["contents"][0]["mimeType"], "application/octet-stream");
        assert_eq!(bytes["result"]["contents"][0]["blob"], "/wAB");
        let reference = json!({ "type": "ref/resource", "uri": "file:///{+path}" });
        for (typed, values) in [
            ("", json!(["docs/", "large.txt", "raw.bin"])),
            ("docs/f", json!(["docs/first page.md"])),
            (".", json!([])),
            ("../", json!([])),
            ("../secret/k", json!([])),
            ("/", json!([])),
        ] {
            let complete = json!({ "ref": reference, "argument": { "name": "path", "value": typed } });
            let completion = client.request("completion/complete", complete)["result"]["completion"].clone();
            assert_eq!((&completion["values"], &completion["hasMore"]), (&values, &json!(false)), "{typed}");
        }
        let large = client.read("file:///large.txt");
        assert_eq!(large["error"]["code"], -32602);
        let message = large["error"]["message"].as_str().unwrap();
        assert!(message.contains("5000 bytes") && message.contains("at most 4096"), "{message}");
    }
}

#[test]
fn a_folder_of_many_files_is_listed_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..1_234 {
        fs::write(folder.path().join(format!("{number:04}.txt")), "x").unwrap();
    }
    let files = Directory::open(folder.path()).unwrap().at("many://").unwrap();
    let served = Served::new(|server| server.resources(files).page_size(300));
    for era in ERAS {
        let client = Client::new(served.port, era);
        let (mut found, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let page = client.request("resources/list", json!({ "cursor": cursor }))["result"].clone();
            let uris = page["resources"].as_array().unwrap().iter().map(|one| one["uri"].as_str().unwrap().to_owned());
            found.extend(uris.filter(|uri| uri.starts_with("many://")));
            cursor = page["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
            let sealed = cursor.as_str().unwrap();
            assert!(!sealed.contains(".txt") && sealed.len() > 40, "{sealed}");
        }
        let expected: Vec<String> = (0..1_234).map(|number| format!("many://{number:04}.txt")).collect();
        assert_eq!(found, expected);
    }
}

// Proves: RS-02, RS-03, RS-04, RS-07.
#[test]
fn abuse_g18_no_uri_leads_out_of_the_folder() {
    let folders = folders();
    let served = serve(&folders.shared);
    let secret = folders.secret.join("key");
    let absolute = secret.to_str().unwrap();
    let long = "a".repeat(3_000);
    let deep = "d/".repeat(500);
    let uris = [
        "file:///../secret/key",
        "file:///docs/../../secret/key",
        "file:///docs/../raw.bin",
        "file:///%2e%2e/secret/key",
        "file:///%2E%2E%2Fsecret%2Fkey",
        "file:///%252e%252e%252fsecret%252fkey",
        "file:///%25252e%25252e/secret/key",
        "file:///..%2fsecret%2fkey",
        "file:///..%5csecret%5ckey",
        r"file:///..\secret\key",
        "file:///docs%5c..%5c..%5csecret",
        "file:///./raw.bin",
        "file:////etc/passwd",
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "file:/etc/passwd",
        "file:///C:/Windows/win.ini",
        "file:///C%3A%5CWindows%5Cwin.ini",
        "file:///raw.bin%00.txt",
        "file:///raw.bin\0",
        "file:///%00",
        "file:///raw.bin/",
        "file:///raw.bin/x",
        "file:///docs",
        "file:///docs/",
        "file:///",
        "file:///%",
        "file:///%zz",
        "file:///%ff%fe",
        "file:///%c0%ae%c0%ae/secret/key",
        "file:///.env",
        "file:///docs/../.env",
        "file:///%2eenv",
        "file:///raw.bin?x=1",
        "file:///raw.bin#x",
        "file:///raw%0abin",
        "FILE:///raw.bin",
        &format!("file://{absolute}"),
        &format!("file:///{absolute}"),
        &format!("file:///{long}"),
        &format!("file:///{deep}raw.bin"),
    ];
    for era in ERAS {
        let client = Client::new(served.port, era);
        for uri in uris {
            let answer = read(&client, served.port, era, uri);
            assert!(is_not_found(era, uri, &answer), "{era:?} {uri}: {answer}");
        }
        let answer = read(&client, served.port, era, "file:///raw.bin");
        assert_eq!(answer["result"]["contents"][0]["blob"], "/wAB");
    }
}

#[test]
fn abuse_g18_no_spelling_of_a_uri_goes_past_the_filter_that_hides_it() {
    let folders = folders();
    let files = Directory::open(&folders.shared).unwrap();
    let served = Served::new(|server| {
        let hidden = |uri: &str| uri.starts_with("file:///docs/");
        server.resources(files).visible(move |_, item| !matches!(item, mcp_runtime::Item::Resource(uri) if hidden(uri)))
    });
    for era in ERAS {
        let client = Client::new(served.port, era);
        assert!(read(&client, served.port, era, "file:///large.txt")["result"].is_object());
        for uri in [
            "file:///docs/first%20page.md",
            "file:///%64ocs/first%20page.md",
            "file:///doc%73/first%20p%61ge.md",
            "file:///docs%2Ffirst%20page.md",
            "file:///docs%2ffirst%20page.md",
        ] {
            let answer = read(&client, served.port, era, uri);
            assert!(is_not_found(era, uri, &answer), "{era:?} {uri}: {answer}");
        }
    }
}

#[cfg(unix)]
#[test]
fn abuse_g18_links_pipes_and_devices_lead_nowhere() {
    use std::os::unix::{ffi::OsStrExt as _, fs::symlink, net::UnixListener};
    let folders = folders();
    let (shared, secret) = (&folders.shared, &folders.secret);
    symlink(secret.join("key"), shared.join("absolute")).unwrap();
    symlink("../secret/key", shared.join("relative")).unwrap();
    symlink(secret, shared.join("folder")).unwrap();
    symlink("docs/../../secret", shared.join("around")).unwrap();
    symlink("again", shared.join("again")).unwrap();
    symlink("/dev/zero", shared.join("zero")).unwrap();
    symlink("/proc/self/environ", shared.join("environ")).unwrap();
    symlink("/proc/self/root", shared.join("root")).unwrap();
    symlink(".env", shared.join("dotted")).unwrap();
    symlink("docs/first page.md", shared.join("inside.md")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(shared.join("pipe")).status().unwrap();
    assert!(pipe.success());
    let _socket = UnixListener::bind(shared.join("socket")).unwrap();
    fs::write(shared.join(std::ffi::OsStr::from_bytes(b"no\xffutf8")), "x").unwrap();
    fs::write(shared.join(r"back\slash"), "x").unwrap();
    let served = serve(shared);
    for era in ERAS {
        let client = Client::new(served.port, era);
        let listed = client.request("resources/list", json!({})).to_string();
        for name in [
            "absolute",
            "relative",
            "folder",
            "folder/key",
            "around/key",
            "again",
            "zero",
            "environ",
            "root/etc/passwd",
            "dotted",
            "pipe",
            "socket",
            "no%FFutf8",
            "back%5Cslash",
        ] {
            let uri = format!("file:///{name}");
            let answer = read(&client, served.port, era, &uri);
            assert!(is_not_found(era, &uri, &answer), "{era:?} {uri}: {answer}");
            assert!(!listed.contains(&format!("{uri}\"")), "{uri} is listed");
        }
        assert_eq!(client.read("file:///inside.md")["result"]["contents"][0]["text"], "# First");
        assert!(listed.contains("file:///inside.md") && !listed.contains("utf8") && !listed.contains("slash"));
    }
}

/// Whoever can write into the folder puts a link to the secret in the place of a file and of a folder, again and again.
#[cfg(unix)]
#[test]
fn abuse_g18_a_link_that_is_put_in_the_way_meanwhile_leads_nowhere() {
    use std::{
        os::unix::fs::symlink,
        sync::atomic::{AtomicBool, Ordering},
    };
    let folders = folders();
    let (shared, secret) = (&folders.shared, &folders.secret);
    fs::create_dir_all(shared.join("real")).unwrap();
    fs::write(shared.join("real/key"), "harmless").unwrap();
    symlink(secret, shared.join("evil")).unwrap();
    fs::create_dir(shared.join("swap")).unwrap();
    fs::rename(shared.join("real"), shared.join("swap/now")).unwrap();
    let (now, real, evil) = (shared.join("swap/now"), shared.join("real"), shared.join("evil"));
    let served = serve(shared);
    let done = AtomicBool::new(false);
    let (mut harmless, mut missing) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                fs::rename(&now, &real).unwrap();
                fs::rename(&evil, &now).unwrap();
                fs::rename(&now, &evil).unwrap();
                fs::rename(&real, &now).unwrap();
            }
        });
        let client = Client::new(served.port, ERAS[0]);
        for _ in 0..1_500 {
            let answer = client.read("file:///swap/now/key");
            assert!(!answer.to_string().contains("canary"), "{answer}");
            match answer["result"]["contents"][0]["text"].as_str() {
                Some(text) => harmless += i32::from(text == "harmless"),
                None => missing += i32::from(is_not_found(ERAS[0], "file:///swap/now/key", &answer)),
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(harmless + missing, 1_500, "every answer is the file or that there is none");
    assert!(harmless > 0 && missing > 0, "both were met: {harmless} and {missing}");
}

/// The methods and URIs of messages.
fn told(stream: &mut EventStream, enough: usize) -> Vec<(String, Value)> {
    let messages = |events: &[crate::support::stream::Event]| -> Vec<(String, Value)> {
        let messages = events.iter().filter(|event| event.data.as_deref().is_some_and(|data| !data.is_empty()));
        let messages = messages.map(|event| event.json());
        messages
            .map(|message| (message["method"].as_str().unwrap().to_owned(), message["params"]["uri"].clone()))
            .collect()
    };
    let events = stream.hear(Duration::from_secs(10), |events| messages(events).len() >= enough);
    messages(&events)
}

fn updated(uri: &str) -> (String, Value) {
    ("notifications/resources/updated".to_owned(), json!(uri))
}

// Proves: RS-05, RS-06.
#[test]
fn who_asked_for_it_is_told_of_files_that_change_appear_and_vanish() {
    let folders = folders();
    let files = Directory::open(&folders.shared).unwrap().watched().unwrap();
    let served = Served::new(|server| server.resources(files));
    let subscribed = ["file:///raw.bin", "file:///docs/first%20page.md", "file:///.env"];
    let legacy = Client::new(served.port, ERAS[0]);
    for uri in subscribed {
        assert_eq!(legacy.request("resources/subscribe", json!({ "uri": uri }))["result"], json!({}));
    }
    let stream = legacy.headers(Request::of("GET")).header("Accept", "text/event-stream");
    let modern = {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let filter = json!({ "resourcesListChanged": true, "resourceSubscriptions": subscribed });
        let params = json!({ "notifications": filter, "_meta": meta });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params });
        let request = Request::post(body.to_string()).header("MCP-Protocol-Version", MODERN);
        request.header("Mcp-Method", "subscriptions/listen")
    };
    let mut streams = [EventStream::open(served.port, &stream), EventStream::open(served.port, &modern)];
    assert_eq!(told(&mut streams[1], 1)[0].0, "notifications/subscriptions/acknowledged");
    let list_changed = ("notifications/resources/list_changed".to_owned(), Value::Null);
    let discovered = Client::new(served.port, Era::Modern).request("server/discover", json!({}));
    assert_eq!(discovered["result"]["capabilities"]["resources"]["listChanged"], true);

    // Many writes of one file are few news; nobody subscribed to the other one, and the hidden one is not there.
    let mut all: [Vec<_>; 2] = Default::default();
    let mut await_news = |wanted: &[(String, Value)]| {
        for (stream, all) in streams.iter_mut().zip(&mut all) {
            let mut heard = Vec::new();
            let begun = std::time::Instant::now();
            while !wanted.iter().all(|one| heard.contains(one)) {
                assert!(begun.elapsed() < Duration::from_secs(20), "{wanted:?} is not in {heard:?}");
                heard.extend(told(stream, 1));
            }
            all.extend(heard);
        }
    };
    for number in 0..50 {
        fs::write(folders.shared.join("raw.bin"), [number]).unwrap();
        fs::write(folders.shared.join("large.txt"), [number]).unwrap();
        fs::write(folders.shared.join(".env"), [number]).unwrap();
    }
    await_news(&[updated(subscribed[0])]);
    fs::write(folders.shared.join("new.txt"), "new").unwrap();
    await_news(std::slice::from_ref(&list_changed));
    assert_eq!(legacy.read("file:///new.txt")["result"]["contents"][0]["text"], "new");
    // A folder takes what is in it along.
    fs::rename(folders.shared.join("docs"), folders.shared.join("moved")).unwrap();
    await_news(&[list_changed.clone(), updated(subscribed[1])]);
    // A folder that is new is watched too.
    fs::create_dir(folders.shared.join("docs")).unwrap();
    await_news(&[list_changed.clone(), updated(subscribed[1])]);
    fs::write(folders.shared.join("docs/first page.md"), "again").unwrap();
    await_news(&[updated(subscribed[1])]);
    for all in all {
        let raw = all.iter().filter(|one| **one == updated(subscribed[0])).count();
        assert!(raw <= 10, "50 writes of one file are {raw} news");
        let known = [list_changed.clone(), updated(subscribed[0]), updated(subscribed[1])];
        assert!(all.iter().all(|one| known.contains(one)), "{all:?}");
    }
}

// Proves: RS-05.
#[cfg(unix)]
#[test]
fn who_subscribed_to_a_link_is_told_of_what_it_leads_to() {
    use std::os::unix::fs::symlink;
    let folders = folders();
    let below = |path: &str| folders.shared.join(path);
    fs::create_dir(below("deep")).unwrap();
    symlink("docs/first page.md", below("to-file")).unwrap();
    symlink("../docs", below("deep/to-folder")).unwrap();
    symlink("deep/to-folder/first page.md", below("to-link")).unwrap();
    symlink("raw.bin", below("to-other")).unwrap();
    let files = Directory::open(&folders.shared).unwrap().watched().unwrap();
    let served = Served::new(|server| server.resources(files));
    let client = Client::new(served.port, ERAS[0]);
    let links =
        ["file:///to-file", "file:///deep/to-folder/first%20page.md", "file:///to-link", "file:///deep/to-folder"];
    for uri in links.iter().chain(&["file:///to-other"]) {
        assert_eq!(client.request("resources/subscribe", json!({ "uri": uri }))["result"], json!({}));
    }
    let request = client.headers(Request::of("GET")).header("Accept", "text/event-stream");
    let mut stream = EventStream::open(served.port, &request);
    let mut all_told = |what: &str, quiet: &str| {
        let begun = std::time::Instant::now();
        let mut heard = Vec::new();
        while !links.iter().all(|link| heard.contains(&updated(link))) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}: {heard:?}");
            heard.extend(told(&mut stream, 1));
        }
        assert!(!heard.contains(&updated(quiet)), "{what}: {heard:?}");
    };
    let quiet = "file:///to-other";
    fs::write(below("docs/first page.md"), "written").unwrap();
    all_told("it is written", quiet);
    // As editors do it: a new file takes its place.
    fs::write(below("new"), "replaced").unwrap();
    fs::rename(below("new"), below("docs/first page.md")).unwrap();
    all_told("it is replaced", quiet);
    fs::remove_file(below("docs/first page.md")).unwrap();
    all_told("it is removed", quiet);
    assert!(is_not_found(ERAS[0], links[0], &client.read(links[0])));
    fs::write(below("docs/first page.md"), "again").unwrap();
    all_told("it is there again", quiet);
    // With a link that leads elsewhere, other things are behind it.
    fs::create_dir(below("others")).unwrap();
    fs::write(below("others/first page.md"), "another").unwrap();
    std::thread::sleep(Duration::from_millis(600));
    fs::remove_file(below("deep/to-folder")).unwrap();
    symlink("../others", below("deep/to-folder")).unwrap();
    let wanted = [updated(links[1]), updated(links[2])];
    let (begun, mut heard) = (std::time::Instant::now(), Vec::new());
    while !wanted.iter().all(|one| heard.contains(one)) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the link changed: {heard:?}");
        heard.extend(told(&mut stream, 1));
    }
    assert_eq!(client.read(links[2])["result"]["contents"][0]["text"], "another");
}

#[test]
fn a_file_dated_before_1970_is_listed_without_a_date_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    let day = Duration::from_secs(24 * 60 * 60);
    for (name, modified) in [("a.txt", epoch - day), ("b.txt", epoch)] {
        fs::write(folder.path().join(name), name).unwrap();
        let file = fs::File::options().write(true).open(folder.path().join(name)).unwrap();
        file.set_modified(modified).unwrap();
    }
    let files = Directory::open(folder.path()).unwrap().at("dated://").unwrap();
    let served = Served::new(|server| server.resources(files));
    for era in ERAS {
        let client = Client::new(served.port, era);
        let listed = client.request("resources/list", json!({}));
        let all = listed["result"]["resources"].as_array().unwrap().iter();
        let dated: Vec<_> = all
            .filter(|file| file["uri"].as_str().unwrap().starts_with("dated://"))
            .map(|file| (file["name"].as_str().unwrap(), file["annotations"]["lastModified"].clone()))
            .collect();
        assert_eq!(dated, [("a.txt", Value::Null), ("b.txt", json!("1970-01-01T00:00:00Z"))], "{listed}");
        assert_eq!(client.read("dated://a.txt")["result"]["contents"][0]["text"], "a.txt");
    }
}

#[test]
fn the_example_serves_the_folder_that_it_is_given() {
    let folders = folders();
    let folder = folders.shared.to_str().unwrap();
    let server = HttpServer::with("files", &[], &[("FOLDER", folder)]);
    for era in ERAS {
        let client = Client::new(server.port, era);
        assert_eq!(client.read("file:///docs/first%20page.md")["result"]["contents"][0]["text"], "# First");
        assert_eq!(client.read("file:///large.txt")["result"]["contents"][0]["text"].as_str().unwrap().len(), 5_000);
    }
}
