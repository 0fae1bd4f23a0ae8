//! A server for the tests, in the process of the tests: its tools can be slow, panic, and count.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mcp_runtime::prelude::*;

/// What the tools did, for the tests to look at.
#[derive(Clone, Default)]
pub struct Fixture {
    pub started: Arc<AtomicUsize>,
    pub finished: Arc<AtomicUsize>,
    /// Calls whose future was dropped before its end.
    pub dropped: Arc<AtomicUsize>,
}

/// What one session counts.
#[derive(Default, Serialize, Deserialize, SessionState)]
pub struct Counter {
    pub count: u64,
    pub seen: Vec<u64>,
}

/// Counts a call that ends without finishing.
struct Guard<'a>(&'a Fixture, bool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let counter = if self.1 { &self.0.finished } else { &self.0.dropped };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

#[mcp_server(name = "fixture", version = "9.8.7")]
impl Fixture {
    /// Give back what came.
    #[tool]
    fn echo(&self, text: String) -> String {
        text
    }

    /// Wait, then give back what came.
    #[tool]
    async fn wait(&self, milliseconds: u64, text: Option<String>) -> String {
        self.started.fetch_add(1, Ordering::SeqCst);
        let mut guard = Guard(self, false);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        guard.1 = true;
        text.unwrap_or_default()
    }

    /// Report progress, then wait a little.
    #[tool]
    async fn progress(&self, cx: &Context, reports: u32) -> String {
        for report in 1..=reports {
            cx.progress(report.into(), f64::from(reports), Some("working"));
            if report % 10 == 0 {
                tokio::task::yield_now().await;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        "done".into()
    }

    /// Panic at once, or after a wait.
    #[tool]
    async fn panic(&self, milliseconds: Option<u64>) -> String {
        if let Some(milliseconds) = milliseconds {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        panic!("the secret of the panic")
    }

    /// Panic while holding a draft.
    #[tool]
    fn count_and_panic(&self, counter: &mut Counter) -> u64 {
        counter.count += 1000;
        panic!("after writing")
    }

    /// Fail while holding a draft.
    #[tool]
    fn count_and_fail(&self, counter: &mut Counter) -> Result<u64, ToolError> {
        counter.count += 1000;
        Err(ToolError::internal(std::io::Error::other("the database at 10.0.0.1 said no")))
    }

    /// Count one up, remembering who did.
    #[tool]
    async fn count(&self, counter: &mut Counter, by: u64) -> u64 {
        counter.count += 1;
        counter.seen.push(by);
        tokio::task::yield_now().await;
        counter.count
    }

    /// What was counted.
    #[tool(read_only)]
    fn counted(&self, counter: &Counter) -> Vec<u64> {
        counter.seen.clone()
    }

    /// Block the thread.
    #[tool(blocking)]
    fn block(&self, milliseconds: u64) -> String {
        std::thread::sleep(Duration::from_millis(milliseconds));
        "blocked".into()
    }

    /// The session, and who is behind it.
    #[tool(read_only)]
    fn who(&self, counter: &Counter, cx: &Context) -> String {
        let subject = cx.principal().map_or("nobody", |principal| &*principal.subject);
        format!("{subject} in {} after {}", cx.session_id().unwrap_or("no session"), counter.count)
    }
}
