// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { AGAIN_MS, createKeySource, DEFAULT_AGE_SECONDS, MAX_AGE_SECONDS } from '#core/token/key-source.ts'
import { ecPair } from './clients.ts'

const URL_OF_SET = 'https://ehr.example/jwks.json'
const [first, second] = [ecPair('one'), ecPair('two')]

/** A client's server that counts how often it is asked. */
function publisher(headers: Record<string, string> = {}) {
  const at = { now: 1_000_000_000, asked: 0, keys: [first.jwk], status: 200, body: null as string | null }
  const source = createKeySource({
    now: () => at.now,
    deadline: () => new AbortController().signal,
    fetch: async (request) => {
      at.asked++
      expect(request.url).toBe(URL_OF_SET)
      expect(request.redirect).toBe('error')
      const { status } = at
      return new Response(at.body ?? JSON.stringify({ keys: at.keys }), { status, headers })
    },
  })
  const kids = async (kid = 'one') => (await source.keysAt(URL_OF_SET, kid)).map((key) => key.kid)
  return { at, kids }
}

describe('the keys at a URL', () => {
  it.each([
    [{}, DEFAULT_AGE_SECONDS],
    [{ 'cache-control': 'max-age=20' }, 20],
    [{ 'cache-control': 'public, max-age="7"' }, 7],
    [{ 'cache-control': 'max-age=999999999' }, MAX_AGE_SECONDS],
    [{ 'cache-control': 'public' }, DEFAULT_AGE_SECONDS],
  ])('with %j are asked for again after %d s', async (headers, seconds) => {
    const { at, kids } = publisher(headers)
    await kids()
    at.now += seconds * 1000 - 1
    await kids()
    expect(at.asked).toBe(1)
    at.now += 1
    await kids()
    expect(at.asked).toBe(2)
  })

  it.each(['no-store', 'no-cache', 'private, no-cache="x", max-age=60', 'max-age=later', 'max-age=-1'])(
    'with Cache-Control %j are not kept',
    async (value) => {
      const { at, kids } = publisher({ 'cache-control': value })
      await kids()
      await kids()
      expect(at.asked).toBe(2)
    },
  )

  it('are asked for once a minute for one that is not there, also where they are not kept', async () => {
    const { at, kids } = publisher({ 'cache-control': 'no-store' })
    await kids('none')
    await kids('none')
    expect(at.asked).toBe(1)
    at.now += AGAIN_MS
    await kids('none')
    expect(at.asked).toBe(2)
  })

  it('are asked for again for a new key, and once a minute for one that is not there', async () => {
    const { at, kids } = publisher()
    await kids()
    at.keys = [first.jwk, second.jwk]
    expect(await kids('two')).toEqual(['one'])
    at.now += AGAIN_MS
    expect(await kids('two')).toEqual(['one', 'two'])
    for (let i = 0; i < 5; i++) await kids('three')
    expect(at.asked).toBe(2)
  })

  it('are asked for twice at most by all who ask at once', async () => {
    const { at, kids } = publisher({ 'cache-control': 'no-store' })
    await Promise.all(Array.from({ length: 20 }, () => kids()))
    expect(at.asked).toBe(2)
  })

  it('that do not come, or are none, are not those of before', async () => {
    const { at, kids } = publisher({ 'cache-control': 'max-age=1' })
    await kids()
    at.now += 1000
    for (const wrong of [{ status: 500 }, { status: 302 }, { status: 200, body: 'no' }, { body: '{}' }]) {
      Object.assign(at, wrong)
      await expect(kids()).rejects.toMatchObject({
        code: expect.stringMatching(/UPSTREAM_FAILED|KEY_MALFORMED/),
      })
    }
    Object.assign(at, { body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` })
    await expect(kids()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    Object.assign(at, { body: null })
    expect(await kids()).toEqual(['one'])
  })
})
