//! Questions and answers as DNS messages.

use super::zone::Reply;
use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RecordType};

/// The largest datagram where the client names no size (RFC 1035, 4.2.1).
const DATAGRAM_MAX: u16 = 512;
/// The largest datagram that is sent whatever the client names: larger ones
/// are broken up on their way, and lost (<https://www.dnsflagday.net/2020/>).
const DATAGRAM_SAFE: u16 = 1_232;

/// The shortest answer: a name of two bytes that points to the question's, ten
/// of header, an address.
const RECORD_MIN: usize = 16;

/// What is asked.
#[derive(Debug)]
pub struct Question {
    query: Query,
    request: Metadata,
    edns: bool,
    datagram_max: u16,
}

impl Question {
    #[cfg(test)]
    pub fn new(name: Name, kind: RecordType) -> Self {
        let request = Metadata::new(7, MessageType::Query, OpCode::Query);
        Self { query: Query::query(name, kind), request, edns: false, datagram_max: DATAGRAM_MAX }
    }

    /// The name.
    pub fn name(&self) -> &Name {
        self.query.name()
    }

    /// The kind of record.
    pub fn kind(&self) -> RecordType {
        self.query.query_type()
    }

    /// The most that may be sent in a datagram.
    pub const fn datagram_max(&self) -> u16 {
        self.datagram_max
    }
}

/// Reads a question. What is none is answered with the error, if it can be
/// answered at all: an answer to an answer could go round for ever.
pub fn read(bytes: &[u8]) -> Result<Question, Option<Vec<u8>>> {
    let message = match Message::from_vec(bytes) {
        Ok(message) => message,
        Err(_) => return Err(malformed(bytes)),
    };
    if message.metadata.message_type != MessageType::Query {
        return Err(None);
    }
    let refuse = |code| {
        let mut answer = Message::error_msg(message.metadata.id, message.metadata.op_code, code);
        answer.queries.clone_from(&message.queries);
        Err(answer.to_vec().ok())
    };
    if message.metadata.op_code != OpCode::Query {
        return refuse(ResponseCode::NotImp);
    }
    let [query] = message.queries.as_slice() else { return refuse(ResponseCode::FormErr) };
    if !matches!(query.query_class(), DNSClass::IN | DNSClass::ANY) {
        return refuse(ResponseCode::Refused);
    }
    let named = message.edns.as_ref().map_or(DATAGRAM_MAX, Edns::max_payload);
    Ok(Question {
        query: query.clone(),
        request: message.metadata,
        edns: message.edns.is_some(),
        datagram_max: named.clamp(DATAGRAM_MAX, DATAGRAM_SAFE),
    })
}

/// Of what cannot be read, the number and the kind can often be.
fn malformed(bytes: &[u8]) -> Option<Vec<u8>> {
    let [high, low, flags, ..] = bytes else { return None };
    let is_answer = flags & 0x80 != 0;
    if is_answer || bytes.len() < 12 {
        return None;
    }
    let id = u16::from_be_bytes([*high, *low]);
    Message::error_msg(id, OpCode::Query, ResponseCode::FormErr).to_vec().ok()
}

/// Writes an answer of at most `max` bytes. What does not fit is left out:
/// first the additional records, which nobody asked for, then answers, which is
/// marked.
pub fn write(question: &Question, reply: Reply, max: u16) -> Option<Vec<u8>> {
    let mut message = Message::response(question.request.id, OpCode::Query);
    message.metadata = Metadata::response_from_request(&question.request);
    message.metadata.response_code = reply.code;
    message.metadata.authoritative = reply.code != ResponseCode::Refused;
    message.queries = vec![question.query.clone()];
    message.answers = reply.answers;
    message.authorities = reply.authorities;
    message.additionals = reply.additionals;
    if question.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(DATAGRAM_SAFE);
        message.edns = Some(edns);
    }
    let max = usize::from(max);
    loop {
        // The encoder marks what it could not take; from there on it is known not to fit.
        let bytes = message.to_vec().ok()?;
        let cut = bytes.get(2).is_some_and(|flags| flags & 0x02 != 0) && !message.metadata.truncation;
        if bytes.len() <= max && !cut {
            return Some(bytes);
        }
        if !message.additionals.is_empty() {
            message.additionals.clear();
        } else if message.answers.is_empty() {
            return None;
        } else {
            let fewer = message.answers.len() - message.answers.len().div_ceil(8);
            message.answers.truncate(fewer.min(max / RECORD_MIN));
            message.metadata.truncation = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::A;
    use hickory_proto::rr::{RData, Record};

    fn question() -> Question {
        let mut query = Message::query();
        query.add_query(Query::query(Name::from_ascii("web.service.distlog.").unwrap(), RecordType::A));
        read(&query.to_vec().unwrap()).unwrap()
    }

    fn addresses(count: u32) -> Reply {
        let record = |n: u32| {
            let name = Name::from_ascii("web.service.distlog.").unwrap();
            Record::from_rdata(name, 5, RData::A(A(n.into())))
        };
        Reply { answers: (0..count).map(record).collect(), ..Reply::bare(ResponseCode::NoError) }
    }

    fn written(count: u32, max: u16) -> (usize, Message) {
        let bytes = write(&question(), addresses(count), max).unwrap();
        (bytes.len(), Message::from_vec(&bytes).unwrap())
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_marked() {
        let (_, whole) = written(20, 512);
        assert_eq!((whole.answers.len(), whole.metadata.truncation), (20, false));
        let (len, cut) = written(500, 512);
        assert!(len <= 512 && cut.answers.len() > 20, "{len} bytes, {} answers", cut.answers.len());
        assert!(cut.metadata.truncation && cut.metadata.authoritative);
        let (_, whole) = written(500, u16::MAX);
        assert_eq!((whole.answers.len(), whole.metadata.truncation), (500, false));
    }

    #[test]
    fn additional_records_are_left_out_without_a_mark() {
        let mut reply = addresses(10);
        reply.additionals = addresses(100).answers;
        let bytes = write(&question(), reply, 512).unwrap();
        let message = Message::from_vec(&bytes).unwrap();
        assert_eq!((message.answers.len(), message.additionals.len()), (10, 0));
        assert!(!message.metadata.truncation);
    }

    #[test]
    fn an_answer_is_not_answered_and_rubbish_is_an_error_of_form() {
        assert_eq!(read(b"").unwrap_err(), None);
        assert_eq!(read(&[0; 11]).unwrap_err(), None);
        let mut rubbish = vec![0xff; 40];
        rubbish[2] = 0;
        let answer = Message::from_vec(&read(&rubbish).unwrap_err().unwrap()).unwrap();
        assert_eq!((answer.metadata.id, answer.metadata.response_code), (0xffff, ResponseCode::FormErr));
        let response = Message::response(3, OpCode::Query).to_vec().unwrap();
        assert_eq!(read(&response).unwrap_err(), None);
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        proptest::proptest!(|(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600))| {
            let _ = read(&bytes);
        });
    }
}
