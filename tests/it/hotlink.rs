//! Who embeds our objects, and which: figures worked out by hand.

use serde_json::{Value, json};

use crate::{Scratch, bandwho, json as answer_of};

/// Path, bytes, referer.
fn log(requests: &[(&str, u64, &str)]) -> String {
    let line = |(path, bytes, referer): &(&str, u64, &str)| {
        format!(
            "192.0.2.1 - - [23/Nov/2026:05:53:03 +0000] \"GET {path} HTTP/1.1\" 200 {bytes} \"{referer}\" \"curl/8\"\n"
        )
    };
    requests.iter().map(line).collect()
}

const REQUESTS: [(&str, u64, &str); 12] = [
    ("/a.jpg", 1_000, "https://www.Example.com/page"),
    ("/a.jpg", 1_000, "http://example.com:8080/"),
    ("/a.jpg", 500, "-"),
    ("/a.jpg", 4_000, "https://other.example/forum?x=1"),
    ("/a.jpg", 1_000, "http://other.example:81/"),
    ("/v.mp4?t=1", 9_000, "https://user@thief.test/p"),
    ("/v.mp4?t=2", 1_000, "https://other.example/"),
    ("/page", 2_000, "https://www.google.com/"),
    ("/b.jpg", 300, "http://[2001:db8::1]:80/"),
    ("/b.jpg", 200, "nonsense"),
    ("/b.jpg", 100, "https://xn--fiqs8s/"),
    ("/b.jpg", 100, "https://badexample.com/"),
];

/// The rows of a table, with the members that are asked for.
fn rows(answer: &Value, view: &str, names: &[&str]) -> Value {
    let cells = |row: &Value| -> Value { names.iter().map(|name| row[name].clone()).collect() };
    answer["views"][view]["rows"].as_array().unwrap().iter().map(cells).collect()
}

#[test]
fn hosts_that_are_not_ours_are_ranked() {
    let scratch = Scratch::new("hotlink");
    let path = scratch.file("a.log", log(&REQUESTS).as_bytes());
    let answer = answer_of(&["hotlink", "--own", "EXAMPLE.com", "--top", "4", "--json", &path]);
    assert_eq!(answer["schema"], "bandwho.hotlink/1");
    assert_eq!(
        rows(&answer, "hosts", &["refhost", "bytes", "requests", "paths", "types", "top_path"]),
        json!([
            ["thief.test", 9_000, 1, 1, "mp4", "/v.mp4"],
            ["other.example", 6_000, 3, 2, "jpg, mp4", "/a.jpg"],
            ["www.google.com", 2_000, 1, 1, "(none)", "/page"],
            ["[2001:db8::1]", 300, 1, 1, "jpg", "/b.jpg"],
        ])
    );
    assert_eq!(
        rows(&answer, "paths", &["path", "bytes", "requests", "hosts", "top_host"]),
        json!([
            ["/v.mp4", 10_000, 2, 2, "thief.test"],
            ["/a.jpg", 5_000, 2, 1, "other.example"],
            ["/page", 2_000, 1, 1, "www.google.com"],
            ["/b.jpg", 700, 4, 4, "[2001:db8::1]"],
        ])
    );
    let members =
        ["bytes", "own_bytes", "none_bytes", "foreign_bytes", "no_url_bytes", "requests", "own_requests"];
    let facts: Vec<u64> = members.iter().map(|name| answer[name].as_u64().unwrap()).collect();
    assert_eq!(facts, [20_200, 2_000, 500, 17_500, 200, 12, 2]);
    assert_eq!(answer["views"]["hosts"]["other"]["bytes"], 400);
    assert_eq!(answer["views"]["hosts"]["other"]["groups"], 3);
    assert_eq!(answer["views"]["hosts"]["total"]["bytes"], 17_700);
    assert_eq!(answer["views"]["paths"]["total"]["bytes"], 17_700);
}

#[test]
fn several_hosts_are_ours_and_no_url_is_shown() {
    let scratch = Scratch::new("hotlink-own");
    let path = scratch.file("a.log", log(&REQUESTS).as_bytes());
    let own = "example.com,thief.test,*.google.com:443";
    let run =
        ["hotlink", "--own", own, "--own", "[2001:db8:0::1]", "--own", "other.example", "--json", &path];
    let answer = answer_of(&run);
    assert_eq!(
        rows(&answer, "hosts", &["refhost", "bytes"]),
        json!([["unknown", 200], ["badexample.com", 100], ["xn--fiqs8s", 100]])
    );
    assert_eq!(answer["own"], "[2001:db8::1], example.com, google.com, other.example, thief.test");
    // What is limited in memory has the same answer.
    let run = [&run[..], &["--memory", "1M"]].concat();
    assert_eq!(answer_of(&run)["views"], answer["views"]);
}

#[test]
fn without_bytes_requests_are_counted() {
    let scratch = Scratch::new("hotlink-requests");
    let lines = "/a \"https://x.test/\"\n/b \"-\"\n/a \"https://y.test/\"\n/a \"https://y.test/\"\n";
    let path = scratch.file("a.log", lines.as_bytes());
    let answer = answer_of(&["hotlink", "--own", "o", "--format", "$uri \"$http_referer\"", "--json", &path]);
    assert_eq!(
        rows(&answer, "hosts", &["refhost", "requests", "share"]),
        json!([["y.test", 2, 0.5], ["x.test", 1, 0.25]])
    );
}

#[test]
fn what_cannot_be_answered_is_said() {
    let scratch = Scratch::new("hotlink-refused");
    let common = "192.0.2.1 - - [23/Nov/2026:05:53:11 +0000] \"GET /a HTTP/1.1\" 200 1000\n";
    let path = scratch.file("a.log", common.as_bytes());
    let run = bandwho(&["hotlink", "--own", "example.com", &path]);
    assert_eq!(run.code, 1);
    assert!(
        run.err.starts_with("bandwho: no log has a field for `referer`; the formats are: "),
        "{}",
        run.err
    );
    let run = bandwho(&["hotlink", "--own", "https://example.com", &path]);
    let message = "bandwho: --own: `https://example.com` is not a host name such as example.com\n";
    assert_eq!((run.code, run.err.as_str()), (2, message));
    assert_eq!(bandwho(&["hotlink", &path]).code, 2);
}

#[test]
fn hostile_referers_are_disarmed() {
    let scratch = Scratch::new("hotlink-hostile");
    let hosts = [
        "\\x1b[31m.test",
        "a|b`.test",
        "=cmd()",
        "\\xff\\xfe",
        "\\x00",
        "\\xe2\\x80\\xaeevil",
        "a\\x0ab",
        "<script>",
    ];
    let requests: Vec<(String, String)> =
        hosts.iter().map(|host| (format!("/{host}.jpg"), format!("http://{host}/"))).collect();
    let requests: Vec<(&str, u64, &str)> =
        requests.iter().map(|(path, referer)| (path.as_str(), 10, referer.as_str())).collect();
    let path = scratch.file("a.log", log(&requests).as_bytes());
    for shape in ["--json", "--ndjson", "--csv", "--md", "--color=never"] {
        let run = bandwho(&["hotlink", "--own", "example.com", shape, &path]);
        assert_eq!(run.code, 0, "{}", run.err);
        let is_wrong = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!run.out.contains(is_wrong), "{shape}: {}", run.out.escape_debug());
        assert!(shape != "--csv" || !run.out.lines().any(|line| line.starts_with('=')), "{}", run.out);
    }
}
