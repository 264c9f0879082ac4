// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { PROBLEMS } from '#core/api/problems.ts'
import type { ErrorCode } from '#core/errors.ts'
import type { Deadline } from '#core/order/deadline.ts'
import { flipped } from './flip.ts'
import { partsReader, saidOf, type Spoiling } from './judged.ts'
import { misbehaving, type Behaviour, type MisbehavingServer } from './misbehaving.ts'
import { kindOf, type Kind } from './parts.ts'
import { recordedHome, responseOf, type Recorded, type RecordedHome } from './recorded.ts'
import { WORDS } from './words.ts'

let home: RecordedHome
/** By the largest answer of each kind, what is said where it is spoiled. */
let says: readonly (readonly [Recorded, (spoil: Spoiling) => Promise<string>])[]
const NEVER: Deadline = () => new AbortController().signal
let deadline = NEVER
beforeAll(async () => {
  home = await recordedHome()
  says = await Promise.all(
    answers().map(async (answer) => [answer, await partsReader(home, answer, (ms) => deadline(ms))] as const),
  )
})
const servers: MisbehavingServer[] = []
afterEach(async () => {
  deadline = NEVER
  for (const server of servers.splice(0)) await server.close()
})
async function serverThat(behave: Behaviour): Promise<MisbehavingServer> {
  const server = await misbehaving(behave)
  servers.push(server)
  return server
}

/** The largest answer of each kind. */
function answers(): readonly Recorded[] {
  const bySize = home.answers.toSorted((a, b) => b.bytes.length - a.bytes.length)
  return [...Map.groupBy(bySize, ({ asked }) => kindOf(asked)).values()].flatMap(([largest]) => largest ?? [])
}

/** What is said of each kind of answer when it comes from a server that behaves so. */
async function saidWhere(behave: Behaviour): Promise<Partial<Record<Kind, string>>> {
  const server = await serverThat(behave)
  const all: Partial<Record<Kind, string>> = {}
  for (const [answer, say] of says)
    all[kindOf(answer.asked)] = await say((recorded, request) => server.answer(recorded, request))
  return all
}

/** What is said where nothing can be read, but for what is given. */
function unreadable(others: Partial<Record<Kind, string>> = {}): Readonly<Record<Kind, string>> {
  const kinds = Object.keys(WORDS) as Kind[]
  const each = kinds.map((kind) => [
    kind,
    kind === 'lookup' ? 'complete: too-few, failed' : 'UPSTREAM_FAILED',
  ])
  return { ...(Object.fromEntries(each) as Record<Kind, string>), ...others }
}

/** What is said where bytes come that are not what was signed. */
const DAMAGED: Partial<Record<Kind, string>> = {
  'key row': 'tampered keys-root',
  receipt: 'tampered receipt, witnessed is promised',
  'registry receipt': 'VERIFICATION_FAILED rule receipt',
}
const refuse = (response: Parameters<Behaviour>[1], code: string, status?: number, detail = 'x') => {
  const own = Object.hasOwn(PROBLEMS, code)
    ? PROBLEMS[code as ErrorCode]
    : { status: 500, title: 'x', retryable: false }
  const body = { type: 'x', requestId: 'x', code, detail, ...own }
  response.writeHead(status ?? own.status, { 'content-type': 'application/problem+json' })
  response.end(JSON.stringify(body))
}
const halfOf = ({ bytes }: Recorded) => bytes.subarray(0, bytes.length >> 1)

describe('an answer of a home or a monitor', () => {
  it('of another content type says what its bytes say', async () => {
    const said = await saidWhere(({ bytes }, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(bytes),
    )
    expect(new Set(Object.values(said))).toEqual(new Set(['same']))
  })

  it.each<readonly [string, Behaviour]>([
    [
      'breaks off before its announced length',
      (recorded, response) => {
        response.writeHead(200, { 'content-length': recorded.bytes.length })
        response.write(halfOf(recorded), () => response.destroy())
      },
    ],
    [
      'breaks off between chunks',
      (recorded, response) => {
        response.write(halfOf(recorded), () => response.destroy())
      },
    ],
    [
      'announces more than comes',
      (recorded, response) => {
        response.strictContentLength = false
        response.writeHead(200, { 'content-length': recorded.bytes.length + 1 }).end(recorded.bytes)
      },
    ],
    [
      'is refused with what is no problem document',
      (_, response) => void response.writeHead(502).end('<html>'),
    ],
    ['is refused with a problem of no known code', (_, response) => refuse(response, 'toString')],
  ])('that %s is refused', async (_, behave) => {
    expect(await saidWhere(behave)).toEqual(unreadable())
  })

  it.each<readonly [string, Behaviour, Partial<Record<Kind, string>>]>([
    [
      'ends in its middle, as if that were its length',
      (recorded, response) => response.end(halfOf(recorded)),
      { ...DAMAGED, object: 'tampered entry-hash' },
    ],
    [
      'announces half of what comes',
      (recorded, response) => {
        response.strictContentLength = false
        response.writeHead(200, { 'content-length': halfOf(recorded).length }).end(recorded.bytes)
      },
      { ...DAMAGED, object: 'tampered entry-hash' },
    ],
    // Of an object no more is read than its block names.
    [
      'goes on after its end',
      ({ bytes }, response) => response.end(Buffer.concat([bytes, bytes])),
      { ...DAMAGED, object: 'same' },
    ],
    ['is empty', (_, response) => response.end(), { ...DAMAGED, object: 'erased , tampered entries-root' }],
    [
      'is a problem document under status 200',
      (_, response) => refuse(response, 'GONE', 200),
      { ...DAMAGED, object: 'erased , tampered entries-root' },
    ],
  ])('that %s is refused, or what it is of is named', async (_, behave, others) => {
    expect(await saidWhere(behave)).toEqual(unreadable(others))
  })

  it.each<readonly [keyof typeof PROBLEMS, Partial<Record<Kind, string>>]>([
    ['GONE', { 'key row': 'missing keys-row', object: 'erased , missing object' }],
    // A receipt that is not there is one that the home owes.
    ['NOT_FOUND', { receipt: 'overdue promise, witnessed is overdue', 'registry receipt': 'same' }],
    ['FORBIDDEN', {}],
    ['STORE_UNAVAILABLE', {}],
  ])('that is refused with %s is so called, or what is missing is named', async (code, others) => {
    const said = await saidWhere((_, response) => refuse(response, code))
    const each = Object.keys(said).map((kind) => [
      kind,
      kind === 'lookup' ? 'complete: too-few, failed' : code,
    ])
    expect(said).toEqual({ ...Object.fromEntries(each), ...others })
  })

  it('that is a refusal cannot say where evidence is kept', async () => {
    const server = await serverThat((_, response) =>
      refuse(response, 'VERIFICATION_FAILED', 422, 'rule forked: x; evidence is kept as x; rm y'),
    )
    const reader = home.reader((recorded, request) => server.answer(recorded, request))
    await expect(reader.replica(home.record)).rejects.toMatchObject({ message: 'rule forked: x' })
  })

  it('that redirects to another origin is refused, and nothing is asked there', async () => {
    const asked: string[] = []
    const elsewhere = await serverThat(({ bytes }, response, { url = '' }) => {
      asked.push(url)
      response.end(bytes)
    })
    const redirecting: Behaviour = (_, response, { url = '' }) => {
      response.writeHead(307, { location: `${elsewhere.base}${url}` }).end()
    }
    expect(await saidWhere(redirecting)).toEqual(unreadable())
    expect(asked).toEqual([])
  })

  it.each<readonly [string, Behaviour]>([
    ['does not begin', () => undefined],
    ['does not end', (recorded, response) => void response.write(halfOf(recorded))],
  ])('that %s is given up at a deadline', async (_, behave) => {
    const deadlines: AbortController[] = []
    deadline = () => {
      const stop = new AbortController()
      deadlines.push(stop)
      return stop.signal
    }
    const hanging: Behaviour = (recorded, response, request) => {
      behave(recorded, response, request)
      // All that was asked for waits only for this answer.
      for (const stop of deadlines) setImmediate(() => stop.abort())
    }
    expect(await saidWhere(hanging)).toEqual(unreadable())
  })
})

describe('pages of a home', () => {
  const saidOfPages = async (kind: Kind, page: (asked: number, recorded: Recorded) => object) => {
    const [first] = home.answers.filter(({ asked }) => kindOf(asked) === kind)
    if (!first) throw new RangeError(`nothing of the kind ${kind}`)
    let asked = 0
    const reader = home.reader((recorded) =>
      kindOf(recorded.asked) === kind ? Response.json(page(++asked, first)) : null,
    )
    const word = await reader.read(home.record).then(
      () => 'read',
      (error: { code: string }) => error.code,
    )
    return { word, asked }
  }

  it('that say the same again and again are left at the second', async () => {
    const again = (_: number, { bytes }: Recorded) => ({
      ...(JSON.parse(new TextDecoder().decode(bytes)) as object),
      next: 3,
    })
    expect(await saidOfPages('registry', again)).toMatchObject({
      word: expect.not.stringMatching('read'),
      asked: 2,
    })
  })
})

describe('one bit of an answer', () => {
  it('does not go unseen by who reads everything anew', async () => {
    for (const recorded of answers()) {
      const allowed = WORDS[kindOf(recorded.asked)]
      const { length } = recorded.bytes
      for (const at of [0, length >> 2, length - 2]) {
        const said = await saidOf(home, recorded, () => responseOf(recorded, flipped(recorded.bytes, at)))
        const word = said.replace(/, complete: .*|complete: no-label-key, /, '')
        expect([
          recorded.asked,
          at,
          allowed.includes(said) || allowed.includes(word) ? 'named' : said,
        ]).toEqual([recorded.asked, at, 'named'])
      }
    }
  })
})
