//! Numbers of DNS and their names, as IANA lists them ("Domain Name System (DNS) Parameters").

use core::fmt;

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, [$($number:literal $text:literal),* $(,)?]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// The number of a name in capitals; `None` when it is none that is known here.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self($number)),)*
                    _ => None,
                }
            }

            /// Its name, when it is known here.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!($prefix, "{}"), self.0),
                }
            }
        }
    };
}

code! {
    /// The type of a record, or what is asked for. Unknown ones are shown as RFC 3597 writes them: `TYPE1234`.
    RecordType, "TYPE", [
        1 "A", 2 "NS", 5 "CNAME", 6 "SOA", 12 "PTR", 13 "HINFO", 15 "MX", 16 "TXT", 17 "RP", 18 "AFSDB", 24 "SIG",
        25 "KEY", 28 "AAAA", 29 "LOC", 33 "SRV", 35 "NAPTR", 36 "KX", 37 "CERT", 39 "DNAME", 41 "OPT", 42 "APL",
        43 "DS", 44 "SSHFP", 45 "IPSECKEY", 46 "RRSIG", 47 "NSEC", 48 "DNSKEY", 49 "DHCID", 50 "NSEC3",
        51 "NSEC3PARAM", 52 "TLSA", 53 "SMIMEA", 55 "HIP", 59 "CDS", 60 "CDNSKEY", 61 "OPENPGPKEY", 62 "CSYNC",
        63 "ZONEMD", 64 "SVCB", 65 "HTTPS", 99 "SPF", 108 "EUI48", 109 "EUI64", 249 "TKEY", 250 "TSIG", 251 "IXFR",
        252 "AXFR", 255 "ANY", 256 "URI", 257 "CAA",
    ]
}

code! {
    /// The class of a record.
    Class, "CLASS", [1 "IN", 3 "CH", 4 "HS", 254 "NONE", 255 "ANY"]
}

code! {
    /// What became of a question, without the part that EDNS adds.
    Rcode, "RCODE", [
        0 "NOERROR", 1 "FORMERR", 2 "SERVFAIL", 3 "NXDOMAIN", 4 "NOTIMP", 5 "REFUSED", 6 "YXDOMAIN", 7 "YXRRSET",
        8 "NXRRSET", 9 "NOTAUTH", 10 "NOTZONE",
    ]
}
