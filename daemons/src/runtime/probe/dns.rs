//! The probe by a DNS question: over UDP, and over TCP when the answer is cut.

use super::spec::Dns;
use super::{Failure, Passed, address, connect};
use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use shared::wire::monitor::Phase;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

/// The largest datagram that is taken: none is larger.
const DATAGRAM_MAX: usize = 65_535;

/// Whether the server has an answer, and the one that is wanted.
pub async fn probe(probe: &Dns) -> Passed {
    let servers = address::resolve(&probe.server.host, probe.server.port).await?;
    let server = servers.first().ok_or_else(|| Failure::new(Phase::Dns, "the server has no address"))?;
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(probe.name.clone(), probe.kind));
    let bytes = question.to_vec().map_err(|e| Failure::new(Phase::Config, e))?;
    let mut answer = over_udp(*server, &question, &bytes).await?;
    if answer.metadata.truncation {
        answer = over_tcp(*server, &bytes).await?;
        if !answers(&question, &answer) {
            return Err(Failure::new(Phase::Body, "the answer is one to another question"));
        }
    }
    judge(probe, &answer)
}

async fn over_udp(server: SocketAddr, question: &Message, bytes: &[u8]) -> Result<Message, Failure> {
    let failed = |e: std::io::Error| Failure::new(Phase::Connect, e);
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.map_err(failed)?;
    socket.connect(server).await.map_err(failed)?;
    socket.send(bytes).await.map_err(failed)?;
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        let count = socket.recv(&mut buffer).await.map_err(failed)?;
        // What is no answer to this question may be anybody's.
        match Message::from_vec(buffer.get(..count).unwrap_or_default()) {
            Ok(answer) if answers(question, &answer) => return Ok(answer),
            _ => {}
        }
    }
}

async fn over_tcp(server: SocketAddr, bytes: &[u8]) -> Result<Message, Failure> {
    let failed = |e: std::io::Error| Failure::new(Phase::Connect, e);
    let mut stream = connect(&[server]).await?;
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let framed = [&len.to_be_bytes(), bytes].concat();
    stream.write_all(&framed).await.map_err(failed)?;
    let len = stream.read_u16().await.map_err(failed)?;
    let mut buffer = vec![0; usize::from(len)];
    stream.read_exact(&mut buffer).await.map_err(failed)?;
    Message::from_vec(&buffer).map_err(|e| Failure::new(Phase::Body, format!("no DNS message: {e}")))
}

fn answers(question: &Message, answer: &Message) -> bool {
    let same = |a: &Query, b: &Query| a.name() == b.name() && a.query_type() == b.query_type();
    answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        // A server that refuses may leave the question out.
        && (answer.queries.is_empty()
            || answer.queries.iter().zip(&question.queries).all(|(answer, asked)| same(answer, asked)))
}

fn judge(probe: &Dns, answer: &Message) -> Passed {
    let (name, kind) = (&probe.name, probe.kind);
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        code => return Err(Failure::new(Phase::Dns, format!("{name} {kind}: {code}"))),
    }
    let data: Vec<String> = answer
        .answers
        .iter()
        .filter(|record| record.record_type() == kind)
        .map(|record| record.data.to_string())
        .collect();
    if data.is_empty() {
        return Err(Failure::new(Phase::Dns, format!("{name} has no {kind} record")));
    }
    match &probe.expect {
        Some(wanted) if !data.iter().any(|data| wanted.is_in(data.as_bytes())) => {
            Err(Failure::new(Phase::Body, format!("no answer holds {wanted}: {}", data.join(", "))))
        }
        _ => Ok(None),
    }
}
