//! Lines to be logged.
//!
//! Their shapes, lengths and mix of levels are those of the system logs that
//! LogHub has collected (HDFS, ZooKeeper, OpenSSH, Spark, OpenStack, Hadoop,
//! Windows, Apache; <https://github.com/logpai/loghub>, Zhu et al., ISSRE 2023);
//! the numbers in them are drawn anew for every line, by a generator with a
//! fixed beginning. A line has about 120 bytes beside its time, level and
//! service, and each bears its number, by which the screen tells how far it is.

use std::fmt::Write as _;

/// The digits of a line's number.
pub(crate) const DIGITS: usize = 9;

/// Level, service, and message; each `%` becomes a number.
const SHAPES: [(&str, &str, &str); 12] = [
    (
        "info",
        "hdfs-datanode",
        "PacketResponder 1 for block blk_%% of size 67108864 terminating, dest: /10.251.%.%:50010",
    ),
    (
        "info",
        "hdfs-namenode",
        "BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.251.%.%:50010 is added to blk_%% size 67108864",
    ),
    (
        "warn",
        "zookeeper",
        "Connection broken for id %, my id = 1, error = java.net.SocketException: Socket closed (worker %)",
    ),
    (
        "info",
        "zookeeper",
        "Received connection request /10.10.%.%:41307; Accepted socket connection from /10.10.%.%:52309",
    ),
    (
        "info",
        "sshd",
        "Received disconnect from 187.141.%.%: 11: Bye Bye [preauth]; session % closed for user git",
    ),
    ("warn", "sshd", "Failed password for invalid user webmaster from 173.234.%.% port % ssh2"),
    (
        "info",
        "spark-executor",
        "Finished task %.0 in stage %.0 (TID %). 2333 bytes result sent to driver by executor.Executor",
    ),
    (
        "info",
        "nova-api",
        "[req-%-%] 10.11.%.% \"GET /v2/54fadb412c4e40cdbaed9335e4c35a9e/servers/detail HTTP/1.1\" status: 200 len: % time: 0.2477829",
    ),
    (
        "debug",
        "hadoop-mapred",
        "Progress of TaskAttempt attempt_%_0020_m_%_0 is : 0.5323719 (IPC Server handler % on 62270)",
    ),
    (
        "info",
        "windows-cbs",
        "Session: %_% initialized by client WindowsUpdateAgent; warning: unrecognized packageExtended attribute",
    ),
    (
        "error",
        "apache",
        "mod_jk child workerEnv in error state 6: jk2_init() Found child % in scoreboard slot %",
    ),
    ("info", "图书馆服务", "图书 % 已由读者 % 借出，应于两周后归还；馆藏分布式系统设计余 % 册"),
];

/// Makes lines; the same ones every time.
pub(crate) struct Lines {
    next: u64,
    random: u64,
}

impl Lines {
    pub(crate) const fn new() -> Self {
        Self { next: 0, random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The number of the next line.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// The next line: level, service, and message.
    pub(crate) fn line(&mut self) -> (&'static str, &'static str, String) {
        let shape = SHAPES.len() as u64;
        let at = usize::try_from(self.random() % shape).unwrap_or(0);
        let (level, service, text) = SHAPES.get(at).copied().unwrap_or_default();
        let mut message = format!("#{:0DIGITS$} ", self.next);
        self.next += 1;
        for (nth, part) in text.split('%').enumerate() {
            if nth > 0 {
                let _ = write!(message, "{}", self.random() % 251);
            }
            message.push_str(part);
        }
        (level, service, message)
    }

    /// As one line of newline-delimited JSON.
    pub(crate) fn json(&mut self, out: &mut String) {
        let (level, service, message) = self.line();
        let message = message.replace('"', "\\\"");
        let _ = writeln!(out, r#"{{"level":"{level}","service":"{service}","message":"{message}"}}"#);
    }

    /// As one line of a log file, as `distributed.log` has them.
    pub(crate) fn text(&mut self, ts: &str, out: &mut String) {
        let (level, service, message) = self.line();
        let _ = writeln!(out, "{ts} {:>5} {service}: {message}", level.to_uppercase());
    }

    /// Knuth's linear congruential generator (MMIX), its upper half.
    const fn random(&mut self) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 32
    }
}
