//! The registry asked over DNS.

use crate::harness::endpoint::{Endpoint, Mood};
use crate::harness::{DEADLINE, Running, Setup, eventually};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

async fn start() -> (Running, SocketAddr) {
    let setup = Setup::new("all").flag("--registry-dns", "127.0.0.1:0").flag("--monitor-interval", "100ms");
    let mut running = setup.start().await;
    let line = running.line(|line| line.starts_with("Registry DNS started on ")).await;
    let address = line.rsplit(' ').next().unwrap().parse().unwrap();
    (running, address)
}

async fn register(running: &Running, body: Value) {
    running.post_json("registry", "/services", body).await.ok();
}

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

async fn by_udp(address: SocketAddr, name: &str, kind: RecordType) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(address).await.unwrap();
    socket.send(&question(name, kind)).await.unwrap();
    let mut answer = vec![0; 65_536];
    let len = timeout(DEADLINE, socket.recv(&mut answer)).await.unwrap().unwrap();
    Message::from_vec(&answer[..len]).unwrap()
}

async fn by_tcp(address: SocketAddr, name: &str, kind: RecordType) -> Message {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let question = question(name, kind);
    stream.write_u16(question.len().try_into().unwrap()).await.unwrap();
    stream.write_all(&question).await.unwrap();
    let len = timeout(DEADLINE, stream.read_u16()).await.unwrap().unwrap();
    let mut answer = vec![0; len.into()];
    stream.read_exact(&mut answer).await.unwrap();
    Message::from_vec(&answer).unwrap()
}

fn data(message: &Message) -> Vec<String> {
    let mut data: Vec<String> = message.answers.iter().map(|record| record.data.to_string()).collect();
    data.sort();
    data
}

#[tokio::test]
async fn dns_tells_of_healthy_instances_and_of_no_others() {
    let (running, dns) = start().await;
    let good = Endpoint::start(Mood::Good).await;
    let port = good.url.rsplit(':').next().unwrap();
    register(&running, json!({ "serviceName": "web", "serviceUrl": good.url })).await;
    // Nobody listens at port 1.
    register(&running, json!({ "serviceName": "web", "serviceUrl": "http://127.0.0.2:1" })).await;

    eventually("the dead one is left out", async || {
        let answer = by_udp(dns, "Web.service.distlog.", RecordType::A).await;
        (data(&answer) == ["127.0.0.1"]).then_some(())
    })
    .await;
    let answer = by_udp(dns, "web.service.distlog.", RecordType::SRV).await;
    assert_eq!(data(&answer), [format!("1 1 {port} 7f000001.addr.distlog.")]);
    assert_eq!(answer.additionals[0].data.to_string(), "127.0.0.1");

    let nobody = by_udp(dns, "nobody.service.distlog.", RecordType::A).await;
    assert_eq!(nobody.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(nobody.authorities[0].record_type(), RecordType::SOA);
}

#[tokio::test]
async fn an_answer_too_large_for_a_datagram_is_cut_and_whole_over_tcp() {
    let (running, dns) = start().await;
    for n in 1..=60 {
        let url = format!("http://127.0.1.{n}:80");
        register(
            &running,
            json!({ "serviceName": "big", "serviceUrl": url, "healthCheckUrl": running.url("web") }),
        )
        .await;
    }
    let cut = by_udp(dns, "big.service.distlog.", RecordType::A).await;
    assert!(cut.metadata.truncation && !cut.answers.is_empty() && cut.answers.len() < 60);
    let whole = by_tcp(dns, "big.service.distlog.", RecordType::A).await;
    assert_eq!((whole.metadata.truncation, whole.answers.len()), (false, 60));
}

#[tokio::test]
async fn dns_beyond_loopback_is_refused_unless_the_network_is_said_to_be_trusted() {
    let (status, said) = Setup::new("registry").flag("--registry-dns", "0.0.0.0:0").run_to_end();
    assert!(!status.success());
    assert!(said.contains("registry.dns") && said.contains("--insecure"), "{said}");
}
