//! Notifications delivered: mail, chat, pagers, webhooks, commands; the queue that survives a stop.
#![forbid(unsafe_code)]
