//! The language: what is read, what is refused and where, and that what is printed is read again.

use proptest::prelude::*;

use super::grammar::{EXPRESSION_BYTES_MAX, parse};
use super::tree::{Comparison, Operator, Place, Quotes, Tree, Word, is_keyword};
use super::*;

fn filter(text: &str) -> Result<Filter, Bad> {
    Filter::parse(text, &Scope { zone: &Zone::utc(), now: Timestamp::from_seconds(1_795_000_000) })
}

#[test]
fn filters_are_printed_in_one_way() {
    let check = |text: &str, expected: &str| {
        assert_eq!(filter(text).map(|filter| filter.to_string()).as_deref(), Ok(expected), "{text}");
    };
    check("status=200", "status = 200");
    check("  status  ==  200  ", "status = 200");
    check("status>=500&&region=CN-GD", "status >= 500 and region = CN-GD");
    check("status = 1 or status = 2 and status = 3", "status = 1 or status = 2 and status = 3");
    check("(status = 1 or status = 2) and status = 3", "(status = 1 or status = 2) and status = 3");
    check("((status = 1) AND (status = 2 And status = 3))", "status = 1 and (status = 2 and status = 3)");
    check("not not(status=1)", "not not status = 1");
    check("!(status=1||status=2)", "not (status = 1 or status = 2)");
    check("client in 10.0.0.0/8", "client in 10.0.0.0/8");
    check("client NOT  IN(10.0.0.0/8,192.0.2.1 )", "client not in (10.0.0.0/8, 192.0.2.1)");
    check("asn in (AS4134, 136907, unknown)", "asn in (AS4134, 136907, unknown)");
    check("asn in (1)", "asn in 1");
    check("path^=/video/", "path ^= /video/");
    check("path$=.ts", "path $= .ts");
    check("query *= a=1&b=2", "query *= a=1&b=2");
    check(r#"agent = "it's""#, r"agent = 'it\'s'");
    check(r"agent = '\d\\\'\\'", r"agent = '\d\\\'\\'");
    check(r"path ~ '\.(ts|m4s)$'", r"path ~ '\.(ts|m4s)$'");
    check("agent !~ bot", "agent !~ bot");
    check("$upstream_addr = 10.0.0.1:80", "$upstream_addr = 10.0.0.1:80");
    check("%{X-Foo}i=a and %>s ~ 5", "%{X-Foo}i = a and %>s ~ 5");
    check("'%{a b}i' = x", "'%{a b}i' = x");
    check("bytes > 1.5MiB and duration <= 250ms", "bytes > 1.5MiB and duration <= 250ms");
    check("time >= '2026-11-20 14:05' and end < 2d", "time >= '2026-11-20 14:05' and end < 2d");
    check("day = 2026-11-20 and weekday in (sat, Sunday)", "day = 2026-11-20 and weekday in (sat, Sunday)");
    check("net = 192.0.2.0/24 and peer != 10.0.0.1", "net = 192.0.2.0/24 and peer != 10.0.0.1");
    check("host = '中文' and carrier=电信", "host = '中文' and carrier = 电信");
    check("status = unknown or user = null", "status = unknown or user = null");
}

const PART: &str = "a comparison, `not` or `(` is expected";
const SIGN: &str = "one of = != < <= > >= ^= $= *= ~ !~ in is expected";

#[test]
fn errors_point_at_their_cause() {
    // The caret stands under the offending byte.
    let check = |text: &str, caret: &str, expected: &str| {
        let bad = filter(text).expect_err(text);
        assert_eq!((bad.offset, bad.message.as_str()), (caret.len() - 1, expected), "{text}");
    };
    check("", "^", PART);
    check("   ", "   ^", PART);
    check("and status = 1", "^", PART);
    check("status = 1 and", "              ^", PART);
    check("status = 1 or or status = 2", "              ^", PART);
    check("not", "   ^", PART);
    check("()", " ^", PART);
    check("status", "      ^", SIGN);
    check("status 200", "       ^", SIGN);
    check("status not 200", "       ^", SIGN);
    check("status >< 200", "        ^", "a value is expected");
    check("status =", "        ^", "a value is expected");
    check("status = and", "         ^", "a value is expected; to mean this word, put it in quotes");
    check("status = 200 status = 300", "             ^", "`and` or `or` is expected");
    check("status = 200)", "            ^", "`and` or `or` is expected");
    check("(status = 200", "             ^", "`and`, `or` or `)` is expected");
    check("status in (200", "              ^", "`,` or `)` is expected");
    check("status in (200 300)", "               ^", "`,` or `)` is expected");
    check("status in ()", "           ^", "a value is expected");
    check("status in (200,)", "               ^", "a value is expected");
    check("agent = 'curl", "        ^", "this quote is not closed");
    check("agent = it's", "          ^", "`and` or `or` is expected");
    check("status = 5xx", "         ^", "a status is a number; the class is `class = 5xx`");
    check("status ^= 5", "       ^", "`^=` compares text, and status is a number");
    check("path > 3", "     ^", "`>` compares numbers, and path is text");
    check(
        "client < 3",
        "       ^",
        "`<` compares numbers, and client is an address; there is `in 10.0.0.0/8`",
    );
    check("time = 2d", "     ^", "`=` does not compare instants: time is compared with < <= > >=");
    let network = "an address or a network such as 192.0.2.1 or 10.0.0.0/8 is expected";
    let network = format!("{network}; for host names there are ^=, $=, *= and ~");
    check("client = abc", "         ^", &network);
    check("client in (10.0.0.0/8, 10.0.0.0/33)", "                       ^", &network);
    let net = "a net is a /24, or a /48 for IPv6: smaller ones are compared with `client in`";
    check("net = 192.0.2.1", "      ^", net);
    check("agent ~ '(bot'", "        ^", "bad pattern: unclosed group");
    check("duration > 8", "           ^", "a duration such as 250ms, 8s or 1.5m is expected");
    let bytes = "bytes such as 500, 10MB (10,000,000) or 10MiB (10,485,760) are expected";
    check("bytes > 10M", "        ^", bytes);
    let message = filter("regoin = 2").expect_err("no such field").message;
    assert!(message.starts_with("unknown field `regoin` (did you mean `region`?); there are "), "{message}");
    // Offsets are bytes.
    check("country = '中' and regoin = 2", "country = '---' and ^", &message);
}

#[test]
fn hostile_expressions_end_in_errors() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(filter(text).err().map(|bad| bad.message).as_deref(), expected);
    };
    let deep = Some("more than 64 parentheses and `not` within each other");
    check(&"(".repeat(10_000), deep);
    check(&"not ".repeat(10_000), deep);
    check(&"!".repeat(10_000), deep);
    check(&format!("{}status = 1{}", "(".repeat(64), ")".repeat(64)), None);
    check(&vec!["status = 1"; 4_000].join(" or "), None);
    let long = format!("longer than {EXPRESSION_BYTES_MAX} bytes");
    check(&"中".repeat(EXPRESSION_BYTES_MAX), Some(&long));
    check("agent ~ 'a{1000}{1000}'", Some("a pattern of more than 1048576 bytes when compiled"));
    let nested = filter(&format!("agent ~ '{}'", "(".repeat(1_000)));
    assert!(nested.is_err_and(|bad| bad.message.starts_with("bad pattern: ")));
    check(&vec!["agent ~ a.b"; 65].join(" or "), Some("more than 64 patterns"));
    check("agent *= 'a\0b'", None);
    check("\0", Some("a comparison, `not` or `(` is expected"));
    let name = filter(&format!("{} = 1", "x".repeat(60_000))).expect_err("no such field").message;
    assert!(name.len() < 1_000, "{}", name.len());
}

#[test]
fn cheap_questions_come_first() {
    let filter =
        filter("region = CN-GD and agent ~ 'a.b' and client in 10.0.0.0/8 and path = / and status = 200");
    let fields: Vec<String> =
        filter.expect("a filter").fields().iter().map(|field| field.name().to_owned()).collect();
    assert_eq!(fields, ["status", "path", "agent", "client", "region"]);
}

fn word(text: String, quotes: Quotes) -> Word {
    Word { text, quotes, at: Place(0) }
}

fn words() -> impl Strategy<Value = Word> {
    let bare = "[a-z0-9./:^$*%_\u{e9}-][a-z0-9./:=<>!~^$*%_-]{0,6}";
    prop_oneof![
        bare.prop_filter("a word of the language", |text| !is_keyword(text))
            .prop_map(|text| word(text, Quotes::Bare)),
        r#"[a-z '"\\(),&|中]{0,8}"#.prop_map(|text| word(text, Quotes::Quoted)),
    ]
}

fn trees() -> impl Strategy<Value = Tree> {
    let fields = prop_oneof![
        prop::sample::select(&["status", "path", "$upstream_addr", "%{X-Foo}i", "%>s"][..])
            .prop_map(|name| word(name.to_owned(), Quotes::Bare)),
        r"%\{[a-z ']{0,4}\}i".prop_map(|name| word(name, Quotes::Quoted)),
    ];
    let signs = prop::sample::select(&Operator::SIGNS[..]).prop_map(|(_, operator)| operator);
    let single = (signs, words()).prop_map(|(operator, value)| (operator, vec![value]));
    let lists = prop::sample::select(&[Operator::In, Operator::NotIn][..]);
    let lists = (lists, prop::collection::vec(words(), 1..4));
    let leaf = (fields, prop_oneof![single, lists]).prop_map(|(field, (operator, values))| {
        Tree::Comparison(Comparison { field, operator, at: Place(0), values })
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let several = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several().prop_map(Tree::All),
            several().prop_map(Tree::Any),
            inner.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn what_is_printed_is_read_again(tree in trees()) {
        let text = tree.to_string();
        prop_assert_eq!(parse(&text).map_err(|bad| (bad, text)), Ok(tree));
    }

    #[test]
    fn no_text_panics(text in r#"[a-z0-9 ()'"\\=<>!~^$*%{}&|,.中]{0,30}"#) {
        if let Err(bad) = filter(&text) {
            prop_assert!(text.is_char_boundary(bad.offset), "{:?}", bad);
        }
    }
}
