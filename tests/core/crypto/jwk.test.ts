// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { utf8 } from '#core/bytes/encoding.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { algorithmOf, checkPublicJwk, thumbprint } from '#core/crypto/jwk.ts'
import { generateSoftwareKey } from '#core/crypto/signature.ts'
import { seededRandom } from '#tests/deployment.ts'
import { wycheproof } from '#tests/vectors/wycheproof.ts'

const MALFORMED = expect.objectContaining({ code: 'KEY_MALFORMED' })
const keys = (['ES256', 'Ed25519', 'ML-DSA-44'] as const).map((alg) => ({
  alg,
  jwk: generateSoftwareKey(alg, seededRandom(8)).publicKey,
}))

describe('the thumbprint', () => {
  it('of RFC 7638 section 3.1 is the SHA-256 of the canonical members', () => {
    // The example's key is RSA, which is no key of ours, so its canonical form goes in as it stands there.
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
    expect(digestOf(utf8(`{"e":"AQAB","kty":"RSA","n":"${n}"}`))).toBe(
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    )
  })

  it('of RFC 8037 appendix A.3, Ed25519', () => {
    const jwk = {
      kty: 'OKP',
      crv: 'Ed25519',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    } as const
    expect(thumbprint(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it.each(keys)('of $alg takes the required members in order, whatever order they came in', ({ jwk }) => {
    const text = JSON.stringify(
      Object.fromEntries(Object.entries(jwk).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    )
    expect(thumbprint(jwk)).toBe(createHash('sha256').update(text).digest('base64url'))
    expect(thumbprint(Object.fromEntries(Object.entries(jwk).toReversed()) as typeof jwk)).toBe(
      thumbprint(jwk),
    )
  })
})

describe('a public key', () => {
  it('of P-256 is refused with its members cut elsewhere, also after the good one was taken', () => {
    const good = keys[0]?.jwk
    if (good?.kty !== 'EC') throw new Error('not the key of P-256')
    expect(checkPublicJwk(good)).toEqual(good)
    const cut = { ...good, x: good.x + good.y.slice(0, 1), y: good.y.slice(1) }
    expect(() => checkPublicJwk(cut)).toThrow(MALFORMED)
    expect(() => checkPublicJwk({ ...good, x: `${good.x}.${good.y}`, y: '' })).toThrow(MALFORMED)
    expect(() => checkPublicJwk({ ...good, x: [good.x] })).toThrow(MALFORMED)
  })

  it.each(keys)('of $alg is taken as it is, and names its algorithm', ({ alg, jwk }) => {
    expect(checkPublicJwk(jwk)).toEqual(jwk)
    expect(algorithmOf(jwk)).toBe(alg)
  })

  it.each(keys)('of $alg is refused with a member more, a member less or a member misspelt', ({ jwk }) => {
    for (const extra of [{ kid: 'a' }, { d: 'AA' }, { use: 'sig' }, { __proto__: null, alg2: 1 }]) {
      expect(() => checkPublicJwk({ ...jwk, ...extra })).toThrow(MALFORMED)
    }
    for (const [name, value] of Object.entries(jwk)) {
      const less: Record<string, string> = { ...jwk }
      delete less[name]
      const others = [`${value}=`, `${value}\n`, value.slice(0, -2), `${value}AA`, '', 1, null, [value]]
      expect(() => checkPublicJwk(less)).toThrow(MALFORMED)
      for (const other of others) expect(() => checkPublicJwk({ ...jwk, [name]: other })).toThrow(MALFORMED)
    }
  })

  it('has one spelling: slack bits in the last character are refused', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp'
    expect(() => checkPublicJwk({ kty: 'OKP', crv: 'Ed25519', x })).toThrow(MALFORMED)
  })

  it('of Wycheproof that is off its curve or of another curve is refused', () => {
    // Of the file's cases only the point and the curve concern a single public key of ours; the rest is about
    // key sets, RSA and symmetric keys, which Ampere does not have.
    for (const group of wycheproof('json_web_key')) {
      const [key] = (group['private'] as { keys: Record<string, string>[] }).keys
      const { kty, crv, x, y } = key ?? {}
      if (!['invalid_point', 'wrong_curve', 'wrong_kty'].includes(String(group['comment']))) continue
      expect(() => checkPublicJwk({ kty, crv, x, y })).toThrow(MALFORMED)
    }
  })

  it('is an object', () => {
    for (const value of [null, undefined, 1, 'EC', [], [1], {}])
      expect(() => checkPublicJwk(value)).toThrow(MALFORMED)
  })
})
