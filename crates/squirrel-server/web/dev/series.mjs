// A synthetic host: values that are a pure function of time, so that history and live agree.

/** Smooth noise between 0 and 1, the same for the same seed and time. */
function noise(seed, time, period) {
  const at = time / period;
  const cell = Math.floor(at);
  const blend = at - cell;
  const ease = blend * blend * (3 - 2 * blend);
  const point = (i) => {
    let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(i | 0, 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
    return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
  };
  return point(cell) * (1 - ease) + point(cell + 1) * ease;
}

const seedOf = (text) => [...text].reduce((h, c) => Math.imul(h ^ c.codePointAt(0), 0x01000193) >>> 0, 0x811c9dc5);

/** A busy, plausible curve around `base`, never negative. */
export function wave(name, time, base) {
  const seed = seedOf(name);
  const slow = noise(seed, time, 1700);
  const middle = noise(seed + 1, time, 140);
  const quick = noise(seed + 2, time, 4);
  const burst = noise(seed + 3, time, 45) > 0.86 ? 1.8 : 0;
  return base * (0.25 + 0.7 * slow + 0.35 * middle * middle + 0.22 * quick + burst * middle * 0.5);
}

/** Now and then something, mostly nothing. */
export const rare = (name, time, size) => (noise(seedOf(name), time, 23) > 0.93 ? Math.round(size * noise(seedOf(name) + 1, time, 5)) : 0);

/** The interfaces of the host; `hostile` ones have names that try to break the page; `many` adds virtual ones. */
export function devices(hostile, many = 0) {
  const list = [
    { device: "lo", operstate: "unknown", adminstate: "up", mtu: 65536, rate: 4e5, out: 4e5, addresses: ["127.0.0.1/8/host", "::1/128/host"], address: "00:00:00:00:00:00" },
    { device: "eth0", operstate: "up", adminstate: "up", speed: 1e9, mtu: 1500, duplex: "full", rate: 2.6e8, out: 6.5e7, ifalias: "uplink, rack 4 port 12", addresses: ["192.0.2.17/24/global", "2001:db8:4::17/64/global", "fe80::5054:ff:fe12:3456/64/link"], address: "52:54:00:12:34:56" },
    { device: "eth1", operstate: "up", adminstate: "up", speed: 1e10, mtu: 9000, duplex: "full", rate: 2.1e9, out: 3.4e9, ifalias: "storage", addresses: ["198.51.100.9/25/global"], address: "52:54:00:65:43:21" },
    { device: "eth2", operstate: "down", adminstate: "up", speed: 1e9, mtu: 1500, duplex: "unknown", rate: 0, out: 0, addresses: [], address: "52:54:00:aa:bb:cc" },
    { device: "eth10", operstate: "down", adminstate: "down", mtu: 1500, rate: 0, out: 0, addresses: [], address: "52:54:00:aa:bb:cd" },
    { device: "docker0", kind: "bridge", operstate: "up", adminstate: "up", mtu: 1500, rate: 3.1e6, out: 9e6, addresses: ["203.0.113.1/24/global"], address: "02:42:9a:11:22:33" },
    { device: "veth1c8e2f", kind: "veth", master: "docker0", operstate: "up", adminstate: "up", speed: 1e10, mtu: 1500, duplex: "full", rate: 2.2e6, out: 5e6, addresses: [], address: "6a:10:00:00:00:01" },
    { device: "veth77ab01", kind: "veth", master: "docker0", operstate: "up", adminstate: "up", speed: 1e10, mtu: 1500, duplex: "full", rate: 9e5, out: 4e6, addresses: [], address: "6a:10:00:00:00:02" },
    { device: "wg0", kind: "wireguard", operstate: "unknown", adminstate: "up", mtu: 1420, rate: 1.2e7, out: 2.4e6, addresses: ["198.51.100.200/28/global"], address: "" },
  ];
  for (let i = 0; i < many; i++) {
    list.push({ device: `veth${i}`, kind: "veth", operstate: "up", adminstate: "up", speed: 1e10, mtu: 1500, rate: 1e6, out: 1e6, addresses: [], address: "aa" });
  }
  if (!hostile) return list;
  const name = (device, ifalias) => ({ device, ifalias, operstate: "up", adminstate: "up", speed: 1e9, mtu: 1500, rate: 1e6, out: 1e6, addresses: ["192.0.2.99/24/global"], address: "aa" });
  return [
    ...list,
    name("<img src=x>", "<script>document.title='owned'</script>"),
    name('"}or{x="', "quote \" and \\ and ' and `"),
    name("ab\u202e0hte", "right\u202eto\u202cleft \u2066x\u2069"),
    name("bell\u0007\u001b[31m", "line\nbreak\ttab\u0000null\u009b"),
    name("%2e%2e%3Fq#f", "$window $device {{device}} $& $1"),
    name("__proto__", "constructor"),
    name("a".repeat(15), "long ".repeat(51)),
  ];
}
