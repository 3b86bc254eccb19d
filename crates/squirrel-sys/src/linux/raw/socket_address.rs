//! Addresses of sockets in the kernel's form and back (ip(7), ipv6(7)).

use std::mem::{size_of, zeroed};
use std::net::SocketAddr;

/// The kernel's form of an address, and its length.
pub(super) fn write_address(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: plain numbers, for which zero is a valid value.
    let mut name: libc::sockaddr_storage = unsafe { zeroed() };
    let len = match address {
        SocketAddr::V4(v4) => {
            // SAFETY: a storage is large enough and aligned for each kind of address.
            let own = unsafe { &mut *(&raw mut name).cast::<libc::sockaddr_in>() };
            own.sin_family = libc::AF_INET as libc::sa_family_t;
            own.sin_port = v4.port().to_be();
            own.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            // SAFETY: as above.
            let own = unsafe { &mut *(&raw mut name).cast::<libc::sockaddr_in6>() };
            own.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            own.sin6_port = v6.port().to_be();
            own.sin6_addr.s6_addr = v6.ip().octets();
            own.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>()
        }
    };
    (name, len as libc::socklen_t)
}

/// An address in the kernel's form; none of another kind than IP.
pub(super) fn read_address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which kind of address it is, and a storage holds each kind.
            let own = unsafe { &*std::ptr::from_ref(name).cast::<libc::sockaddr_in>() };
            let octets = own.sin_addr.s_addr.to_ne_bytes();
            Some(SocketAddr::from((octets, u16::from_be(own.sin_port))))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let own = unsafe { &*std::ptr::from_ref(name).cast::<libc::sockaddr_in6>() };
            Some(SocketAddr::from((own.sin6_addr.s6_addr, u16::from_be(own.sin6_port))))
        }
        _ => None,
    }
}
