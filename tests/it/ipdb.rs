//! `bandwho ipdb`, and that answers do not depend on the form of a database.

use crate::{Scratch, bandwho, bandwho_with, json, testdata};

fn rows(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn addresses_are_looked_up() {
    let places = testdata("places.mmdb");
    let run = bandwho(&["ipdb", "lookup", "--ip-db", &places, "--json", "203.0.113.1", "::ffff:203.0.113.1"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let found = rows(&run.out);
    assert_eq!(found[0]["address"], "203.0.113.1");
    assert_eq!(found[0], found[1], "a mapped address is the IPv4 address");
    let piped =
        bandwho_with(&["ipdb", "lookup", "--ip-db", &places, "-"], b"203.0.113.1\n\nnonsense\n2001:db8::1\n");
    let said: Vec<&str> = piped.err.lines().collect();
    assert_eq!((piped.code, said[0]), (1, "bandwho: nonsense is not an address"));
    assert!(
        said[1].ends_with("places.mmdb (MMDB, 2026-03-01)"),
        "whoever pipes is told the source too: {said:?}"
    );
    assert_eq!(rows(&piped.out).len(), 2);
    assert_eq!(rows(&piped.out)[0], found[0]);
}

#[test]
fn a_table_names_its_source() {
    let run = bandwho(&["ipdb", "lookup", "8.8.8.8", "1.1.1.1"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines[0].starts_with("address  country  region"), "{}", run.out);
    assert!(lines[1].starts_with("8.8.8.8  US") && lines[1].contains("  15169  "), "{}", run.out);
    assert!(lines[2].contains("  13335  "), "{}", run.out);
    assert!(run.err.contains("built-in") && run.err.contains("nro.net"), "{}", run.err);
}

#[test]
fn a_compiled_file_answers_like_what_it_was_made_from() {
    let scratch = Scratch::new("compile");
    let (places, log) = (testdata("places.mmdb"), testdata("sample.log"));
    let own = scratch.file("own.csv", b"network,country,org\n75.75.75.0/25,FR,Ours\n2409:8088::/48,,Ours\n");
    let question = ["top", "--by", "region,city,carrier,org", "--top", "0", "--json", &log];
    for (number, databases) in [vec![&places], vec![&places, &own]].into_iter().enumerate() {
        let named: Vec<&str> = databases.iter().flat_map(|path| ["--ip-db", path.as_str()]).collect();
        let file = scratch.0.join(format!("{number}.bwip"));
        let file = file.to_str().unwrap();
        let compiled = bandwho(&[&["ipdb", "compile", "-o", file], named.as_slice()].concat());
        assert_eq!(compiled.code, 0, "{}", compiled.err);
        let direct = json(&[&question, named.as_slice()].concat());
        let through = json(&[&question[..], &["--ip-db", file]].concat());
        assert_eq!((&through["rows"], &through["other"]), (&direct["rows"], &direct["other"]));
        let small = scratch.0.join(format!("{number}.bwic"));
        let small = small.to_str().unwrap();
        let compact = bandwho(&[&["ipdb", "compile", "--compact", "-o", small], named.as_slice()].concat());
        assert_eq!(compact.code, 0, "{}", compact.err);
        let through = json(&[&question[..], &["--ip-db", small]].concat());
        assert_eq!((&through["rows"], &through["other"]), (&direct["rows"], &direct["other"]));
        assert!(std::fs::metadata(small).unwrap().len() < std::fs::metadata(file).unwrap().len());
    }
}

#[test]
fn a_stale_or_damaged_file_is_refused() {
    let scratch = Scratch::new("stale");
    let own = scratch.file("own.csv", b"network,country\n198.51.100.0/25,FR\n");
    let file = scratch.0.join("own.bwip").to_str().unwrap().to_owned();
    assert_eq!(bandwho(&["ipdb", "compile", "--ip-db", &own, "-o", &file]).code, 0);
    let lookup = |path: &str| bandwho(&["ipdb", "lookup", "--ip-db", path, "198.51.100.1"]);
    assert_eq!(lookup(&file).code, 0);
    let whole = std::fs::read(&file).unwrap();
    for at in [4, 8, 12, 40, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let damaged = lookup(&scratch.file("damaged.bwip", &damaged));
        assert_eq!(damaged.code, 1);
        assert!(damaged.err.contains("run `bandwho ipdb compile` again"), "byte {at}: {}", damaged.err);
    }
    let cut = lookup(&scratch.file("cut.bwip", &whole[..whole.len() - 9]));
    assert!(cut.err.contains("is damaged"), "{}", cut.err);
    scratch.file("own.csv", b"network,country\n198.51.100.0/24,FR\n# changed\n");
    let stale = lookup(&file);
    assert_eq!(stale.code, 1);
    assert!(stale.err.contains("own.csv has changed since this was compiled from it"), "{}", stale.err);
    std::fs::remove_file(&own).unwrap();
    assert_eq!(lookup(&file).code, 0, "a table is carried to machines without the databases");
}

#[test]
fn what_a_database_holds_is_told() {
    let answer = json(&["ipdb", "info", "--json", &testdata("places.mmdb")]);
    assert_eq!((&answer["schema"], &answer["form"]), (&"bandwho.ipdb/1".into(), &"MMDB".into()));
    assert!(answer["records"].as_u64().unwrap() > 1);
    assert_eq!(answer["unreadable"], 0);
    let addresses = answer["addresses_v4"].as_u64().unwrap();
    assert_eq!(answer["addresses_v4_with"]["country"], addresses);
    let shown = bandwho(&["ipdb", "info"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.starts_with("built-in: compact, 2026-06\n"), "{}", shown.out);
}

#[test]
fn no_output_takes_the_place_of_a_database() {
    let places = testdata("places.mmdb");
    let run = bandwho(&["ipdb", "compile", "--ip-db", &places, "-o", &places]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("it is also an input"), "{}", run.err);
}

#[test]
fn the_flat_table_answers_like_the_databases() {
    let scratch = Scratch::new("flat");
    // Long enough against the database for the flat table to be made on the way.
    let places = scratch.file(
        "p.csv",
        b"network,country,city\n10.0.0.0/9,FR,Paris\n10.0.0.0/16,FR,Lyon\n2001:db8::/33,JP,\n",
    );
    let mut log = String::new();
    for number in 0..30_000_u32 {
        let client = match number % 5 {
            0 => format!("2001:db8:{:x}::1", number.wrapping_mul(40_503) & 0xFFFF),
            1 => format!("::ffff:10.{}.0.1", number & 0xFF),
            _ => format!("10.{}.{}.7", number.wrapping_mul(151) & 0xFF, number & 0xFF),
        };
        log.push_str(&format!(
            "{client} - - [23/Nov/2026:05:53:11 +0000] \"GET / HTTP/1.1\" 200 {number} \"-\" \"x\"\n"
        ));
    }
    let log = scratch.file("a.log", log.as_bytes());
    let compiled = scratch.0.join("p.bwip").to_str().unwrap().to_owned();
    assert_eq!(bandwho(&["ipdb", "compile", "--ip-db", &places, "-o", &compiled]).code, 0);
    let rows = |database: &str, threads: &str| {
        let answer = json(&[
            "top",
            "--by",
            "country,city,net",
            "--top",
            "0",
            "--json",
            "--client",
            "remote",
            "--threads",
            threads,
            "--ip-db",
            database,
            &log,
        ]);
        (answer["rows"].clone(), answer["total"].clone())
    };
    let direct = rows(&places, "1");
    assert!(direct.0.as_array().unwrap().len() > 1_000);
    for threads in ["2", "3"] {
        assert_eq!(rows(&places, threads), direct);
    }
    assert_eq!(rows(&compiled, "1"), direct, "flat from the first line on");
    let short = json(&["top", "--by", "country", "--json", "--ip-db", &places, &log]);
    assert_eq!(short["total"]["requests"], 30_000);
}
