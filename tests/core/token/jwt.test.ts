// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chooseKey, readKeySet, type ClientKey } from '#core/token/client-keys.ts'
import { isSignedBy, parseJwt } from '#core/token/jwt.ts'
import { ecPair, rsaPair, signJwt, type ClientKeyPair } from './clients.ts'

const published = JSON.parse(
  readFileSync(new URL('../../vectors/smart/inferno.json', import.meta.url), 'utf8'),
) as { jwks: unknown; rs384: string }
const rsa = rsaPair('rsa-1')
const ec = ecPair('ec-1')
const keyOf = (jwk: object): ClientKey => {
  const [key] = readKeySet({ keys: [jwk] }).keys
  if (!key) throw new Error('not a key of a client')
  return key
}
const signed = (pair: ClientKeyPair, header: object = {}) =>
  signJwt(pair, { alg: pair.alg, kid: pair.jwk['kid'], ...header }, { iss: 'ehr' })
const why = (jwk: object) => readKeySet({ keys: [jwk] }).unusable[0]?.why

describe('a JWT', () => {
  it('that others published verifies with their key, and with no bit of it changed', async () => {
    const { keys } = readKeySet(published.jwks)
    const jwt = parseJwt(published.rs384)
    const key = chooseKey(keys, jwt.header.kid, jwt.header.alg)
    if (!key) throw new Error('the key is not in the set')
    expect(await isSignedBy(jwt, key)).toBe(true)
    expect(jwt.claims['iss']).toBe('inferno-my-clinic-bulk-client')
    for (const part of ['signed', 'signature'] as const) {
      const bytes = jwt[part].slice()
      bytes[7] = (bytes[7] ?? 0) ^ 1
      expect(await isSignedBy({ ...jwt, [part]: bytes }, key)).toBe(false)
    }
  })

  it.each([
    ['RS384', rsa],
    ['ES384', ec],
  ])('signed with %s verifies with its own key only', async (_, pair) => {
    const jwt = parseJwt(signed(pair))
    const other = pair === rsa ? rsaPair('rsa-1') : ecPair('ec-1')
    expect(await isSignedBy(jwt, keyOf(pair.jwk))).toBe(true)
    expect(await isSignedBy(jwt, keyOf(other.jwk))).toBe(false)
  })

  it('that names another algorithm than its key has does not verify', async () => {
    const jwt = parseJwt(signed(ec, { alg: 'RS384', kid: 'rsa-1' }))
    expect(await isSignedBy(jwt, keyOf(ec.jwk))).toBe(false)
    expect(await isSignedBy(jwt, keyOf(rsa.jwk))).toBe(false)
  })

  it.each(['none', 'HS256', 'HS384', 'RS256', 'ES256', 'PS384', 'EdDSA', ''])(
    'with alg %j is refused before any key is looked for',
    (alg) => {
      expect(() => parseJwt(signed(rsa, { alg }))).toThrow(/alg of the JWT is not RS384 or ES384/)
    },
  )

  it('whose MAC was made with the public key is refused', () => {
    const text = signed(rsa, { alg: 'HS384' }).split('.').slice(0, 2).join('.')
    const mac = createHmac('sha384', JSON.stringify(rsa.jwk)).update(text).digest('base64url')
    expect(() => parseJwt(`${text}.${mac}`)).toThrow(/alg/)
  })

  it.each([
    ['no kid', signJwt(rsa, { alg: 'RS384' }, {}), /kid/],
    ['another typ', signed(rsa, { typ: 'at+jwt' }), /typ/],
    ['crit', signed(rsa, { crit: ['b64'], b64: false }), /crit/],
    ['a jku that is no text', signed(rsa, { jku: 5 }), /jku/],
    ['claims that are a list', signJwt(rsa, { alg: 'RS384', kid: 'rsa-1' }, []), /claims/],
    ['two segments', signed(rsa).split('.').slice(0, 2).join('.'), /three segments/],
    ['four segments', `${signed(rsa)}.`, /three segments/],
    ['too much', `${signed(rsa)}${'A'.repeat(9000)}`, /three segments/],
    ['padding', `${signed(rsa)}=`, /base64url/],
    ['a header that is no JSON', `e30x.e30.AA`, /header of the JWT is not JSON/],
    ['a header that is a number', `NQ.e30.AA`, /header of the JWT is not a JSON object/],
  ])('with %s is refused', (_, text, message) => {
    expect(() => parseJwt(text)).toThrow(
      expect.objectContaining({ code: 'JWS_MALFORMED', message: expect.stringMatching(message) }),
    )
  })
})

describe('a key of a client', () => {
  it.each([
    ['an RSA key of 1,024 bits', rsaPair('k', 1024).jwk, /1024 bits/],
    ['an RSA key for encryption', { ...rsa.jwk, use: 'enc' }, /another use/],
    ['a key that signs only', { ...ec.jwk, key_ops: ['sign'] }, /key_ops/],
    ['a key for RS256', { ...rsa.jwk, alg: 'RS256' }, /another algorithm/],
    ['a key of P-256', ecPair('k', 'P-256', 'ES256').jwk, /P-384/],
    ['a secret', { kty: 'oct', k: 'AAAA', kid: 'k' }, /private/],
    ['a private key', { ...ec.privateKey.export({ format: 'jwk' }), kid: 'k' }, /private/],
    ['a key without kid', { ...ec.jwk, kid: undefined }, /kid/],
    ['a key of another type', { kty: 'OKP', crv: 'Ed25519', x: 'AA', kid: 'k' }, /neither RSA nor EC/],
    ['an exponent of 3', { ...rsa.jwk, e: 'Aw' }, /exponent/],
    ['an even exponent', { ...rsa.jwk, e: 'AQAC' }, /exponent/],
    ['a modulus of zeroes', { ...rsa.jwk, n: 'A'.repeat(400) }, /has 0 bits/],
    [
      'a modulus with leading zeroes',
      { ...rsa.jwk, n: `AAAA${String(rsaPair('k', 1024).jwk['n'])}` },
      /1024 bits/,
    ],
    ['a point of the wrong length', { ...ec.jwk, x: 'AAAA' }, /48 bytes/],
  ])('is not %s', (_, jwk, message) => {
    expect(why(jwk)).toMatch(message)
  })

  it('may have the members that sets have', () => {
    expect(
      why({ ...rsa.jwk, use: 'sig', key_ops: ['verify'], alg: 'RS384', ext: true, x5c: [] }),
    ).toBeUndefined()
  })

  it('that is not on its curve verifies nothing', async () => {
    const moved = keyOf({ ...ec.jwk, y: ec.jwk['x'] })
    expect(await isSignedBy(parseJwt(signed(ec)), moved)).toBe(false)
  })

  it('is chosen by kid and algorithm, and not where two could be meant', () => {
    const { keys } = readKeySet({ keys: [rsa.jwk, { ...ec.jwk, kid: 'rsa-1' }, ec.jwk, ec.jwk] })
    expect(chooseKey(keys, 'rsa-1', 'RS384')?.jwk.kty).toBe('RSA')
    expect(chooseKey(keys, 'rsa-1', 'ES384')?.jwk.kty).toBe('EC')
    expect(chooseKey(keys, 'ec-1', 'ES384')).toBeNull()
    expect(chooseKey(keys, 'ec-1', 'RS384')).toBeNull()
    expect(chooseKey(keys, 'unknown', 'RS384')).toBeNull()
  })

  it.each([null, [], {}, { keys: {} }, { keys: ['x'] }, { keys: Array.from({ length: 65 }, () => rsa.jwk) }])(
    'is in a JWK set, not in %j',
    (value) => {
      expect(() => readKeySet(value)).toThrow(expect.objectContaining({ code: 'KEY_MALFORMED' }))
    },
  )
})
