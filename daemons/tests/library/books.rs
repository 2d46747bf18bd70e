//! Books and loans.

use crate::harness::{Answer, Running, Setup};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::wire::library::{Book, Loan};

const BOOKS: &str = "/library/books";
const BORROW: &str = "/library/borrow";
const RETURN: &str = "/library/return";

async fn library() -> Running {
    Setup::new("library").start().await
}

/// Sends JSON, whatever comes of it.
async fn post(library: &Running, path: &str, body: Value) -> Answer {
    library.post_json("library", path, body).await
}

/// Sends JSON with an idempotency key.
async fn post_once(library: &Running, path: &str, body: Value, key: &str) -> Answer {
    Answer::of(library.request(Method::POST, "library", path).json(&body).header("idempotency-key", key))
        .await
}

/// Reads what is answered, which must not be a refusal.
#[track_caller]
fn read<T: DeserializeOwned>(answer: Answer) -> T {
    serde_json::from_str(&answer.ok().body).unwrap()
}

async fn get<T: DeserializeOwned>(library: &Running, path: &str) -> T {
    read(library.get("library", path).await)
}

/// The detail of a refusal.
#[track_caller]
fn detail(answer: &Answer, status: u16) -> String {
    answer.problem(status)["detail"].as_str().unwrap().to_owned()
}

fn lend(book_id: &str, borrower: &str) -> Value {
    json!({"book_id": book_id, "borrower": borrower})
}

#[tokio::test]
async fn a_new_library_has_three_books_and_only_once() {
    let mut library = library().await;
    for _ in 0..2 {
        let books: Vec<Book> = get(&library, BOOKS).await;
        let books: Vec<_> =
            books.iter().map(|b| (b.id.as_str(), b.title.as_str(), b.author.as_str())).collect();
        assert_eq!(
            books,
            [("1", "Go编程实战", "张三"), ("2", "分布式系统设计", "李四"), ("3", "HTTP协议详解", "王五")]
        );
        library = library.restart().await;
    }
}

#[tokio::test]
async fn a_book_without_an_id_gets_the_next_free_number() {
    let library = library().await;
    let add = async |id: Value| {
        let answer = post(&library, BOOKS, json!({"id": id, "title": "T", "author": "A"})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        (answer.header("location").to_owned(), read::<Book>(answer).id)
    };
    add(json!("5")).await;
    assert_eq!(add(Value::Null).await, ("/library/book/4".to_owned(), "4".to_owned()));
    assert_eq!(add(Value::Null).await.1, "6");
    let (location, id) = add(json!("a/b ?#书")).await;
    assert_eq!(get::<Book>(&library, &location).await.id, id);
}

#[tokio::test]
async fn a_taken_id_is_a_conflict_and_changes_nothing() {
    let library = library().await;
    let answer =
        post(&library, BOOKS, json!({"id": "1", "title": "Other", "author": "A", "copies": 9})).await;
    assert_eq!(
        detail(&answer, 409),
        "the id '1' is taken by 'Go编程实战'; leave the id out to get a free one"
    );
    let book: Book = get(&library, "/library/book/1").await;
    assert_eq!((book.title.as_str(), book.copies), ("Go编程实战", 1));
    assert_eq!(get::<Vec<Book>>(&library, BOOKS).await.len(), 3);
}

#[tokio::test]
async fn a_copy_is_lent_until_none_is_in_and_can_be_lent_again_when_it_is_back() {
    let library = library().await;
    let loan: Loan = read(post(&library, BORROW, lend("1", "Ann")).await);
    assert_eq!((loan.borrower.as_str(), loan.returned_at), ("Ann", None));
    let refused = post(&library, BORROW, lend("1", "Bob")).await;
    assert_eq!(detail(&refused, 409), "no copy of 'Go编程实战' is in: 1 of 1 are lent");
    let back: Loan = read(post(&library, RETURN, lend("1", "Ann")).await);
    assert!(back.returned_at.unwrap() >= back.borrowed_at);
    let refused = post(&library, RETURN, lend("1", "Ann")).await;
    assert_eq!(detail(&refused, 409), "'Ann' has no copy of 'Go编程实战' to return");
    post(&library, BORROW, lend("1", "Bob")).await.ok();
}

#[tokio::test]
async fn a_borrower_may_hold_two_copies_and_returns_the_older_one_first() {
    let library = library().await;
    post(&library, BOOKS, json!({"id": "x", "title": "T", "author": "A", "copies": 2})).await.ok();
    let first: Loan = read(post(&library, BORROW, lend("x", "Ann")).await);
    let second: Loan = read(post(&library, BORROW, lend("x", "Ann")).await);
    let back: Loan = read(post(&library, RETURN, lend("x", "Ann")).await);
    assert_eq!(back.borrowed_at, first.borrowed_at);
    let loans: Vec<Loan> = get(&library, BORROW).await;
    assert_eq!(loans, [second, back], "newest first");
    assert_eq!(get::<Vec<Loan>>(&library, "/library/borrow?active=true").await, loans[..1]);
}

#[tokio::test]
async fn what_is_unknown_is_404_and_what_is_invalid_names_its_field() {
    let library = library().await;
    for path in [BORROW, RETURN] {
        let refused = post(&library, path, lend("99", "Ann")).await;
        assert_eq!(detail(&refused, 404), "there is no book '99'");
    }
    library.get("library", "/library/book/99").await.problem(404);
    for (path, body, field) in [
        (BORROW, lend("1", " "), "borrower"),
        (BORROW, lend("", "Ann"), "book_id"),
        (RETURN, lend("1", &"x".repeat(201)), "borrower"),
        (RETURN, lend("1", "\u{202e}nnA"), "borrower"),
        (BOOKS, json!({"title": "", "author": "A"}), "title"),
        (BOOKS, json!({"title": "T", "author": "a\u{1b}[31m"}), "author"),
        (BOOKS, json!({"title": "T", "author": "A", "copies": 0}), "copies"),
        (BOOKS, json!({"title": "T", "author": "A", "copies": 10_001}), "copies"),
        (BOOKS, json!({"title": "T", "author": "A", "copies": -1}), "copies"),
        (BOOKS, json!({"title": "T", "author": "A", "id": "x".repeat(65)}), "id"),
        (BOOKS, json!({"title": "T", "author": "A", "copeis": 2}), "copeis"),
        (BORROW, json!({"book_id": "1", "borrower": "Ann", "until": "friday"}), "until"),
    ] {
        assert_eq!(post(&library, path, body).await.problem(422)["field"], field);
    }
    post(&library, BOOKS, json!({"title": "T"})).await.problem(422);
}

#[tokio::test]
async fn a_query_or_a_key_that_is_not_what_it_should_be_is_malformed() {
    let library = library().await;
    for path in ["/library/books?limit=0", "/library/borrow?limit=10001"] {
        assert_eq!(library.get("library", path).await.problem(400)["field"], "limit", "{path}");
    }
    for path in ["/library/borrow?nonsense=1", "/library/books?offset=-1", "/library/books?limit=x"] {
        library.get("library", path).await.problem(400);
    }
    for key in ["", &"x".repeat(256)] {
        let answer = post_once(&library, BORROW, lend("1", "Ann"), key).await;
        assert_eq!(answer.problem(400)["field"], "Idempotency-Key");
    }
}

#[tokio::test]
async fn a_list_is_read_in_parts_along_its_links() {
    let library = library().await;
    let mut path = "/library/books?limit=2".to_owned();
    let mut parts = Vec::new();
    while !path.is_empty() {
        let answer = library.get("library", &path).await;
        path = answer.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
        assert_eq!(answer.header("x-total-count"), "3");
        parts.push(read::<Vec<Book>>(answer).len());
    }
    assert_eq!(parts, [2, 1]);
}

#[tokio::test]
async fn a_list_for_a_terminal_is_aligned() {
    let library = library().await;
    let text = library.get("library", "/library/books?format=text").await.ok().body;
    let wanted = "ID  TITLE           AUTHOR  COPIES  AVAILABLE\n1   Go编程实战      张三    1       1\n";
    assert!(text.starts_with(wanted) && text.lines().count() == 4, "{text}");
    let text = library.get("library", "/library/books?format=text&limit=1").await.ok().body;
    assert!(text.ends_with("1       1\n(1 of 3)\n"), "{text}");
}

#[tokio::test]
async fn a_request_with_a_key_is_carried_out_once_even_over_a_crash() {
    let library = library().await;
    post(&library, BOOKS, json!({"id": "x", "title": "T", "author": "A", "copies": 5})).await.ok();
    let first: Loan = read(post_once(&library, BORROW, lend("x", "Ann"), "k").await);
    let library = library.restart().await;
    let again: Loan = read(post_once(&library, BORROW, lend("x", "Ann"), "k").await);
    assert_eq!(first, again);
    assert_eq!(get::<Book>(&library, "/library/book/x").await.available, 4);
    let other = post_once(&library, BORROW, lend("x", "Bob"), "k").await;
    assert_eq!(other.problem(422)["field"], "Idempotency-Key");
}

#[tokio::test]
async fn of_many_who_want_the_last_copy_one_gets_it() {
    let library = library().await;
    let wants = (0..50).map(|n| {
        let library = &library;
        async move { post(library, BORROW, lend("1", &format!("borrower {n}"))).await.status }
    });
    let mut statuses = futures_util::future::join_all(wants).await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses[49]), (200, 409, 409));
}
