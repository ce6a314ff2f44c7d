//! Which data centre suits a client better than the one it has.
//!
//! Clients and data centres are many, but most are alike: each client is looked at once, and each class of data centres
//! once for it.
//!
//! ```text
//! client ─▶ the class that is best for it in the worst case ─ certainly better than the present one? ─▶ that
//!                                                             └─ no ─▶ only if something of the client is not known:
//!                                                                      classes in its region, or in the same country
//! ```

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::sites::Sites;
use crate::report::answer::groups::KeyPart;
use crate::servers::Idc;
use crate::servers::fit::{Suit, Verdict, Whereabouts};

/// What is to be said of a client and its data centre.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Judged {
    /// None of the list is better.
    #[default]
    Well,
    /// One may be better: it depends on what is not known.
    Possibly,
    /// This one is better.
    Better(Idc),
}

pub(super) struct Judge<'a> {
    sites: &'a Sites<'a>,
    in_region: HashMap<&'a str, Vec<usize>, RandomState>,
    in_country: HashMap<&'a str, Vec<usize>, RandomState>,
    numbers: HashMap<(KeyPart, KeyPart), usize, RandomState>,
    clients: Vec<Client>,
    known: HashMap<(usize, usize), Judged, RandomState>,
}

struct Client {
    at: Whereabouts,
    /// The class that is best in the worst case.
    top: usize,
    /// What any data centre has in common with it in the best case.
    most: Suit,
}

impl<'a> Judge<'a> {
    pub(super) fn new(sites: &'a Sites<'a>) -> Self {
        let mut judge = Self {
            sites,
            in_region: HashMap::default(),
            in_country: HashMap::default(),
            numbers: HashMap::default(),
            clients: Vec::new(),
            known: HashMap::default(),
        };
        for (number, class) in sites.classes.iter().enumerate() {
            if let (Some(region), Some(country)) = (class.ground.region(), class.ground.country()) {
                judge.in_region.entry(region).or_default().push(number);
                judge.in_country.entry(country).or_default().push(number);
            }
        }
        judge
    }

    /// The number of the client with this region and carrier.
    pub(super) fn client(&mut self, region: KeyPart, carrier: KeyPart) -> usize {
        let (sites, clients) = (self.sites, &mut self.clients);
        *self.numbers.entry((region, carrier)).or_insert_with_key(|(region, carrier)| {
            clients.push(Client::new(sites, whereabouts(region, carrier)));
            clients.len() - 1
        })
    }

    /// What is known of a client.
    pub(super) fn whereabouts(&self, client: usize) -> &Whereabouts {
        &self.clients[client].at
    }

    /// Whether a client that `now` serves has a better data centre.
    pub(super) fn judge(&mut self, client: usize, now: Idc) -> Judged {
        let key = (client, self.sites.class(now));
        if let Some(judged) = self.known.get(&key) {
            return *judged;
        }
        let judged = self.look(&self.clients[client], key.1);
        self.known.insert(key, judged);
        judged
    }

    fn look(&self, client: &Client, now: usize) -> Judged {
        let classes = &self.sites.classes;
        let ground = &classes[now].ground;
        let verdict = |other: &usize| ground.compare(&classes[*other].ground, &client.at);
        let is_certain = |other: &usize| verdict(other) == Verdict::Certainly;
        if is_certain(&client.top) {
            return Judged::Better(classes[client.top].best);
        }
        // Of a client in a known province on a known carrier, the best in the worst case is better, or none is.
        let more = match (client.at.region(), client.at.carrier()) {
            (Some(_), Some(_)) => None,
            (Some(region), None) => self.in_region.get(region),
            (None, _) => ground.country().and_then(|country| self.in_country.get(country)),
        };
        let certain = more.into_iter().flatten().filter(|other| is_certain(other));
        if let Some(best) = certain.max_by_key(|other| self.sites.rank(&client.at, &classes[**other])) {
            return Judged::Better(classes[*best].best);
        }
        let (mut least, _) = ground.bounds(&client.at);
        // A country alone may be any province of it.
        least.region &= client.at.region().is_some_and(|region| region.contains('-'));
        let others = (0..classes.len()).filter(|other| *other != now || classes[now].members > 1);
        if client.most > least && others.into_iter().any(|other| verdict(&other) != Verdict::No) {
            return Judged::Possibly;
        }
        Judged::Well
    }
}

impl Client {
    fn new(sites: &Sites<'_>, at: Whereabouts) -> Self {
        let classes = || sites.classes.iter();
        let top = classes().enumerate().max_by_key(|(_, class)| sites.rank(&at, class));
        Self {
            top: top.map_or(0, |(number, _)| number),
            most: classes().map(|class| class.ground.bounds(&at).1).max().unwrap_or_default(),
            at,
        }
    }
}

fn whereabouts(region: &KeyPart, carrier: &KeyPart) -> Whereabouts {
    let text = |part: &KeyPart| match part {
        KeyPart::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    };
    Whereabouts::new(text(region).as_deref(), text(carrier).as_deref())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;
    use crate::servers::{Servers, Statements};

    const REGIONS: [&str; 7] = ["CN-GD", "CN-BJ", "CN", "US-CA", "US", "SG", ""];
    const CARRIERS: [&str; 5] = ["BGP", "China Telecom", "China Unicom/China Telecom", "Comcast", ""];
    const PRICES: [&str; 4] = ["10", "10.00", "12.5", ""];

    type Row = (&'static str, &'static str, &'static str);

    fn servers(rows: &[Row]) -> Servers {
        let mut list = "ip,idc,region,carrier,price\n".to_owned();
        for (at, (region, carrier, price)) in rows.iter().enumerate() {
            list.push_str(&format!("10.0.0.{at},idc{at},{region},{carrier},{price}\n"));
        }
        let texts = [("list".to_owned(), list.into_bytes())];
        Servers::read(&texts, &Statements::default(), &mut |_| unreachable!("a CSV includes nothing"))
            .unwrap()
    }

    const OWN_CARRIERS: [&str; 4] = ["China Telecom", "China Unicom", "Comcast", "Other"];

    /// All that a data centre may be to a client of whom all is known: country, carrier, region. A country alone is a
    /// region of its own only to those of whom nothing more is known either.
    fn suits((region, carriers, _): Row, home: &str, own: &str) -> Vec<(bool, bool, bool)> {
        let places = match region {
            "" => vec![(false, false), (true, false), (true, true)],
            _ if region == home => vec![(true, true)],
            _ if region[..2] != home[..2] => vec![(false, false)],
            _ if region.len() == 2 && home.len() > 2 => vec![(true, false), (true, true)],
            _ => vec![(true, false)],
        };
        let lines = match carriers {
            "" => vec![false, true],
            "BGP" => vec![true],
            names => vec![names.contains(own)],
        };
        let pair = |(country, same): (bool, bool)| lines.iter().map(move |line| (country, *line, same));
        places.into_iter().flat_map(pair).collect()
    }

    /// The definition, word by word: every world there is.
    fn slow(rows: &[Row], (region, carrier): (&'static str, &'static str), now: usize) -> Judged {
        let homes = |named: &[&'static str]| -> Vec<&str> {
            let countries = named.iter().map(|name| name.get(..2).unwrap_or_default());
            let all = named.iter().copied().chain(countries).chain(["ZZ"]).filter(|home| !home.is_empty());
            match region {
                "" => all.collect(),
                whole if whole.len() > 2 => vec![whole],
                all_of => all.filter(|home| home.starts_with(all_of)).chain([all_of]).collect(),
            }
        };
        let carriers: Vec<&str> =
            OWN_CARRIERS.iter().copied().filter(|own| carrier.is_empty() || *own == carrier).collect();
        let compare = |other: usize| {
            let mut worlds = Vec::new();
            for home in homes(&[rows[now].0, rows[other].0]) {
                for own in &carriers {
                    for here in suits(rows[now], home, own) {
                        worlds.extend(suits(rows[other], home, own).iter().map(|there| *there > here));
                    }
                }
            }
            (worlds.iter().all(|better| *better), worlds.contains(&true))
        };
        let least = |at: usize| {
            let worlds =
                |home: &&str| carriers.iter().flat_map(|own| suits(rows[at], home, own)).collect::<Vec<_>>();
            // In the worst case of each thing for itself; a client's country alone is its region.
            let asked: Vec<&str> = if region.is_empty() { homes(&REGIONS) } else { vec![region] };
            let all: Vec<_> = asked.iter().flat_map(worlds).collect();
            let each = |thing: fn(&(bool, bool, bool)) -> bool| all.iter().all(thing);
            (each(|suit| suit.0), each(|suit| suit.1), each(|suit| suit.2))
        };
        let price = |at: usize| match rows[at].2 {
            "" => u64::MAX,
            "12.5" => 1250,
            _ => 1000,
        };
        let others = || (0..rows.len()).filter(|&at| at != now);
        let certain = others().filter(|&at| compare(at).0);
        let best = certain.max_by_key(|&at| (least(at), u64::MAX - price(at), usize::MAX - at));
        match best {
            Some(best) => Judged::Better(Idc(u16::try_from(best).unwrap())),
            None if others().any(|at| compare(at).1) => Judged::Possibly,
            None => Judged::Well,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_better_data_centre_is_that_of_the_definition(
            rows in prop::collection::vec((select(&REGIONS[..]), select(&CARRIERS[..]), select(&PRICES[..])), 1..6),
            region in select(&REGIONS[..]),
            carrier in select(&["China Telecom", "China Unicom", "Other", ""][..]),
            now in any::<Index>(),
        ) {
            let servers = servers(&rows);
            let sites = Sites::new(&servers).unwrap();
            let known = |text: &str| match text {
                "" => KeyPart::Unknown,
                text => KeyPart::Text(text.as_bytes().to_vec()),
            };
            let now = now.index(rows.len());
            let mut judge = Judge::new(&sites);
            let client = judge.client(known(region), known(carrier));
            let idc = Idc(u16::try_from(now).unwrap());
            let found = judge.judge(client, idc);
            prop_assert_eq!(found, slow(&rows, (region, carrier), now));
            prop_assert_eq!(judge.judge(client, idc), found);
        }
    }
}
