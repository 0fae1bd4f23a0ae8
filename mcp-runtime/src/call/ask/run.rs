//! One run of a function that may ask: which answers it takes, what it stops for.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::value::RawValue;

use super::{Answer, Answers, AskError, Asks, Given, Means, Question};
use crate::{call::Fault, protocol::ClientCapabilities, wire::Code};

/// A call stops to ask at most so many times.
///
/// Source: our choice, because a question that changes with each run, or answers that never fit, would go on for ever.
const ROUNDS: u8 = 8;
/// A call asks at most so many questions at once.
///
/// Source: our choice: more than a person answers, and all of them fit into what waits for a slow reader.
const QUESTIONS: usize = 32;

/// What a call has asked and been answered.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    answers: Answers,
    run: Mutex<Run>,
    stopped: AtomicBool,
}

/// What one run did.
#[derive(Debug, Default)]
struct Run {
    questions: Vec<Question>,
    /// The questions whose answers were taken though they came without them.
    bare: Vec<Question>,
    /// An effect that must happen once began in this run.
    effects: bool,
    kept: BTreeMap<Box<str>, Box<RawValue>>,
    /// A mistake of the function: its call can't go on.
    mistake: bool,
}

/// What becomes of an effect that shall happen once.
pub(super) enum Effect {
    /// It happened: this was its result.
    Kept(Box<RawValue>),
    /// It happens now.
    Now,
    /// Something has to be asked before.
    Later,
}

impl Asking {
    pub(crate) fn new(answers: Answers) -> Self {
        Self { answers, ..Self::default() }
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this run has a question without an answer: whatever comes back of it counts no more.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// The answer to a question, as `read` understands it; `None` stops the run.
    pub(in crate::call) fn answer<T>(
        &self,
        key: &str,
        asks: &Asks,
        read: impl Fn(&str) -> Result<Result<T, AskError>, String>,
        means: Means,
        client: Option<&ClientCapabilities>,
    ) -> Option<Result<T, AskError>> {
        let question = Question::new(key, asks.clone());
        let mut run = self.run();
        let given = self.answers.given.get(key).filter(|given| match &given.question {
            Some(digest) => *digest == question.digest,
            // What happened must be remembered with the answer, and there is nothing in which it could be.
            None => !run.effects,
        });
        match given.map(|given| &given.answer) {
            None => {}
            Some(Answer::Refused { code, message }) => {
                return Some(Err(AskError::Refused { code: *code, message: message.clone() }));
            }
            Some(Answer::Unanswered) => return Some(Err(AskError::Unanswered)),
            Some(Answer::Result(result)) => match read(result.get()) {
                Ok(answer) => {
                    if given.is_some_and(|given| given.question.is_none()) {
                        run.bare.push(question);
                    }
                    return Some(answer);
                }
                Err(complaint) => tracing::debug!(key, %complaint, "an answer does not fit its question"),
            },
        }
        if let Err(unsupported) = asks.supported(means, client) {
            return Some(Err(AskError::Unsupported(unsupported)));
        }
        match run.questions.iter().find(|asked| *asked.key == *key) {
            None => run.questions.push(question),
            Some(asked) if asked.digest == question.digest => {}
            Some(_) => {
                tracing::error!(key, "two different questions have the same key: each needs one of its own");
                run.mistake = true;
            }
        }
        self.stop();
        None
    }

    /// What becomes of an effect that shall happen once.
    pub(super) fn effect(&self, key: &str) -> Effect {
        let mut run = self.run();
        if let Some(kept) = run.kept.get(key).or_else(|| self.answers.kept.get(key)) {
            return Effect::Kept(kept.clone());
        }
        if !run.bare.is_empty() {
            // The same answers could be sent again, and with them nothing that says what has happened.
            let bare = std::mem::take(&mut run.bare);
            run.questions.extend(bare);
            self.stop();
            return Effect::Later;
        }
        run.effects = true;
        Effect::Now
    }

    /// Keeps the result of an effect.
    pub(super) fn keep(&self, key: &str, result: Result<Box<RawValue>, serde_json::Error>) {
        match result {
            Ok(result) => {
                self.run().kept.insert(key.into(), result);
            }
            Err(error) => self.mistaken(key, &error),
        }
    }

    /// What an effect gave can't be kept or read again: going on could make it happen twice.
    pub(super) fn mistaken(&self, key: &str, error: &serde_json::Error) {
        tracing::error!(key, %error, "what happens once has a result that can't be kept as JSON");
        self.fail();
    }

    /// The function made a mistake, which was logged.
    pub(in crate::call) fn fail(&self) {
        self.run().mistake = true;
        self.stop();
    }

    /// What this run stopped for, if it did; the next run begins with what is kept here.
    pub(crate) fn take(&mut self) -> Option<Result<Vec<Question>, Fault>> {
        if !std::mem::take(self.stopped.get_mut()) {
            return None;
        }
        let Run { questions, bare, kept, mistake, .. } =
            std::mem::take(self.run.get_mut().unwrap_or_else(PoisonError::into_inner));
        if mistake {
            return Some(Err(Fault::internal()));
        }
        self.answers.kept.extend(kept);
        for question in bare {
            if let Some(given) = self.answers.given.get_mut(&question.key) {
                given.question = Some(question.digest);
            }
        }
        // What still has no question was sent without being asked for.
        let asked = |key: &str| questions.iter().any(|question| *question.key == *key);
        self.answers.given.retain(|key, given| given.question.is_some() && !asked(key));
        if self.answers.rounds == ROUNDS || questions.len() > QUESTIONS {
            tracing::error!(rounds = self.answers.rounds, questions = questions.len(), "a call asks too much");
            let message = format!(
                "This call asked {ROUNDS} times and would go on, or asked more than {QUESTIONS} questions at once: check \
                 that the answers fit the forms"
            );
            return Some(Err(Fault::new(Code::INTERNAL_ERROR, message)));
        }
        self.answers.rounds += 1;
        Some(Ok(questions))
    }

    /// The answers so far.
    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Takes an answer for the next run.
    pub(crate) fn give(&mut self, question: &Question, answer: Answer) {
        let given = Given { question: Some(question.digest.clone()), answer };
        self.answers.given.insert(question.key.clone(), given);
    }

    /// Takes the answers of a task for the next run.
    pub(crate) fn give_all(&mut self, answers: Vec<(Box<str>, Given)>) {
        // Answers that a client keeps are of before the task: they were used when it became one.
        self.answers.name = None;
        self.answers.given.extend(answers);
    }

    /// The answers that were given, by the keys of their questions.
    pub(crate) fn take_given(&mut self) -> Vec<(Box<str>, Answer)> {
        std::mem::take(&mut self.answers.given).into_iter().map(|(key, given)| (key, given.answer)).collect()
    }

    /// Forgets the answers that came without their questions.
    pub(crate) fn forget_bare(&mut self) {
        self.answers.given.retain(|_, given| given.question.is_some());
    }
}
