// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createAccessTokens, type AccessClaims } from '#core/token/access-token.ts'
import { MAX_AHEAD_SECONDS, readAssertion, SKEW_SECONDS } from '#core/token/assertion.ts'

const NOW = 1_790_000_000
const AUDIENCE = 'https://bridge.example/a/oauth/token'
const GOOD = { iss: 'ehr', sub: 'ehr', aud: AUDIENCE, exp: NOW + 240, jti: 'x1' }
const read = (changed: object) => readAssertion({ ...GOOD, ...changed }, [AUDIENCE], NOW * 1000)

describe('an assertion', () => {
  it('says who, and until when it must not come again', () => {
    expect(read({})).toEqual({ client: 'ehr', jti: 'x1', keptUntilMs: (GOOD.exp + 2 * SKEW_SECONDS) * 1000 })
  })

  it.each([
    { exp: NOW + MAX_AHEAD_SECONDS + SKEW_SECONDS },
    { exp: NOW - SKEW_SECONDS + 1 },
    { aud: [AUDIENCE] },
    { nbf: NOW + SKEW_SECONDS, iat: NOW - 9999 },
  ])('with %j is taken', (changed) => {
    expect(read(changed).client).toBe('ehr')
  })

  it.each([
    [{ exp: NOW + MAX_AHEAD_SECONDS + SKEW_SECONDS + 1 }, /ahead/],
    [{ exp: NOW - SKEW_SECONDS }, /past/],
    [{ exp: String(NOW + 1) }, /exp is not a time/],
    [{ exp: undefined }, /exp is not a time/],
    [{ exp: Number.NaN }, /exp is not a time/],
    [{ exp: 1e300 }, /exp is not a time/],
    [{ nbf: NOW + SKEW_SECONDS + 1 }, /nbf is still to come/],
    [{ iat: NOW + SKEW_SECONDS + 1 }, /iat is still to come/],
    [{ iat: 'now' }, /iat is not a time/],
    [{ iss: 'other' }, /iss and sub/],
    [{ sub: undefined }, /iss and sub/],
    [{ iss: undefined, sub: undefined }, /iss and sub/],
    [{ iss: '', sub: '' }, /iss and sub/],
    [{ aud: 'https://other.example/token' }, /aud/],
    [{ aud: `${AUDIENCE}/` }, /aud/],
    [{ aud: [AUDIENCE, 'https://other.example/token'] }, /aud/],
    [{ aud: [] }, /aud/],
    [{ aud: undefined }, /aud/],
    [{ jti: undefined }, /jti/],
    [{ jti: '' }, /jti/],
    [{ jti: 5 }, /jti/],
    [{ jti: 'j'.repeat(257) }, /jti/],
  ])('with %j is refused', (changed, message) => {
    expect(() => read(changed)).toThrow(
      expect.objectContaining({ code: 'UNAUTHORIZED', message: expect.stringMatching(message) }),
    )
  })
})

describe('an access token', () => {
  const CLAIMS: AccessClaims = {
    id: 't1',
    client: 'ehr',
    registration: 'r1',
    scope: 'system/*.rs',
    iat: NOW,
    exp: NOW + 300,
  }
  const secret = new Uint8Array(32).fill(7)
  const tokens = createAccessTokens(secret, 'fhir')

  it('says to whoever has the secret what was said when it was issued', async () => {
    const token = await tokens.issue(CLAIMS)
    expect(await createAccessTokens(secret, 'fhir').open(token)).toEqual(CLAIMS)
  })

  it('of another secret, of another use, changed anywhere or cut is not one', async () => {
    const token = await tokens.issue(CLAIMS)
    const foreign = [
      await createAccessTokens(new Uint8Array(32).fill(8), 'fhir').issue(CLAIMS),
      await createAccessTokens(secret, 'home').issue(CLAIMS),
      ...Array.from(
        token,
        (symbol, i) => token.slice(0, i) + (symbol === 'A' ? 'B' : 'A') + token.slice(i + 1),
      ),
      token.slice(0, -1),
      token.split('.')[0] ?? '',
      `${token}.x`,
      '',
    ]
    for (const other of foreign) {
      await expect(tokens.open(other)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        message: 'the access token is not one of this endpoint',
      })
    }
  })
})
