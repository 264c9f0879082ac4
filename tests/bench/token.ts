// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type webcrypto } from 'node:crypto'
import { memoryTable } from '#adapters/memory/table.ts'
import { createClients } from '#core/bridge/store/clients.ts'
import { createMarks } from '#core/bridge/store/marks.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import { ASSERTION_TYPE } from '#core/bridge/token/authenticate.ts'
import { openLogin, type Login } from '#core/bridge/token/login.ts'
import type { Random } from '#core/ports/keys.ts'
import { readKeySet } from '#core/token/client-keys.ts'
import { parseJwt } from '#core/token/jwt.ts'
import { parseScopes } from '#core/token/scopes.ts'
import { assertion, ecPair, rsaPair, type ClientKeyPair } from '#tests/core/token/clients.ts'
import { cpuMicros, figure, inTurn, perSecond, ratios, ROUNDS, type Bench, type Sample } from './measure.ts'

const TOKENS = 400
const CHECKS = 2000
/** As a server that many clients ask at once. */
const AT_ONCE = 16
const NOW_MS = 1_790_000_000_000
const BASE = 'https://bridge.example/a'
const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const VERIFIES = {
  RS384: [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' }, { name: 'RSASSA-PKCS1-v1_5' }],
  ES384: [
    { name: 'ECDSA', namedCurve: 'P-384' },
    { name: 'ECDSA', hash: 'SHA-384' },
  ],
} as const

export const bench: Bench = {
  question: 'How many access tokens does a bridge issue and check in a second?',
  run: async () => {
    const pairs = { RS384: rsaPair('rsa'), ES384: ecPair('ec') }
    const login = await openWith(Object.values(pairs))
    const forms = { RS384: formsOf(pairs.RS384), ES384: formsOf(pairs.ES384) }
    const raw = { RS384: await rawVerify('RS384', pairs.RS384), ES384: await rawVerify('ES384', pairs.ES384) }
    const { access_token: token } = await login.tokens.issue(
      formsOf(pairs.ES384)(ROUNDS)[0] ?? new URLSearchParams(),
    )
    const request = new Request(`${BASE}/fhir/Patient/p1`, { headers: { authorization: `Bearer ${token}` } })
    const samples = await inTurn({
      issueRs384: (round) => each(forms.RS384(round), (form) => login.tokens.issue(form)),
      rawRs384: () => each(Array.from({ length: TOKENS }), raw.RS384),
      issueEs384: (round) => each(forms.ES384(round), (form) => login.tokens.issue(form)),
      rawEs384: () => each(Array.from({ length: TOKENS }), raw.ES384),
      check: async () => {
        // One after the other: what a request waits for.
        for (let i = 0; i < CHECKS; i++) await login.authorize(request)
      },
    })
    const rate = (of: readonly Sample[]) => perSecond(TOKENS, of)
    const { issueRs384, rawRs384, issueEs384, rawEs384, check } = samples
    return {
      sizes: `${TOKENS} assertions a round, ${AT_ONCE} at once; RSA keys of 2048 bits; ${ROUNDS} rounds; table in memory`,
      figures: [
        figure('issue for RS384: parse, verify, use up jti, MAC', 'tokens/s', rate(issueRs384), {
          atLeast: 500,
        }),
        figure('floor: verify RS384', 'signatures/s', rate(rawRs384)),
        figure('ratio to the floor', '', ratios(rate(issueRs384), rate(rawRs384))),
        figure('issue for ES384', 'tokens/s', rate(issueEs384), { atLeast: 500 }),
        figure('floor: verify ES384', 'signatures/s', rate(rawEs384)),
        figure('ratio to the floor', '', ratios(rate(issueEs384), rate(rawEs384)), { atLeast: 0.5 }),
        figure('CPU per token for ES384', 'us', cpuMicros(TOKENS, issueEs384)),
        figure('CPU per signature of ES384', 'us', cpuMicros(TOKENS, rawEs384)),
        figure(
          'check a token: MAC, client, revocation',
          'ms',
          check.map(({ wallMs }) => wallMs / CHECKS),
          {
            atMost: 1,
          },
        ),
      ],
      doesNotShow:
        'HTTP, and what a table takes that is not in memory: issuing inserts one row and reads one, checking reads two.',
    }
  },
}

async function openWith(pairs: readonly ClientKeyPair[]): Promise<Login> {
  const [table, secret, now] = [memoryTable(), random(32), () => NOW_MS]
  const rows = createSealedRows(secret, random)
  const clients = createClients(table, rows, { now, random })
  const { keys } = readKeySet({ keys: pairs.map(({ jwk }) => jwk) })
  await clients.register({ id: 'ehr', name: 'EHR', jwksUrl: null, keys, scopes: parseScopes('system/*.rs') })
  const usedAssertions = createMarks(table, rows, 'used-assertion', now)
  const revokedTokens = createMarks(table, rows, 'revoked-token', now)
  const outside = () => Promise.reject(new TypeError('nobody is asked'))
  return openLogin(
    {
      store: { clients, usedAssertions, revokedTokens },
      secret,
      fetch: outside,
      deadline: () => new AbortController().signal,
      now,
      random,
      tokensPerMinute: Infinity,
    },
    BASE,
  )
}

/** The forms of each round, signed before anything is measured; no assertion is good twice. */
function formsOf(pair: ClientKeyPair): (round: number) => readonly URLSearchParams[] {
  const rounds = Array.from({ length: ROUNDS + 2 }, (_, round) =>
    Array.from({ length: TOKENS }, (__, i) =>
      formOf(pair, `${pair.alg} ${round} ${i} ${crypto.randomUUID()}`),
    ),
  )
  return (round) => rounds[round + 1] ?? []
}

function formOf(pair: ClientKeyPair, jti: string): URLSearchParams {
  const about = { client: 'ehr', aud: `${BASE}/oauth/token`, nowMs: NOW_MS, jti }
  return new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/*.rs',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion(pair, about),
  })
}

/** The signature alone, with a key that was imported before. */
async function rawVerify(alg: keyof typeof VERIFIES, pair: ClientKeyPair): Promise<() => Promise<boolean>> {
  const [importing, verifying] = VERIFIES[alg]
  const jwk = createPublicKey(pair.privateKey).export({ format: 'jwk' }) as webcrypto.JsonWebKey
  const key = await crypto.subtle.importKey('jwk', jwk, importing, false, ['verify'])
  const { signed, signature } = parseJwt(formOf(pair, 'raw').get('client_assertion') ?? '')
  return () => crypto.subtle.verify(verifying, key, signature, signed)
}

async function each<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) await Promise.all(items.slice(i, i + AT_ONCE).map(act))
}
