"""Hashes as the original programs make them, for tests/vectors/hashes.tsv.

    pip install passlib==1.7.4 'bcrypt<4.1' argon2-cffi==25.1.0 django==5.2.9 scrypt==0.9.4
    apt-get install apache2-utils nodejs
    python tests/witness/hashes.py >tests/vectors/hashes.tsv

A line is: what made it, the password, the hash; between tabs. Salts are random, so every run makes others.
"""

import hashlib
import json
import subprocess

import argon2
import django
from django.conf import settings

settings.configure(PASSWORD_HASHERS=[])
django.setup()

from django.contrib.auth import hashers  # noqa: E402
from passlib import hash as passlib  # noqa: E402

PASSWORD = "correct horse 関所 é"


def line(maker, hashed, password=PASSWORD):
    print(f"{maker}\t{password}\t{hashed}")


def by_argon2():
    for kind in argon2.Type:
        hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=kind)
        line(f"argon2-cffi {kind.name}", hasher.hash(PASSWORD))


def by_passlib():
    for ident in ("2a", "2b", "2y"):
        line(f"passlib bcrypt {ident}", passlib.bcrypt.using(ident=ident, rounds=10).hash(PASSWORD))
    line("passlib bcrypt, weak", passlib.bcrypt.using(rounds=4).hash(PASSWORD))
    line("passlib bcrypt, long", passlib.bcrypt.using(rounds=8).hash("x" * 90), "x" * 90)
    line("passlib scrypt", passlib.scrypt.using(rounds=14, block_size=8, parallelism=1).hash(PASSWORD))
    line("passlib scrypt, weak", passlib.scrypt.using(rounds=8).hash(PASSWORD))
    for name in ("sha1", "sha256", "sha512"):
        scheme = getattr(passlib, f"pbkdf2_{name}")
        line(f"passlib pbkdf2_{name}", scheme.using(rounds=100_000).hash(PASSWORD))
        line(f"passlib pbkdf2_{name}, weak", scheme.using(rounds=1_000).hash(PASSWORD))
    for scheme in (passlib.sha256_crypt, passlib.sha512_crypt):
        line(f"passlib {scheme.name}", scheme.using(rounds=40_000).hash(PASSWORD))
        line(f"passlib {scheme.name}, rounds left out", scheme.using(rounds=5_000).hash(PASSWORD))
        line(f"passlib {scheme.name}, long", scheme.using(rounds=1_001).hash("long " * 20), "long " * 20)
    for ident in ("P", "H"):
        line(f"passlib phpass {ident}", passlib.phpass.using(ident=f"${ident}$", rounds=13).hash(PASSWORD))
    line("passlib phpass, 17", passlib.phpass.using(rounds=17).hash(PASSWORD))
    for scheme in ("md5", "salted_md5", "sha1", "salted_sha1", "salted_sha256", "salted_sha512"):
        line(f"passlib ldap_{scheme}", getattr(passlib, f"ldap_{scheme}").hash(PASSWORD))
    line("passlib ldap_bcrypt", passlib.ldap_bcrypt.using(rounds=8).hash(PASSWORD))


def by_django():
    names = ("PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt", "MD5")
    for name in names:
        hasher = getattr(hashers, f"{name}PasswordHasher")()
        if name.startswith("BCrypt"):
            hasher.rounds = 8
        if name == "PBKDF2SHA1":
            hasher.iterations = 600_000
        line(f"Django {django.__version__} {name}", hasher.encode(PASSWORD, hasher.salt()))
    salt = "salt"
    line("Django sha1, as 4.2 wrote it", f"sha1${salt}${hashlib.sha1((salt + PASSWORD).encode()).hexdigest()}")
    line("Django unsalted sha1, as 4.2 wrote it", f"sha1$${hashlib.sha1(PASSWORD.encode()).hexdigest()}")


def by_hashlib():
    for name in ("md5", "sha1", "sha256", "sha512"):
        line(f"hashlib {name}", hashlib.new(name, PASSWORD.encode()).hexdigest())


def by_htpasswd():
    for option in ("-B", "-s", "-2", "-5"):
        # htpasswd takes 5,000 rounds of sha-crypt, and cost 5 of bcrypt.
        made = subprocess.run(["htpasswd", "-nb", option, "user", PASSWORD], check=True, capture_output=True, text=True)
        line(f"htpasswd {option}", made.stdout.strip().split(":", 1)[1])


def by_node():
    program = """
        const { scryptSync, randomBytes } = require("node:crypto");
        const salt = randomBytes(16), of = (bytes) => bytes.toString("base64").replaceAll("=", "");
        const key = scryptSync(process.argv[1], salt, 64, { N: 16384, r: 8, p: 1 });
        console.log(JSON.stringify([of(salt), of(key)]));
    """
    made = subprocess.run(["node", "-e", program, PASSWORD], check=True, capture_output=True, text=True)
    salt, key = json.loads(made.stdout)
    line("node crypto.scrypt", f"$scrypt$ln=14,r=8,p=1${salt}${key}")


def by_firebase():
    """The account that github.com/firebase/scrypt publishes."""
    key = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
    salt = "42xEC+ixf3L2lw=="
    hashed = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
    line("firebase/scrypt", f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={key}${salt}${hashed}", "user1password")


if __name__ == "__main__":
    by_argon2()
    by_passlib()
    by_django()
    by_hashlib()
    by_htpasswd()
    by_node()
    by_firebase()
