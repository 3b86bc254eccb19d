//! The door out: requests to other systems by HTTP and HTTPS, with roots, client certificates, authentication, address rules and limits.
#![forbid(unsafe_code)]
