//! How well a data centre suits a client: whether it hangs on the client's carrier and lies where the client is, and
//! which of two suits better.
//!
//! What nobody knows may be anything: a client may be in any place that one of the two data centres names, or in none of
//! them, on any carrier that one of them names, or on another; and a data centre may be and have what the list does not
//! tell. Each way it may be is a world. One data centre is certainly better than another if it is in every world, and
//! possibly better if it is in some.

use super::Site;
use crate::place::named::{self, Lines};

/// What a list tells of where a data centre is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Ground {
    region: Option<String>,
    carriers: Carriers,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
enum Carriers {
    /// `BGP`: everybody's.
    All,
    /// Names to compare by, sorted.
    These(Vec<String>),
    #[default]
    Untold,
}

/// Words of a list that say nothing to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unknown<'t> {
    /// Regions and provinces.
    pub places: Vec<&'t str>,
    /// Names that are no carrier's we know. They may still be those of a client's.
    pub carriers: Vec<&'t str>,
}

/// What is known of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Whereabouts {
    region: Option<String>,
    carrier: Option<String>,
}

/// What a data centre and a client have in common; none where one of the two is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fit {
    /// The data centre has the client's carrier.
    pub carrier: Option<bool>,
    /// Same province, or same country where neither tells a province.
    pub region: Option<bool>,
    /// Same country.
    pub country: Option<bool>,
}

/// What a data centre and a client have in common in one world. The greater suits better: nobody is sent abroad for a
/// carrier, docs/decisions/0007.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suit {
    /// Same country.
    pub country: bool,
    /// On the client's carrier.
    pub carrier: bool,
    /// Same region.
    pub region: bool,
}

/// Whether one data centre suits a client better than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// In no world.
    No,
    /// In some.
    Possibly,
    /// In all.
    Certainly,
}

impl Ground {
    /// From the words of the list. Several carriers stand between `/`, `+`, `|`, commas or semicolons, of any width; a
    /// dash says nothing.
    pub fn of(site: &Site) -> Self {
        let mut names = Vec::new();
        let mut all = false;
        for name in carriers(site) {
            match named::lines(name) {
                Some(Lines::All) => all = true,
                Some(Lines::These(these)) => names.extend(these),
                None => names.push(named::carrier(name)),
            }
        }
        names.sort_unstable();
        names.dedup();
        let carriers = match names.is_empty() {
            _ if all => Carriers::All,
            true => Carriers::Untold,
            false => Carriers::These(names),
        };
        let region = named::stated(site.region.as_deref(), site.province.as_deref()).region;
        Self { region, carriers }
    }

    /// What it has in common with a client.
    pub fn fit(&self, client: &Whereabouts) -> Fit {
        let carrier = client.carrier.as_ref().and_then(|carrier| match &self.carriers {
            Carriers::All => Some(true),
            Carriers::These(names) => Some(names.contains(carrier)),
            Carriers::Untold => None,
        });
        let regions = self.region.as_deref().zip(client.region.as_deref());
        let country = regions.map(|(mine, theirs)| country(mine) == country(theirs));
        let region = regions.and_then(|(mine, theirs)| match (mine == theirs, country) {
            (true, _) => Some(true),
            // One of them tells the country only.
            (false, Some(true)) if !(is_part(mine) && is_part(theirs)) => None,
            (false, _) => Some(false),
        });
        Fit { carrier, region, country }
    }

    /// Whether another data centre suits a client better than this one.
    pub fn compare(&self, other: &Self, client: &Whereabouts) -> Verdict {
        let (mut some, mut all) = (false, true);
        let carriers = self.carrier_worlds(other, client);
        self.each_place(other, client, &mut |mine, theirs| {
            for &(on_mine, on_theirs) in carriers.iter().flatten() {
                let better = theirs.suit(on_theirs) > mine.suit(on_mine);
                some |= better;
                all &= better;
            }
        });
        match (some, all) {
            (true, true) => Verdict::Certainly,
            (true, false) => Verdict::Possibly,
            (false, _) => Verdict::No,
        }
    }

    /// What it has in common with a client in the worst and in the best world.
    pub fn bounds(&self, client: &Whereabouts) -> (Suit, Suit) {
        let Fit { carrier, region, country } = self.fit(client);
        let carrier = if self.carriers == Carriers::All { Some(true) } else { carrier };
        let suit = |unknown: bool| Suit {
            country: country.unwrap_or(unknown),
            carrier: carrier.unwrap_or(unknown),
            region: region.unwrap_or(unknown),
        };
        (suit(false), suit(true))
    }

    /// Where it is.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The country where it is.
    pub fn country(&self) -> Option<&str> {
        self.region().map(country)
    }

    /// For both data centres whether they are on the client's carrier, in each world.
    fn carrier_worlds(&self, other: &Self, client: &Whereabouts) -> [Option<(bool, bool)>; 4] {
        let (mine, theirs) = (&self.carriers, &other.carriers);
        let mut worlds = [None; 4];
        let mut add = |carrier: Option<&str>| {
            for &one in mine.on(carrier) {
                for &two in theirs.on(carrier) {
                    worlds[usize::from(one) * 2 + usize::from(two)] = Some((one, two));
                }
            }
        };
        if client.carrier.is_some() {
            add(client.carrier.as_deref());
            return worlds;
        }
        // A carrier that neither names, and each that one of them names.
        add(None);
        mine.names().chain(theirs.names()).for_each(|name| add(Some(name)));
        worlds
    }

    /// Calls `each` with where both data centres are, seen by the client, in each world.
    fn each_place(&self, other: &Self, client: &Whereabouts, each: &mut dyn FnMut(Place, Place)) {
        let mut add = |region: Home<'_>| {
            for &mine in self.seen_from(region) {
                for &theirs in other.seen_from(region) {
                    each(mine, theirs);
                }
            }
        };
        let regions = [self.region(), other.region()].into_iter().flatten();
        match client.region.as_deref() {
            Some(region) if is_part(region) => add(Home::Region(region)),
            // In no province that a data centre is in, or in that of one.
            Some(all) => {
                add(Home::Region(all));
                let inside = |region: &&str| is_part(region) && country(region) == all;
                regions.filter(inside).for_each(|region| add(Home::Region(region)));
            }
            None => {
                add(Home::Elsewhere);
                for region in regions {
                    add(Home::Region(region));
                    add(Home::Region(country(region)));
                }
            }
        }
    }

    /// Where this may be, seen by a client.
    fn seen_from(&self, client: Home<'_>) -> &'static [Place] {
        const ANYWHERE: &[Place] = &[Place::Abroad, Place::Country, Place::Region];
        let Some(mine) = self.region() else { return ANYWHERE };
        match client {
            Home::Region(region) if region == mine => &[Place::Region],
            Home::Region(region) if country(region) != country(mine) => &[Place::Abroad],
            Home::Region(_) if is_part(mine) => &[Place::Country],
            // The list may mean the province that the client is in.
            Home::Region(_) => &[Place::Country, Place::Region],
            Home::Elsewhere => &[Place::Abroad],
        }
    }
}

impl Carriers {
    /// Whether a carrier may be among them; none: one that no list names.
    fn on(&self, carrier: Option<&str>) -> &'static [bool] {
        match self {
            Self::All => &[true],
            Self::Untold => &[false, true],
            Self::These(names) if carrier.is_some_and(|carrier| names.iter().any(|name| name == carrier)) => {
                &[true]
            }
            Self::These(_) => &[false],
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let names: &[String] = if let Self::These(names) = self { names } else { &[] };
        names.iter().map(String::as_str)
    }
}

/// Where a client is in one world.
#[derive(Clone, Copy)]
enum Home<'t> {
    /// A country alone: in none of its provinces that are named.
    Region(&'t str),
    /// In none of the countries that are named.
    Elsewhere,
}

/// Where a data centre is, seen by a client.
#[derive(Clone, Copy)]
enum Place {
    Abroad,
    Country,
    Region,
}

impl Place {
    fn suit(self, carrier: bool) -> Suit {
        let (country, region) = match self {
            Self::Abroad => (false, false),
            Self::Country => (true, false),
            Self::Region => (true, true),
        };
        Suit { country, carrier, region }
    }
}

impl Whereabouts {
    /// From the region and carrier of the client's place.
    pub fn new(region: Option<&str>, carrier: Option<&str>) -> Self {
        Self { region: region.map(str::to_owned), carrier: carrier.map(named::carrier) }
    }

    /// Where the client is.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The client's carrier, by the name to compare by.
    pub fn carrier(&self) -> Option<&str> {
        self.carrier.as_deref()
    }

    /// True if both, one or the other, are the same. What is not said fits everybody.
    pub fn is_among(&self, all: &Self) -> bool {
        let region = |wanted: &String| {
            self.region
                .as_ref()
                .is_some_and(|mine| mine == wanted || !is_part(wanted) && country(mine) == wanted)
        };
        all.region.as_ref().is_none_or(region)
            && all.carrier.as_ref().is_none_or(|wanted| self.carrier.as_ref() == Some(wanted))
    }
}

/// What a list says of a data centre in words that say nothing.
pub fn unknown(site: &Site) -> Unknown<'_> {
    Unknown {
        places: named::stated(site.region.as_deref(), site.province.as_deref()).unknown,
        carriers: carriers(site).filter(|name| !named::is_carrier(name)).collect(),
    }
}

/// The words of a cell of carriers.
fn carriers(site: &Site) -> impl Iterator<Item = &str> {
    let cell = site.carrier.as_deref().unwrap_or_default();
    let names = cell.split(['/', '+', '|', ',', '，', '、', ';', '；']).map(str::trim);
    names.filter(|name| !name.is_empty() && !named::is_dash(name))
}

fn country(region: &str) -> &str {
    region.split_once('-').map_or(region, |(country, _)| country)
}

fn is_part(region: &str) -> bool {
    region.contains('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(region: &str, carrier: &str, client: (&str, &str), expected: (Option<bool>, Option<bool>)) {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let site = Site { region: some(region), carrier: some(carrier), ..Site::default() };
        let [place, network] = [client.0, client.1].map(some);
        let fit = Ground::of(&site).fit(&Whereabouts::new(place.as_deref(), network.as_deref()));
        assert_eq!((fit.region, fit.carrier), expected, "{region} {carrier} {client:?}");
    }

    #[test]
    fn what_data_centres_and_clients_share() {
        let (yes, no) = (Some(true), Some(false));
        check("CN-GD", "电信", ("CN-GD", "China Telecom"), (yes, yes));
        check("广东", "联通", ("CN-GD", "China Telecom"), (yes, no));
        check("CN-BJ", "BGP", ("CN-GD", "Comcast"), (no, yes));
        check("CN-BJ", "电信/联通", ("CN-GD", "China Unicom"), (no, yes));
        check("CN-BJ", "电信+联通", ("CN-GD", "China Mobile"), (no, no));
        check("CN-BJ", "", ("CN-GD", "China Mobile"), (no, None));
        check("", "BGP", ("CN-GD", ""), (None, None));
        check("CN-BJ", "BGP", ("CN", "x"), (None, yes));
        check("CN-BJ", "BGP", ("US", "x"), (no, yes));
        check("SG", "BGP", ("SG", "x"), (yes, yes));
        check("CN-BJ", "电信，联通", ("CN-GD", "China Unicom"), (no, yes));
        check("CN-BJ", "电信；移动", ("CN-GD", "China Unicom"), (no, no));
        check("CN-BJ", "BGP多线", ("CN-GD", "Comcast"), (no, yes));
        check("CN-BJ", "-", ("CN-GD", "Comcast"), (no, None));
        check("SH", "双线", ("CN-SH", "China Unicom"), (yes, yes));
        check("SH", "双线", ("CN-SH", "China Mobile"), (yes, no));
        check("BJ", "AS4134/CUCC", ("CN-BJ", "中国电信"), (yes, yes));
        check("south", "Nobody", ("CN-BJ", "Nobody"), (None, yes));
    }

    #[test]
    fn words_that_say_nothing_are_told() {
        let some = |text: &str| Some(text.to_owned());
        let site = Site { region: some("华南"), carrier: some("电信/Nobody/-"), ..Site::default() };
        assert_eq!(unknown(&site), Unknown { places: vec!["华南"], carriers: vec!["Nobody"] });
        let site =
            Site { region: some("华南"), province: some("GD"), carrier: some("BGP"), ..Site::default() };
        assert_eq!(unknown(&site), Unknown::default());
    }

    fn ground(words: &str) -> Ground {
        let (region, carrier) = words.split_once(' ').unwrap_or((words, ""));
        let some = |text: &str| Some(text.to_owned());
        Ground::of(&Site { region: some(region), carrier: some(carrier), ..Site::default() })
    }

    #[test]
    fn better_is_what_is_better_in_every_world() {
        let check = |client: (&str, &str), now: &str, other: &str, expected: Verdict| {
            let known = |text: &'static str| Some(text).filter(|text| !text.is_empty());
            let texts = [client.0, client.1].map(|text| known(Box::leak(text.to_owned().into_boxed_str())));
            let client = Whereabouts::new(texts[0], texts[1]);
            assert_eq!(ground(now).compare(&ground(other), &client), expected, "{client:?} {now} {other}");
        };
        let (gd, unknown) = (("CN-GD", "电信"), ("CN-GD", ""));
        check(gd, "CN-BJ 联通", "CN-GD 电信", Verdict::Certainly);
        check(gd, "CN-GD 联通", "CN-BJ 电信", Verdict::Certainly);
        check(gd, "CN-BJ 电信", "CN-GD 联通", Verdict::No);
        check(gd, "CN-BJ", "CN-GD 电信", Verdict::Certainly);
        check(gd, "CN-BJ", "CN-BJ 电信", Verdict::Possibly);
        // Whose carrier is not known may be on that of the present one.
        check(unknown, "CN-BJ 联通", "CN-GD 电信", Verdict::Possibly);
        check(unknown, "CN-BJ 联通", "CN-GD 电信/联通", Verdict::Certainly);
        check(unknown, "CN-BJ BGP", "CN-GD BGP", Verdict::Certainly);
        check(unknown, "CN-BJ BGP", "CN-GD 电信", Verdict::Possibly);
        // Nobody is sent abroad for a carrier, and whoever is abroad is better at home.
        check(gd, "CN-BJ 联通", "HK BGP", Verdict::No);
        check(gd, "HK BGP", "CN-BJ 联通", Verdict::Certainly);
        check(("", "电信"), "CN-BJ 联通", "CN-GD 电信", Verdict::Certainly);
        check(("", "电信"), "CN-BJ 联通", "US BGP", Verdict::Possibly);
        check(("", ""), "CN-BJ BGP", "CN-BJ BGP", Verdict::No);
        check(("CN", "电信"), "CN-BJ BGP", "CN-GD BGP", Verdict::Possibly);
        check(("CN", "电信"), "CN-GD BGP", "CN-GD BGP", Verdict::No);
        check(("US", ""), "CN-BJ BGP", "US 电信", Verdict::Certainly);
    }

    #[test]
    fn moves_name_clients() {
        let client = Whereabouts::new(Some("CN-GD"), Some("China Telecom"));
        let check = |region, carrier, expected| {
            assert_eq!(client.is_among(&Whereabouts::new(region, carrier)), expected);
        };
        check(Some("CN-GD"), None, true);
        check(Some("CN"), None, true);
        check(Some("CN-BJ"), None, false);
        check(None, Some("电信"), true);
        check(Some("CN-GD"), Some("联通"), false);
        assert!(!Whereabouts::default().is_among(&client));
    }
}
