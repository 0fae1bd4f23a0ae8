//! What instances tell each other: what is announced at one is told to the clients of all, and what concerns a session is
//! done where a call of it runs.
//!
//! Each instance reads the topic of everyone from its own number on, so that a connection that broke, or a doorbell that
//! is not heard, costs time and no news.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::Engine;
use crate::{
    call::chain,
    changes::{Announced, Change, Changes},
    era::Elsewhere,
    session::{PATIENCE, answer},
    store::{Bus, InstanceId, Sequence, StoreError, TaskId, Topic},
};

/// How long nothing is read when no bell rings.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait after the bus failed.
const PAUSE: Duration = Duration::from_millis(250);
/// How many messages are read at once.
const PAGE: usize = 256;

/// The tasks of an instance; they end with it.
pub(super) struct Fleet([AbortHandle; 3]);

impl Drop for Fleet {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// What instances say to each other. Kinds and members that are not known are passed over: while an update is rolled out,
/// instances of two versions talk.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Message {
    kind: String,
    from: [u8; 16],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lists: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    updated: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tasks: Vec<String>,
    anything: bool,
}

const CHANGES: &str = "changes";
const TOOLS: &str = "tools";
const PROMPTS: &str = "prompts";
const RESOURCES: &str = "resources";

impl Fleet {
    /// From now on what is announced here is told to the others on this bus, and the other way round, and what concerns a
    /// session is heard by whoever has a part in it.
    pub(super) fn join(elsewhere: Elsewhere, engine: &Arc<Engine>) -> Self {
        let Elsewhere { bus, me } = elsewhere;
        let changes = engine.era.shared.changes.clone();
        changes.go_abroad();
        let ears = |topic| Ears { bus: Arc::clone(&bus), topic, engine: Arc::downgrade(engine), me };
        let (everyone, inbox) = (ears(Topic::Everyone), ears(Topic::Instance(me)));
        let tasks = [
            tokio::spawn(tell(bus, changes, me)),
            tokio::spawn(async move { everyone.listen().await }),
            tokio::spawn(async move { inbox.listen().await }),
        ];
        Self(tasks.map(|task| task.abort_handle()))
    }
}

/// Tells the others what is announced here.
async fn tell(bus: Arc<dyn Bus>, changes: Changes, me: InstanceId) {
    loop {
        let mut announced = changes.to_tell().await;
        let Ok(message) = serde_json::to_vec(&Message::of(&announced, me)) else { continue };
        match answer(bus.publish(Topic::Everyone, message.into()), PATIENCE).await {
            Ok(()) => continue,
            Err(StoreError::TooLarge { .. }) if !announced.anything => announced.leave_names_out(),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "other instances could not be told what changed; they will be");
            }
        }
        changes.tell_again(&announced);
        sleep(PAUSE).await;
    }
}

/// Who hears one topic.
struct Ears {
    bus: Arc<dyn Bus>,
    topic: Topic,
    engine: Weak<Engine>,
    me: InstanceId,
}

impl Ears {
    async fn listen(&self) {
        let mut after = loop {
            // An inbox is as new as its instance.
            if let Topic::Instance(_) = self.topic {
                break 0;
            }
            match answer(self.bus.position(self.topic), PATIENCE).await {
                Ok(position) => break position,
                Err(error) => failed(&error).await,
            }
        };
        loop {
            match self.read(&mut after).await {
                // There may be more at once.
                Ok(PAGE) => continue,
                Ok(_) => {}
                Err(error) => {
                    failed(&error).await;
                    continue;
                }
            }
            if let Ok(Err(error)) = timeout(LOOK, self.bus.changed(self.topic, after)).await {
                failed(&error).await;
            }
        }
    }

    /// Reads what came; the number of messages.
    async fn read(&self, after: &mut Sequence) -> Result<usize, StoreError> {
        let heard = answer(self.bus.read_after(self.topic, *after, PAGE), PATIENCE).await?;
        let Some(engine) = self.engine.upgrade() else { return Ok(0) };
        if heard.gap && self.topic == Topic::Everyone {
            engine.era.shared.changes.anything_may_have_changed();
        }
        for (number, message) in &heard.messages {
            *after = *number;
            self.hear(&engine, message);
        }
        Ok(heard.messages.len())
    }

    fn hear(&self, engine: &Engine, message: &[u8]) {
        match serde_json::from_slice::<Message>(message) {
            Ok(message) if message.kind != CHANGES => {}
            Ok(message) if message.from == self.me.0 => return,
            Ok(message) => return engine.era.shared.changes.hear(&message.announced()),
            Err(_) => {}
        }
        match serde_json::from_slice(message) {
            Ok(errand) => engine.era.do_errand(&errand),
            Err(error) => tracing::debug!(%error, "another instance said something that can't be read"),
        }
    }
}

async fn failed(error: &StoreError) {
    tracing::warn!(error = %chain(error), "other instances can't be heard at the moment");
    sleep(PAUSE).await;
}

impl Message {
    fn of(announced: &Announced, me: InstanceId) -> Self {
        let Announced { tools, prompts, resources, .. } = *announced;
        let lists = [(tools, TOOLS), (prompts, PROMPTS), (resources, RESOURCES)];
        Self {
            kind: CHANGES.into(),
            from: me.0,
            lists: lists.into_iter().filter(|(changed, _)| *changed).map(|(_, list)| list.into()).collect(),
            updated: announced.updated.iter().map(|uri| uri.to_string()).collect(),
            tasks: announced.tasks.iter().map(ToString::to_string).collect(),
            anything: announced.anything,
        }
    }

    fn announced(self) -> Announced {
        let mut announced = Announced::default();
        for list in &self.lists {
            match list.as_str() {
                TOOLS => announced.add(&Change::Tools),
                PROMPTS => announced.add(&Change::Prompts),
                RESOURCES => announced.add(&Change::Resources),
                _ => {}
            }
        }
        if self.anything {
            announced.leave_names_out();
        }
        self.updated.into_iter().for_each(|uri| announced.add(&Change::Resource(uri.into())));
        let tasks = self.tasks.iter().filter_map(|task| TaskId::parse(task));
        tasks.for_each(|task| announced.add(&Change::Task(task)));
        announced
    }
}
