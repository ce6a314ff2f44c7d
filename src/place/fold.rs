//! One spelling for a name: lower case, no diacritics, words apart by one space.
//!
//! `São Paulo`, `SAO PAULO` and `Sao-Paulo` are all `sao paulo`; `阿里云CDN节点` is `阿里云 cdn 节点`. Databases agree on
//! letters far more often than on case, hyphens, apostrophes and accents.

/// A longer text is not a name: looking at it costs time and finds nothing.
pub(super) const NAME_BYTES_MAX: usize = 256;

/// The folded name; empty if the text is too long to be one or holds no letter.
pub(super) fn fold(text: &str) -> String {
    let mut words = Words::default();
    if text.len() > NAME_BYTES_MAX {
        return words.text;
    }
    words.text.reserve(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            // An apostrophe or a combining accent does not end a word: `Hawai'i` is `hawaii`.
            '\'' | '`' | '´' | '\u{2b9}'..='\u{2bf}' | '\u{2018}' | '\u{2019}' | '\u{300}'..='\u{36f}' => {}
            '&' => {
                words.apart = true;
                "and".chars().for_each(|letter| words.push(letter));
                words.apart = true;
            }
            'ß' => "ss".chars().for_each(|letter| words.push(letter)),
            'æ' => "ae".chars().for_each(|letter| words.push(letter)),
            'œ' => "oe".chars().for_each(|letter| words.push(letter)),
            'þ' => "th".chars().for_each(|letter| words.push(letter)),
            _ if letter.is_alphanumeric() => words.push(base(letter)),
            _ => words.apart = true,
        }
    }
    words.text
}

/// Words as they are put together.
#[derive(Default)]
struct Words {
    text: String,
    /// The next letter begins a word.
    apart: bool,
}

impl Words {
    /// Latin letters and digits are words of their own beside other scripts, which put no spaces between.
    fn push(&mut self, letter: char) {
        let last = self.text.chars().next_back();
        if last.is_some_and(|last| self.apart || last.is_ascii() != letter.is_ascii()) {
            self.text.push(' ');
        }
        self.text.push(letter);
        self.apart = false;
    }
}

/// The letter without its diacritics: those of European languages, romanised names and Vietnamese.
fn base(letter: char) -> char {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ'..='ặ' => 'a',
        'ḃ' | 'ḅ' | 'ḇ' => 'b',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' | 'ð' | 'ḋ'..='ḓ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ'..='ệ' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' | 'ǧ' | 'ḡ' => 'g',
        'ĥ' | 'ħ' | 'ḣ'..='ḫ' | 'ẖ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' | 'ỉ' | 'ị' => 'i',
        'ĵ' => 'j',
        'ķ' | 'ḱ' | 'ḳ' | 'ḵ' => 'k',
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' | 'ḷ'..='ḽ' => 'l',
        'ḿ' | 'ṁ' | 'ṃ' => 'm',
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ṅ'..='ṋ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | 'ǒ' | 'ọ'..='ợ' => 'o',
        'ŕ' | 'ŗ' | 'ř' | 'ṙ'..='ṟ' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' | 'ṡ'..='ṩ' => 's',
        'ţ' | 'ť' | 'ŧ' | 'ț' | 'ṫ'..='ṱ' | 'ẗ' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | 'ǔ' | 'ụ'..='ự' => 'u',
        'ŵ' | 'ẁ'..='ẉ' => 'w',
        'ý' | 'ÿ' | 'ŷ' | 'ỳ'..='ỹ' => 'y',
        'ź' | 'ż' | 'ž' | 'ẑ'..='ẕ' => 'z',
        'ё' => 'е',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_alike() {
        let check = |text: &str, expected: &str| assert_eq!(fold(text), expected, "{text}");
        check("São Paulo", "sao paulo");
        check(" Sao--PAULO. ", "sao paulo");
        check("Provence-Alpes-Côte d'Azur", "provence alpes cote dazur");
        check("Hawai\u{2bb}i", "hawaii");
        check("Thừa Thiên-Huế", "thua thien hue");
        check("Thu\u{31b}\u{300}a", "thua");
        check("Świętokrzyskie", "swietokrzyskie");
        check("İzmir", "izmir");
        check("Großraum Æ", "grossraum ae");
        check("Antigua & Barbuda", "antigua and barbuda");
        check("U.S.A.", "u s a");
        check("Свердловская область", "свердловская область");
        check("阿里云CDN节点", "阿里云 cdn 节点");
        check("巴登－符腾堡", "巴登 符腾堡");
        check("", "");
        check("\u{202e}…", "");
        check(&"x".repeat(NAME_BYTES_MAX + 1), "");
    }
}
