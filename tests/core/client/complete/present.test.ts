// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { logIdOf, logOriginOf } from '#core/api/log.ts'
import type { FoundLeaf, LookupAnswer } from '#core/api/lookup.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { askMonitor, MONITOR_ANSWER_MS } from '#core/client/complete/ask-monitor.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { monitoredWorld, type MonitoredWorld } from './monitored-world.ts'
import { ofOtherTree, resigned, twist, withholding } from './twists.ts'

let made: MonitoredWorld
const origin = 'http://m1.test'
const alone = { origins: [origin], need: 1 }

beforeEach(async () => {
  made = await monitoredWorld()
  await made.append('one')
})

describe('a lookup', () => {
  it('is not believed that the next block is there without the proof of that leaf', async () => {
    const fetch = withholding(made)
    await made.settle()
    await made.ask({ fetch })
    await made.append('two')
    await made.settle()
    const ask = async (change: (answer: LookupAnswer) => Promise<object> | object) => {
      twist(made, origin, change)
      const { why, words } = await made.ask({ ...alone, fetch })
      return [why, words[0]?.says]
    }
    expect(await ask((answer) => answer)).toEqual(['withheld', 'present'])
    const own = await made.monitors[0]?.platform.signer('head')
    if (!own) throw new Error('no such monitor')
    const changed = (change: Partial<FoundLeaf>) => (answer: LookupAnswer) => ({
      ...answer,
      found: answer.found && { ...answer.found, ...change },
    })
    const receipt = (change: (text: string) => string) => (answer: LookupAnswer) =>
      changed({ receipt: change(answer.found?.receipt ?? '') })(answer)
    const zero = toBase64url(new Uint8Array(32)) as Digest
    for (const change of [
      (answer: LookupAnswer) => ({ ...answer, found: null }),
      changed({ hash: zero }),
      changed({ receipt: '' }),
      receipt((text) => text.replace(/index (\d+)/, 'index 1')),
      receipt((text) => text.replace(/extra .*\n/, '')),
      receipt((text) => text.replace(/extra .*\n/, `extra ${Buffer.alloc(32).toString('base64')}\n`)),
      receipt((text) => text.replace(/\n[^\n]*\n\n$/, '\n\n')),
      // A monitor that lies about the place with its own key.
      (answer: LookupAnswer) => resigned(answer, own, { index: 0 }),
      (answer: LookupAnswer) => resigned(answer, own, { index: null }),
    ])
      expect(await ask(change)).toEqual(['too-few', 'failed'])
  })

  it('is given ten seconds at most, so that a monitor that hangs holds nobody up for long', async () => {
    await made.settle()
    const asked: number[] = []
    const late = new AbortController()
    const { ports } = made.reader()
    const hanging = {
      ...ports,
      fetch: () => new Promise<Response>(() => late.abort()),
      deadline: (ms: number) => {
        asked.push(ms)
        return late.signal
      },
    }
    const zero = toBase64url(new Uint8Array(32)) as Digest
    await expect(askMonitor({ ports: hanging }, origin, zero)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
    })
    expect(asked).toEqual([MONITOR_ANSWER_MS, MONITOR_ANSWER_MS])
  })

  it('says in which tree the monitor looked', async () => {
    await made.settle()
    const { words } = await made.ask(alone)
    const { checkpoint } = (await (
      await made
        .reader()
        .ports.fetch(
          new Request(
            `${origin}/v1/lookups/${logIdOf(logOriginOf(ORIGIN))}/${toBase64url(new Uint8Array(32))}`,
          ),
        )
    ).json()) as LookupAnswer
    const { size, root } = checkpointIn(checkpoint)
    expect(words).toMatchObject([{ says: 'absent', tree: { size, root: toBase64url(root) } }])
  })
})

describe('a log that shows monitors another tree than others', () => {
  it.each([1, 2])('is found by %i monitors, and no record is complete by it', async (number) => {
    await made.settle()
    const origins = made.monitors.slice(0, number).map((monitor) => monitor.origin)
    expect(await made.ask({ origins, need: 1 })).toMatchObject({ why: null, forked: null })
    twist(made, 'http://m1.test', (answer) => ofOtherTree(made, 0, answer))
    expect(await made.ask({ origins, need: 1 })).toMatchObject({
      asOfMs: null,
      why: 'forked',
      forked: expect.stringMatching(/^the log signed two trees of \d+ leaves with different roots$/),
    })
  })
})
