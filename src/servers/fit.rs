//! How well a data centre suits a client: whether it hangs on the client's carrier and lies where the client is.

use super::Site;
use crate::place::named;

/// What a list tells of where a data centre is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ground {
    region: Option<String>,
    carriers: Carriers,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Carriers {
    /// `BGP`: everybody's.
    All,
    /// Names to compare by.
    These(Vec<String>),
    #[default]
    Untold,
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

impl Ground {
    /// From the words of the list. Several carriers stand between `/`, `+`, `|`, commas or semicolons, of any width; a
    /// dash says nothing.
    pub fn of(site: &Site) -> Self {
        let names = |list: &str| {
            let names = list.split(['/', '+', '|', ',', '，', '、', ';', '；']).map(str::trim);
            let names = names.filter(|name| !name.is_empty() && *name != "-");
            let names: Vec<String> = names.map(named::carrier).collect();
            match names.is_empty() {
                true => Carriers::Untold,
                false if names.iter().any(|name| name.contains("bgp") || name.contains("多线")) => {
                    Carriers::All
                }
                false => Carriers::These(names),
            }
        };
        Self {
            region: named::region(site.region.as_deref(), site.province.as_deref()),
            carriers: site.carrier.as_deref().map_or(Carriers::Untold, names),
        }
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
            (false, Some(true)) if !(mine.contains('-') && theirs.contains('-')) => None,
            (false, _) => Some(false),
        });
        Fit { carrier, region, country }
    }
}

impl Whereabouts {
    /// From the region and carrier of the client's place.
    pub fn new(region: Option<&str>, carrier: Option<&str>) -> Self {
        Self { region: region.map(str::to_owned), carrier: carrier.map(named::carrier) }
    }

    /// True if both, one or the other, are the same. What is not said fits everybody.
    pub fn is_among(&self, all: &Self) -> bool {
        let region = |wanted: &String| {
            self.region
                .as_ref()
                .is_some_and(|mine| mine == wanted || !wanted.contains('-') && country(mine) == wanted)
        };
        all.region.as_ref().is_none_or(region)
            && all.carrier.as_ref().is_none_or(|wanted| self.carrier.as_ref() == Some(wanted))
    }
}

impl Fit {
    /// How good it is, taken at its worst: what is not known does not count.
    pub fn at_least(self) -> u8 {
        rank(self.region.unwrap_or(false), self.carrier.unwrap_or(false))
    }

    /// How good it is, taken at its best: what the list does not tell of it counts for it, what is not known of the
    /// client counts for nobody.
    pub fn at_most(self, client: &Whereabouts) -> u8 {
        let region = self.region.unwrap_or(client.region.is_some());
        rank(region, self.carrier.unwrap_or(client.carrier.is_some()))
    }
}

/// Same province and carrier, then same carrier, then same province, then neither.
fn rank(region: bool, carrier: bool) -> u8 {
    u8::from(region) + 2 * u8::from(carrier)
}

fn country(region: &str) -> &str {
    region.split_once('-').map_or(region, |(country, _)| country)
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
