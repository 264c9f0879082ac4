// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { parseResource } from '#core/record/fhir/resource.ts'
import { locateJson } from '#core/record/json-source.ts'
import { validator } from '#tests/bridge-world.ts'

type Json = Record<string, unknown>
const observation: Json = {
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2020-05-01T10:00:00Z',
  valueQuantity: { value: 70, unit: 'kg' },
}
const patient: Json = { resourceType: 'Patient', id: 'p1', gender: 'female', birthDate: '1980-01-01' }
const condition: Json = {
  resourceType: 'Condition',
  id: 'c1',
  clinicalStatus: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
  },
  code: { text: 'x' },
  subject: { reference: 'Patient/p1' },
}
const without = (resource: Json, name: string): Json =>
  Object.fromEntries(Object.entries(resource).filter(([key]) => key !== name))

/** One fault each; every one must be caught by at least one of the three layers. */
const FAULTS: readonly (readonly [string, Json])[] = [
  ['a missing required element', without(observation, 'status')],
  ['a missing code', without(observation, 'code')],
  ['a code outside a required binding', { ...observation, status: 'bogus' }],
  ['a gender that is none', { ...patient, gender: 'xx' }],
  ['a gender in upper case', { ...patient, gender: 'F' }],
  ['a dateTime without a zone', { ...observation, effectiveDateTime: '2020-05-01T10:00:00' }],
  ['a dateTime that is none', { ...observation, effectiveDateTime: 'yesterday' }],
  ['a birth date with a time', { ...patient, birthDate: '1980-01-01T00:00:00Z' }],
  ['two types of one choice', { ...observation, valueString: 'also' }],
  ['a reference to a type that is not allowed', { ...observation, subject: { reference: 'Medication/m1' } }],
  ['an encounter that is a patient', { ...observation, encounter: { reference: 'Patient/p1' } }],
  ['an id with a character that is not allowed', { ...observation, id: 'a b' }],
  ['an id that is too long', { ...observation, id: 'x'.repeat(65) }],
  ['an empty array', { ...observation, category: [] }],
  ['an empty object', { ...observation, method: {} }],
  ['an empty string', { ...observation, code: { text: '' } }],
  ['an unknown element', { ...observation, unknownThing: 1 }],
  ['a misspelled element', { ...observation, effectivedateTime: '2020' }],
  ['a number as text', { ...observation, valueQuantity: { value: '70' } }],
  ['text as an object', { ...observation, status: { value: 'final' } }],
  ['an object where a list is expected', { ...observation, category: { text: 'x' } }],
  ['a list where an object is expected', { ...observation, code: [{ text: 'x' }] }],
  ['a boolean as text', { ...patient, active: 'true' }],
  [
    'contained resources that nobody refers to',
    { ...observation, contained: [{ resourceType: 'Patient', id: 'inner' }] },
  ],
  [
    'a script in the narrative',
    {
      ...patient,
      text: {
        status: 'generated',
        div: '<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>',
      },
    },
  ],
  [
    'an event handler in the narrative',
    {
      ...patient,
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml" onload="x"></div>' },
    },
  ],
  [
    'a narrative without a status',
    { ...patient, text: { div: '<div xmlns="http://www.w3.org/1999/xhtml"></div>' } },
  ],
  ['an extension without a url', { ...patient, extension: [{ valueString: 'x' }] }],
  ['an abated condition that is active (con-4)', { ...condition, abatementDateTime: '2020-01-01' }],
  ['an unknown resource type', { resourceType: 'Nonsense', id: 'n1' }],
]

describe('validation of FHIR R4', () => {
  it.each(FAULTS)('catches %s', (_, resource) => {
    expect(validator.validate(resource as never).filter((issue) => issue.severity === 'error')).not.toEqual(
      [],
    )
  })

  it('has thirty faults to catch, and accepts what they were made from', () => {
    expect(FAULTS).toHaveLength(30)
    for (const resource of [observation, patient, condition])
      expect(validator.validate(resource as never)).toEqual([])
  })

  it('rejects no resource of Synthea or of the US Core examples', () => {
    const rejected: string[] = []
    for (const folder of ['synthea-r4', 'us-core-examples']) {
      const base = new URL(`../../samples/${folder}/`, import.meta.url)
      for (const name of readdirSync(base)) {
        const root = parseResource(readFileSync(new URL(name, base), 'utf8'))
        const entries = (root['entry'] as { resource: Json }[] | undefined)?.map(
          (entry) => entry.resource,
        ) ?? [root]
        for (const resource of entries) {
          const issues = validator.validate(resource as never)
          if (issues.length > 0) rejected.push(`${name}: ${JSON.stringify(issues[0])}`)
        }
      }
    }
    expect(rejected).toEqual([])
  }, 60_000)

  it('never repeats a value in what it says', () => {
    const secret = 'Very-Secret-Name'
    const issues = validator.validate({
      ...patient,
      gender: secret,
      birthDate: secret,
      name: secret,
    } as never)
    expect(issues.length).toBeGreaterThan(0)
    expect(JSON.stringify(issues)).not.toContain(secret)
  })
})

describe('the JSON scanner', () => {
  it('finds exact slices that JSON.parse reads as the same values', () => {
    const text = '{ "a" : [ 1.00, "x\\u0041", {"b":null} ] , "c":-2e3 }'
    const items = locateJson(text).members?.get('a')?.items ?? []
    expect(items.map((item) => text.slice(item.start, item.end))).toEqual([
      '1.00',
      '"x\\u0041"',
      '{"b":null}',
    ])
  })

  it.each([
    ['', 'line 1'],
    ['{"a":1,"a":2}', 'twice'],
    ['[1,2', 'too early'],
    ['{"a"\n:\n"b', 'line 3'],
    ['9007199254740993', '2^53-1'],
    ['['.repeat(70), 'deeper'],
    ['01', 'after the value'],
    ['"\u0001"', 'control character'],
    ['nul', 'no JSON value'],
    ['"\\x"', 'escape'],
  ])('refuses %j and says where', (text, part) => {
    expect(() => locateJson(text)).toThrow(
      expect.objectContaining({ code: 'JSON_MALFORMED', message: expect.stringContaining(part) }),
    )
  })
})
