/*
 * Databases for tests and screenshots, with cities for the source addresses of the captured requests.
 *
 * The data are invented and marked as such: each network's place and operator are invented, operators have "(invented)" in
 * their names, and the AS numbers are reserved for documentation (RFC 5398). Only the cities exist.
 */
import { double, type Value, writeDatabase } from "../../scripts/mmdb/writer.ts";

/** A place with the networks in it. They all belong to one operator. */
interface InventedPlace {
  readonly continent: keyof typeof continents;
  readonly country: readonly [isoCode: string, name: string];
  readonly region: readonly [isoCode: string, name: string];
  readonly city: string;
  readonly postalCode?: string;
  readonly timezone: string;
  readonly location: readonly [lat: number, lon: number];
  readonly operator: string;
  readonly networks: readonly string[];
}

const continents = {
  AF: "Africa",
  AS: "Asia",
  EU: "Europe",
  NA: "North America",
  OC: "Oceania",
  SA: "South America",
};

// biome-ignore format: a table
const places: readonly InventedPlace[] = [
  // The sources in server/cli/demo/spip-requests.ndjson.
  { continent: "EU", country: ["GB", "United Kingdom"], region: ["ENG", "England"], city: "London", postalCode: "EC2V", timezone: "Europe/London", location: [51.5142, -0.0931], operator: "Broadband London", networks: ["81.2.69.0/24", "51.140.0.0/14", "2a02:c7c::/32"] },
  { continent: "EU", country: ["GB", "United Kingdom"], region: ["ENG", "England"], city: "Boxford", postalCode: "OX1", timezone: "Europe/London", location: [51.75, -1.25], operator: "Village Network", networks: ["2.125.160.0/24"] },
  { continent: "EU", country: ["SE", "Sweden"], region: ["E", "Östergötland County"], city: "Linköping", postalCode: "582 22", timezone: "Europe/Stockholm", location: [58.4167, 15.6167], operator: "Bredband", networks: ["89.160.20.0/24", "46.21.96.0/20"] },
  { continent: "AS", country: ["CN", "China"], region: ["22", "Jilin Sheng"], city: "Changchun", timezone: "Asia/Harbin", location: [43.88, 125.3228], operator: "Backbone Jilin", networks: ["175.16.199.0/24", "222.160.0.0/14"] },
  { continent: "AS", country: ["CN", "China"], region: ["GD", "Guangdong"], city: "Shenzhen", timezone: "Asia/Shanghai", location: [22.5455, 114.0683], operator: "Cloud Shenzhen", networks: ["119.28.0.0/15", "183.0.0.0/10"] },
  { continent: "NA", country: ["US", "United States"], region: ["WA", "Washington"], city: "Milton", postalCode: "98354", timezone: "America/Los_Angeles", location: [47.2513, -122.3149], operator: "Telephone Cooperative", networks: ["216.160.83.0/24", "67.160.0.0/13"] },
  { continent: "NA", country: ["US", "United States"], region: ["GA", "Georgia"], city: "Atlanta", postalCode: "30303", timezone: "America/New_York", location: [33.749, -84.388], operator: "Carrier Atlanta", networks: ["12.81.92.0/22", "74.176.0.0/12"] },
  { continent: "NA", country: ["US", "United States"], region: ["VA", "Virginia"], city: "Ashburn", postalCode: "20147", timezone: "America/New_York", location: [39.0438, -77.4874], operator: "Cloud Ashburn", networks: ["3.80.0.0/12", "34.192.0.0/10", "2600:1f00::/24"] },
  { continent: "AS", country: ["BT", "Bhutan"], region: ["15", "Thimphu"], city: "Thimphu", timezone: "Asia/Thimphu", location: [27.4728, 89.639], operator: "Mountain Net", networks: ["67.43.156.0/24", "119.2.96.0/19"] },
  { continent: "AS", country: ["PH", "Philippines"], region: ["00", "Metro Manila"], city: "Manila", postalCode: "1000", timezone: "Asia/Manila", location: [14.5995, 120.9842], operator: "Islands Mobile", networks: ["202.196.224.0/20", "112.198.0.0/16"] },
  { continent: "OC", country: ["AU", "Australia"], region: ["NSW", "New South Wales"], city: "Sydney", postalCode: "2000", timezone: "Australia/Sydney", location: [-33.8688, 151.2093], operator: "Telecom Sydney", networks: ["1.128.0.0/11", "139.130.0.0/16"] },
  { continent: "AS", country: ["JP", "Japan"], region: ["13", "Tokyo"], city: "Tokyo", postalCode: "100-0001", timezone: "Asia/Tokyo", location: [35.6895, 139.6917], operator: "Exchange Tokyo", networks: ["2001:218::/32", "126.0.0.0/8", "133.242.0.0/16"] },
  // For variety.
  { continent: "EU", country: ["DE", "Germany"], region: ["HE", "Hesse"], city: "Frankfurt am Main", postalCode: "60313", timezone: "Europe/Berlin", location: [50.1109, 8.6821], operator: "Hosting Frankfurt", networks: ["5.9.0.0/16", "138.201.0.0/16", "2a01:4f8::/32"] },
  { continent: "EU", country: ["NL", "Netherlands"], region: ["NH", "North Holland"], city: "Amsterdam", postalCode: "1012", timezone: "Europe/Amsterdam", location: [52.374, 4.8897], operator: "Hosting Amsterdam", networks: ["80.82.64.0/20", "185.220.100.0/22"] },
  { continent: "EU", country: ["FR", "France"], region: ["HDF", "Hauts-de-France"], city: "Roubaix", postalCode: "59100", timezone: "Europe/Paris", location: [50.6942, 3.1746], operator: "Servers Roubaix", networks: ["51.68.0.0/16", "2001:41d0::/32"] },
  { continent: "EU", country: ["ES", "Spain"], region: ["MD", "Madrid"], city: "Madrid", postalCode: "28013", timezone: "Europe/Madrid", location: [40.4168, -3.7038], operator: "Fibra Madrid", networks: ["88.0.0.0/12", "83.32.0.0/13"] },
  { continent: "EU", country: ["IT", "Italy"], region: ["25", "Lombardy"], city: "Milan", postalCode: "20121", timezone: "Europe/Rome", location: [45.4643, 9.1895], operator: "Rete Milano", networks: ["79.0.0.0/12", "151.0.0.0/12"] },
  { continent: "EU", country: ["PL", "Poland"], region: ["14", "Mazovia"], city: "Warsaw", postalCode: "00-001", timezone: "Europe/Warsaw", location: [52.2297, 21.0122], operator: "University Warsaw", networks: ["83.0.0.0/13"] },
  { continent: "EU", country: ["RO", "Romania"], region: ["B", "București"], city: "Bucharest", timezone: "Europe/Bucharest", location: [44.4268, 26.1025], operator: "Hosting Bucharest", networks: ["86.120.0.0/13", "193.32.160.0/21"] },
  { continent: "EU", country: ["UA", "Ukraine"], region: ["30", "Kyiv City"], city: "Kyiv", timezone: "Europe/Kyiv", location: [50.4501, 30.5234], operator: "Exchange Kyiv", networks: ["93.72.0.0/13"] },
  { continent: "EU", country: ["RU", "Russia"], region: ["MOW", "Moscow"], city: "Moscow", postalCode: "101000", timezone: "Europe/Moscow", location: [55.7558, 37.6173], operator: "Hosting Moscow", networks: ["95.24.0.0/13", "45.140.16.0/22"] },
  { continent: "EU", country: ["TR", "Türkiye"], region: ["34", "Istanbul"], city: "Istanbul", postalCode: "34110", timezone: "Europe/Istanbul", location: [41.0082, 28.9784], operator: "Telecom Istanbul", networks: ["78.160.0.0/11"] },
  { continent: "AS", country: ["IN", "India"], region: ["MH", "Maharashtra"], city: "Mumbai", postalCode: "400001", timezone: "Asia/Kolkata", location: [19.076, 72.8777], operator: "Broadband Mumbai", networks: ["117.192.0.0/10", "103.21.124.0/22"] },
  { continent: "AS", country: ["VN", "Vietnam"], region: ["HN", "Hanoi"], city: "Hanoi", timezone: "Asia/Ho_Chi_Minh", location: [21.0278, 105.8342], operator: "Mobile Hanoi", networks: ["14.160.0.0/11", "2402:800::/32"] },
  { continent: "AS", country: ["KR", "South Korea"], region: ["11", "Seoul"], city: "Seoul", timezone: "Asia/Seoul", location: [37.5665, 126.978], operator: "Fiber Seoul", networks: ["121.128.0.0/10"] },
  { continent: "AS", country: ["SG", "Singapore"], region: ["01", "Central Singapore"], city: "Singapore", timezone: "Asia/Singapore", location: [1.2897, 103.8501], operator: "Cloud Singapore", networks: ["128.199.64.0/18", "2400:6180::/32"] },
  { continent: "SA", country: ["BR", "Brazil"], region: ["SP", "São Paulo"], city: "São Paulo", postalCode: "01000", timezone: "America/Sao_Paulo", location: [-23.5505, -46.6333], operator: "Banda Larga", networks: ["177.0.0.0/11", "2804:14c::/32"] },
  { continent: "SA", country: ["AR", "Argentina"], region: ["C", "Buenos Aires F.D."], city: "Buenos Aires", timezone: "America/Argentina/Buenos_Aires", location: [-34.6037, -58.3816], operator: "Cable del Plata", networks: ["181.0.0.0/11"] },
  { continent: "NA", country: ["CA", "Canada"], region: ["QC", "Quebec"], city: "Beauharnois", postalCode: "J6N", timezone: "America/Toronto", location: [45.3168, -73.8779], operator: "Servers Beauharnois", networks: ["142.44.128.0/17"] },
  { continent: "NA", country: ["MX", "Mexico"], region: ["CMX", "Mexico City"], city: "Mexico City", postalCode: "06000", timezone: "America/Mexico_City", location: [19.4326, -99.1332], operator: "Telefonía Centro", networks: ["187.128.0.0/11"] },
  { continent: "AF", country: ["ZA", "South Africa"], region: ["GP", "Gauteng"], city: "Johannesburg", postalCode: "2000", timezone: "Africa/Johannesburg", location: [-26.2041, 28.0473], operator: "Wireless Gauteng", networks: ["41.0.0.0/11", "2c0f:f248::/32"] },
  { continent: "AF", country: ["NG", "Nigeria"], region: ["LA", "Lagos"], city: "Lagos", timezone: "Africa/Lagos", location: [6.455, 3.3841], operator: "Mobile Lagos", networks: ["105.112.0.0/12"] },
];

/** 64496 to 64511 and 65536 to 65551 (RFC 5398). */
const documentationAsNumbers = Array.from({ length: 32 }, (_, i) => (i < 16 ? 64_496 : 65_536 - 16) + i);

const common = {
  ipVersion: 6,
  recordSize: 24,
  // 2026-01-01, a fixed date: every run writes the same bytes.
  buildEpoch: 1_767_225_600,
  languages: ["en"],
  description: "Invented for tests",
} as const;

function networksOf(recordOf: (place: InventedPlace, index: number) => Value) {
  return places.flatMap((place, index) => {
    const record = recordOf(place, index);
    return place.networks.map((network) => [network, record] as const);
  });
}

/** The files by name: city.mmdb and asn.mmdb. */
export const inventedDatabases: Readonly<Record<"city.mmdb" | "asn.mmdb", Uint8Array>> = {
  "city.mmdb": writeDatabase({ ...common, type: "Invented-City", networks: networksOf(cityRecord) }),
  "asn.mmdb": writeDatabase({ ...common, type: "Invented-ASN", networks: networksOf(asnRecord) }),
};

function cityRecord({
  continent,
  country,
  region,
  city,
  postalCode,
  timezone,
  location,
}: InventedPlace): Value {
  return {
    city: { names: { en: city } },
    continent: { code: continent, names: { en: continents[continent] } },
    country: { iso_code: country[0], names: { en: country[1] } },
    location: { latitude: double(location[0]), longitude: double(location[1]), time_zone: timezone },
    ...(postalCode === undefined ? {} : { postal: { code: postalCode } }),
    subdivisions: [{ iso_code: region[0], names: { en: region[1] } }],
  };
}

function asnRecord({ operator }: InventedPlace, index: number): Value {
  const number = documentationAsNumbers[index];
  if (number === undefined) throw new Error(`no AS number for documentation is left for ${operator}`);
  return {
    autonomous_system_number: number,
    autonomous_system_organization: `Example ${operator} (invented)`,
  };
}
