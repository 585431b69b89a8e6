"""Network addresses, as coarse as a person's whereabouts need to be."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

_PREFIX_4, _PREFIX_6 = 24, 56


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The network an address belongs to: `192.0.2.0/24` or `2001:db8:0:ff00::/56`; "unknown" for what is none.

    Coarse enough for a line that changes its address every night, and for not keeping anyone's exact one.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    length, bits = (_PREFIX_4, 32) if isinstance(found, IPv4Address) else (_PREFIX_6, 128)
    kept = int(found) >> (bits - length) << (bits - length)
    return f"{type(found)(kept)}/{length}"
