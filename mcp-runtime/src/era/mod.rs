//! Which revision a message speaks, and both ways of speaking.
