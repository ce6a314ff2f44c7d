//! What is put on disk in between comes back as if it had never left.

use super::*;

fn memory(share: usize) -> Memory {
    let mut memory = Memory::new(0, 1, std::env::temp_dir());
    memory.share = share;
    memory
}

/// Counts in as many counters as there are shares of memory, which look at their memory before each of `looks`.
fn shelved(rules: &Rules, requests: &[(Request, usize)], memory: &Memory, looks: &[usize]) -> Tally {
    let (places, servers) = (Places::none(), servers());
    let mut counters: Vec<Counter<'_>> =
        (0..3).map(|_| Counter::new(rules, &places, &servers).within(Some(memory))).collect();
    for (at, (request, owner)) in requests.iter().enumerate() {
        let counter = &mut counters[*owner];
        if looks.contains(&at) {
            counter.end_block(SOURCE.file);
            counter.relieve().expect("the disk is not full");
            counter.begin_block();
        }
        counter.count(&request.record(), &SOURCE);
    }
    for counter in &mut counters {
        counter.end_block(SOURCE.file);
    }
    Counter::total(counters, rules).expect("the disk is not full")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn memory_changes_nothing(
        rules in all_rules(),
        requests in prop::collection::vec((requests(), 0_usize..3), 1..5),
        share in prop_oneof![Just(0_usize), 0..20_000_usize],
        looks in prop::collection::vec(0_usize..40, 0..20),
    ) {
        let requests: Vec<(Request, usize)> = requests
            .into_iter()
            .flat_map(|(requests, owner)| requests.into_iter().map(move |request| (request, owner)))
            .collect();
        let all: Vec<Request> = requests.iter().map(|(request, _)| *request).collect();
        let tally = shelved(&rules, &requests, &memory(share), &looks);
        prop_assert_eq!(normal(&tally), normal(&counted(&rules, &all)));
    }
}

#[test]
fn sums_beyond_64_bits_are_shelved() {
    let rules = rules(Scheme::EndSpike, Cut::Records, None, None);
    let requests = vec![(largest(1, 10, 0), 0); FILLING + 7];
    let all: Vec<Request> = requests.iter().map(|(request, _)| *request).collect();
    let tally = shelved(&rules, &requests, &memory(0), &[3, FILLING + 4]);
    assert!(!tally.shelves.is_empty());
    assert_eq!(normal(&tally), normal(&counted(&rules, &all)));
}

#[test]
fn a_directory_that_is_none_is_named() {
    let memory = Memory::new(1 << 20, 1, "no/such/directory".into());
    let error = memory.check().expect_err("there is none").to_string();
    assert_eq!(error, "cannot create a temporary file in no/such/directory: no such file or directory");
}
