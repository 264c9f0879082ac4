// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  formatScopes,
  intersection,
  isAllowed,
  MAX_SCOPE_CHARACTERS,
  parseScopes,
  type Interaction,
} from '#core/token/scopes.ts'

const TYPES = ['*', 'Observation', 'Patient', 'Condition']
const INTERACTIONS: readonly Interaction[] = ['c', 'r', 'u', 'd', 's']
const letters = fc.subarray([...INTERACTIONS], { minLength: 1 }).map((chosen) => chosen.join(''))
const permission = fc.oneof(letters, fc.constantFrom('read', 'write', '*'))
const scope = fc.tuple(fc.constantFrom(...TYPES), permission).map(([type, what]) => `system/${type}.${what}`)
const scopes = fc.array(scope, { minLength: 1, maxLength: 8 })
const asked = fc.tuple(fc.constantFrom(...INTERACTIONS), fc.constantFrom('Observation', 'Patient', 'Device'))
const normal = (text: string) => formatScopes(parseScopes(text))

describe('scopes', () => {
  it('allow, as one, what any of them allows alone', () => {
    fc.assert(
      fc.property(scopes, asked, (words, [interaction, type]) => {
        const alone = words.some((word) => isAllowed(parseScopes(word), interaction, type))
        expect(isAllowed(parseScopes(words.join(' ')), interaction, type)).toBe(alone)
      }),
    )
  })

  it('have one text, whatever their order and however often they are said', () => {
    fc.assert(
      fc.property(scopes, fc.func(fc.integer()), (words, weight) => {
        const text = normal(words.join(' '))
        expect(normal(text)).toBe(text)
        const others = [...words, ...words].toSorted((a, b) => weight(a) - weight(b))
        expect(normal(others.join(' '))).toBe(text)
      }),
    )
  })

  it('have in common what each of both allows', () => {
    fc.assert(
      fc.property(scopes, scopes, asked, (a, b, [interaction, type]) => {
        const [one, other] = [parseScopes(a.join(' ')), parseScopes(b.join(' '))]
        const common = intersection(one, other)
        expect(isAllowed(common, interaction, type)).toBe(
          isAllowed(one, interaction, type) && isAllowed(other, interaction, type),
        )
        expect(formatScopes(intersection(other, one))).toBe(formatScopes(common))
        expect(formatScopes(intersection(one, one))).toBe(formatScopes(one))
        if (common.size > 0) expect(normal(formatScopes(common))).toBe(formatScopes(common))
      }),
    )
  })

  it.each([
    ['system/*.read', 'system/*.rs'],
    ['system/Patient.write', 'system/Patient.cud'],
    ['system/Patient.*', 'system/Patient.cruds'],
    ['system/Observation.r system/Observation.s system/*.s', 'system/*.s system/Observation.r'],
    ['system/*.cruds system/Observation.rs', 'system/*.cruds'],
    [
      'openid launch/patient user/*.rs patient/Observation.rs a/b.rs system/Observation.rs',
      'system/Observation.rs',
    ],
    ['openid fhirUser', ''],
  ])('%s are %j', (given, text) => {
    expect(normal(given)).toBe(text)
  })

  it.each([
    'system/Observation.dus ',
    'system/Observation.sr',
    'system/Observation.rr',
    'system/Observation.',
    'system/Observation.reads',
    'system/observation.rs',
    'system/.rs',
    'system/Observation',
    'system/Observation/1.rs',
    ' system/*.rs',
    'system/*.rs  system/*.c',
    'system/*.rs\tsystem/*.c',
    'system/*.rs"',
    '',
    `system/*.rs ${'x'.repeat(MAX_SCOPE_CHARACTERS)}`,
  ])('that are written %j are refused', (text) => {
    expect(() => parseScopes(text)).toThrow(expect.objectContaining({ code: 'REQUEST_MALFORMED' }))
  })

  it('that a query narrows are refused: to ignore it would allow more', () => {
    expect(() => parseScopes('system/Observation.rs?category=laboratory')).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    )
  })
})
