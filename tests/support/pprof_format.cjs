// Profiles as npm's `pprof-format` has them: `decode FILES` prints, a line each, what their functions add up to by one
// kind of value; `encode FILE` writes the profile that is described on standard input.
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");
const { gunzipSync, gzipSync } = require("node:zlib");
const pprof = require("pprof-format");

function decode(kind, file) {
  const data = readFileSync(file);
  const profile = pprof.Profile.decode(data[0] === 0x1f ? gunzipSync(data) : data);
  const text = (index) => profile.stringTable.strings[Number(index)];
  const names = new Map(profile.function.map((each) => [Number(each.id), text(each.name)]));
  const places = new Map(
    profile.location.map((each) => [
      Number(each.id),
      each.line.length ? each.line.map((line) => names.get(Number(line.functionId))) : [unnamed(profile, each, text)],
    ]),
  );
  const kinds = profile.sampleType.map((each) => text(each.type));
  const at = kinds.indexOf(kind);
  const flat = {};
  const cum = {};
  let total = 0;
  for (const sample of profile.sample) {
    const value = Number(sample.value[at]);
    const stack = sample.locationId.flatMap((id) => places.get(Number(id)));
    total += value;
    if (!stack.length || !value) continue;
    flat[stack[0]] = (flat[stack[0]] ?? 0) + value;
    for (const name of new Set(stack)) cum[name] = (cum[name] ?? 0) + value;
  }
  return { kinds, total, flat, cum, seconds: Number(profile.durationNanos) / 1e9 };
}

function unnamed(profile, location, text) {
  const mapping = profile.mapping.find((each) => Number(each.id) === Number(location.mappingId));
  const file = mapping ? text(mapping.filename).split("/").pop() : "";
  return `${file} 0x${BigInt(location.address).toString(16)}`.trim();
}

function encode(file, { kinds, stacks }) {
  const strings = new pprof.StringTable();
  const functions = new Map();
  const location = [];
  const sample = stacks.map(([places, value]) => {
    const locationId = places.map((lines) => {
      const line = lines.map((name) => {
        if (!functions.has(name)) {
          const id = functions.size + 1;
          functions.set(name, new pprof.Function({ id, name: strings.dedup(name) }));
        }
        return new pprof.Line({ functionId: functions.get(name).id, line: 7 });
      });
      location.push(new pprof.Location({ id: location.length + 1, line }));
      return location.length;
    });
    return new pprof.Sample({ locationId, value });
  });
  const sampleType = kinds.map(([type, unit]) => new pprof.ValueType({ type: strings.dedup(type), unit: strings.dedup(unit) }));
  const profile = new pprof.Profile({
    sampleType, sample, location, function: [...functions.values()], stringTable: strings, durationNanos: 2_000_000_000,
  });
  writeFileSync(file, gzipSync(profile.encode()));
}

const [verb, ...words] = process.argv.slice(2);
if (verb === "decode") {
  const [kind, ...files] = words;
  for (const file of files) console.log(JSON.stringify(decode(kind, file)));
} else {
  encode(words[0], JSON.parse(readFileSync(0, "utf8")));
}
