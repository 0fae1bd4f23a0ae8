//! Whether every use of a tool in a conversation has its result.

use std::collections::BTreeSet;

use super::{SamplingContent, SamplingMessage, SamplingRequest};
use crate::protocol::Role;

impl SamplingRequest {
    /// What is wrong with the uses of tools and their results, for the developer; `None` where nothing is.
    ///
    /// # Source
    /// 2026-07-28 client/sampling §Message Content Constraints: a message with results holds nothing else, and the message
    /// behind uses has the result of each.
    pub(crate) fn imbalance(&self) -> Option<String> {
        let mut open = BTreeSet::new();
        for (position, message) in self.messages.iter().enumerate() {
            if let Err(wrong) = follow(&mut open, message) {
                return Some(format!("message {position} {wrong}"));
            }
        }
        first(&open).map(|id| format!("the last message uses a tool (`{id}`) and its result does not follow"))
    }
}

fn first<'a>(open: &BTreeSet<&'a str>) -> Option<&'a str> {
    open.first().copied()
}

/// Whether a message may follow the uses of tools that have no result yet; those of its own take their place.
fn follow<'a>(open: &mut BTreeSet<&'a str>, message: &'a SamplingMessage) -> Result<(), String> {
    let is_result = |block: &SamplingContent| matches!(block, SamplingContent::ToolResult { .. });
    let results = message.content.iter().filter(|block| is_result(block)).count();
    if results > 0 && (message.role != Role::User || results < message.content.len()) {
        return Err("has results of tools, so it must be the user's and hold nothing else".into());
    }
    for block in &message.content {
        if let SamplingContent::ToolResult { tool_use_id, .. } = block
            && !open.remove(tool_use_id.as_str())
        {
            return Err(format!("has a result for `{tool_use_id}`, which the message before it does not use"));
        }
    }
    if let Some(id) = first(open) {
        return Err(format!("lacks the result for `{id}`, which the message before it uses"));
    }
    for block in &message.content {
        if let SamplingContent::ToolUse { id, .. } = block
            && (message.role != Role::Assistant || !open.insert(id))
        {
            return Err(format!("uses a tool (`{id}`): it must be the assistant's, and each use has an id of its own"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(ids: &[&str]) -> SamplingMessage {
        let uses = ids.iter().map(|id| SamplingContent::tool_use(*id, "search", Default::default()));
        SamplingMessage::new(Role::Assistant, uses)
    }

    fn results(ids: &[&str]) -> SamplingMessage {
        let results = ids.iter().map(|id| SamplingContent::tool_result(*id, ["found".into()]));
        SamplingMessage::new(Role::User, results)
    }

    fn imbalance(messages: impl IntoIterator<Item = SamplingMessage>) -> Option<String> {
        SamplingRequest::new([SamplingMessage::user("?")].into_iter().chain(messages)).imbalance()
    }

    // Proves: E-10.
    #[test]
    fn every_use_of_a_tool_is_followed_by_its_result_and_by_nothing_else() {
        let balanced = [uses(&["a", "b"]), results(&["b", "a"]), uses(&["a"]), results(&["a"])];
        assert_eq!(imbalance(balanced), None);
        assert_eq!(imbalance([]), None);
        let mut mixed = results(&["a"]);
        mixed.content.push("and this".into());
        let mut said = uses(&["a"]);
        said.role = Role::User;
        for (wrong, complaint) in [
            (vec![uses(&["a", "b"]), results(&["a"])], "lacks the result"),
            (vec![uses(&["a", "b"]), results(&["a"]), results(&["b"])], "lacks the result"),
            (vec![uses(&["a"])], "does not follow"),
            (vec![uses(&["a"]), SamplingMessage::user("go on")], "lacks the result"),
            (vec![uses(&["a"]), mixed], "nothing else"),
            (vec![results(&["a"])], "does not use"),
            (vec![uses(&["a"]), results(&["a"]), results(&["a"])], "does not use"),
            (vec![uses(&["a", "a"]), results(&["a"])], "an id of its own"),
            (vec![said, results(&["a"])], "the assistant's"),
        ] {
            let found = imbalance(wrong.clone());
            assert!(found.as_ref().is_some_and(|found| found.contains(complaint)), "{found:?} of {wrong:?}");
        }
    }
}
