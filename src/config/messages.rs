//! To which phones anything is sent.

use rlibphonenumber::PHONE_NUMBER_UTIL;
use rlibphonenumber::Region;

use super::Mode;
use super::PhoneConfig;
use super::SpendConfig;
use super::settings::Reader;

/// Every country costs money and invites fraud, so production names those that it serves: Japan, if it names none.
pub(super) fn phone(read: &mut Reader, mode: Mode) -> PhoneConfig {
    let countries = read.parsed_list("phone.countries", served);
    let default = if mode == Mode::Production { vec![Region::JP] } else { Vec::new() };
    PhoneConfig { countries: if countries.is_empty() { default } else { countries }, spend: spend(read) }
}

/// A country with phones, by its two letters (ISO 3166-1).
pub fn country(text: &str) -> Option<Region> {
    let country = Region::from_code(text).ok();
    country.filter(|country| PHONE_NUMBER_UTIL.get_country_code_for_region(*country).is_some())
}

fn served(text: &str) -> Result<Region, String> {
    country(text).ok_or_else(|| format!("{text:?} is not a country such as JP"))
}

fn spend(read: &mut Reader) -> SpendConfig {
    let prices = read.parsed_list("phone.prices", |item| {
        let (name, price) = item.split_once('=').ok_or_else(|| format!("{item:?} is not a price such as JP=10"))?;
        let price = price.parse().ok().filter(|price| (1..=1_000_000).contains(price));
        let price = price.ok_or_else(|| format!("the price of {name} must be a whole number from 1 to 1000000"))?;
        Ok((served(name)?.as_region_str().to_string(), price))
    });
    let mut budget = |name, default| read.number(name, default, 0..=1_000_000_000_000);
    SpendConfig {
        prices: prices.into_iter().collect(),
        unproved_per_day: budget("phone.unproved_per_day", 2_000),
        country_per_day: budget("phone.country_per_day", 1_000),
        proved_per_day: budget("phone.proved_per_day", 50_000),
        notices_per_day: budget("phone.notices_per_day", 5_000),
    }
}
