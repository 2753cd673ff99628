//! The text forms of other systems.
//!
//! crypt(3) and passlib: `$2a$ $2b$ $2y$` · `$5$ $6$` · `$P$ $H$` · `$scrypt$` · `$pbkdf2$ $pbkdf2-sha256$
//! $pbkdf2-sha512$`; Django: `pbkdf2_sha256$ pbkdf2_sha1$ scrypt$ bcrypt$ bcrypt_sha256$ md5$ sha1$`; Firebase, as
//! `$fbscrypt$v=1,n=…,r=…,p=1,ss=…,sk=…$salt$hash`; LDAP: `{MD5} {SMD5} {SHA} {SSHA} {SSHA256} {SSHA512} …`; and md5,
//! SHA-1, SHA-256 or SHA-512 as plain hexadecimal digits.

use super::MAX_TEXT_BYTES;
use super::encoding;
use super::recipe::Hash;
use super::recipe::Recipe;

type Read = Result<(Recipe, Vec<u8>), &'static str>;

const UNKNOWN: &str = "not a known form of hash";
const NO_PASSWORD: &str = "no password is behind this: leave the hash out";
const MALFORMED: &str = "the hash is malformed";

/// The recipe and the digest; the recipe may ask for more than is allowed.
pub(crate) fn read(text: &str) -> Read {
    if text.len() > MAX_TEXT_BYTES {
        return Err("the hash is too long");
    }
    let (recipe, digest) = read_form(text)?;
    recipe.bounded()?;
    let length = recipe.length();
    if length == digest.len() {
        Ok((recipe, digest))
    } else {
        Err("the digest has another length than its function gives")
    }
}

fn read_form(text: &str) -> Read {
    // What Django and Unix write where nobody can sign in with a password.
    if text.is_empty() || text.starts_with(['!', '*']) {
        return Err(NO_PASSWORD);
    }
    if let Some(rest) = text.strip_prefix('{') {
        let (scheme, rest) = rest.split_once('}').ok_or(MALFORMED)?;
        return ldap(scheme, rest);
    }
    let fields: Vec<&str> = text.split('$').collect();
    match *fields {
        ["", "2a" | "2b" | "2y", cost, rest] | ["bcrypt", "", "2a" | "2b" | "2y", cost, rest] => {
            bcrypt(cost, rest, false)
        }
        ["bcrypt_sha256", "", "2a" | "2b" | "2y", cost, rest] => bcrypt(cost, rest, true),
        ["", "5" | "6", ..] => sha_crypt(&fields[1..]),
        ["", "P" | "H", rest] => phpass(rest),
        ["", "scrypt", params, salt, digest] => scrypt(params, salt, digest),
        ["", "fbscrypt", params, salt, digest] => firebase(params, salt, digest),
        ["", name @ ("pbkdf2" | "pbkdf2-sha256" | "pbkdf2-sha512"), rounds, salt, digest] => {
            pbkdf2(name, rounds, encoding::base64(salt)?, digest)
        }
        [name @ ("pbkdf2_sha1" | "pbkdf2_sha256"), rounds, salt, digest] => pbkdf2(name, rounds, salt.into(), digest),
        ["scrypt", n, salt, r, p, digest] => django_scrypt((n, r, p), salt, digest),
        ["md5", salt, digest] => salted(Hash::Md5, salt, digest),
        ["sha1", salt, digest] => salted(Hash::Sha1, salt, digest),
        [digest] => hexadecimal(digest),
        _ => Err(UNKNOWN),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    // `parse` alone would take a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or("a number of the hash is not one, or too large")
}

/// The value of `name=value` among those separated by commas.
fn named<'a>(params: &'a str, name: &str) -> Result<&'a str, &'static str> {
    let found = params.split(',').filter_map(|param| param.split_once('=')).find(|(key, _)| *key == name);
    found.map(|(_, value)| value).ok_or("a parameter of the hash is missing")
}

fn bcrypt(cost: &str, rest: &str, of_sha256: bool) -> Read {
    let (salt, digest) = rest.split_at_checked(22).ok_or(MALFORMED)?;
    let salt = encoding::bcrypt(salt)?.try_into().map_err(|_| MALFORMED)?;
    Ok((Recipe::Bcrypt { cost: number(cost)?, salt, of_sha256 }, encoding::bcrypt(digest)?))
}

fn scrypt(params: &str, salt: &str, digest: &str) -> Read {
    let (log_n, r, p) = (number(named(params, "ln")?)?, number(named(params, "r")?)?, number(named(params, "p")?)?);
    let digest = encoding::base64(digest)?;
    Ok((Recipe::Scrypt { log_n, r, p, salt: encoding::base64(salt)?, length: digest.len() }, digest))
}

/// Django writes N itself, and the salt as plain text.
fn django_scrypt((n, r, p): (&str, &str, &str), salt: &str, digest: &str) -> Read {
    let n: u64 = number(n)?;
    if !n.is_power_of_two() {
        return Err("N of scrypt is no power of two");
    }
    let log_n = u8::try_from(n.ilog2()).map_err(|_| MALFORMED)?;
    let digest = encoding::base64(digest)?;
    let length = digest.len();
    Ok((Recipe::Scrypt { log_n, r: number(r)?, p: number(p)?, salt: salt.into(), length }, digest))
}

fn firebase(params: &str, salt: &str, digest: &str) -> Read {
    if named(params, "v")? != "1" || named(params, "p")? != "1" {
        return Err("an unknown version of Firebase's scrypt");
    }
    // A separator is a byte, a key 64; base64 may hold no comma, so nothing else can be meant.
    let separator = encoding::base64(named(params, "ss")?)?;
    let signer_key = encoding::base64(named(params, "sk")?)?;
    let salt = [encoding::base64(salt)?, separator].concat();
    let recipe =
        Recipe::Firebase { log_n: number(named(params, "n")?)?, r: number(named(params, "r")?)?, salt, signer_key };
    Ok((recipe, encoding::base64(digest)?))
}

fn pbkdf2(name: &str, rounds: &str, salt: Vec<u8>, digest: &str) -> Read {
    let hash = match name {
        "pbkdf2" | "pbkdf2_sha1" => Hash::Sha1,
        "pbkdf2-sha512" => Hash::Sha512,
        _ => Hash::Sha256,
    };
    let digest = encoding::base64(digest)?;
    Ok((Recipe::Pbkdf2 { hash, rounds: number(rounds)?, salt, length: digest.len() }, digest))
}

/// `5`, perhaps `rounds=…`, salt, digest.
fn sha_crypt(fields: &[&str]) -> Read {
    let (hash, rounds, salt, digest) = match *fields {
        [name, salt, digest] => (name, 5_000, salt, digest),
        [name, rounds, salt, digest] => (name, number(rounds.strip_prefix("rounds=").ok_or(MALFORMED)?)?, salt, digest),
        _ => return Err(MALFORMED),
    };
    let hash = if hash == "5" { Hash::Sha256 } else { Hash::Sha512 };
    let (written, order) = (encoding::crypt(digest)?, sha_crypt_order(hash));
    if written.len() != order.len() || salt.len() > 16 {
        return Err(MALFORMED);
    }
    let mut digest = vec![0; written.len()];
    for (byte, place) in written.iter().zip(order) {
        digest[place] = *byte;
    }
    Ok((Recipe::ShaCrypt { hash, rounds, salt: salt.into() }, digest))
}

/// Which byte of the digest is written at each place (Drepper, "Unix crypt using SHA-256 and SHA-512", step 22).
fn sha_crypt_order(hash: Hash) -> Vec<usize> {
    let (third, rest) = if hash == Hash::Sha512 { (21, 63..64) } else { (10, 30..32) };
    let (mut a, mut b, mut c) = (0, third, 2 * third);
    let mut order = Vec::with_capacity(64);
    for _ in 0..third {
        order.extend([c, b, a]);
        (a, b, c) = if hash == Hash::Sha512 { (b + 1, c + 1, a + 1) } else { (c + 1, a + 1, b + 1) };
    }
    order.extend(rest);
    order
}

/// One character for the rounds, eight of salt, 22 of digest.
fn phpass(rest: &str) -> Read {
    let (head, digest) = rest.split_at_checked(9).ok_or(MALFORMED)?;
    let (rounds, salt) = head.as_bytes().split_first().ok_or(MALFORMED)?;
    let log_rounds = encoding::crypt_digit(*rounds).ok_or(MALFORMED)?;
    let salt = salt.try_into().map_err(|_| MALFORMED)?;
    Ok((Recipe::Phpass { log_rounds, salt }, encoding::crypt(digest)?))
}

/// Django's old ones: the salt, which may be empty, stands before the password.
fn salted(hash: Hash, salt: &str, digest: &str) -> Read {
    let digest = encoding::hexadecimal(digest).ok_or(MALFORMED)?;
    Ok((Recipe::Plain { hash, before: salt.into(), after: Vec::new() }, digest))
}

fn hexadecimal(text: &str) -> Read {
    let digest = encoding::hexadecimal(text).ok_or(UNKNOWN)?;
    let hash = match digest.len() {
        16 => Hash::Md5,
        20 => Hash::Sha1,
        32 => Hash::Sha256,
        64 => Hash::Sha512,
        _ => return Err(UNKNOWN),
    };
    Ok((Recipe::Plain { hash, before: Vec::new(), after: Vec::new() }, digest))
}

/// RFC 2307: base64 of the digest and, behind it, the salt, which stands after the password.
fn ldap(scheme: &str, rest: &str) -> Read {
    let scheme = scheme.to_ascii_uppercase();
    let (salted, hash) = match scheme.as_str() {
        "MD5" => (false, Hash::Md5),
        "SMD5" => (true, Hash::Md5),
        "SHA" => (false, Hash::Sha1),
        "SSHA" => (true, Hash::Sha1),
        "SHA256" => (false, Hash::Sha256),
        "SSHA256" => (true, Hash::Sha256),
        "SHA512" => (false, Hash::Sha512),
        "SSHA512" => (true, Hash::Sha512),
        // OpenLDAP hands these on to crypt(3).
        "CRYPT" if !rest.starts_with('{') => return read_form(rest),
        _ => return Err(UNKNOWN),
    };
    let mut digest = encoding::base64(rest)?;
    let after = digest.split_off(hash.bytes().min(digest.len()));
    if salted == after.is_empty() {
        return Err(MALFORMED);
    }
    Ok((Recipe::Plain { hash, before: Vec::new(), after }, digest))
}
