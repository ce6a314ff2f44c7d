//! Tables as vendors ship them, and tables that cannot be read.

use proptest::prelude::*;

use super::super::law::differs;
use super::*;
use crate::place::netkind::NetKind;

fn open(text: &str) -> Result<Ranges, String> {
    Ranges::parse(About::new("x.csv", 0), text.as_bytes().to_vec()).map_err(|error| error.to_string())
}

/// country province code city carrier asn org netkind
fn show(ranges: &Ranges, address: &str) -> String {
    let address = address.parse().unwrap();
    let key = ranges.find(address);
    if key == NONE {
        return "nothing".to_owned();
    }
    let known = ranges.read(key, address).unwrap();
    let country = known.country.map(|code| String::from_utf8(code.to_vec()).unwrap());
    let asn = known.asn.map(|asn| asn.to_string());
    let Known { province, code, city, carrier, org, netkind, .. } = known;
    [country.as_deref(), province, code, city, carrier, asn.as_deref(), org, netkind.map(NetKind::name)]
        .map(|field| field.unwrap_or("-"))
        .join("|")
}

fn check(text: &str, address: &str, expected: &str) {
    match open(text) {
        Ok(ranges) => assert_eq!(show(&ranges, address), expected, "{text}"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn layouts_without_a_header() {
    check("1.0.0.0,1.0.0.255,AU\n", "1.0.0.7", "AU|-|-|-|-|-|-|-");
    check("16777216,16777471,AU\n", "1.0.0.7", "AU|-|-|-|-|-|-|-");
    check("2001:200::,2001:200:ffff::,JP\n1.0.0.0,1.0.0.9,AU\n", "2001:200::7", "JP|-|-|-|-|-|-|-");
    check("1.0.0.0,1.0.0.255,AU\n", "1.0.1.0", "nothing");
    check("1.0.0.0,1.0.0.255,13335,\"Cloudflare, Inc.\"\n", "1.0.0.7", "-|-|-|-|-|13335|Cloudflare, Inc.|-");
    check("1.0.0.0,1.0.0.255,AS13335\n", "1.0.0.7", "-|-|-|-|-|13335|-|-");
    check(
        "1.0.0.0,1.0.0.255,AU,Queensland,,South Brisbane,4101,-27.4767,153.017,Australia/Brisbane\n\
         1.0.1.0,1.0.3.255,CN,Fujian,,Fuzhou,,26.0614,119.306,\n",
        "1.0.0.7",
        "AU|Queensland|-|South Brisbane|-|-|-|-",
    );
    check(
        "1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n1.0.1.0\t1.0.3.255\t0\tNone\tNot routed\n",
        "1.0.0.7",
        "US|-|-|-|-|13335|CLOUDFLARENET|-",
    );
    check(
        "1.0.0.0\t1.0.0.255\t13335\tUS\t\"CLOUDFLARE\" NET\n1.0.1.0\t1.0.3.255\t0\tNone\tNot routed\n",
        "1.0.2.7",
        "nothing",
    );
    check(
        "\"0\",\"16777215\",\"-\",\"-\"\n\"16777216\",\"16777471\",\"US\",\"United States of America\"\n",
        "1.0.0.7",
        "US|-|-|-|-|-|-|-",
    );
    check(
        "\"0\",\"281470681743359\",\"-\",\"-\",\"-\",\"-\"\n\
         \"281470698520576\",\"281470698520831\",\"US\",\"United States of America\",\"California\",\"San Jose\"\n",
        "1.0.0.7",
        "US|California|-|San Jose|-|-|-|-",
    );
    check(
        "1.0.0.0,1.0.0.255,OC,AU,Queensland,\"South Brisbane\",-27.4767,153.017\n",
        "1.0.0.7",
        "AU|Queensland|-|South Brisbane|-|-|-|-",
    );
    check(
        "# geofeed\n192.0.2.0/24,US,US-CA,Los Angeles,90001\n2001:db8::/32,DE,DE-BY,,\n",
        "192.0.2.7",
        "US|-|CA|Los Angeles|-|-|-|-",
    );
    check("192.0.2.0/24,US,US-CA,,\n", "192.0.2.7", "US|-|CA|-|-|-|-|-");
    check("192.0.2.0/24,AU\n", "192.0.2.7", "AU|-|-|-|-|-|-|-");
}

#[test]
fn columns_by_header() {
    check("network,country\n10.0.0.0/8,美国\n", "10.1.1.1", "US|-|-|-|-|-|-|-");
    check(
        "network,autonomous_system_number,autonomous_system_organization\n1.0.0.0/24,13335,CLOUDFLARENET\n",
        "1.0.0.7",
        "-|-|-|-|-|13335|CLOUDFLARENET|-",
    );
    check(
        "start_ip,end_ip,country,country_name,continent,asn,as_name,as_domain\n\
         1.0.0.0,1.0.0.255,AU,Australia,OC,AS13335,\"Cloudflare, Inc.\",cloudflare.com\n",
        "1.0.0.7",
        "AU|-|-|-|-|13335|Cloudflare, Inc.|-",
    );
    check(
        "Start;End;ISO Code;Region;Region Code;City;ISP;Usage Type\n1.0.0.0;1.0.0.9;us;California;US-CA;LA;AT&T;DCH\n",
        "1.0.0.7",
        "US|California|CA|LA|AT&T|-|-|idc",
    );
    check("cidr\tnetkind\n10.0.0.0/8\tcdn\n", "10.1.1.1", "-|-|-|-|-|-|-|cdn");
    check("ip,province,country\n10.1.1.1,香港,中国\n", "10.1.1.1", "HK|-|-|-|-|-|-|-");
    let china = |row: &str, expected: &str| {
        let text = format!("cidr,country,region_code,region\n10.0.0.0/8,{row}\n");
        check(&text, "10.1.1.1", expected);
    };
    china("CN,HK,", "HK|-|-|-|-|-|-|-");
    china("CN,HK,香港", "HK|-|-|-|-|-|-|-");
    china("CN,CN-HK,", "HK|-|-|-|-|-|-|-");
    china("CN,TW,台湾", "TW|-|-|-|-|-|-|-");
    china("CN,MO,澳门", "MO|-|-|-|-|-|-|-");
    china("CN,71,", "TW|-|-|-|-|-|-|-");
    china("UK,UK-ENG,", "GB|-|ENG|-|-|-|-|-");
    check("cidr,hosting,type\n10.0.0.0/8,true,isp\n", "10.1.1.1", "-|-|-|-|-|-|-|idc");
    check("asn,end,start\n5,10.0.0.9,10.0.0.0\n", "10.0.0.1", "-|-|-|-|-|5|-|-");
}

#[test]
fn narrow_rows_win_in_any_order() {
    let text = "10.1.0.0/16,US\n10.0.0.0/8,AU\n10.1.1.0/24,\n";
    check(text, "10.1.2.3", "US|-|-|-|-|-|-|-");
    check(text, "10.2.0.0", "AU|-|-|-|-|-|-|-");
    check(text, "10.1.1.1", "nothing");
}

#[test]
fn errors_name_the_place() {
    let check = |text: &str, expected: &str| assert_eq!(open(text).unwrap_err(), format!("x.csv:{expected}"));
    check("1.0.0.0,1.0.0.9,AU\n1.0.1.0,1.0.1,AU\n", "2:9: not an address: `1.0.1`");
    check("1.0.0.0,1.0.0.9,AU\n\n1.0.1.9,1.0.1.0,AU\n", "3:9: this range ends before it begins");
    check("cidr,asn\n10.0.0.0/8,1\n11.0.0.0/33,2\n", "3:1: not a network: `11.0.0.0/33`");
    check("cidr,asn\n10.0.0.0/8, x\n", "2:12: not the number of a network: `x`");
    check(
        "1.0.0.0,1.0.0.9,AU\n2.0.0.0,2.0.0.9,AU\n1.0.0.0,1.0.0.9,US\n",
        "3:1: this range is that of line 1 and says something else",
    );
    check("1.0.0.0,1.0.0.9,\"AU\n", "1:18: a quote that is not closed");
    check("cidr,org\n10.0.0.0/8,a\u{1F}b\n", "2:12: a control character");
    check("", "1:1: no rows");
    let advice = "give it a header of start,end or network and any of \
                  country_code,country,region_code,province,city,asn,org,carrier,netkind,is_hosting";
    check(
        "1.0.0.0,1.0.0.9,x,y\n",
        &format!(
            "1:1: what the columns of this row are cannot be guessed: \"1.0.0.0,1.0.0.9,x,y\"; {advice}"
        ),
    );
    check("a,b\n", &format!("1:1: no column of this header has addresses: \"a,b\"; {advice}"));
    check("cidr,b\n", &format!("1:1: no column of this header is understood: \"cidr,b\"; {advice}"));
    check(
        "network,geoname_id,is_anonymous_proxy\n1.0.0.0/24,2077456,0\n",
        "1:1: this table names places by geoname_id, which only GeoLite2's locations file explains: \
         use the .mmdb file instead",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn rows_say_what_they_say(
        rows in prop::collection::vec((0_u32..4000, 0_u32..99, prop::sample::select(vec!["AU", "US", ""])), 1..12),
    ) {
        let rows: Vec<_> = rows.into_iter().map(|(first, length, country)| (first, first + length, country)).collect();
        let lines: Vec<String> = rows.iter().map(|(first, last, country)| format!("{first},{last},{country}\n")).collect();
            let text = lines.concat();
        let text = format!("start,end,cc\n{text}");
        if let Ok(ranges) = open(&text) {
            for address in rows.iter().flat_map(|row| [row.0.saturating_sub(1), row.0, row.1, row.1 + 1]) {
                let around = rows.iter().filter(|row| row.0 <= address && address <= row.1);
                let says = around.max_by_key(|row| (row.0, u32::MAX - row.1)).map_or("", |row| row.2);
                let country = ranges.records.get(ranges.v4.get(address)).unwrap_or("");
                prop_assert_eq!(country, says, "{}", text);
            }
            prop_assert_eq!(differs(&ranges, &[]).unwrap(), None);
        }
    }

    #[test]
    fn any_text_is_safe(text in "([0-9:./,\t\"#\n -]|AU|1\\.0\\.0|::|cidr|asn|start,end|US-CA|[\u{1F}é]){0,60}") {
        if let Ok(ranges) = open(&text) {
            prop_assert_eq!(differs(&ranges, &[]).unwrap(), None);
        }
    }
}
