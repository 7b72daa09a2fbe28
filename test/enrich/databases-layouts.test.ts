import { describe, expect, test } from "bun:test";
import { readFacts } from "../../server/enrich/database-layouts.ts";

const linkoping = {
  city: { geoname_id: 2694762, names: { de: "Linköping", en: "Linköping" } },
  continent: { code: "EU", geoname_id: 6255148, names: { de: "Europa", en: "Europe" } },
  country: { geoname_id: 2661886, iso_code: "SE", names: { de: "Schweden", en: "Sweden" } },
  location: { accuracy_radius: 76, latitude: 58.4167, longitude: 15.6167, time_zone: "Europe/Stockholm" },
  postal: { code: "582 22" },
  registered_country: { iso_code: "DE", names: { en: "Germany" } },
  subdivisions: [{ iso_code: "E", names: { en: "Östergötland County" } }],
};

describe("MaxMind's layout", () => {
  test("a City record gives every fact of a place, with English names", () => {
    expect(readFacts(linkoping, "GeoLite2-City")).toEqual({
      network: undefined,
      place: {
        continentCode: "EU",
        continentName: "Europe",
        countryIsoCode: "SE",
        countryName: "Sweden",
        regionIsoCode: "SE-E",
        regionName: "Östergötland County",
        cityName: "Linköping",
        postalCode: "582 22",
        timezone: "Europe/Stockholm",
        location: { lat: 58.4167, lon: 15.6167 },
      },
    });
  });

  test("a Country record gives only continent and country", () => {
    const { continent, country, registered_country } = linkoping;
    expect(readFacts({ continent, country, registered_country }, "GeoLite2-Country").place).toEqual({
      continentCode: "EU",
      continentName: "Europe",
      countryIsoCode: "SE",
      countryName: "Sweden",
    });
  });

  test("an ASN record gives the network", () => {
    const record = { autonomous_system_number: 1221, autonomous_system_organization: "Telstra Pty Ltd" };
    expect(readFacts(record, "GeoLite2-ASN")).toEqual({
      network: { asNumber: 1221, asOrganizationName: "Telstra Pty Ltd" },
      place: undefined,
    });
  });

  test("an Enterprise record gives the network under its traits", () => {
    const traits = { autonomous_system_number: 29518, autonomous_system_organization: "Bredband2 AB" };
    const facts = readFacts({ ...linkoping, traits }, "GeoIP2-Enterprise");
    expect(facts.network).toEqual({ asNumber: 29518, asOrganizationName: "Bredband2 AB" });
    expect(facts.place?.cityName).toBe("Linköping");
  });

  test("the country in which the network is registered is not the place", () => {
    const { registered_country } = linkoping;
    expect(readFacts({ registered_country }, "GeoLite2-Country").place).toBeUndefined();
  });

  test("the largest of several subdivisions is the region", () => {
    const subdivisions = [
      { iso_code: "ENG", names: { en: "England" } },
      { iso_code: "WBK", names: { en: "West Berkshire" } },
    ];
    const place = readFacts({ country: { iso_code: "GB" }, subdivisions }, "GeoIP2-City").place;
    expect(place).toEqual({ countryIsoCode: "GB", regionIsoCode: "GB-ENG", regionName: "England" });
  });

  test("a subdivision without its country has no ISO 3166-2 code", () => {
    const place = readFacts({ subdivisions: linkoping.subdivisions }, "GeoIP2-City").place;
    expect(place).toEqual({ regionName: "Östergötland County" });
  });

  test("a location of 0,0 is a location", () => {
    const record = { location: { latitude: 0, longitude: 0 } };
    expect(readFacts(record, "GeoLite2-City").place).toEqual({ location: { lat: 0, lon: 0 } });
  });

  test("half a location is not a location", () => {
    expect(readFacts({ location: { latitude: 58.4 } }, "GeoLite2-City").place).toBeUndefined();
  });

  test("a name in another language is not used as the English one", () => {
    const place = readFacts(
      { country: { iso_code: "SE", names: { de: "Schweden" } } },
      "GeoLite2-City",
    ).place;
    expect(place).toEqual({ countryIsoCode: "SE" });
  });
});

describe("DB-IP's databases", () => {
  test("a City Lite record gives a place without region code and timezone", () => {
    const record = {
      city: { names: { en: "Mountain View" } },
      continent: { code: "NA", geoname_id: 6255149, names: { en: "North America" } },
      country: { iso_code: "US", is_in_european_union: false, names: { en: "United States" } },
      location: { latitude: 37.4223, longitude: -122.085 },
      subdivisions: [{ names: { en: "California" } }],
    };
    expect(readFacts(record, "DBIP-City-Lite").place).toEqual({
      continentCode: "NA",
      continentName: "North America",
      countryIsoCode: "US",
      countryName: "United States",
      regionName: "California",
      cityName: "Mountain View",
      location: { lat: 37.4223, lon: -122.085 },
    });
  });

  test("country ZZ means an unknown one", () => {
    expect(readFacts({ country: { iso_code: "ZZ" } }, "DBIP-Country-Lite").place).toBeUndefined();
  });
});

describe("IPinfo's databases", () => {
  test("a country_asn record gives place and network", () => {
    const record = {
      asn: "AS8075",
      as_name: "Microsoft Corporation",
      as_domain: "microsoft.com",
      continent: "AS",
      continent_name: "Asia",
      country: "JP",
      country_name: "Japan",
    };
    expect(readFacts(record, "ipinfo generic_country_free_country_asn.mmdb")).toEqual({
      network: { asNumber: 8075, asOrganizationName: "Microsoft Corporation" },
      place: { continentCode: "AS", continentName: "Asia", countryIsoCode: "JP", countryName: "Japan" },
    });
  });

  test("a Lite record, in which country and continent are names, gives the same facts", () => {
    const record = {
      asn: "AS8075",
      as_name: "Microsoft Corporation",
      continent: "Asia",
      continent_code: "AS",
      country: "Japan",
      country_code: "JP",
    };
    expect(readFacts(record, "ipinfo generic_lite.mmdb")).toEqual({
      network: { asNumber: 8075, asOrganizationName: "Microsoft Corporation" },
      place: { continentCode: "AS", continentName: "Asia", countryIsoCode: "JP", countryName: "Japan" },
    });
  });

  test("a standard_location record gives a place from strings", () => {
    const record = {
      city: "Yokohama",
      region: "Kanagawa",
      country: "JP",
      lat: "35.43333",
      lng: "-139.65",
      postal_code: "220-8588",
      timezone: "Asia/Tokyo",
    };
    expect(readFacts(record, "ipinfo standard_location.mmdb").place).toEqual({
      countryIsoCode: "JP",
      regionName: "Kanagawa",
      cityName: "Yokohama",
      postalCode: "220-8588",
      timezone: "Asia/Tokyo",
      location: { lat: 35.43333, lon: -139.65 },
    });
  });

  test("a Core record gives a region code and a location from numbers", () => {
    const record = {
      country_code: "AU",
      region: "New South Wales",
      region_code: "NSW",
      latitude: -33.8,
      longitude: 151.2,
    };
    expect(readFacts(record, "ipinfo bundle_location_core.mmdb").place).toEqual({
      continentCode: "OC",
      continentName: "Oceania",
      countryIsoCode: "AU",
      countryName: "Australia",
      regionIsoCode: "AU-NSW",
      regionName: "New South Wales",
      location: { lat: -33.8, lon: 151.2 },
    });
  });

  test("an ASN record gives the network", () => {
    const record = { asn: "AS15169", name: "Google LLC", domain: "google.com", route: "8.8.8.0/24" };
    expect(readFacts(record, "ipinfo generic_asn_free.mmdb")).toEqual({
      network: { asNumber: 15169, asOrganizationName: "Google LLC" },
      place: undefined,
    });
  });

  test('a location of "0","0" without a city is unknown', () => {
    const record = { city: "", country: "JP", lat: "0", lng: "0" };
    expect(readFacts(record, "ipinfo standard_location.mmdb").place).toEqual({ countryIsoCode: "JP" });
  });

  test('a location of "0","0" with a city is real', () => {
    const record = { city: "Null Island", lat: "0", lng: "0" };
    expect(readFacts(record, "ipinfo standard_location.mmdb").place?.location).toEqual({ lat: 0, lon: 0 });
  });

  test("empty strings are left out", () => {
    const record = { asn: "", as_name: "", country: "", country_name: "", city: "" };
    expect(readFacts(record, "ipinfo free")).toEqual({ network: undefined, place: undefined });
  });

  test("the record decides the layout if the database's type does not name IPinfo", () => {
    expect(readFacts({ country: "JP", asn: "AS8075" }, "merged")).toEqual({
      network: { asNumber: 8075 },
      place: { countryIsoCode: "JP" },
    });
  });
});

describe("ip-location-db's databases", () => {
  const mountainView = {
    city: "Mountain View",
    country_code: "US",
    latitude: Math.fround(37.422),
    longitude: Math.fround(-122.085),
    postcode: "94043",
    state1: "California",
    state2: "Santa Clara",
    timezone: "",
  };

  test("a city record gives the region's name, the postal code, and names for the country's code", () => {
    expect(readFacts(mountainView, "city ipv4").place).toEqual({
      continentCode: "NA",
      continentName: "North America",
      countryIsoCode: "US",
      countryName: "United States",
      regionName: "California",
      cityName: "Mountain View",
      postalCode: "94043",
      location: { lat: 37.422, lon: -122.085 },
    });
  });

  test("a country record gives its continent too", () => {
    expect(readFacts({ country_code: "SE" }, "country ipvAll").place).toEqual({
      continentCode: "EU",
      continentName: "Europe",
      countryIsoCode: "SE",
      countryName: "Sweden",
    });
  });

  test("a code that is not a country's has no names", () => {
    expect(readFacts({ country_code: "QX" }, "country").place).toEqual({ countryIsoCode: "QX" });
  });

  test("names that the record has count", () => {
    const record = { country_code: "TR", country: "Turkey", continent_code: "EU" };
    expect(readFacts(record, "country").place).toEqual({
      continentCode: "EU",
      continentName: "Europe",
      countryIsoCode: "TR",
      countryName: "Turkey",
    });
  });
});

describe("a coordinate that was stored in 32 bits", () => {
  const latitudeOf = (latitude: number) =>
    readFacts({ location: { latitude, longitude: 0 } }, "GeoLite2-City").place?.location?.lat;

  test.each([37.422, 51.5143, -0.0912244, 0.1, 35.6869, 1e-7, 89.99999, -33.8688, 58.4167, 0, 16777.216e-3])(
    "%p has the digits that it was written with",
    (degrees) => {
      expect(latitudeOf(Math.fround(degrees))).toBe(degrees);
    },
  );

  test("reads back as the same 32 bits, with no digit to spare", () => {
    const bytes = new DataView(new ArrayBuffer(4));
    for (let i = 0; i < 5_000; i++) {
      bytes.setFloat32(0, Math.sin(i) * 90);
      const stored = bytes.getFloat32(0);
      const text = String(latitudeOf(stored));
      expect(Math.fround(Number(text))).toBe(stored);
      const digits = text.replace(/^-?0?\.?0*|\./g, "").length;
      expect(Math.fround(Number(stored.toPrecision(Math.max(1, digits - 1)))) === stored && digits > 1).toBe(
        false,
      );
    }
  });

  test("one that was stored in 64 bits keeps all of its digits", () => {
    expect(latitudeOf(37.4220008850098)).toBe(37.4220008850098);
  });
});

describe("values that a database should not have", () => {
  test.each([null, undefined, 7, "text", [], [{}], {}, Buffer.from("bytes")].map((record) => ({ record })))(
    "$record gives no facts",
    ({ record }) => {
      expect(readFacts(record, "GeoLite2-City")).toEqual({ network: undefined, place: undefined });
    },
  );

  test.each([
    -1,
    1.5,
    4294967296,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    5n,
    true,
    {},
    "1221",
    "AS",
    "AS99999999999",
  ])("an AS number %p is left out", (number) => {
    expect(readFacts({ autonomous_system_number: number }, "GeoLite2-ASN").network).toBeUndefined();
    expect(readFacts({ asn: number }, "ipinfo asn").network).toBeUndefined();
  });

  test.each([0, 4294967295])("an AS number %p is accepted", (number) => {
    expect(readFacts({ autonomous_system_number: number }, "x").network).toEqual({ asNumber: number });
  });

  test.each([
    [90.1, 0],
    [-90.1, 0],
    [0, 180.1],
    [0, -180.1],
    [Number.NaN, 0],
    [0, Number.POSITIVE_INFINITY],
    ["58.4", {}],
    [true, 15],
    [1n, 1n],
    ["", ""],
    ["0x10", "1"],
    ["1e1", "1"],
  ])("a location %p, %p is left out", (latitude, longitude) => {
    expect(readFacts({ location: { latitude, longitude } }, "GeoLite2-City").place).toBeUndefined();
    expect(readFacts({ latitude, longitude }, "ipinfo location").place).toBeUndefined();
  });

  test("names of a wrong type are left out", () => {
    const record = {
      city: { names: { en: 7 } },
      continent: { code: 7, names: "Europe" },
      country: { iso_code: ["SE"], names: [] },
      location: { time_zone: {} },
      postal: { code: 58222 },
      subdivisions: { 0: { names: { en: "not an array" } } },
    };
    expect(readFacts(record, "GeoLite2-City").place).toBeUndefined();
  });

  test("a text over the bound is left out", () => {
    const longest = "x".repeat(256);
    const record = { autonomous_system_number: 1, autonomous_system_organization: `${longest}x` };
    expect(readFacts(record, "GeoLite2-ASN").network).toEqual({ asNumber: 1 });
    const kept = { ...record, autonomous_system_organization: longest };
    expect(readFacts(kept, "GeoLite2-ASN").network?.asOrganizationName).toBe(longest);
  });

  test.each(["se", "SWE", "S", "S\n", "<b"])("country code %p is left out", (iso_code) => {
    expect(readFacts({ country: { iso_code } }, "GeoLite2-City").place).toBeUndefined();
  });
});
