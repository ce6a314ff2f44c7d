//! What the name of a network gives away.
//!
//! A word counts only where it can hardly mean anything else: whole words in Latin script (`Cloud` but not `McCloud`,
//! and not St. Cloud, a city), whole names or telling parts in Chinese (`阿里云` but not `云南`).

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::{NetKind, table};
use crate::place::fold::fold;

/// The kind of network that has this name, if the name tells.
pub(in crate::place) fn kind(name: &str) -> Option<NetKind> {
    let folded = fold(name);
    if folded.is_empty() || VETOES.iter().any(|word| folded.contains(word)) {
        return None;
    }
    let known = || NAMES.get(folded.as_str()).copied();
    known().or_else(|| chinese(&folded)).or_else(|| latin(&folded)).or_else(|| {
        carrier(name).map(|name| NAMES.get(fold(name).as_str()).copied().unwrap_or(NetKind::Carrier))
    })
}

/// China's carriers by the words of their organisations, which are more than anyone can number.
pub(in crate::place) fn carrier(org: &str) -> Option<&'static str> {
    let folded = fold(org);
    let found = CARRIERS.iter().find(|(phrase, _)| has_phrase(&folded, phrase));
    found.map(|(_, carrier)| *carrier)
}

/// (words, carrier).
const CARRIERS: [(&str, &str); 22] = [
    ("chinanet", "China Telecom"),
    ("chinatelecom", "China Telecom"),
    ("china telecom", "China Telecom"),
    ("china telecommunications", "China Telecom"),
    ("中国电信", "China Telecom"),
    ("china unicom", "China Unicom"),
    ("china169", "China Unicom"),
    ("cncgroup", "China Unicom"),
    ("中国联通", "China Unicom"),
    ("china mobile", "China Mobile"),
    ("cmnet", "China Mobile"),
    ("china tietong", "China Mobile"),
    ("tietong", "China Mobile"),
    ("中国移动", "China Mobile"),
    ("china broadnet", "China Broadnet"),
    ("china broadcasting tv net", "China Broadnet"),
    ("中国广电", "China Broadnet"),
    ("cernet", "CERNET"),
    ("cernet2", "CERNET"),
    ("china education and research network", "CERNET"),
    ("教育网", "CERNET"),
    ("cnic cas", "CSTNET"),
];

/// Whole names: our operators' and the short ones that Chinese databases give.
static NAMES: LazyLock<HashMap<String, NetKind, RandomState>> = LazyLock::new(|| {
    let mut names: HashMap<String, NetKind, RandomState> = HashMap::default();
    for (kind, shorts) in SHORT_NAMES {
        names.extend(shorts.iter().map(|name| (fold(name), kind)));
    }
    for &(_, kind, name) in table::OPERATORS {
        // A carrier's data centres bear its name too, but the name means the carrier.
        let entry = names.entry(fold(name)).or_insert(kind);
        if kind == NetKind::Carrier {
            *entry = kind;
        }
    }
    names
});

const SHORT_NAMES: [(NetKind, &[&str]); 5] = [
    (
        NetKind::Carrier,
        &[
            "电信",
            "联通",
            "移动",
            "铁通",
            "广电",
            "网通",
            "中移铁通",
            "广电网",
            "广电网络",
            "中国电信",
            "中国联通",
            "中国移动",
            "中国广电",
            "鹏博士",
            "长城宽带",
            "方正宽带",
            "歌华",
            "歌华有线",
            "华数",
            "天威",
            "有线通",
            "电信通",
            "珠江宽频",
            "吉视传媒",
            "中华电信",
            "远传电信",
            "台湾大哥大",
            "台湾固网",
            "电讯盈科",
            "香港宽频",
            "和记电讯",
            "香港有线",
            "澳门电讯",
            "韩国电信",
            "日本电信电话",
            "多科莫",
            "软银",
            "新加坡电信",
            "马来西亚电信",
            "印度电信",
            "德国电信",
            "法国电信",
            "西班牙电信",
            "意大利电信",
            "俄罗斯电信",
            "沃达丰",
            "康卡斯特",
            "威瑞森",
            "美国电话电报",
            "罗杰斯通信",
            "加拿大贝尔",
            "墨西哥电信",
            "Chinanet",
            "CMNET",
        ],
    ),
    (
        NetKind::Cloud,
        &[
            "阿里巴巴",
            "腾讯",
            "亚马逊",
            "微软",
            "谷歌",
            "Amazon",
            "AWS",
            "Microsoft",
            "Azure",
            "Aliyun",
            "Alibaba",
            "Tencent",
            "SoftLayer",
        ],
    ),
    (NetKind::Idc, &["世纪互联", "互联港湾", "首都在线"]),
    (NetKind::Cdn, &["阿卡迈", "网宿", "蓝汛", "白山云", "StackPath"]),
    (NetKind::Edu, &["教育网", "科技网", "中国科技网", "教育信息网"]),
];

/// Wherever these stand the other words describe a neighbourhood, a customer or a bank.
const VETOES: [&str; 12] = [
    "网吧",
    "附近",
    "医院",
    "credit union",
    "hospital",
    "securities",
    "university press",
    "college station",
    "college park",
    "st cloud",
    "saint cloud",
    "大学城",
];

/// Names of clouds that stand within longer names, and words that nobody else uses.
const CLOUD_PARTS: [&str; 18] = [
    "阿里云",
    "腾讯云",
    "华为云",
    "百度云",
    "京东云",
    "金山云",
    "网易云",
    "美团云",
    "天翼云",
    "移动云",
    "联通云",
    "青云数据",
    "谷歌云",
    "微软云",
    "亚马逊云",
    "云计算",
    "云服务",
    "云主机",
];
/// Two letters at a name's end that are a place or a poem, not a cloud.
const NOT_CLOUDS: [&str; 10] =
    ["白云", "风云", "缙云", "庆云", "凌云", "祥云", "彩云", "红云", "连云", "星云"];
const IDC_PARTS: [&str; 4] = ["数据中心", "托管", "高防", "服务器"];
const EDU_PARTS: [&str; 6] = ["大学", "学院", "学校", "教育网", "教育和科研", "校园网"];
const CARRIER_PARTS: [&str; 8] = ["电信", "联通", "移动", "铁通", "广电", "网通", "宽带", "有线"];
/// Company names speak of their uplinks; only a name this short is the carrier's own.
const CARRIER_LETTERS_MAX: usize = 8;
const NOT_CARRIERS: [&str; 7] = ["联盟", "公司", "节点", "机房", "科技", "数据", "技术"];

fn chinese(folded: &str) -> Option<NetKind> {
    let holds = |parts: &[&str]| parts.iter().any(|part| folded.contains(part));
    if folded.is_ascii() {
        None
    } else if has_phrase(folded, "cdn") {
        Some(NetKind::Cdn)
    } else if holds(&CLOUD_PARTS)
        || (folded.ends_with('云') && !NOT_CLOUDS.iter().any(|end| folded.ends_with(end)))
    {
        Some(NetKind::Cloud)
    } else if holds(&IDC_PARTS) || has_phrase(folded, "idc") {
        Some(NetKind::Idc)
    } else if holds(&EDU_PARTS) {
        Some(NetKind::Edu)
    } else if holds(&CARRIER_PARTS) && !holds(&NOT_CARRIERS) && folded.chars().count() <= CARRIER_LETTERS_MAX
    {
        Some(NetKind::Carrier)
    } else {
        None
    }
}

const IDC_PHRASES: [&str; 12] = [
    "idc",
    "datacenter",
    "datacenters",
    "datacentre",
    "datacentres",
    "data center",
    "data centers",
    "data centre",
    "data centres",
    "colo",
    "colocation",
    "webhosting",
];
const HOSTING_WORDS: [&str; 3] = ["vps", "server", "servers"];
const EDU_WORDS: [&str; 6] =
    ["college", "colleges", "school", "schools", "polytechnic", "institute of technology"];
/// University in the languages of Europe and of those who write like them.
const EDU_BEGINNINGS: [&str; 2] = ["universit", "universid"];
/// Beside these, a cloud is a name and hosting a sideline of an access network.
const ACCESS_WORDS: [&str; 14] = [
    "telecom",
    "telecoms",
    "telecommunications",
    "telecomunicacoes",
    "telekomunikasyon",
    "broadband",
    "fiber",
    "fibre",
    "wireless",
    "wifi",
    "cable",
    "isp",
    "pbx",
    "voip",
];

fn latin(folded: &str) -> Option<NetKind> {
    let holds = |phrases: &[&str]| phrases.iter().any(|phrase| has_phrase(folded, phrase));
    let begins = |word: &str| EDU_BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
    if has_phrase(folded, "cdn") {
        Some(NetKind::Cdn)
    } else if holds(&EDU_WORDS) || folded.split(' ').any(begins) {
        Some(NetKind::Edu)
    } else if holds(&IDC_PHRASES) {
        Some(NetKind::Idc)
    } else if holds(&ACCESS_WORDS) {
        None
    } else if has_phrase(folded, "cloud") {
        Some(NetKind::Cloud)
    } else if holds(&HOSTING_WORDS) || folded.split(' ').any(|word| word.ends_with("hosting")) {
        Some(NetKind::Idc)
    } else {
        None
    }
}

/// True if the phrase stands in the folded text as whole words; a Chinese one, which has no word ends, at the
/// beginning.
fn has_phrase(folded: &str, phrase: &str) -> bool {
    if !phrase.is_ascii() {
        return folded.starts_with(phrase);
    }
    folded.match_indices(phrase).any(|(at, found)| {
        let (before, after) = (&folded[..at], &folded[at + found.len()..]);
        (before.is_empty() || before.ends_with(' ')) && (after.is_empty() || after.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use NetKind::{Carrier, Cdn, Cloud, Edu, Idc};

    #[test]
    fn names_tell_what_a_network_is_for() {
        let check = |expected: Option<NetKind>, names: &[&str]| {
            for name in names {
                assert_eq!(kind(name), expected, "{name}");
            }
        };
        check(
            Some(Cloud),
            &[
                "阿里云",
                "腾讯云",
                "阿里云BGP数据中心",
                "电信天翼云计算数据中心",
                "靠谱云",
                "谷歌",
                "Amazon",
                "Tencent",
            ],
        );
        check(
            Some(Cloud),
            &["Huawei_Cloud", "NAVER Cloud Corp.", "Yandex.Cloud LLC", "CLOUD", "Alibaba Cloud"],
        );
        check(
            Some(Idc),
            &["电信数据中心", "电信IDC", "Gaditek数据中心", "IDC, China Telecommunications Corporation"],
        );
        check(
            Some(Idc),
            &["Rackspace Hosting", "EGIHosting", "DREAM VPS LTD", "UAB Cherry Servers", "Scala Data Centers"],
        );
        check(
            Some(Idc),
            &["CHINANET SiChuan Telecom Internet Data Center", "hkcolo Colo", "Contabo", "世纪互联"],
        );
        check(Some(Cdn), &["阿里云CDN节点", "CDN Squared Limited", "Fastly", "网宿", "Cloudflare"]);
        check(
            Some(Edu),
            &[
                "教育网",
                "东京大学",
                "University of Utah",
                "Universität Wien",
                "UNIVERSIDAD DE CHILE",
                "Reed College",
            ],
        );
        check(
            Some(Edu),
            &[
                "Massachusetts Institute of Technology",
                "Salem-Keizer Public Schools",
                "Cloud County Community College",
            ],
        );
        check(
            Some(Carrier),
            &[
                "电信",
                "联通",
                "中国移动",
                "中移铁通",
                "长城宽带",
                "湖南广电",
                "中华电信",
                "Comcast",
                "CHINANET-GD",
            ],
        );
    }

    #[test]
    fn words_that_only_look_the_part() {
        let nothing = [
            "",
            "0",
            "云南",
            "云南省",
            "连云港",
            "白云",
            "碧云天网吧",
            "电信_现代网吧",
            "圆圆网吧(天津现代学院附近)",
            "北京蓝汛通信技术有限责任公司电信节点",
            "City of St. Cloud, MN",
            "Saint Cloud Networks",
            "McCloud Inc",
            "Cloudbreak",
            "Cloud 9 Wireless LLC",
            "CLOUD Telecom Lda",
            "Universo Online S.A.",
            "University Federal Credit Union",
            "Some University Hospital",
            "City of College Station",
            "VPS Securities",
            "VPS Broadband",
            "Observers",
            "Hostel",
            "Idcard",
            "McColo",
            "Unicom-Systems d.o.o.",
            "Linkchina Telecom",
            "国际电信联盟",
            "AkamaiGHost中国联通镜像节点",
            "Movistarlike",
            "\u{0}\u{202e}",
        ];
        for name in nothing {
            assert_eq!(kind(name), None, "{name}");
        }
    }

    #[test]
    fn organisations_of_chinas_carriers() {
        let check = |org: &str, expected: Option<&str>| assert_eq!(carrier(org), expected, "{org}");
        check("Chinanet", Some("China Telecom"));
        check("CHINANET Guangdong province Shenzhen MAN network", Some("China Telecom"));
        check("CHINATELECOM Liaoning Benxi MAN", Some("China Telecom"));
        check("China Telecom(Group)", Some("China Telecom"));
        check("IOT Jiangsu network, Chinatelecom, P.R.China.", Some("China Telecom"));
        check("CHINA UNICOM China169 Backbone", Some("China Unicom"));
        check("China Mobile Communications Corporation", Some("China Mobile"));
        check("China TieTong Telecommunications Corporation", Some("China Mobile"));
        check("CERNET2 IX at Peking University", Some("CERNET"));
        check("China Education and Research Network Center", Some("CERNET"));
        check("LinkChina Telecom Global Limited.", None);
        check("UNICOM NEW ZEALAND LIMITED", None);
        check("Unicom-Systems d.o.o.", None);
        check("", None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_only_a_name(text in ".{0,300}") {
            kind(&text);
            carrier(&text);
        }
    }
}
