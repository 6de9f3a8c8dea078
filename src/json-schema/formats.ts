/** Two digits of a count below 60, as minutes and seconds have. */
const sixty = "[0-5][0-9]";
const hour = "(?:[01][0-9]|2[0-3])";
const fraction = "(?:\\.[0-9]+)?";
const offset = `(?:Z|[+\\-]${hour}:${sixty})`;
/** RFC 3339, section 5.6; the one leap second is that of UTC. */
const time = `(?:${hour}:${sixty}:${sixty}${fraction}${offset}|23:59:60${fraction}Z)`;

/** RFC 3339, section 5.7 and appendix C: months have their days, and February 29 of them in leap years. */
const date = (() => {
  const multipleOf4 = "(?:[02468][048]|[13579][26])";
  // Years that are multiples of 4, but not of 100 unless of 400.
  const leapYear = `(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|${multipleOf4}00)`;
  const days28 = "(?:0[1-9]|1[0-9]|2[0-8])";
  const month30 = "(?:0[469]|11)";
  const month31 = "(?:0[13578]|1[02])";
  const common = `[0-9]{4}-(?:02-${days28}|${month30}-(?:${days28}|29|30)|${month31}-(?:${days28}|29|3[01]))`;
  return `(?:${common}|${leapYear}-02-29)`;
})();

/** RFC 3339, appendix A, but with units that may be left out between others. */
const duration = (() => {
  const some = (units: string) =>
    Array.from(
      units,
      (unit, index) =>
        `[0-9]+${unit}${Array.from(units.slice(index + 1), (next) => `(?:[0-9]+${next})?`).join("")}`,
    ).join("|");
  const clock = `T(?:${some("HMS")})`;
  return `P(?:[0-9]+W|(?:${some("YMD")})(?:${clock})?|${clock})`;
})();

const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const ipv4 = `${octet}(?:\\.${octet}){3}`;

/** RFC 4291, section 2.2: eight groups, of which a run may be written "::", and the last two as an IPv4 address. */
const ipv6 = (() => {
  const group = "[0-9a-fA-F]{1,4}";
  const last = `(?:${group}:${group}|${ipv4})`;
  const forms = [`(?:${group}:){6}${last}`];
  // Groups in front of "::", and how many may follow it so that at least one is left out.
  for (let before = 0; before <= 7; before++) {
    const front = before === 0 ? "" : `${group}(?::${group}){${before - 1}}`;
    const room = 7 - before;
    const groups = room === 0 ? "" : `(?:${group}(?::${group}){0,${room - 1}})?`;
    forms.push(`${front}::${groups}`);
    if (room >= 2) forms.push(`${front}::(?:${group}:){0,${room - 2}}${ipv4}`);
  }
  return `(?:${forms.join("|")})`;
})();

/** RFC 5321 without quotes and literals. */
const email = (() => {
  const atom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\\-]+";
  const label = "[a-zA-Z0-9](?:[a-zA-Z0-9\\-]*[a-zA-Z0-9])?";
  return `${atom}(?:\\.${atom})*@(?:${label}\\.)+${label}`;
})();

/** RFC 1123, in names that cannot exceed their 253 characters: up to three long labels, or eight shorter ones. */
const hostname = (() => {
  const label = (most: number) => `[a-zA-Z0-9](?:[a-zA-Z0-9\\-]{0,${most - 2}}[a-zA-Z0-9])?`;
  const labels = (count: number, most: number) => `${label(most)}(?:\\.${label(most)}){0,${count - 1}}`;
  return `(?:${labels(3, 63)}|${labels(8, 30)})`;
})();

const pointer = "(?:/(?:[^~/]|~[01])*)*";

/** RFC 3986, with names and IPv4 addresses for hosts: what follows the scheme, and whole references. */
const { uri, reference } = (() => {
  const escaped = "%[0-9a-fA-F]{2}";
  const free = "a-zA-Z0-9\\-._~!$&'()*+,;=";
  const sign = `(?:[${free}:@]|${escaped})`;
  const path = `(?:/${sign}*)*`;
  const authority = `(?:(?:[${free}:]|${escaped})*@)?(?:[${free}]|${escaped})*(?::[0-9]*)?`;
  const place = `(?://${authority}${path}|/(?:${sign}+${path})?|${sign}+${path})`;
  const characters = `(?:[${free}:@/?]|${escaped})*`;
  const tail = `(?:\\?${characters})?(?:#${characters})?`;
  // Something stands behind the scheme's colon; without a scheme, the first part of a path has no colon.
  const withScheme = `[a-zA-Z][a-zA-Z0-9+\\-.]*:${place}`;
  const without = `(?://${authority}${path}|/(?:${sign}+${path})?|(?:[${free}@]|${escaped})+${path})?`;
  return { uri: withScheme + tail, reference: `(?:${withScheme}|${without})${tail}` };
})();

/** Texts of each format that is guaranteed, as regular expressions for the whole. */
const formats: Readonly<Record<string, string>> = {
  date,
  time,
  "date-time": `${date}T${time}`,
  duration,
  uuid: "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
  ipv4,
  ipv6,
  email,
  "idn-email": email,
  hostname,
  uri,
  "uri-reference": reference,
  iri: uri,
  "iri-reference": reference,
  "json-pointer": pointer,
  "relative-json-pointer": `(?:0|[1-9][0-9]*)(?:#|${pointer})`,
  byte: "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
};

/** Formats of which all texts are admitted; of the others some forms are left out. */
export const exactFormats: ReadonlySet<string> = new Set([
  "date",
  "duration",
  "ipv4",
  "ipv6",
  "email",
  "json-pointer",
  "relative-json-pointer",
]);

/** Formats that say nothing about which strings are valid. */
export const emptyFormats: ReadonlySet<string> = new Set(["password", "binary", "float", "double"]);

/** Names that zod gives besides the pattern in which it spells them out; without one they are not known. */
export const spelledOutFormats: ReadonlySet<string> = new Set([
  "base64",
  "base64url",
  "cidrv4",
  "cidrv6",
  "cuid",
  "cuid2",
  "e164",
  "emoji",
  "ends_with",
  "includes",
  "ksuid",
  "lowercase",
  "nanoid",
  "starts_with",
  "ulid",
  "uppercase",
  "xid",
]);

/** Formats of OpenAPI for numbers, by the bounds that they mean. */
export const integerFormats: ReadonlyMap<string, { low: bigint; high: bigint }> = new Map([
  ["int32", { low: -(2n ** 31n), high: 2n ** 31n - 1n }],
  ["int64", { low: -(2n ** 63n), high: 2n ** 63n - 1n }],
]);

/** A regular expression for the whole text; undefined for an unknown format. */
export function formatPattern(name: string): string | undefined {
  return Object.hasOwn(formats, name) ? `^${formats[name]}$` : undefined;
}
