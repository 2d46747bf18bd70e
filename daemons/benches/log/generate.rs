//! Records like those of a shop's dozen services over a day, the same in every
//! run. A template is a line of code that logs: few of them write most records,
//! each with ids, addresses and numbers that stay near those just before.

use crate::words::{DETAIL, FAILURE, FAULTS, MORE, NORMAL, NOUNS, SERVICES, STATES, VERBS, WARNING};
use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use std::fmt::Write as _;
use std::io::Write as _;

const SEED: u64 = 20_260_115;
/// 2026-01-15.
const BEGIN_US: i64 = 1_768_435_200_000_000;
const DAY_US: f64 = 86_400e6;
/// Lines of code that log, in each service.
const TEMPLATES: usize = 250;
/// The word that stands in [`NEEDLES`] records of the first day and nowhere else.
pub const NEEDLE: &str = "quagga7kx";
pub const NEEDLES: u64 = 5;

/// Makes records, a day's worth and then the next day's.
pub struct Generator {
    rng: Rng,
    services: Vec<Service>,
    clients: Vec<String>,
    a_day: u64,
    /// How many were made.
    pub made: u64,
    /// Bytes of their messages.
    pub message_bytes: u64,
}

struct Service {
    name: &'static str,
    templates: Vec<Template>,
    next_id: u64,
    /// Requests under way, whose names stand in several records.
    under_way: Vec<String>,
}

struct Template {
    level: &'static str,
    text: String,
}

impl Generator {
    pub fn new(records_a_day: u64) -> Self {
        let mut rng = Rng::with_seed(SEED);
        let services = SERVICES.iter().map(|(name, _)| Service::new(name, &mut rng)).collect();
        let clients = (0..2_000).map(|_| address(&mut rng)).collect();
        Self { rng, services, clients, a_day: records_a_day, made: 0, message_bytes: 0 }
    }

    /// When the n-th record happens, about.
    pub fn time(&self, n: u64) -> String {
        stamp(BEGIN_US + (n as f64 * DAY_US / self.a_day as f64) as i64)
    }

    /// Writes the next record as a line of NDJSON.
    pub fn write(&mut self, out: &mut Vec<u8>) {
        let Self { rng, services, clients, .. } = self;
        let mut ticket = rng.u32(0..100);
        let at = SERVICES.iter().position(|(_, share)| {
            let is_it = ticket < *share;
            ticket = ticket.saturating_sub(*share);
            is_it
        });
        let service = &mut services[at.unwrap()];
        service.next_id += rng.u64(1..4);
        let template = skewed(rng, TEMPLATES);
        let mut message = service.message(template, clients, rng);
        // In the middle of each fifth of the day.
        let part = (self.a_day / NEEDLES).max(1);
        if self.made < self.a_day && self.made % part == part / 2 {
            message = format!("{message} {NEEDLE}");
        }
        self.message_bytes += message.len() as u64;
        // Records of several hosts come a little out of order.
        let even_us = (self.made as f64 * DAY_US / self.a_day as f64) as i64;
        let ts = stamp(BEGIN_US + even_us + rng.i64(0..2_000_000));
        let (name, level) = (service.name, service.templates[template].level);
        write!(out, "{{\"ts\":\"{ts}\",\"level\":\"{level}\",\"service\":\"{name}\",\"message\":").unwrap();
        serde_json::to_writer(&mut *out, &message).unwrap();
        if matches!(name, "gateway" | "checkout" | "payments") {
            let (status, took_ms) = (status(rng), skewed(rng, 3_000));
            let region = ["eu-west", "eu-north", "us-east", "ap-south"][skewed(rng, 4)];
            write!(out, ",\"status\":{status},\"took_ms\":{took_ms},\"region\":\"{region}\"").unwrap();
        }
        out.extend_from_slice(b"}\n");
        self.made += 1;
    }
}

impl Service {
    fn new(name: &'static str, rng: &mut Rng) -> Self {
        let templates = (0..TEMPLATES).map(|rank| Template::new(rank, rng)).collect();
        let under_way = (0..32).map(|_| uuid(rng)).collect();
        Self { name, templates, next_id: rng.u64(10_000..9_000_000), under_way }
    }

    fn message(&mut self, template: usize, clients: &[String], rng: &mut Rng) -> String {
        let mut out = String::new();
        let mut rest = self.templates[template].text.as_str();
        while let Some((text, after)) = rest.split_once('{') {
            let (slot, after) = after.split_once('}').unwrap();
            rest = after;
            out.push_str(text);
            match slot {
                "id" => write!(out, "{}", self.next_id - rng.u64(0..40)),
                "n" => write!(out, "{}", skewed(rng, 1_000)),
                "ms" => write!(out, "{}.{}", skewed(rng, 4_000), rng.u8(0..10)),
                "bytes" => write!(out, "{}", 180 + skewed(rng, 8_000_000)),
                "pct" => write!(out, "{}%", rng.u8(0..101)),
                "port" => write!(out, "{}", rng.u16(32_768..61_000)),
                "user" => write!(out, "u{}", 10_000 + skewed(rng, 40_000)),
                "sku" => write!(out, "SKU-{:06}", skewed(rng, 90_000)),
                "host" => {
                    write!(out, "node-{:02}.{}.internal", skewed(rng, 40), ["a", "b", "c"][skewed(rng, 3)])
                }
                "ip" => write!(out, "{}", clients[skewed(rng, clients.len())]),
                "hex" => write!(out, "{:012x}", rng.u64(..1 << 48)),
                "uuid" => {
                    let at = rng.usize(0..self.under_way.len());
                    if rng.u8(0..3) == 0 {
                        self.under_way[at] = uuid(rng);
                    }
                    write!(out, "{}", self.under_way[at])
                }
                "method" => write!(out, "{}", ["GET", "GET", "POST", "PUT", "DELETE"][rng.usize(0..5)]),
                "status" => write!(out, "{}", status(rng)),
                "path" => {
                    let (first, second) = (NOUNS[skewed(rng, 24)], NOUNS[skewed(rng, 64)]);
                    write!(out, "/api/v2/{first}/{}/{second}", self.next_id - rng.u64(0..40))
                }
                "class" => write!(out, "{}", FAULTS[skewed(rng, FAULTS.len())]),
                "sql" => sql(&mut out, self.next_id, rng),
                "json" => json(&mut out, self.next_id, rng),
                "stack" => stack(&mut out, rng),
                other => unreachable!("no slot {other}"),
            }
            .unwrap();
        }
        out.push_str(rest);
        out
    }
}

impl Template {
    /// The line of code that is so many places from the most frequent one.
    fn new(rank: usize, rng: &mut Rng) -> Self {
        // What is written most often is nothing bad.
        let (level, beginnings) = match (rank, rng.u8(0..100)) {
            (..12, 0..75) | (12.., 0..50) => ("info", NORMAL.as_slice()),
            (..12, _) | (12.., 50..70) => ("debug", DETAIL.as_slice()),
            (12.., 70..72) => ("trace", DETAIL.as_slice()),
            (12.., 72..86) => ("warn", WARNING.as_slice()),
            (12.., 86..99) => ("error", FAILURE.as_slice()),
            (12.., _) => ("fatal", FAILURE.as_slice()),
        };
        let mut text = String::new();
        if rng.bool() {
            text.push_str("[<noun>-<verb>] ");
        }
        text.push_str(beginnings[rng.usize(0..beginnings.len())]);
        for _ in 0..rng.usize(1..5) {
            text.push_str([" ", ", ", "; "][rng.usize(0..3)]);
            text.push_str(MORE[rng.usize(0..MORE.len())]);
        }
        for (mark, words) in [("<noun>", NOUNS.as_slice()), ("<verb>", &VERBS), ("<state>", &STATES)] {
            while text.contains(mark) {
                text = text.replacen(mark, words[rng.usize(0..words.len())], 1);
            }
        }
        Self { level, text }
    }
}

/// A number below `end`, the smaller the likelier: each decade has the same share.
fn skewed(rng: &mut Rng, end: usize) -> usize {
    ((end as f64 + 1.0).powf(rng.f64()) as usize - 1).min(end - 1)
}

fn status(rng: &mut Rng) -> u16 {
    [200, 200, 200, 200, 200, 200, 201, 204, 304, 404, 400, 401, 409, 500, 503][skewed(rng, 15)]
}

fn address(rng: &mut Rng) -> String {
    // A few networks have most clients.
    let network = [(10, 20), (10, 21), (192, 168), (84, 112), (91, 7), (203, 0)][skewed(rng, 6)];
    format!("{}.{}.{}.{}", network.0, network.1, rng.u8(..), rng.u8(1..255))
}

fn uuid(rng: &mut Rng) -> String {
    let (a, b) = (rng.u64(..), rng.u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

fn sql(out: &mut String, id: u64, rng: &mut Rng) -> std::fmt::Result {
    let (table, other) = (NOUNS[skewed(rng, 64)], NOUNS[skewed(rng, 64)]);
    write!(
        out,
        "SELECT t.id, t.created_at, o.* FROM {table} t JOIN {other} o ON o.{table}_id = t.id WHERE t.id IN ("
    )?;
    for n in 0..skewed(rng, 60) {
        write!(out, "{}{}", if n == 0 { "" } else { ", " }, id - rng.u64(0..900))?;
    }
    write!(out, ") ORDER BY t.created_at DESC LIMIT {}", 1 + skewed(rng, 500))
}

fn json(out: &mut String, id: u64, rng: &mut Rng) -> std::fmt::Result {
    write!(out, "{{\"id\":{id},\"state\":\"{}\",\"lines\":[", STATES[skewed(rng, 12)])?;
    for n in 0..skewed(rng, 12) {
        let comma = if n == 0 { "" } else { "," };
        write!(
            out,
            "{comma}{{\"sku\":\"SKU-{:06}\",\"count\":{}}}",
            skewed(rng, 90_000),
            1 + skewed(rng, 9)
        )?;
    }
    write!(out, "],\"total\":{}.{:02}}}", skewed(rng, 2_000), rng.u8(0..100))
}

fn stack(out: &mut String, rng: &mut Rng) -> std::fmt::Result {
    for _ in 0..3 + skewed(rng, 25) {
        let (package, class, call) = (NOUNS[skewed(rng, 64)], NOUNS[skewed(rng, 64)], VERBS[skewed(rng, 24)]);
        let line = 20 + skewed(rng, 900);
        write!(out, "\n\tat shop.{package}.{class}_service.{call}({class}_service.java:{line})")?;
    }
    Ok(())
}

fn stamp(us: i64) -> String {
    DateTime::from_timestamp_micros(us).unwrap().to_rfc3339_opts(SecondsFormat::Micros, true)
}
