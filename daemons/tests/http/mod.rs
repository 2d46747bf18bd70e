//! HTTP at its edges: heads, bodies, browsers, half-closed connections.

mod bodies;
mod browsers;
mod half_closed;
mod heads;
mod openapi;
