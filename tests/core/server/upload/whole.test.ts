// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { homeApp } from '#functions/all.ts'
import { listen } from '#functions/host/node.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { MAX_RANGE_BYTES } from '#core/api/large/upload.ts'
import { ORIGIN, type TestDeployment } from '#tests/deployment.ts'
import { entry, MIB, noise, scene } from './uploads.ts'

const LARGE = noise(20 * MIB)
/** Sealing so much takes its time where other tests run as well. */
const SLOW_MS = 120_000

/** What was asked, as method and path, and how large the largest body was each way. */
function watched(fetch: Fetch) {
  const asked: string[] = []
  const largest = { request: 0, append: 0, answer: 0 }
  const watching: Fetch = async (request) => {
    const { pathname } = new URL(request.url)
    const body = new Uint8Array(await request.clone().arrayBuffer())
    asked.push(`${request.method} ${pathname.split('/').slice(0, 3).join('/')}`)
    if (pathname === '/v1/blocks') largest.append = Math.max(largest.append, body.length)
    const answer = await fetch(request)
    largest.answer = Math.max(largest.answer, (await answer.clone().arrayBuffer()).byteLength)
    return answer
  }
  return { watching, asked, largest }
}

/** The same home over HTTP, as Node serves it. */
async function overHttp(world: TestDeployment, limits: { maxAnswerBytes?: number } = {}) {
  const hosting = { now: () => world.clock.now, random: world.random, log: silentLog, ...limits }
  const { app } = await homeApp(world.platform, world.home, hosting)
  // Its origin in registry and signatures is that of the tests; only the connection is another.
  const served = (request: Request) => {
    const url = new URL(request.url)
    return app.fetch(new Request(new URL(url.pathname + url.search, ORIGIN), request))
  }
  const { port, close } = await listen(served, 0, false)
  const fetch: Fetch = async (request) => {
    const url = new URL(request.url)
    const { method, headers } = request
    const body = method === 'GET' ? null : await request.arrayBuffer()
    return globalThis.fetch(new URL(url.pathname + url.search, `http://127.0.0.1:${port}`), {
      method,
      headers,
      body,
    })
  }
  return { fetch, close }
}

describe('an entry of 20 MB', () => {
  it(
    'comes in by an upload and is read back in ranges, in memory',
    async () => {
      const at = await scene()
      const { watching, asked, largest } = watched(at.world.fetch)
      await at.world.connect('hospital-a', { fetch: watching }).append(at.record, [entry(LARGE)])
      expect(asked.filter((one) => /uploads|blocks/.test(one)).slice(-3)).toEqual([
        'POST /v1/uploads',
        'PUT /v1/uploads',
        'POST /v1/blocks',
      ])
      expect(largest.append).toBeLessThan(64 * 1024)
      const reader = watched(at.world.fetch)
      const view = await at.world.connect('hospital-a', { fetch: reader.watching }).read(at.record)
      expect(view.closed).toEqual([])
      expect(Buffer.from(view.opened[0]?.content ?? []).equals(Buffer.from(LARGE))).toBe(true)
      expect(reader.largest.answer).toBe(MAX_RANGE_BYTES)
    },
    SLOW_MS,
  )

  it(
    'does so over HTTP, also where no larger answer passes',
    async () => {
      const at = await scene()
      const { fetch, close } = await overHttp(at.world, { maxAnswerBytes: MAX_RANGE_BYTES })
      try {
        const a = at.world.connect('hospital-a', { fetch })
        await a.append(at.record, [entry(LARGE)])
        const view = await at.world.connect('hospital-a', { fetch }).read(at.record)
        expect(Buffer.from(view.opened[0]?.content ?? []).equals(Buffer.from(LARGE))).toBe(true)
      } finally {
        await close()
      }
    },
    SLOW_MS,
  )
})
