//! The tool that mints handles, described.

use std::time::Duration;

use serde_json::{json, value::to_raw_value};

use crate::{
    dispatch::Handles,
    protocol::{Tool, ToolAnnotations},
};

/// The tool that mints handles.
pub(super) fn minting_tool(handles: Handles, idle: Duration) -> Result<Tool, serde_json::Error> {
    let description = format!(
        "Open a session, in which the other tools keep their state, and return it. Pass it to them as `{}`, exactly as it \
         is. It ends when it is not used for {}.",
        handles.argument,
        words(idle)
    );
    let input = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    let output = json!({
        "type": "object",
        "properties": { handles.argument: { "type": "string", "description": "The session." } },
        "required": [handles.argument],
    });
    Ok(Tool {
        name: handles.minting_tool.into(),
        title: None,
        description: Some(description),
        input_schema: to_raw_value(&input)?,
        output_schema: Some(to_raw_value(&output)?),
        annotations: ToolAnnotations::default(),
        execution: None,
        icons: Vec::new(),
        meta: None,
    })
}

/// A time as people say it.
fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        _ if seconds.is_multiple_of(86_400) && seconds > 86_400 => (seconds / 86_400, "days"),
        _ if seconds.is_multiple_of(3_600) && seconds > 0 => (seconds / 3_600, "hours"),
        _ if seconds.is_multiple_of(60) && seconds > 0 => (seconds / 60, "minutes"),
        _ => (seconds, "seconds"),
    };
    format!("{number} {}", if number == 1 { unit.trim_end_matches('s') } else { unit })
}
