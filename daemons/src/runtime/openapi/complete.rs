//! What every operation has in common, added to the document in one place: the
//! refusals, the headers, text answers, descriptions, examples of problems.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// The methods of a path that are operations.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// When a request is refused.
#[derive(Clone, Copy)]
enum When {
    Always,
    /// The request names something that may not exist.
    Named,
    /// The request is about a time in the past.
    Past,
    /// The request has a body.
    Body,
    /// The request may change something.
    Change,
}

/// The refusals: status, when it may come, why.
const REFUSALS: [(StatusCode, When, &str); 15] = [
    (StatusCode::BAD_REQUEST, When::Always, "The request is malformed"),
    (StatusCode::FORBIDDEN, When::Always, "A page of another origin or site sent the request"),
    (StatusCode::NOT_FOUND, When::Named, "There is nothing of that name"),
    (StatusCode::REQUEST_TIMEOUT, When::Body, "The body was not complete in time"),
    (StatusCode::CONFLICT, When::Change, "The request contradicts what is stored"),
    (StatusCode::GONE, When::Past, "What is asked for is no longer kept"),
    (StatusCode::PAYLOAD_TOO_LARGE, When::Body, "The body is too large"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, When::Body, "The body has a type that is not supported"),
    (StatusCode::MISDIRECTED_REQUEST, When::Always, "The host is not a name of this daemon"),
    (StatusCode::UNPROCESSABLE_ENTITY, When::Change, "A field has a value that it cannot have"),
    (StatusCode::TOO_MANY_REQUESTS, When::Change, "There is too much of it; retry later"),
    (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, When::Always, "The head is larger than 32 KiB"),
    (StatusCode::INTERNAL_SERVER_ERROR, When::Always, "A fault of the daemon; its diagnostics name it"),
    (StatusCode::NOT_IMPLEMENTED, When::Body, "The transfer coding is not supported"),
    (StatusCode::SERVICE_UNAVAILABLE, When::Always, "Not now; retry later"),
];

/// Completes a document.
pub fn complete(document: &mut Value, problem_media_type: &str) {
    if let Some(root) = document.as_object_mut() {
        root.insert("servers".to_owned(), json!([{"url": "/", "description": "This daemon"}]));
        // Nobody is asked who they are on loopback; other addresses need --insecure.
        root.insert("security".to_owned(), json!([]));
    }
    widen_unsigned(document);
    let components = entry(document, "components");
    entry(components, "headers").clone_from(&headers());
    let responses = entry(components, "responses");
    for (status, _, why) in REFUSALS {
        entry(responses, &name(status)).clone_from(&refusal(status, why, problem_media_type));
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                complete_operation(path, method, operation);
            }
        }
    }
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    let takes_text = operation["parameters"].as_array().is_some_and(|parameters| {
        let format = parameters.iter().find(|parameter| parameter["name"] == "format");
        format.is_some_and(|format| {
            format
                .pointer("/schema/enum")
                .and_then(Value::as_array)
                .is_some_and(|e| e.contains(&json!("text")))
        })
    });
    let is_name =
        |parameter: &Value| ["service", "instance", "seq"].iter().any(|name| parameter["name"] == **name);
    let names = path.contains('{')
        || method != "get"
        || operation["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(is_name));
    let is_past = operation["parameters"]
        .as_array()
        .is_some_and(|parameters| parameters.iter().any(|parameter| parameter["name"] == "at"));
    let summary = operation["summary"].as_str().unwrap_or("Done").to_owned();
    let has_body = operation.get("requestBody").is_some();
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.iter_mut().for_each(complete_parameter);
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
        describe_success(status, &summary, response);
        if takes_text && status == "200" {
            let text = json!({"schema": {"type": "string", "description": "Aligned text for a terminal"}});
            let content = entry(response, "content");
            if content.get("text/plain").is_none() {
                entry(content, "text/plain").clone_from(&text);
            }
        }
    }
    for (status, when, _) in REFUSALS {
        let may_come = match when {
            When::Always => true,
            When::Named => names,
            When::Past => is_past,
            When::Body => has_body,
            When::Change => method != "get",
        };
        if may_come {
            let reference = json!({"$ref": format!("#/components/responses/{}", name(status))});
            responses.entry(status.as_str()).or_insert(reference);
        }
    }
}

fn describe_success(status: &str, summary: &str, response: &mut Value) {
    let Some(response) = response.as_object_mut() else { return };
    let has_description =
        response.get("description").is_some_and(|it| it.as_str().is_some_and(|t| !t.is_empty()));
    if !has_description {
        let what = match status {
            "201" => "Created",
            "204" => "Done; there is nothing to say",
            _ => summary,
        };
        response.insert("description".to_owned(), json!(what));
    }
    let headers = response.entry("headers").or_insert_with(|| Value::Object(Map::new()));
    for header in ["X-Request-Id", "Cache-Control", "Content-Security-Policy", "Cross-Origin-Resource-Policy"]
    {
        entry(headers, header).clone_from(&json!({"$ref": format!("#/components/headers/{header}")}));
    }
    if let Some(stream) = response.get_mut("content").and_then(|content| content.get_mut("text/event-stream"))
    {
        stream["schema"] = json!({
            "type": "string",
            "description": "Server-sent events (HTML Living Standard, 9.2). A comment keeps an idle stream alive; \
                an event's `id` in `Last-Event-ID` resumes after it.",
        });
    }
}

/// A path segment is never empty.
fn complete_parameter(parameter: &mut Value) {
    if parameter["in"] == "path" && parameter.pointer("/schema/type") == Some(&json!("string")) {
        let schema = entry(parameter, "schema");
        entry(schema, "minLength").clone_from(&json!(1));
    }
}

/// The formats `int32` and `int64` are signed: an unsigned integer gets its own
/// maximum instead.
fn widen_unsigned(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(widen_unsigned),
        Value::Object(members) => {
            let max = match members.get("format").and_then(Value::as_str) {
                Some("int32") => Some(json!(u32::MAX)),
                Some("int64") => Some(json!(u64::MAX)),
                _ => None,
            };
            if let Some(max) = max.filter(|_| members.get("minimum") == Some(&json!(0))) {
                members.remove("format");
                members.entry("maximum").or_insert(max);
            }
            members.values_mut().for_each(widen_unsigned);
        }
        _ => {}
    }
}

fn headers() -> Value {
    let text = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    json!({
        "X-Request-Id": text("The id of the request: the client's, or a new one", "9f86d081884c7d65"),
        "Cache-Control": text("Whether a cache may keep the answer", "no-store"),
        "Content-Security-Policy": text("What a browser may do with the answer", "default-src 'none'; frame-ancestors 'none'"),
        "Cross-Origin-Resource-Policy": text("Which pages may embed the answer", "same-origin"),
        "Connection": text("`close` where the body of the request was not read", "close"),
        "Retry-After": {"description": "Seconds after which to retry", "schema": {"type": "integer", "minimum": 0}, "example": 1},
    })
}

fn refusal(status: StatusCode, why: &str, media_type: &str) -> Value {
    let mut headers = json!({
        "X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"},
        "Connection": {"$ref": "#/components/headers/Connection"},
    });
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        let reference = json!({"$ref": "#/components/headers/Retry-After"});
        entry(&mut headers, "Retry-After").clone_from(&reference);
    }
    let example = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default().to_lowercase(),
        "status": status.as_u16(),
        "detail": why,
    });
    json!({
        "description": why,
        "headers": headers,
        "content": {media_type: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    })
}

/// The name of a refusal among the components: `NotFound`.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "")
}

/// The value under a key, which is made an empty object if it is missing.
fn entry<'v>(value: &'v mut Value, key: &str) -> &'v mut Value {
    let slot = &mut value[key];
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_of_an_operation_is_described() {
        let mut document = json!({"paths": {"/things/{name}": {
            "get": {"summary": "A thing", "parameters": [
                {"name": "name", "in": "path", "schema": {"type": "string"}},
                {"name": "format", "in": "query", "schema": {"type": "string", "enum": ["json", "text"]}},
            ], "responses": {"200": {"content": {"application/json": {}}}}},
            "delete": {"responses": {"204": {}}},
        }}});
        complete(&mut document, "application/problem+json");
        let item = &document["paths"]["/things/{name}"];
        assert_eq!(item["get"]["responses"]["200"]["description"], "A thing");
        assert!(item["get"]["responses"]["200"]["content"]["text/plain"].is_object());
        assert_eq!(item["get"]["responses"]["404"]["$ref"], "#/components/responses/NotFound");
        assert_eq!(item["delete"]["responses"]["204"]["description"], "Done; there is nothing to say");
        assert!(item["get"]["responses"].get("413").is_none());
        assert_eq!(item["get"]["parameters"][0]["schema"]["minLength"], 1);
        let unavailable = &document["components"]["responses"]["ServiceUnavailable"];
        assert!(unavailable["headers"]["Retry-After"].is_object());
    }
}
